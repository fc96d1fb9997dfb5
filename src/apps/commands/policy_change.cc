// The commands that change the store: publish, approve, promote, rollback, retire, settings.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/input/data_folder.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "apps/output/version_text.h"
#include "base/utc_time.h"
#include "eval/golden_set.h"
#include "moderation/policy_errors.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::Action;
using moderation::PolicyStore;
using moderation::VersionInfo;
using moderation::VersionState;

// What a command has to say: a line for people, the version for scripts.
struct Outcome {
  std::string text;
  nlohmann::ordered_json json;
};

// "spam@3" as the version that it names. A bare name is refused: what changes is said exactly.
Result<VersionInfo> NamedVersion(PolicyStore& store, const std::string& text) {
  const moderation::VersionName name = moderation::ParseVersionName(text);
  if (name.selector.empty()) {
    const auto versions = store.Versions(name.policy_id);
    if (!versions) {
      return std::unexpected(versions.error());
    }
    return Fail(ErrorCode::kInvalidInput, "which version of " + name.policy_id + "?",
                "name it: " + name.policy_id + "@" + std::to_string(versions->size()) + ", " +
                    name.policy_id + "@latest or the beginning of its hash");
  }
  return store.Find(name.policy_id, name.selector);
}

Result<std::size_t> CountGolden(const std::string& golden, const std::string& name) {
  if (golden.empty()) {
    return 0;
  }
  std::istringstream in(golden);
  const auto cases = eval::ReadGoldenSet(in, name);
  return cases ? Result<std::size_t>(cases->size()) : std::unexpected(cases.error());
}

// As the server checks: without the model's token counter, lengths are not.
std::vector<moderation::Finding> FindingsOf(const moderation::Policy& policy, Services& services) {
  return moderation::LintPolicy(policy, services.OpenTokenCounter("").value_or(nullptr));
}

// What publishing says of them, into `outcome`.
void TellFindings(std::vector<moderation::Finding> findings, Outcome& outcome) {
  outcome.json["findings"] = nlohmann::ordered_json::array();
  for (const moderation::Finding& finding : findings) {
    outcome.json["findings"].push_back({{"severity", moderation::ToString(finding.severity)},
                                        {"check", finding.check},
                                        {"line", finding.line},
                                        {"reason", finding.reason},
                                        {"mend", finding.mend}});
  }
  const std::vector<moderation::Finding> errors = moderation::ErrorsOf(std::move(findings));
  if (!errors.empty()) {
    outcome.text +=
        "It may not come to answer as it is: " + Printable(moderation::ErrorsText(errors)) +
        " (safeguard policy lint says how to mend it).\n";
  }
}

Result<Outcome> Publish(const PolicyChangeArguments& arguments, PolicyStore& store,
                        const Action& action, Services& services) {
  const PolicyCatalog catalog(services.shipped_policies());
  Result<PolicyCatalog::Source> source = catalog.Read(
      arguments.policy, arguments.golden, arguments.no_golden ? Golden::kIgnore : Golden::kRead);
  if (!source) {
    return std::unexpected(source.error());
  }
  const Result<moderation::Policy> policy =
      moderation::ReadPolicy(source->policy, source->fallback_id);
  if (!policy) {
    Error error = policy.error();
    error.message = "the policy " + arguments.policy + " cannot be read: " + error.message;
    return std::unexpected(std::move(error));
  }
  const std::string& id = arguments.id.empty() ? policy->id : arguments.id;
  if (!moderation::CheckPolicyId(id)) {
    return Fail(ErrorCode::kInvalidInput, "\"" + id + "\" cannot be a policy's id in the store",
                "give it one with --id: letters, digits, '.', '_' and '-'");
  }
  const Result<std::size_t> cases = CountGolden(source->golden, source->golden_origin);
  if (!cases) {
    return std::unexpected(cases.error());
  }
  const Result<moderation::Published> published =
      store.Publish(id, {std::move(source->policy), std::move(source->golden)}, action);
  if (!published) {
    return std::unexpected(published.error());
  }
  const VersionInfo& version = published->version;
  Outcome outcome;
  outcome.json = VersionJson(version);
  outcome.json["is_new"] = published->is_new;
  outcome.json["golden_cases"] = *cases;
  outcome.text =
      published->is_new
          ? fmt::format("{} is a new draft: {} rules, {} golden cases, hash {}.\n",
                        VersionName(version), policy->rules.size(), *cases, ShortHash(version.hash))
          : fmt::format("{} has these bytes already; it is {}.\n", VersionName(version),
                        StateText(version));
  TellFindings(FindingsOf(*policy, services), outcome);
  return outcome;
}

