// What a shadow version would have answered, beside what was answered: out of the verdict log.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "moderation/verdict_log.h"

namespace safeguard::http {

inline constexpr std::size_t kShadowExamplesMax = 20;  // of each direction

// A share with its 95 % score interval (Wilson 1927). REQUIRES: total > 0.
struct Share {
  double value = 0;
  double low = 0;
  double high = 0;
};
Share ShareOf(std::size_t count, std::size_t total);

// Pairs each shadow verdict with the answer to the same content: the earliest one that has no
// partner yet. Used by one thread at a time.
class ShadowResults {
 public:
  struct Pair {
    moderation::VerdictRecord answered;
    moderation::VerdictRecord shadow;
  };
  struct Direction {
    std::size_t count = 0;
    std::vector<Pair> examples;  // the first of them
  };

  // `version`: of the shadow.
  explicit ShadowResults(std::string version) : version_(std::move(version)) {}

  // A record of the policy; in the order of the log.
  void Add(moderation::VerdictRecord record);

  [[nodiscard]] std::size_t shadows() const { return shadows_; }
  [[nodiscard]] std::size_t paired() const { return paired_; }
  [[nodiscard]] std::size_t agreed() const { return agreed_; }
  // From the outcome answered to the shadow's, where they differ.
  [[nodiscard]] const std::map<std::pair<moderation::Outcome, moderation::Outcome>, Direction>&
  directions() const {
    return directions_;
  }

 private:
  void Count(const moderation::VerdictRecord& answered, const moderation::VerdictRecord& shadow);

  std::string version_;
  std::size_t shadows_ = 0;
  std::size_t paired_ = 0;
  std::size_t agreed_ = 0;
  std::map<std::pair<moderation::Outcome, moderation::Outcome>, Direction> directions_;
  // By content hash: what has no partner yet.
  std::map<std::string, std::deque<moderation::VerdictRecord>> answers_;
  std::map<std::string, std::deque<moderation::VerdictRecord>> waiting_;
};

}  // namespace safeguard::http
