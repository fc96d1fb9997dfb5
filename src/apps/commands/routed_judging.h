// Judging under policies of which the store says, content by content, which version answers.
//
// A policy named without a version follows the store: each call takes one snapshot, so a promote or
// a rollback is there from the next call on, and no content is judged by half of one. A canary
// judges the contents whose key falls into its percentage. Policies named by version or file stay
// what they are.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/commands/judging.h"
#include "moderation/live_policies.h"
#include "moderation/verdict_log.h"

namespace safeguard::apps {

struct ShadowVerdict {
  std::size_t content = 0;  // contents[content] was judged
  moderation::Verdict verdict;
};

struct Judged {
  // Content-major: verdicts[c * policies + p], with the part that its version played.
  std::vector<moderation::Verdict> verdicts;
  std::vector<moderation::Channel> channels;
  std::vector<ShadowVerdict> shadows;  // never an answer; for the record alone
};

class RoutedJudging {
 public:
  // Opens the store only when a policy follows it.
  static Result<std::unique_ptr<RoutedJudging>> Open(Judging judging,
                                                     const JudgingRequest& request);

  // keys[c]: what decides whether contents[c] is the canary's: the hash of an account or of the
  // content. With `shadows` the shadow versions judge too. Fails when the store cannot say which
  // version is active.
  Result<Judged> Decide(std::span<const moderation::Content> contents,
                        std::span<const std::string> keys, bool shadows);

  [[nodiscard]] const std::vector<LoadedPolicy>& policies() const { return judging_.policies; }
  [[nodiscard]] const moderation::Judge& judge() const { return *judging_.judge; }

 private:
  using Prepared = std::shared_ptr<const moderation::PreparedPolicy>;
  struct Route {
    std::vector<Prepared> policies;
    std::vector<moderation::Channel> channels;
  };

  RoutedJudging(Judging judging, std::string golden)
      : judging_(std::move(judging)), golden_(std::move(golden)) {}
  Result<Route> RouteOf(const moderation::PolicySnapshot* snapshot, const std::string& key);
  Result<Prepared> PreparedOf(const moderation::LiveVersion& version);
  void Forget(const moderation::PolicySnapshot& snapshot);
  Status JudgeShadows(const moderation::PolicySnapshot& snapshot,
                      std::span<const moderation::Content> contents, Judged& judged);

  Judging judging_;
  std::string golden_;  // --golden
  std::unique_ptr<moderation::PolicyStore> store_;
  std::unique_ptr<moderation::LivePolicies> live_;
  std::map<std::pair<std::string, std::string>, Prepared> prepared_;  // by id and version
  std::uint64_t generation_ = 0;                                      // of prepared_
};

// What follows the canary's percentage when no account is named: the content's own hash.
std::vector<std::string> KeysOf(std::span<const moderation::Content> contents);

}  // namespace safeguard::apps