Result<Outcome> Approve(const PolicyChangeArguments& arguments, PolicyStore& store,
                        const Action& action) {
  const Result<VersionInfo> version = NamedVersion(store, arguments.policy);
  if (!version) {
    return std::unexpected(version.error());
  }
  const Result<VersionInfo> approved = store.Approve(version->policy_id, version->number, action);
  if (!approved) {
    return std::unexpected(approved.error());
  }
  return Outcome{fmt::format("{} is approved by {}.\n", VersionName(*approved),
                             Printable(approved->approved_by)),
                 VersionJson(*approved)};
}

// The version that is active now, or nothing.
std::optional<VersionInfo> ActiveOf(PolicyStore& store, const std::string& policy_id) {
  const Result<VersionInfo> active = store.Find(policy_id, "active");
  return active ? std::optional(*active) : std::nullopt;
}

// A version that has errors does not come to answer, as over HTTP.
Status CheckMayAnswer(PolicyStore& store, const VersionInfo& version, Services& services) {
  const auto bytes = store.Read(version.policy_id, version.number);
  const auto policy = bytes ? moderation::ReadPolicy(bytes->policy, version.policy_id)
                            : std::unexpected(bytes.error());
  if (!policy) {
    return std::unexpected(policy.error());
  }
  const std::vector<moderation::Finding> errors =
      moderation::ErrorsOf(FindingsOf(*policy, services));
  return errors.empty() ? Status{}
                        : Fail(ErrorCode::kInvalidInput, moderation::ErrorsText(errors),
                               "mend it and publish it again, or insist with --force (safeguard "
                               "policy lint " +
                                   VersionName(version) + " shows all)");
}

// `force`: also what has errors.
Result<Outcome> Promote(const PolicyChangeArguments& arguments, bool force, PolicyStore& store,
                        const Action& action, Services& services) {
  const std::optional<VersionState> to = moderation::VersionStateFrom(arguments.to);
  const bool canary = to == VersionState::kCanary;
  if (canary != (arguments.percent >= 0)) {
    return Fail(ErrorCode::kInvalidInput,
                canary ? "a canary needs --percent" : "--percent goes with --to canary",
                canary ? "say how many of a hundred contents it judges, as in --percent 10"
                       : "leave it out");
  }
  const Result<VersionInfo> version = NamedVersion(store, arguments.policy);
  if (!version) {
    return std::unexpected(version.error());
  }
  if ((canary || to == VersionState::kActive) && !force) {
    if (const Status may = CheckMayAnswer(store, *version, services); !may) {
      return std::unexpected(may.error());
    }
  }
  const std::optional<VersionInfo> before = ActiveOf(store, version->policy_id);
  const Result<VersionInfo> moved = store.Move(version->policy_id, version->number, *to,
                                               std::max(arguments.percent, 0.0), action);
  if (!moved) {
    return std::unexpected(moved.error());
  }
  std::string text = fmt::format("{} is now {} (was {})", VersionName(*moved), StateText(*moved),
                                 StateText(*version));
  if (to == VersionState::kActive && before) {
    text += fmt::format("; {} is retired", VersionName(*before));
  }
  return Outcome{text + ".\n", VersionJson(*moved)};
}

Result<Outcome> Rollback(const PolicyChangeArguments& arguments, PolicyStore& store,
                         const Action& action) {
  const std::optional<VersionInfo> before = ActiveOf(store, arguments.policy);
  const Result<VersionInfo> active = store.Rollback(arguments.policy, action);
  if (!active) {
    return std::unexpected(active.error());
  }
  std::string text = VersionName(*active) + " is active again";
  if (before) {
    text += fmt::format("; {} is retired", VersionName(*before));
  }
  return Outcome{text + ".\n", VersionJson(*active)};
}

