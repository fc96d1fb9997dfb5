// Judging under two versions and counting what flips.
#include "eval/blast_radius.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "eval/breakdown.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;
using moderation::Verdict;

constexpr const char* kNoRule = "(no rule)";
constexpr const char* kNotStated = "(not stated)";

struct JudgedFlip {
  std::size_t item = 0;
  Verdict before;
  Verdict after;
};

std::string KindOf(const JudgedFlip& flip) {
  return std::string(moderation::ToString(flip.before.outcome)) + " to " +
         moderation::ToString(flip.after.outcome);
}

// The clause that made it a violation, under whichever version it is one.
std::string ClauseOf(const JudgedFlip& flip) {
  const Verdict& verdict = flip.after.outcome == Outcome::kViolation ? flip.after : flip.before;
  if (verdict.outcome == Outcome::kSafe || verdict.rule_ids.empty()) {
    return kNoRule;
  }
  return verdict.rule_ids.front();
}

std::string Stated(const std::string& text) {
  return text.empty() ? kNotStated : text;
}

double Distance(const JudgedFlip& flip) {
  const bool decided =
      flip.before.outcome != Outcome::kUndetermined && flip.after.outcome != Outcome::kUndetermined;
  const double moved =
      flip.before.score && flip.after.score ? std::abs(*flip.after.score - *flip.before.score) : 0;
  return moved + (decided ? 1 : 0);
}

// The furthest moved of each (kind, clause) in turn, so that one large group hides no other.
std::vector<const JudgedFlip*> MostTelling(const std::vector<JudgedFlip>& flips, std::size_t most) {
  std::map<std::pair<std::string, std::string>, std::vector<const JudgedFlip*>> groups;
  for (const JudgedFlip& flip : flips) {
    groups[{KindOf(flip), ClauseOf(flip)}].push_back(&flip);
  }
  std::vector<std::vector<const JudgedFlip*>> queues;
  for (auto& [key, queue] : groups) {
    std::ranges::stable_sort(queue, [](const JudgedFlip* a, const JudgedFlip* b) {
      return std::pair(-Distance(*a), a->item) < std::pair(-Distance(*b), b->item);
    });
    queues.push_back(std::move(queue));
  }
  std::ranges::stable_sort(queues, [](const auto& a, const auto& b) {
    return Distance(*a.front()) > Distance(*b.front());
  });
  std::vector<const JudgedFlip*> chosen;
  for (std::size_t round = 0; chosen.size() < std::min(most, flips.size()); ++round) {
    for (const auto& queue : queues) {
      if (round < queue.size() && chosen.size() < most) {
        chosen.push_back(queue[round]);
      }
    }
  }
  return chosen;
}

class Measurement {
 public:
  Measurement(moderation::Judge& judge,
              std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
              std::span<const Record> records, const BlastOptions& options)
      : judge_(judge), policies_(policies), records_(records), options_(options) {}

  Result<BlastRadius> Run(std::span<const std::optional<double>> scores) {
    const std::size_t size = records_.size();
    const std::size_t sample = options_.sample == 0 ? size : std::min(options_.sample, size);
    total_ = sample;
    strata_of_ = sample == size ? std::vector<std::uint32_t>(size)
                                : StratifyContents(records_, scores, sample);
    const Result<SampleOutcome> outcome = SampleStrata(
        strata_of_, [this](std::span<const std::size_t> items) { return Judge(items); },
        {.sample = sample, .seed = options_.seed});
    if (!outcome) {
      return std::unexpected(outcome.error());
    }
    cells_ = outcome->cells;
    for (std::size_t i = 0; i < outcome->judged.size(); ++i) {
      cell_of_[outcome->judged[i]] = outcome->cell_of[i];
    }
    return Build(*outcome);
  }

 private:
  Result<std::vector<std::uint8_t>> Judge(std::span<const std::size_t> items) {
    std::vector<Record> chosen;
    chosen.reserve(items.size());
    for (const std::size_t item : items) {
      chosen.push_back(records_[item]);
    }
    RunOptions run = options_.run;
    run.progress = [this](const Progress& progress) {
      if (options_.run.progress) {
        options_.run.progress({.done = done_ + progress.done, .total = total_});
      }
    };
    std::vector<EvaluationRun> runs = RunPolicies(judge_, policies_, chosen, run);
    done_ += items.size();
    radius_.seconds += runs.front().seconds;
    std::vector<std::uint8_t> hits(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      CaseResult& before = runs[0].results[i];
      CaseResult& after = runs[1].results[i];
      if (!before.judged || !after.judged) {
        return Fail(ErrorCode::kUnavailable, "stopped before the sample was judged",
                    "run it again, with a smaller --sample or --budget if it takes too long");
      }
      for (const Verdict* verdict : {&before.verdict, &after.verdict}) {
        radius_.tokens.prompt += verdict->tokens.prompt;
        radius_.tokens.cached += verdict->tokens.cached;
        radius_.tokens.reasoning += verdict->tokens.reasoning;
        radius_.tokens.answer += verdict->tokens.answer;
      }
      if (before.verdict.outcome != after.verdict.outcome) {
        hits[i] = 1;
        flips_.push_back({items[i], std::move(before.verdict), std::move(after.verdict)});
      }
    }
    return hits;
  }

