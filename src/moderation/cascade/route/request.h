// One call of a cascade: contents under policies on their way through the layers.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "moderation/cascade/route/core.h"

namespace safeguard::moderation::route {

class Request {
 public:
  // `policies` are CascadePolicy; all spans outlive the request. `within`: the time that there is,
  // where that is less than the route's budget.
  Request(Core& core, std::span<const std::shared_ptr<const PreparedPolicy>> policies,
          std::span<const Content> contents, std::optional<Duration> within = std::nullopt);

  std::vector<Verdict> Run();
  // The same of a window of a stream: nothing follows from it but its verdicts.
  std::vector<Verdict> RunInPassing();
  // Reasoners alone, for what was deferred; all layers for what nobody has answered.
  Verdict RunDeferred(const DeferredItem& item);

 private:
  // front.cc
  void AskLists();
  void AskList(Case& each);
  void AskScreen();

  // triage.cc
  void Triage();
  void TriageOne(Case& each);
  void Gate(Case& each);
  void DrawAudit(Case& each);
  const TamperFinding& TamperOf(const Content& content);
  const LanguageGuess& LanguageOf(const Content& content);

  // ladder.cc
  struct Asked {
    Case* each = nullptr;
    EffortGrant grant;
  };
  void Climb(std::vector<Case*> pending, bool deferred);
  std::vector<Asked> Admit(std::span<Case* const> pending, std::size_t rung, bool deferred);
  void Refuse(Case& each, const EffortGrant& grant, std::size_t rung);
  void Ask(std::span<const Asked> group, std::size_t rung);
  void AskSuspect(const Asked& asked, std::size_t rung);
  void Take(Case& each, Verdict verdict, std::size_t rung, Duration took);
  void NoAnswer(std::span<const Asked> group, std::size_t rung, TimedCalls::End end);
  std::function<void(const std::vector<std::vector<Verdict>>&, Duration)> Settling(
      std::span<const Asked> group, std::size_t rung, std::size_t verdicts_each) const;
  [[nodiscard]] EffortRequest EffortOf(const Case& each, std::size_t rung, bool deferred) const;
  [[nodiscard]] double CostOf(const Case& each, std::size_t rung) const;

  // tamper_check.cc
  Verdict StandUp(const Case& each, std::vector<Verdict> verdicts, bool forked) const;
  std::optional<std::string> CanaryFor(const Case& each, std::size_t rung);

  // finish.cc
  void Unanswered(Case& each, UndeterminedReason reason, const std::string& detail);
  [[nodiscard]] Verdict ProvisionalOf(const Case& each, UndeterminedReason reason,
                                      const std::string& detail) const;
  bool Defer(Case& each, DeferReason reason, UndeterminedReason open_reason,
             const std::string& detail);
  void Record(Case& each);
  Verdict Compose(Case& each) const;
  void FileReview(const Case& each, Verdict& verdict);

  // What a call with `contents` contents may take.
  [[nodiscard]] Duration Left(std::size_t contents) const;
  // The same for a reasoner that can be finished later.
  [[nodiscard]] Duration LeftForReasoner(std::size_t contents) const;
  [[nodiscard]] bool CanDefer() const {
    return core_.parts.deferred != nullptr && !in_deferred_ && !in_passing_;
  }

  Core& core_;
  std::vector<std::shared_ptr<const PreparedPolicy>> policies_;
  std::span<const Content> contents_;
  Duration start_;
  Duration time_budget_;
  bool in_deferred_ = false;
  bool in_passing_ = false;
  std::vector<Case> cases_;                             // content-major
  std::vector<std::optional<TamperFinding>> tamper_;    // by content
  std::vector<std::optional<LanguageGuess>> language_;  // by content
};

// The key of a follow-up: what makes two of them the same.
std::string FollowUpKey(const std::string& route, const Content& content,
                        const PolicyReference& policy, const std::string& what);

}  // namespace safeguard::moderation::route