Result<Outcome> Retire(const PolicyChangeArguments& arguments, PolicyStore& store,
                       const Action& action) {
  if (arguments.whole) {
    const Status retired = store.RetirePolicy(arguments.policy, action);
    if (!retired) {
      return std::unexpected(retired.error());
    }
    return Outcome{fmt::format("Every version of {} is retired: nothing answers for it. `safeguard "
                               "policy rollback {}` undoes this.\n",
                               arguments.policy, arguments.policy),
                   {{"policy", arguments.policy}, {"state", "retired"}}};
  }
  const Result<VersionInfo> version = NamedVersion(store, arguments.policy);
  if (!version) {
    return std::unexpected(version.error());
  }
  const Result<VersionInfo> retired =
      store.Move(version->policy_id, version->number, VersionState::kRetired, 0, action);
  if (!retired) {
    return std::unexpected(retired.error());
  }
  return Outcome{
      fmt::format("{} is retired (was {}).\n", VersionName(*retired), StateText(*version)),
      VersionJson(*retired)};
}

Result<Outcome> Settings(const PolicyChangeArguments& arguments, PolicyStore& store,
                         const Action& action) {
  if (arguments.two_person == "store" && arguments.policy.empty()) {
    return Fail(ErrorCode::kInvalidInput, "the store itself says on or off",
                "name a policy to let it follow the store");
  }
  if (!arguments.two_person.empty()) {
    const std::optional<bool> on = arguments.two_person == "store"
                                       ? std::nullopt
                                       : std::optional(arguments.two_person == "on");
    const Status set = store.SetTwoPersonRule(arguments.policy, on, action);
    if (!set) {
      return std::unexpected(set.error());
    }
  }
  const Result<bool> on = store.TwoPersonRule(arguments.policy);
  if (!on) {
    return std::unexpected(on.error());
  }
  const std::string whose = arguments.policy.empty() ? "the store" : arguments.policy;
  return Outcome{
      fmt::format("Two-person rule of {}: {}.\n", whose,
                  *on ? "on; somebody other than the author must approve what may answer" : "off"),
      {{"policy", arguments.policy}, {"two_person", *on}}};
}

Result<Outcome> Change(const PolicyChangeArguments& arguments, bool force, PolicyStore& store,
                       const Action& action, Services& services) {
  switch (arguments.verb) {
    case StoreVerb::kPublish:
      return Publish(arguments, store, action, services);
    case StoreVerb::kApprove:
      return Approve(arguments, store, action);
    case StoreVerb::kPromote:
      return Promote(arguments, force, store, action, services);
    case StoreVerb::kRollback:
      return Rollback(arguments, store, action);
    case StoreVerb::kRetire:
      return Retire(arguments, store, action);
    case StoreVerb::kSettings:
      break;
  }
  return Settings(arguments, store, action);
}

ExitCode RunChange(const PolicyChangeArguments& arguments, bool force, Services& services,
                   Console& console) {
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  const Result<std::string> who = ActingPerson(arguments.who);
  for (const Result<std::string>* known : {&folder, &who}) {
    if (!*known) {
      return Fails(console, known->error(), ExitCode::kUsage);
    }
  }
  const bool may_begin =
      arguments.verb == StoreVerb::kPublish || arguments.verb == StoreVerb::kSettings;
  const Result<std::unique_ptr<PolicyStore>> store =
      storage::OpenPolicyStore(*folder, {.create = may_begin});
  if (!store) {
    return Fails(console, store.error(), ExitCode::kCannotRun);
  }
  const Result<Outcome> outcome =
      Change(arguments, force, **store, {*who, arguments.note, UtcNow()}, services);
  if (!outcome) {
    return Fails(console, outcome.error(), StoreExitCode(outcome.error()));
  }
  console.Out(arguments.json ? JsonLine(outcome->json) + "\n" : outcome->text);
  return ExitCode::kSafe;
}

}  // namespace

ExitCode StoreExitCode(const Error& error) {
  return error.code == ErrorCode::kInvalidInput ? ExitCode::kUsage : ExitCode::kCannotRun;
}

ExitCode RunPolicyChange(const PolicyChangeArguments& arguments, Services& services,
                         Console& console) {
  return RunChange(arguments, false, services, console);
}

ExitCode RunPolicyPromote(const PolicyPromoteArguments& arguments, Services& services,
                          Console& console) {
  return RunChange(arguments.change, arguments.force, services, console);
}

}  // namespace safeguard::apps
