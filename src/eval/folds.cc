// Stratified folds over groups of equal texts.
#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "base/utf8.h"
#include "eval/bootstrap.h"
#include "eval/runner.h"

namespace safeguard::eval {
namespace {

using moderation::Outcome;

enum Stratum : std::size_t { kViolating, kSafe, kUnlabelled, kStrata };

struct Group {
  std::vector<std::size_t> members;
  Stratum stratum = kUnlabelled;
};

// Simple case folding of the alphabets with a regular layout; enough to find repeated texts.
char32_t Lower(char32_t c) {
  if ((c >= U'A' && c <= U'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) ||
      (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F)) {
    return c + 0x20;
  }
  return c >= 0x400 && c <= 0x40F ? c + 0x50 : c;
}

bool Counts(char32_t c) {
  return (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || c >= 0xA1;
}

std::string Normalise(std::string_view text) {
  std::string normal;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, at);
    at += point.length;
    if (const char32_t lower = Lower(point.value); Counts(lower)) {
      AppendUtf8(lower, normal);
    }
  }
  return normal.empty() ? std::string(text) : normal;
}

std::vector<Group> GroupByText(std::span<const Record> records) {
  std::map<std::string, std::size_t> known;
  std::vector<Group> groups;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto [place, fresh] = known.try_emplace(NormalText(records[i].content), groups.size());
    if (fresh) {
      groups.emplace_back();
    }
    Group& group = groups[place->second];
    group.members.push_back(i);
    if (records[i].expected) {
      const Stratum own = *records[i].expected == Outcome::kViolation ? kViolating : kSafe;
      group.stratum = std::min(group.stratum, own);  // one violation makes the group one
    }
  }
  return groups;
}

void Shuffle(std::vector<Group>& groups, std::mt19937_64& random) {
  for (std::size_t i = groups.size(); i > 1; --i) {
    std::swap(groups[i - 1], groups[UniformBelow(random, static_cast<std::uint32_t>(i))]);
  }
}

}  // namespace

std::string NormalText(const moderation::Content& content) {
  std::string normal;
  for (const moderation::Message& message : content.messages) {
    normal += Normalise(message.text) + '\n';
  }
  return normal;
}

Result<std::vector<std::size_t>> AssignFolds(std::span<const Record> records,
                                             const CrossValidationOptions& options) {
  if (options.folds < 2) {
    return Fail(ErrorCode::kInvalidInput, "cross-validation needs at least 2 folds");
  }
  std::vector<Group> groups = GroupByText(records);
  const auto labelled = static_cast<std::size_t>(std::ranges::count_if(
      groups, [](const Group& group) { return group.stratum != kUnlabelled; }));
  if (labelled < options.folds) {
    return Fail(ErrorCode::kInvalidInput,
                std::to_string(labelled) + " different labelled texts cannot be split into " +
                    std::to_string(options.folds) + " folds",
                "add cases or use fewer folds");
  }
  std::mt19937_64 random(options.seed);
  Shuffle(groups, random);
  // Large groups first, each to the fold with the fewest records of its kind: even folds.
  std::ranges::stable_sort(
      groups, [](const Group& a, const Group& b) { return a.members.size() > b.members.size(); });
  std::vector<std::size_t> folds(records.size());
  std::vector<std::array<std::size_t, kStrata + 1>> sizes(options.folds);
  for (const Group& group : groups) {
    const auto best = std::ranges::min_element(sizes, {}, [&group](const auto& size) {
      return std::pair(size[group.stratum], size[kStrata]);
    });
    (*best)[group.stratum] += group.members.size();
    (*best)[kStrata] += group.members.size();
    for (const std::size_t member : group.members) {
      folds[member] = static_cast<std::size_t>(best - sizes.begin());
    }
  }
  return folds;
}

std::size_t CountInPolicyExamples(const moderation::Policy& policy,
                                  std::span<const Record> records) {
  std::set<std::string> examples;
  for (const moderation::Example& example : policy.examples) {
    examples.insert(NormalText(moderation::UserMessage(example.text)));
  }
  return static_cast<std::size_t>(std::ranges::count_if(records, [&examples](const Record& record) {
    return record.expected && examples.contains(NormalText(record.content));
  }));
}

}  // namespace safeguard::eval
