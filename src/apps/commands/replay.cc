// `safeguard replay`: the verdict of a receipt, computed again and compared.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/calibration/find_calibration.h"
#include "apps/commands/commands.h"
#include "apps/commands/judging.h"
#include "apps/commands/receipt_commands.h"
#include "apps/input/content_input.h"
#include "apps/input/data_folder.h"
#include "apps/output/display_text.h"
#include "apps/receipt/judge_setup.h"
#include "apps/route/open_route.h"
#include "base/file.h"
#include "moderation/receipt.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::Content;
using moderation::ReceiptDifference;
using moderation::VerdictRecord;
using Json = nlohmann::ordered_json;

constexpr std::size_t kHashShown = 12;

Result<VerdictRecord> ReadReceipt(const ReplayArguments& arguments, Console& console) {
  Result<std::string> text = arguments.receipt == "-"
                                 ? console.ReadInput(moderation::kReceiptBytesMax)
                                 : ReadFile(arguments.receipt, moderation::kReceiptBytesMax);
  return text ? moderation::ReceiptFromJson(*text) : std::unexpected(text.error());
}

// The content as the log kept it, where it did.
Result<Content> KeptContent(const ReplayArguments& arguments, const VerdictRecord& receipt) {
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  const auto log = folder ? storage::OpenVerdictLog(*folder, {}) : std::unexpected(folder.error());
  if (log) {
    const auto found = moderation::FindVerdict(**log, receipt.sequence);
    if (found && *found && (*found)->content && (*found)->content_hash == receipt.content_hash) {
      return *(*found)->content;
    }
  }
  return Fail(ErrorCode::kInvalidInput, "a receipt holds no content, and no log here has kept it",
              "give the content with --content FILE or --conversation FILE");
}

// A file as the content it may have been: of a user or of an assistant, with the line end that
// editors put at the end of files or without it.
Result<Content> MatchingContent(const Content& read, const std::string& hash) {
  std::vector<Content> candidates = {read};
  if (read.kind != moderation::ContentKind::kConversation) {
    std::string text = read.messages.front().text;
    candidates.push_back(moderation::Completion(text));
    if (text.ends_with('\n')) {
      text.pop_back();
      candidates.push_back(moderation::UserMessage(text));
      candidates.push_back(moderation::Completion(text));
    }
  }
  for (Content& candidate : candidates) {
    if (moderation::ContentHash(candidate) == hash) {
      return std::move(candidate);
    }
  }
  return Fail(ErrorCode::kInvalidInput,
              "this is not the content that the receipt is about: its hash is " +
                  moderation::ContentHash(read).substr(0, kHashShown) + "..., the receipt's " +
                  hash.substr(0, kHashShown) + "...",
              "give it byte for byte; a conversation with --conversation");
}

Result<Content> ContentFor(const ReplayArguments& arguments, const VerdictRecord& receipt,
                           Console& console) {
  Result<Content> content;
  if (arguments.content.empty() && arguments.conversation.empty()) {
    content = KeptContent(arguments, receipt);
  } else {
    ContentRequest request;
    request.file = arguments.content;
    request.conversation = arguments.conversation;
    const Result<ContentInput> input = ReadContent(request, console);
    content = input ? MatchingContent(input->content, receipt.content_hash)
                    : std::unexpected(input.error());
  }
  if (content) {
    content->id = receipt.content_id;
    content->surface = receipt.surface;
    content->language = receipt.language;
  }
  return content;
}

// The policy of the receipt's hash where it can be found; else the one of its name, whose other
// hash will be told.
Result<LoadedPolicy> PolicyFor(const ReplayArguments& arguments, const VerdictRecord& receipt,
                               Services& services) {
  const PolicyCatalog catalog(services.shipped_policies(), arguments.data_dir);
  std::vector<std::string> names = {arguments.policy};
  if (arguments.policy.empty()) {
    names = {receipt.policy.id + "@" + receipt.policy.hash.substr(0, kHashShown),
             receipt.policy.id};
  }
  Result<LoadedPolicy> other = Fail(ErrorCode::kNotFound, "");
  for (const std::string& name : names) {
    Result<LoadedPolicy> loaded = catalog.Load(name, "", Golden::kRead);
    if (loaded && loaded->policy.hash == receipt.policy.hash) {
      return loaded;
    }
    if (loaded || names.size() == 1) {
      other = std::move(loaded);
    }
  }
  if (!other && arguments.policy.empty()) {
    return Fail(ErrorCode::kNotFound,
                "the policy " + receipt.policy.id + " with the hash " +
                    receipt.policy.hash.substr(0, kHashShown) + "... is not here",
                "name its store with --data-dir, or its file with --policy");
  }
  return other;
}

VerdictRecord Judge(moderation::Judge& judge,
                    const std::shared_ptr<const moderation::PreparedPolicy>& policy,
                    const Content& content, const VerdictRecord& receipt) {
  std::vector<moderation::Verdict> verdicts =
      judge.Decide(std::span(&policy, 1), std::span(&content, 1));
  // Under the version's name in the receipt: it is the hash that counts.
  verdicts.front().policy.version = receipt.policy.version;
  return RecordOf(verdicts.front(), content, receipt.channel, receipt.when, false);
}

