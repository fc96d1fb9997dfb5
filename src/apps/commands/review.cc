#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <set>
#include <utility>
#include <vector>

#include "apps/commands/commands.h"
#include "apps/commands/review_commands.h"
#include "apps/input/data_folder.h"
#include "apps/input/known_policies.h"
#include "apps/input/policy_catalog.h"
#include "apps/input/policy_folder.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "apps/output/verdict_text.h"
#include "base/utc_time.h"
#include "eval/golden_set.h"
#include "moderation/review_queue.h"
#include "storage/audit_log.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::ReviewCase;
using moderation::ReviewQueue;

constexpr double kDayMs = 86'400'000;

Result<std::unique_ptr<ReviewQueue>> OpenQueue(const std::string& data_dir) {
  const Result<std::string> folder = DataFolder(data_dir);
  if (!folder) {
    return std::unexpected(folder.error());
  }
  auto queue = storage::OpenReviewQueue(*folder, {}, {});
  if (!queue && queue.error().code == ErrorCode::kNotFound) {
    Error error = queue.error();
    error.hint = "a route with `review: {undetermined: on}` makes one (docs/review.md)";
    return std::unexpected(std::move(error));
  }
  return queue;
}

nlohmann::ordered_json CaseJson(const ReviewCase& found) {
  nlohmann::ordered_json json = {{"case", found.id}, {"filed", UtcText(found.filed)}};
  if (!found.route.empty()) {
    json["route"] = found.route;
  }
  if (!found.content.id.empty()) {
    json["id"] = found.content.id;
  }
  if (found.content.messages.size() == 1) {
    json["text"] = found.content.messages.front().text;
  } else {
    json["messages"] = nlohmann::ordered_json::array();
    for (const moderation::Message& message : found.content.messages) {
      json["messages"].push_back({{"role", ToString(message.role)}, {"content", message.text}});
    }
  }
  json["policy"] = found.policy.id;
  json["policy_version"] = found.policy.version;
  json["policy_hash"] = found.policy.hash;
  json["outcome"] = ToString(found.verdict.outcome);
  json["reason"] = nullptr;
  if (found.verdict.outcome == moderation::Outcome::kUndetermined) {
    json["reason"] = ToString(found.verdict.reason);
  }
  json["score"] = nullptr;
  if (found.verdict.score) {
    json["score"] = *found.verdict.score;
  }
  json["rule_ids"] = found.verdict.rule_ids;
  json["why"] = found.why;
  json["priority"] = found.priority;
  json["decision"] = nullptr;
  if (found.decision) {
    json["decision"] = {{"outcome", ToString(found.decision->outcome)},
                        {"rule_ids", found.decision->rule_ids},
                        {"category", found.decision->category},
                        {"by", found.decision->by},
                        {"why", found.decision->why},
                        {"when", UtcText(found.decision->when)}};
  }
  return json;
}

std::string FirstText(const ReviewCase& found) {
  return found.content.messages.empty() ? "" : Printable(found.content.messages.front().text);
}

std::vector<Cell> Row(const ReviewCase& found) {
  const bool decided = found.decision.has_value();
  const moderation::Outcome outcome =
      decided ? found.decision->outcome : moderation::Outcome::kUndetermined;
  return {{std::to_string(found.id), Style::kBold},
          {fmt::format("{:.2f}", found.priority)},
          {Printable(found.policy.id)},
          {ToString(found.verdict.outcome)},
          {decided ? ToString(outcome) : "open",
           outcome == moderation::Outcome::kViolation ? Style::kRed
           : outcome == moderation::Outcome::kSafe    ? Style::kGreen
                                                      : Style::kYellow},
          {decided ? Printable(found.decision->by) : "-"},
          {FirstText(found)}};
}

// Unknown rules are an error where the policy's very text can be had.
Status CheckRules(const ReviewDecideArguments& arguments, const ReviewCase& found,
                  Services& services) {
  if (arguments.rules.empty()) {
    return {};
  }
  for (const std::string& name : {found.policy.id + "@" + found.policy.version, found.policy.id}) {
    const PolicyCatalog catalog(services.shipped_policies(), PolicyFolder(arguments.data_dir, {}));
    const Result<LoadedPolicy> loaded = catalog.Load(name, "", Golden::kIgnore);
    if (!loaded || loaded->policy.hash != found.policy.hash) {
      continue;
    }
    for (const std::string& rule : arguments.rules) {
      if (loaded->policy.FindRule(rule) == nullptr) {
        return Fail(ErrorCode::kInvalidInput,
                    "the policy " + found.policy.id + " has no rule " + rule,
                    "see `safeguard policy show " + found.policy.id + "`");
      }
    }
    return {};
  }
  return {};
}

