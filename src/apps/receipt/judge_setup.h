// What a judge's answers depend on besides policy and content, as the JSON that receipts carry; and
// back, so that `replay` opens such a judge again.
//
//   build    version, commit, compiler, type
//   kernels  screen, reasoner: the arithmetic that was chosen for this machine
//   model    encoder, trained, tokenizer: SHA-256 of the screen's files
//   route    hash of its file, where a route judged
//   judge    the options (judge_choice.h); of a route its file
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "apps/judge_choice.h"
#include "apps/services.h"
#include "base/result.h"
#include "moderation/verdict_log.h"

namespace safeguard::apps {

// Hashes the screen's files: some tens of milliseconds.
std::string SetupOf(const JudgeChoice& choice, Services& services);
// `finishing`: of what the route's reasoners decide later (Cascade::Finish).
std::string RouteSetup(const std::string& file, Services& services, bool finishing = false);
// Of the route where there is one, else of the judge.
inline std::string SetupFor(const std::string& route, const JudgeChoice& choice,
                            Services& services) {
  return route.empty() ? SetupOf(choice, services) : RouteSetup(route, services);
}

// A log in which `setup` goes with each verdict of that judge: not with what another judge or a
// person decided, nor with what nobody did, nor with what has a setup already.
std::unique_ptr<moderation::VerdictLog> WithSetup(std::unique_ptr<moderation::VerdictLog> log,
                                                  const JudgeChoice& choice, std::string setup);
// The same; `log` must outlive it.
std::unique_ptr<moderation::VerdictLog> WithSetup(moderation::VerdictLog& log,
                                                  const JudgeChoice& choice, std::string setup);

// A log of a route's verdicts: whichever of its layers decided, its setup goes with all of them.
// `log` must outlive it.
std::unique_ptr<moderation::VerdictLog> WithRouteSetup(moderation::VerdictLog& log,
                                                       std::string setup);

struct NamedSetup {
  JudgeChoice choice;
  std::string route;  // its file; empty: no route judged
  bool finishing = false;
};

// kInvalidInput where it says nothing of a judge. Paths are those of the machine that judged.
Result<NamedSetup> ReadSetup(std::string_view setup);

}  // namespace safeguard::apps