  // Flips for which `belongs` is true: in each cell a count of its own, of the same sample.
  template <typename Belongs>
  FlipCount Count(std::string name, const Belongs& belongs) const {
    std::vector<SampleCell> cells = cells_;
    for (SampleCell& cell : cells) {
      cell.hits = 0;
    }
    FlipCount count;
    count.name = std::move(name);
    count.contents = records_.size();
    for (const JudgedFlip& flip : flips_) {
      if (belongs(flip)) {
        ++cells[cell_of_.at(flip.item)].hits;
        ++count.seen;
      }
    }
    count.flips = EstimateTotal(cells, options_.confidence);
    return count;
  }

  // One count for each different value of `key` among the flips.
  template <typename KeyFunction>
  std::vector<FlipCount> CountBy(const KeyFunction& key) const {
    std::map<std::string, std::size_t> names;
    for (const JudgedFlip& flip : flips_) {
      ++names[key(flip)];
    }
    std::vector<FlipCount> counts;
    for (const auto& [name, seen] : names) {
      counts.push_back(Count(name, [&](const JudgedFlip& flip) { return key(flip) == name; }));
    }
    std::ranges::stable_sort(counts, [](const FlipCount& a, const FlipCount& b) {
      return a.flips.total > b.flips.total;
    });
    return counts;
  }

  // One count for each language or surface there is.
  std::vector<FlipCount> CountGroups(std::string moderation::Content::* field) const {
    std::map<std::string, std::size_t> sizes;
    for (const Record& record : records_) {
      ++sizes[record.content.*field];
    }
    std::vector<std::pair<std::string, std::size_t>> groups(sizes.begin(), sizes.end());
    std::ranges::stable_sort(groups,
                             [](const auto& a, const auto& b) { return a.second > b.second; });
    groups.resize(std::min(groups.size(), kGroupsMax));
    std::vector<FlipCount> counts;
    for (const auto& [value, size] : groups) {
      FlipCount count = Count(Stated(value), [&](const JudgedFlip& flip) {
        return records_[flip.item].content.*field == value;
      });
      count.contents = size;
      count.flips.high = std::min(count.flips.high, static_cast<double>(size));
      count.flips.total = std::min(count.flips.total, static_cast<double>(size));
      counts.push_back(std::move(count));
    }
    return counts;
  }

  BlastRadius Build(const SampleOutcome& outcome) {
    radius_.contents = records_.size();
    radius_.judged = outcome.judged.size();
    radius_.strata = outcome.strata;
    radius_.confidence = options_.confidence;
    radius_.all = Count("all", [](const JudgedFlip&) { return true; });
    radius_.kinds = CountBy(KindOf);
    radius_.clauses = CountBy(ClauseOf);
    radius_.languages = CountGroups(&moderation::Content::language);
    radius_.surfaces = CountGroups(&moderation::Content::surface);
    for (const JudgedFlip* flip : MostTelling(flips_, options_.flips_max)) {
      const Record& record = records_[flip->item];
      std::string text;
      for (const moderation::Message& message : record.content.messages) {
        text += (text.empty() ? "" : " / ") + message.text;
      }
      radius_.telling.push_back({RecordName(record), record.content.language,
                                 record.content.surface, Excerpt(text, options_.excerpt_bytes_max),
                                 flip->before, flip->after});
    }
    return std::move(radius_);
  }

  moderation::Judge& judge_;
  std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies_;
  std::span<const Record> records_;
  const BlastOptions& options_;
  std::vector<std::uint32_t> strata_of_;
  std::vector<SampleCell> cells_;
  std::unordered_map<std::size_t, std::uint32_t> cell_of_;  // of the items judged
  std::vector<JudgedFlip> flips_;
  std::size_t done_ = 0;
  std::size_t total_ = 0;
  BlastRadius radius_;
};

}  // namespace

Result<BlastRadius> MeasureBlastRadius(
    moderation::Judge& judge,
    std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
    std::span<const Record> records, std::span<const std::optional<double>> scores,
    const BlastOptions& options) {
  CHECK(policies.size() == 2);
  if (records.empty()) {
    return Fail(ErrorCode::kInvalidInput, "there are no contents to judge");
  }
  return Measurement(judge, policies, records, options).Run(scores);
}

}  // namespace safeguard::eval