// In the verdict log first: what is decided here is in the record, and a decision that is entered
// again after a crash is the same record.
Result<ReviewCase> Decide(const ReviewDecideArguments& arguments, const std::string& folder,
                          ReviewQueue& queue, moderation::ReviewDecision decision) {
  Result<ReviewCase> found = queue.Find(arguments.id);
  if (!found) {
    return found;
  }
  if (found->decision && !arguments.again) {
    return moderation::DecidedAlready(*found);
  }
  if (const Status good = moderation::CheckReviewDecision(decision); !good) {
    return std::unexpected(good.error());
  }
  auto log = storage::OpenAuditedVerdictLog(folder, {.create = true});
  if (!log) {
    return std::unexpected(log.error());
  }
  ReviewCase decided = *found;
  decided.decision = decision;
  ++decided.decisions;
  const moderation::VerdictRecord record =
      moderation::RecordOfDecision(decided, arguments.keep_content);
  if (const Status recorded = (*log)->Append(std::span(&record, 1)); !recorded) {
    return std::unexpected(recorded.error());
  }
  return queue.Decide(arguments.id, decision, arguments.again);
}

Result<bool> HasCases(ReviewQueue& queue, const std::string& policy, const std::string& route) {
  const auto cases = queue.List({.policy_id = policy, .route = route, .limit = 1});
  return cases ? Result<bool>(!cases->empty()) : std::unexpected(cases.error());
}

// The routes that filed something, in order.
Result<std::vector<std::string>> RoutesOf(ReviewQueue& queue) {
  std::set<std::string> routes;
  moderation::ReviewQuery query{.limit = moderation::kReviewPageMax, .by_id = true};
  for (bool more = true; more;) {
    const auto cases = queue.List(query);
    if (!cases) {
      return std::unexpected(cases.error());
    }
    for (const ReviewCase& found : *cases) {
      query.after = found.id;
      if (!found.route.empty()) {
        routes.insert(found.route);
      }
    }
    more = cases->size() == query.limit;
  }
  return std::vector<std::string>(routes.begin(), routes.end());
}

// That a policy or a route of which there is no case is known at all. A policy is where it ships or
// is in the store, a route where it ever filed a case that is still there.
Status CheckNames(ReviewQueue& queue, const std::string& policy, const std::string& route,
                  const std::string& data_dir, Services& services) {
  const Result<bool> of_policy = HasCases(queue, policy, "");
  const Result<bool> of_route = HasCases(queue, "", route);
  const Result<std::string> folder = DataFolder(data_dir);
  if (!of_policy || !of_route || !folder) {
    return std::unexpected(!of_policy  ? of_policy.error()
                           : !of_route ? of_route.error()
                                       : folder.error());
  }
  if (!policy.empty() && !*of_policy) {
    if (Status known = CheckKnownPolicy(policy, services.shipped_policies(), *folder); !known) {
      return known;
    }
  }
  if (!route.empty() && !*of_route) {
    const auto routes = RoutesOf(queue);
    return routes ? CheckKnown("route with a case", route, *routes)
                  : std::unexpected(routes.error());
  }
  return {};
}

}  // namespace

ExitCode RunReviewList(const ReviewListArguments& arguments, Services& services, Console& console) {
  const auto queue = OpenQueue(arguments.data_dir);
  if (!queue) {
    return Fails(console, queue.error(), ExitCode::kCannotRun);
  }
  moderation::ReviewQuery query;
  query.policy_id = arguments.policy;
  query.route = arguments.route;
  query.limit = arguments.limit;
  if (arguments.state != "all") {
    query.decided = arguments.state == "decided";
  }
  const auto cases = (*queue)->List(query);
  const auto counts = (*queue)->Counts();
  if (!cases || !counts) {
    return Fails(console, cases ? counts.error() : cases.error(), ExitCode::kCannotRun);
  }
  if (cases->empty()) {
    const Status known =
        CheckNames(**queue, arguments.policy, arguments.route, arguments.data_dir, services);
    if (!known) {
      return Fails(console, known.error(), StoreExitCode(known.error()));
    }
  }
  if (arguments.json) {
    for (const ReviewCase& found : *cases) {
      console.Out(JsonLine(CaseJson(found)) + "\n");
    }
    return ExitCode::kSafe;
  }
  std::vector<std::vector<Cell>> rows;
  for (const ReviewCase& found : *cases) {
    rows.push_back(Row(found));
  }
  if (!rows.empty()) {
    console.Out(RenderTable({{"CASE", true},
                             {"PRIORITY", true},
                             {"POLICY"},
                             {"VERDICT"},
                             {"DECISION"},
                             {"BY"},
                             {"CONTENT", false, true}},
                            rows, console.columns(), UseColor(console, arguments.color)));
  }
  const bool filtered = !arguments.policy.empty() || !arguments.route.empty();
  console.Out(fmt::format("{}{} open, {} decided{}.\n", rows.empty() ? "No such case. " : "",
                          counts->open, counts->decided, filtered ? " in all" : ""));
  return ExitCode::kSafe;
}

