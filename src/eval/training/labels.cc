#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "eval/agreement.h"
#include "eval/runner.h"
#include "eval/training.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

constexpr std::size_t kConflictsNamed = 20;

bool IsViolation(const Record& record) {
  return record.expected == Outcome::kViolation;
}

}  // namespace

CleanedLabels CleanLabels(std::vector<Record> records) {
  struct Seen {
    std::size_t first = 0;
    std::size_t times = 0;
    bool conflict = false;
  };
  CleanedLabels cleaned;
  std::unordered_map<std::string, Seen> texts;
  std::vector<std::string> normal(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!records[i].expected) {
      ++cleaned.unlabelled;
      continue;
    }
    normal[i] = NormalText(records[i].content);
    const auto [place, fresh] = texts.try_emplace(normal[i], Seen{i, 0, false});
    Seen& seen = place->second;
    ++seen.times;
    if (!fresh && records[seen.first].expected != records[i].expected && !seen.conflict) {
      seen.conflict = true;
      if (cleaned.conflicts.size() < kConflictsNamed) {
        cleaned.conflicts.emplace_back(RecordName(records[seen.first]), RecordName(records[i]));
      }
    }
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!records[i].expected) {
      continue;
    }
    const Seen& seen = texts.at(normal[i]);
    if (seen.conflict) {
      ++cleaned.conflicting;
    } else if (seen.first != i) {
      ++cleaned.repeated;
    } else {
      cleaned.records.push_back(std::move(records[i]));
    }
  }
  return cleaned;
}

Status CheckTrainable(std::span<const Record> records) {
  const auto violations = static_cast<std::size_t>(std::ranges::count_if(records, IsViolation));
  const std::size_t safe = records.size() - violations;
  const std::string there = std::to_string(violations) + " violations and " + std::to_string(safe) +
                            " safe texts are left";
  if (violations == 0 || safe == 0) {
    return Fail(
        ErrorCode::kInvalidInput,
        std::string("every label says ") + (safe == 0 ? "violation" : "safe") + ": " + there,
        "a classifier needs examples of both; look at --positive and --label-field");
  }
  if (std::min(violations, safe) < kTrainingClassMin) {
    return Fail(ErrorCode::kLimit,
                "too few labels: " + there + ", and it takes at least " +
                    std::to_string(kTrainingClassMin) + " of each",
                "label more, or rely on the screen with a golden set for now");
  }
  if (records.size() > kTrainingRecordsMax) {
    return Fail(ErrorCode::kLimit,
                "there are " + std::to_string(records.size()) + " texts and the limit is " +
                    std::to_string(kTrainingRecordsMax),
                "train on a sample of them");
  }
  return {};
}

std::size_t RemoveTestTexts(std::span<const Record> test, std::vector<Record>& records) {
  std::unordered_set<std::string> texts;
  for (const Record& record : test) {
    texts.insert(NormalText(record.content));
  }
  return std::erase_if(records, [&texts](const Record& record) {
    return texts.contains(NormalText(record.content));
  });
}

Result<TrainingSplit> SplitForTraining(std::span<const Record> records, bool hold_out,
                                       std::uint64_t seed) {
  constexpr std::size_t kFolds = 5;
  TrainingSplit split;
  if (hold_out) {
    const Result<std::vector<std::size_t>> parts =
        AssignFolds(records, {.folds = kFolds, .seed = seed});
    if (!parts) {
      return std::unexpected(parts.error());
    }
    for (std::size_t i = 0; i < records.size(); ++i) {
      ((*parts)[i] == 0 ? split.test : split.train).push_back(i);
    }
  } else {
    for (std::size_t i = 0; i < records.size(); ++i) {
      split.train.push_back(i);
    }
  }
  std::vector<Record> train;
  for (const std::size_t i : split.train) {
    train.push_back(records[i]);
  }
  Result<std::vector<std::size_t>> folds = AssignFolds(train, {.folds = kFolds, .seed = seed + 1});
  if (!folds) {
    return std::unexpected(folds.error());
  }
  split.fold = std::move(*folds);
  std::size_t held_out[2] = {};  // in fold 0, by side
  for (std::size_t i = 0; i < train.size(); ++i) {
    held_out[IsViolation(train[i]) ? 1 : 0] += split.fold[i] == 0 ? 1U : 0U;
  }
  const bool one_is_enough =
      train.size() > kCrossValidatedMax && std::min(held_out[0], held_out[1]) >= kOneFoldClassMin;
  split.validate = {0};
  for (std::size_t fold = 1; !one_is_enough && fold < kFolds; ++fold) {
    split.validate.push_back(fold);
  }
  return split;
}

LabelAgreement AgreementOn(std::span<const Record> a, std::span<const Record> b) {
  std::unordered_map<std::string, bool> labels;
  for (const Record& record : a) {
    if (record.expected) {
      labels[NormalText(record.content)] = IsViolation(record);
    }
  }
  AgreementTable table(2);
  LabelAgreement agreement;
  for (const Record& record : b) {
    const auto other = labels.find(NormalText(record.content));
    if (record.expected && other != labels.end()) {
      const bool violation = IsViolation(record);
      table.Add(other->second ? 1 : 0, violation ? 1 : 0);
      agreement.same += other->second == violation ? 1 : 0;
    }
  }
  agreement.both = table.total();
  agreement.kappa = Kappa(table, KappaWeights::kNone);
  return agreement;
}

}  // namespace safeguard::eval
