#include "apps/receipt/recompute.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/calibration/find_calibration.h"
#include "apps/commands/judging.h"
#include "apps/input/data_folder.h"
#include "apps/output/display_text.h"
#include "apps/receipt/judge_setup.h"
#include "apps/route/open_route.h"
#include "moderation/cascade.h"
#include "moderation/receipt.h"

namespace safeguard::apps {
namespace {

using moderation::Content;
using moderation::PolicyReference;
using moderation::PreparedPolicy;
using moderation::Verdict;
using moderation::VerdictRecord;
using Prepared = std::shared_ptr<const PreparedPolicy>;

constexpr std::size_t kHashShown = 12;

struct FoundPolicy {
  LoadedPolicy policy;
  std::string data_dir;  // in whose store it is, where it is in one
};

// The folder of the server whose tenant has `data_dir`, where that looks like a tenant's: its
// --guard-policy judges for every tenant that has none of that name. Else empty.
std::string OperatorFolder(const std::string& data_dir) {
  const std::string named = NamedDataFolder(data_dir);
  std::error_code ignored;  // then it is nobody's tenant
  std::filesystem::path folder = std::filesystem::absolute(named, ignored).lexically_normal();
  folder = folder.has_filename() ? folder : folder.parent_path();
  const bool tenant = !named.empty() && folder.parent_path().filename() == "tenants";
  const std::filesystem::path above = folder.parent_path().parent_path();
  return tenant && std::filesystem::exists(above / "policies.db", ignored) ? above.string() : "";
}

std::unexpected<Error> NotHere(const PolicyReference& wanted, const std::string& above) {
  const std::string version = wanted.id + "@" + wanted.hash.substr(0, kHashShown);
  return Fail(
      ErrorCode::kNotFound,
      "the policy " + wanted.id + " with the hash " + wanted.hash.substr(0, kHashShown) +
          "... is not here" + (above.empty() ? "" : ", nor in " + above),
      "name its store with --data-dir, or its file with --policy" +
          (above.empty() ? "; of a tenant's verdict it may be the server's --guard-policy, " +
                               version + " in the server's own data folder"
                         : std::string()));
}

// The policy of that hash where it can be found, under its name in the receipt: in the store,
// shipped, or the operator's. Else, where that is enough to go by, the one that was given or the
// one of that name: its other hash will be told.
Result<FoundPolicy> PolicyFor(const ReplayArguments& arguments, const PolicyReference& wanted,
                              bool only_one, Services& services) {
  const PolicyCatalog catalog(services.shipped_policies(), arguments.data_dir);
  for (const std::string& name : arguments.policies) {
    Result<LoadedPolicy> loaded = catalog.Load(name, "", Golden::kRead);
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    if (loaded->policy.hash == wanted.hash || (only_one && arguments.policies.size() == 1)) {
      loaded->policy.id = wanted.id;
      return FoundPolicy{std::move(*loaded), arguments.data_dir};
    }
  }
  const std::string version = wanted.id + "@" + wanted.hash.substr(0, kHashShown);
  std::optional<LoadedPolicy> other;
  for (const std::string& name : {version, wanted.id}) {
    Result<LoadedPolicy> loaded = catalog.Load(name, "", Golden::kRead);
    if (loaded && loaded->policy.hash == wanted.hash) {
      return FoundPolicy{std::move(*loaded), arguments.data_dir};
    }
    if (loaded) {
      other = std::move(*loaded);
    }
  }
  const std::string above = OperatorFolder(arguments.data_dir);
  if (!above.empty()) {
    Result<LoadedPolicy> loaded =
        PolicyCatalog(services.shipped_policies(), above).Load(version, "", Golden::kRead);
    if (loaded && loaded->policy.hash == wanted.hash) {
      return FoundPolicy{std::move(*loaded), above};
    }
  }
  return other ? Result<FoundPolicy>(FoundPolicy{std::move(*other), arguments.data_dir})
               : NotHere(wanted, above);
}

// As if the receipt's version had been judged: it is the hash that counts.
VerdictRecord RecordLike(const VerdictRecord& receipt, Verdict verdict, const Content& content,
                         std::string setup) {
  verdict.policy.version = receipt.policy.version;
  VerdictRecord now = RecordOf(verdict, content, receipt.channel, receipt.when, false);
  now.provenance.setup = std::move(setup);
  return now;
}

// The route's own policy where it has that text; else that text, which the route had then; else
// what the route has under that name.
Result<Prepared> RoutePolicy(const ReplayArguments& arguments, const OpenedRoute& route,
                             const VerdictRecord& receipt, Services& services) {
  const Judging& judging = route.judging;
  Prepared of_name;
  for (std::size_t p = 0; p < judging.policies.size(); ++p) {
    if (judging.policies[p].policy.hash == receipt.policy.hash) {
      return judging.prepared[p];
    }
    if (judging.policies[p].policy.id == receipt.policy.id) {
      of_name = judging.prepared[p];
    }
  }
  const Result<FoundPolicy> found = PolicyFor(arguments, receipt.policy, true, services);
  if (found && found->policy.policy.hash == receipt.policy.hash) {
    return judging.judge->Prepare(found->policy.policy, found->policy.golden);
  }
  if (of_name != nullptr) {
    return of_name;
  }
  return Fail(ErrorCode::kNotFound, "the route judges under no policy " + receipt.policy.id,
              "is it the route of the receipt? name another with --route");
}

Result<VerdictRecord> ByRoute(const ReplayArguments& arguments, const NamedSetup& setup,
                              const Content& content, const VerdictRecord& receipt,
                              Services& services, Console& console) {
  const RouteRequest request{.path = setup.route,
                             .data_dir = arguments.data_dir,
                             .calibration = {},
                             .threads = arguments.threads,
                             .bulk = setup.finishing,
                             .measuring = true};  // leaves nothing for later and files no review
  Result<LoadedRoute> route = LoadRoute(request, services);
  if (!route) {
    return std::unexpected(route.error());
  }
  const Result<OpenedRoute> opened = OpenRoute(std::move(*route), request, services, console);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  const Result<Prepared> policy = RoutePolicy(arguments, *opened, receipt, services);
  if (!policy) {
    return std::unexpected(policy.error());
  }
  std::string now = RouteSetup(setup.route, services, setup.finishing);
  if (!setup.finishing) {
    std::vector<Verdict> verdicts =
        opened->judging.judge->Decide(std::span(&*policy, 1), std::span(&content, 1));
    return RecordLike(receipt, std::move(verdicts.front()), content, std::move(now));
  }
  moderation::DeferredItem item;  // without a budget its gain and first answer change nothing
  item.route = opened->name;
  item.content = content;
  item.policy = receipt.policy;
  if (!receipt.provenance.settings.contains("reasoner") &&
      (receipt.layer == "screen" || receipt.layer == "list")) {
    item.reason = moderation::DeferReason::kAsked;  // a layer before the reasoners decided
  }
  return RecordLike(receipt, opened->cascade->Finish(*policy, item), content, std::move(now));
}

// All policies of the receipt's prompt in their order; `place` of them is the receipt's.
struct AskedAbout {
  std::vector<LoadedPolicy> policies;
  std::map<std::string, std::vector<LoadedPolicy>> by_folder;  // the same, by whose store has them
  std::size_t place = 0;
};

Result<AskedAbout> PoliciesOf(const ReplayArguments& arguments, const VerdictRecord& receipt,
                              Services& services) {
  Result<std::vector<PolicyReference>> wanted =
      moderation::JointPoliciesOf(receipt.provenance.settings);
  if (!wanted) {
    return std::unexpected(wanted.error());
  }
  if (wanted->empty()) {
    wanted->push_back(receipt.policy);
  }
  AskedAbout asked;
  const auto place = std::ranges::find(*wanted, receipt.policy.hash, &PolicyReference::hash);
  if (place == wanted->end()) {
    return Fail(ErrorCode::kInvalidInput,
                "the receipt's policy is none of those that it names as its prompt's",
                "ask whoever gave it for the receipt as it was exported");
  }
  asked.place = static_cast<std::size_t>(place - wanted->begin());
  for (const PolicyReference& policy : *wanted) {
    Result<FoundPolicy> found = PolicyFor(arguments, policy, wanted->size() == 1, services);
    if (!found) {
      return std::unexpected(found.error());
    }
    asked.by_folder[found->data_dir].push_back(found->policy);
    asked.policies.push_back(std::move(found->policy));
  }
  return asked;
}

// What was judged with the judge's own scores is judged so again.
Result<Calibrations> CalibrationsOf(const AskedAbout& asked, const ReplayArguments& arguments,
                                    const VerdictRecord& receipt, const JudgeChoice& judge,
                                    Services& services, Console& console) {
  CalibrationChoice choice;
  choice.none = !receipt.provenance.settings.contains("calibration");
  Calibrations all;
  for (const auto& [folder, policies] : asked.by_folder) {
    if (folder != arguments.data_dir) {
      console.Error("safeguard: " + Printable(policies.front().policy.id) +
                    " is the operator's policy, from " + Printable(folder) + "\n");
    }
    Result<Calibrations> some =
        FindCalibrations(choice, policies, folder, judge, services, console);
    if (!some) {
      return some;
    }
    all.merge(*some);
  }
  return all;
}

Result<VerdictRecord> ByJudge(const ReplayArguments& arguments, const JudgeChoice& choice,
                              const Content& content, const VerdictRecord& receipt,
                              Services& services, Console& console) {
  JudgingRequest request;
  request.judge = choice;
  request.data_dir = arguments.data_dir;
  request.judge.threads = arguments.threads;
  if (!arguments.model.empty()) {
    request.judge.model = arguments.model;
  } else if (request.judge.judge == "dedicated" && !arguments.data_dir.empty()) {
    request.judge.model = arguments.data_dir;  // where its classifiers are
  }
  if (const Status usage = CheckJudge(request.judge); !usage) {
    return std::unexpected(usage.error());
  }
  Result<AskedAbout> asked = PoliciesOf(arguments, receipt, services);
  if (!asked) {
    return std::unexpected(asked.error());
  }
  Result<Calibrations> calibrations =
      CalibrationsOf(*asked, arguments, receipt, request.judge, services, console);
  if (!calibrations) {
    return std::unexpected(calibrations.error());
  }
  const Result<Judging> judging =
      OpenJudging(std::move(asked->policies), request, std::move(*calibrations), services);
  if (!judging) {
    return std::unexpected(judging.error());
  }
  std::vector<Verdict> verdicts = judging->judge->Decide(judging->prepared, std::span(&content, 1));
  return RecordLike(receipt, std::move(verdicts[asked->place]), content,
                    SetupOf(request.judge, services));
}

}  // namespace

Result<VerdictRecord> Recompute(const ReplayArguments& arguments, const Content& content,
                                const VerdictRecord& receipt, Services& services,
                                Console& console) {
  Result<NamedSetup> setup = ReadSetup(receipt.provenance.setup);
  if (!arguments.route.empty()) {
    NamedSetup named;
    named.route = arguments.route;
    named.finishing = setup && setup->finishing;
    return ByRoute(arguments, named, content, receipt, services, console);
  }
  if (!setup) {
    return std::unexpected(setup.error());
  }
  return setup->route.empty()
             ? ByJudge(arguments, setup->choice, content, receipt, services, console)
             : ByRoute(arguments, *setup, content, receipt, services, console);
}

}  // namespace safeguard::apps