Result<VerdictRecord> ByRoute(const ReplayArguments& arguments, const std::string& path,
                              const Content& content, const VerdictRecord& receipt,
                              Services& services, Console& console) {
  const RouteRequest request{.path = path,
                             .data_dir = arguments.data_dir,
                             .calibration = {},
                             .threads = arguments.threads,
                             .measuring = true};  // leaves nothing for later and files no review
  Result<LoadedRoute> route = LoadRoute(request, services);
  if (!route) {
    return std::unexpected(route.error());
  }
  const Result<OpenedRoute> opened = OpenRoute(std::move(*route), request, services, console);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  const std::vector<LoadedPolicy>& policies = opened->judging.policies;
  for (std::size_t p = 0; p < policies.size(); ++p) {
    if (policies[p].policy.id == receipt.policy.id) {
      VerdictRecord now =
          Judge(*opened->judging.judge, opened->judging.prepared[p], content, receipt);
      now.provenance.setup = RouteSetup(path, services);
      return now;
    }
  }
  return Fail(ErrorCode::kNotFound, "the route judges under no policy " + receipt.policy.id,
              "is it the route of the receipt? name another with --route");
}

Result<VerdictRecord> Recompute(const ReplayArguments& arguments, const Content& content,
                                const VerdictRecord& receipt, Services& services,
                                Console& console) {
  if (!arguments.route.empty()) {
    return ByRoute(arguments, arguments.route, content, receipt, services, console);
  }
  Result<NamedSetup> setup = ReadSetup(receipt.provenance.setup);
  if (!setup) {
    return std::unexpected(setup.error());
  }
  if (!setup->route.empty()) {
    return ByRoute(arguments, setup->route, content, receipt, services, console);
  }
  if (setup->choice.joint) {
    return Fail(ErrorCode::kInvalidInput,
                "a joint verdict depends on all policies of its prompt, and a receipt is of one",
                "judge anew with the same policies and --joint");
  }
  JudgingRequest request;
  request.judge = setup->choice;
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
  Result<LoadedPolicy> policy = PolicyFor(arguments, receipt, services);
  if (!policy) {
    return std::unexpected(policy.error());
  }
  std::vector<LoadedPolicy> policies = {std::move(*policy)};
  Result<Calibrations> calibrations =
      FindCalibrations({}, policies, arguments.data_dir, request.judge, services, console);
  if (!calibrations) {
    return std::unexpected(calibrations.error());
  }
  const Result<Judging> judging =
      OpenJudging(std::move(policies), request, std::move(*calibrations), services);
  if (!judging) {
    return std::unexpected(judging.error());
  }
  VerdictRecord now = Judge(*judging->judge, judging->prepared.front(), content, receipt);
  now.provenance.setup = SetupOf(request.judge, services);
  return now;
}

std::string Said(const VerdictRecord& record) {
  std::string text = ToString(record.outcome);
  text += record.outcome == moderation::Outcome::kUndetermined
              ? std::string(" (") + ToString(record.reason) + ")"
              : "";
  return text + (record.score ? fmt::format(", score {:.6g}", *record.score) : "");
}

std::string DifferenceLine(const ReceiptDifference& difference) {
  const auto shown = [](const std::string& value) {
    return value.empty() ? std::string("nothing") : Printable(value);
  };
  return fmt::format("  {}: {} -> {}\n", Printable(difference.what), shown(difference.then),
                     shown(difference.now));
}

Json DifferencesJson(const std::vector<ReceiptDifference>& differences) {
  Json list = Json::array();
  for (const ReceiptDifference& difference : differences) {
    list.push_back({{"what", difference.what}, {"then", difference.then}, {"now", difference.now}});
  }
  return list;
}

void Tell(const ReplayArguments& arguments, const VerdictRecord& then, const VerdictRecord& now,
          Console& console) {
  const auto differences = CompareVerdicts(then, now);
  const auto setups = moderation::CompareSetups(then.provenance.setup, now.provenance.setup);
  if (arguments.json) {
    const Json json = {{"equal", differences.empty()},
                       {"differences", DifferencesJson(differences)},
                       {"setup_differences", DifferencesJson(setups)},
                       {"recomputed", Json::parse(ReceiptJson(now))["verdict"]}};
    console.Out(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    return;
  }
  std::string text =
      fmt::format("Verdict {} under {}@{}, by {} {}\n  then {}\n  now  {}\n", then.sequence,
                  Printable(then.policy.id), Printable(then.policy.version), Printable(then.layer),
                  Printable(then.model), Said(then), Said(now));
  text += differences.empty() ? "The same verdict.\n" : "THE VERDICT DIFFERS:\n";
  for (const ReceiptDifference& difference : differences) {
    text += DifferenceLine(difference);
  }
  if (!differences.empty() && then.score && now.score && *then.score != *now.score) {
    text += fmt::format("The score differs by {:+.6g}.\n", *now.score - *then.score);
  }
  if (!setups.empty()) {
    text += differences.empty() ? "It was judged by another build or on another machine:\n"
                                : "It was judged by another build or on another machine, which may "
                                  "be why:\n";
    for (const ReceiptDifference& difference : setups) {
      text += DifferenceLine(difference);
    }
  }
  console.Out(text);
}

}  // namespace

ExitCode RunReplay(const ReplayArguments& arguments, Services& services, Console& console) {
  const Result<VerdictRecord> receipt = ReadReceipt(arguments, console);
  if (!receipt) {
    return Fails(console, receipt.error(), ExitCode::kUsage);
  }
  const Result<Content> content = ContentFor(arguments, *receipt, console);
  if (!content) {
    return Fails(console, content.error(), ExitCode::kUsage);
  }
  const Result<VerdictRecord> now = Recompute(arguments, *content, *receipt, services, console);
  if (!now) {
    return Fails(console, now.error(), ExitCode::kCannotRun);
  }
  Tell(arguments, *receipt, *now, console);
  return CompareVerdicts(*receipt, *now).empty() ? ExitCode::kSafe : ExitCode::kViolation;
}

}  // namespace safeguard::apps
