// What the verdict log holds: a summary for people, records for scripts.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/input/data_folder.h"
#include "apps/input/known_policies.h"
#include "apps/output/display_text.h"
#include "apps/output/record_json.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "base/utc_time.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::VerdictLog;
using moderation::VerdictQuery;
using moderation::VerdictRecord;

Result<VerdictQuery> QueryOf(const VerdictsArguments& arguments) {
  VerdictQuery query;
  moderation::VersionName name = moderation::ParseVersionName(arguments.policy);
  query.policy_id = std::move(name.policy_id);
  query.policy_version = std::move(name.selector);
  if (!arguments.channel.empty()) {
    query.channel = moderation::ChannelFrom(arguments.channel);
  }
  if (!arguments.outcome.empty()) {
    query.outcome = moderation::OutcomeFrom(arguments.outcome);
  }
  for (const auto& [text, time] :
       {std::pair{&arguments.since, &query.from}, std::pair{&arguments.until, &query.until}}) {
    if (text->empty()) {
      continue;
    }
    const Result<std::int64_t> parsed = ParseUtc(*text);
    if (!parsed) {
      return std::unexpected(parsed.error());
    }
    *time = *parsed;
  }
  query.only_with_content = arguments.with_content;
  return query;
}

// Verdicts by policy, version and part.
class Summary {
 public:
  void Count(const VerdictRecord& record) {
    Line& line = lines_[{record.policy.id, record.policy.version, record.channel}];
    line.tally.Count(record.outcome);
    line.last = std::max(line.last, record.when);
    line.with_content += record.content ? 1 : 0;
  }

  [[nodiscard]] std::string Text(std::size_t width, bool color) const {
    std::vector<std::vector<Cell>> rows;
    for (const auto& [key, line] : lines_) {
      const auto& [policy, version, channel] = key;
      std::string last = UtcText(line.last).substr(0, 16);
      last[10] = ' ';
      rows.push_back({{Printable(policy), Style::kBold},
                      {Printable(version)},
                      {ToString(channel),
                       channel == moderation::Channel::kShadow ? Style::kDim : Style::kPlain},
                      {std::to_string(line.tally.total())},
                      {std::to_string(line.tally.violations), Style::kRed},
                      {std::to_string(line.tally.safe), Style::kGreen},
                      {std::to_string(line.tally.undetermined), Style::kYellow},
                      {std::to_string(line.with_content)},
                      {last, Style::kDim}});
    }
    return RenderTable({{"POLICY", false, true},
                        {"VERSION"},
                        {"AS"},
                        {"VERDICTS", true, false},
                        {"VIOLATION", true, false},
                        {"SAFE", true, false},
                        {"UNDETERMINED", true, false},
                        {"WITH TEXT", true, false},
                        {"LAST (UTC)"}},
                       rows, width, color);
  }

 private:
  struct Line {
    Tally tally;
    moderation::TimeMs last = 0;
    std::size_t with_content = 0;
  };
  std::map<std::tuple<std::string, std::string, moderation::Channel>, Line> lines_;
};

// The log keeps numbers: another way to name a version of the store finds nothing in it.
Status CheckVersion(const VerdictQuery& query, const std::string& folder) {
  const auto store = storage::OpenPolicyStore(folder, {});
  const auto versions =
      store ? (*store)->Versions(query.policy_id) : std::unexpected(store.error());
  if (!versions) {
    return versions.error().code == ErrorCode::kNotFound ? Status()
                                                         : std::unexpected(versions.error());
  }
  const auto version = (*store)->Find(query.policy_id, query.policy_version);
  if (!version) {
    return std::unexpected(version.error());
  }
  const std::string number = std::to_string(version->number);
  return number == query.policy_version
             ? Status()
             : Fail(ErrorCode::kInvalidInput, "verdicts are kept under a version's number",
                    "ask for " + query.policy_id + "@" + number);
}

// Why there is nothing to show: a name that nobody knows is an error.
Result<std::string> NothingText(const VerdictQuery& query, VerdictLog& log, Services& services,
                                const std::string& folder) {
  const Result<std::uint64_t> all = log.Count({.policy_id = query.policy_id});
  if (!all) {
    return std::unexpected(all.error());
  }
  const std::string& policy = query.policy_id;
  Status known;
  if (!policy.empty() && *all == 0) {
    known = CheckKnownPolicy(policy, services.shipped_policies(), folder);
  }
  if (known && !query.policy_version.empty()) {
    known = CheckVersion(query, folder);
  }
  if (!known) {
    return std::unexpected(known.error());
  }
  const std::string of = policy.empty() ? "" : " of " + Printable(policy);
  return *all == 0 ? "No verdict" + of + " is recorded.\n"
                   : fmt::format("None of the {} verdicts{} matches.\n", *all, of);
}

}  // namespace

ExitCode RunVerdicts(const VerdictsArguments& arguments, Services& services, Console& console,
                     const std::atomic<bool>& stop) {
  Result<VerdictQuery> query = QueryOf(arguments);
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  if (!query || !folder) {
    return Fails(console, query ? folder.error() : query.error(), ExitCode::kUsage);
  }
  const Result<std::unique_ptr<VerdictLog>> log = storage::OpenVerdictLog(*folder, {});
  if (!log) {
    return Fails(console, log.error(), ExitCode::kCannotRun);
  }
  Summary summary;
  bool any = false;
  while (!stop.load()) {
    const Result<moderation::VerdictPage> page = (*log)->Scan(*query);
    if (!page) {
      return Fails(console, page.error(), ExitCode::kCannotRun);
    }
    any = any || !page->records.empty();
    for (const VerdictRecord& record : page->records) {
      if (arguments.json) {
        console.Out(JsonLine(RecordJson(record)) + "\n");
      } else {
        summary.Count(record);
      }
    }
    if (page->end || !console.out_status()) {
      break;
    }
    query->after = page->next;
  }
  if (!any && !stop.load()) {
    const Result<std::string> nothing = NothingText(*query, **log, services, *folder);
    if (!nothing) {
      return Fails(console, nothing.error(), StoreExitCode(nothing.error()));
    }
    console.Out(arguments.json ? "" : *nothing);
  } else if (!arguments.json) {
    console.Out(summary.Text(console.columns(), UseColor(console, arguments.color)));
  }
  return stop.load() ? ExitCode::kInterrupted : ExitCode::kSafe;
}

}  // namespace safeguard::apps