ExitCode RunReviewShow(const ReviewShowArguments& arguments, Console& console) {
  const auto queue = OpenQueue(arguments.data_dir);
  if (!queue) {
    return Fails(console, queue.error(), ExitCode::kCannotRun);
  }
  const Result<ReviewCase> found = (*queue)->Find(arguments.id);
  if (!found) {
    return Fails(console, found.error(), StoreExitCode(found.error()));
  }
  if (arguments.json) {
    console.Out(JsonLine(CaseJson(*found)) + "\n");
    return ExitCode::kSafe;
  }
  const std::size_t width = console.columns();
  std::string out = fmt::format("case {} of {}, filed {}\n", found->id, Printable(found->policy.id),
                                UtcText(found->filed));
  out += Wrap(fmt::format("{}{}: {}", ToString(found->verdict.outcome),
                          found->verdict.score ? fmt::format(" {:.2f}", *found->verdict.score) : "",
                          Printable(found->why)),
              width, 2);
  for (const moderation::Message& message : found->content.messages) {
    out += fmt::format("{}:\n", ToString(message.role)) + Wrap(Printable(message.text), width, 2);
  }
  if (found->decision) {
    out += Wrap(fmt::format("decided by {} at {}: {}. {}", Printable(found->decision->by),
                            UtcText(found->decision->when), ToString(found->decision->outcome),
                            Printable(found->decision->why)),
                width, 0);
  }
  console.Out(out);
  return ExitCode::kSafe;
}

ExitCode RunReviewDecide(const ReviewDecideArguments& arguments, Services& services,
                         Console& console) {
  const auto queue = OpenQueue(arguments.data_dir);
  if (!queue) {
    return Fails(console, queue.error(), ExitCode::kCannotRun);
  }
  const Result<std::string> who = ActingPerson(arguments.who);
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  if (!who || !folder) {
    return Fails(console, who ? folder.error() : who.error(), ExitCode::kUsage);
  }
  const Result<ReviewCase> found = (*queue)->Find(arguments.id);
  if (!found) {
    return Fails(console, found.error(), StoreExitCode(found.error()));
  }
  if (const Status rules = CheckRules(arguments, *found, services); !rules) {
    return Fails(console, rules.error(), ExitCode::kUsage);
  }
  moderation::ReviewDecision decision;
  decision.outcome = arguments.outcome == "violation" ? moderation::Outcome::kViolation
                                                      : moderation::Outcome::kSafe;
  decision.rule_ids = arguments.rules;
  decision.category = arguments.category;
  decision.by = *who;
  decision.why = arguments.why;
  decision.when = UtcNow();
  const Result<ReviewCase> decided = Decide(arguments, *folder, **queue, decision);
  if (!decided) {
    return Fails(console, decided.error(), StoreExitCode(decided.error()));
  }
  console.Out(arguments.json ? JsonLine(CaseJson(*decided)) + "\n"
                             : fmt::format("case {}: {} -> {}, by {}\n", decided->id,
                                           ToString(decided->verdict.outcome),
                                           ToString(decision.outcome), Printable(decision.by)));
  return ExitCode::kSafe;
}

ExitCode RunReviewExport(const ReviewExportArguments& arguments, Services& services,
                         Console& console) {
  const auto queue = OpenQueue(arguments.data_dir);
  if (!queue) {
    return Fails(console, queue.error(), ExitCode::kCannotRun);
  }
  // Before a file is emptied for it.
  const Status known = CheckNames(**queue, arguments.policy, "", arguments.data_dir, services);
  if (!known) {
    return Fails(console, known.error(), StoreExitCode(known.error()));
  }
  std::ofstream file;
  if (arguments.out != "-") {
    file.open(arguments.out, std::ios::binary | std::ios::trunc);
  }
  moderation::ReviewQuery query{.policy_id = arguments.policy,
                                .decided = true,
                                .limit = moderation::kReviewPageMax,
                                .by_id = true};
  std::size_t count = 0;
  for (bool more = true; more;) {
    const auto cases = (*queue)->List(query);
    if (!cases) {
      return Fails(console, cases.error(), ExitCode::kCannotRun);
    }
    more = cases->size() == query.limit;
    for (const ReviewCase& found : *cases) {
      const std::string line = eval::GoldenLine(moderation::GoldenOfDecision(found)) + "\n";
      if (arguments.out == "-") {
        console.Out(line);
      } else {
        file << line;
      }
      query.after = found.id;
      ++count;
    }
  }
  if (arguments.out != "-") {
    file.flush();
    if (!file) {
      return Fails(console,
                   Error{ErrorCode::kUnavailable, arguments.out + " cannot be written", ""},
                   ExitCode::kCannotRun);
    }
  }
  console.Error(
      fmt::format("safeguard: {} golden {} written\n", count, count == 1 ? "case" : "cases"));
  return ExitCode::kSafe;
}

ExitCode RunReviewPrune(const ReviewPruneArguments& arguments, Console& console) {
  const auto queue = OpenQueue(arguments.data_dir);
  if (!queue) {
    return Fails(console, queue.error(), ExitCode::kCannotRun);
  }
  const auto pruned = (*queue)->Prune(UtcNow() - std::llround(arguments.older_than_days * kDayMs));
  if (!pruned) {
    return Fails(console, pruned.error(), ExitCode::kCannotRun);
  }
  console.Out(fmt::format("{} decided {} forgotten\n", *pruned, *pruned == 1 ? "case" : "cases"));
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
