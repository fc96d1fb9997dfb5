// `safeguard lists show` and `safeguard lists lint`.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "base/file.h"
#include "base/utc_time.h"
#include "storage/list_files.h"

namespace safeguard::apps {
namespace {

using moderation::List;
using moderation::ListEntry;
using moderation::ListKind;
using moderation::ListProblem;

std::string ValueText(const ListEntry& entry) {
  switch (entry.kind) {
    case ListKind::kExact:
      return entry.value.substr(0, 12) + "…";
    case ListKind::kNear:
      return fmt::format("{}… from {:g}", entry.value.substr(0, entry.value.rfind(':') + 7),
                         entry.similarity);
    default:
      return entry.value + (entry.match == moderation::TermMatch::kWord
                                ? ""
                                : fmt::format(" ({})", moderation::ToString(entry.match)));
  }
}

std::vector<Cell> Row(const List& list, const ListEntry& entry, std::int64_t now) {
  const bool allows = entry.kind == ListKind::kAllow;
  const std::string action = allows ? "allow" : moderation::ActionName(entry.action);
  std::string stands_for = entry.policy == "*" ? "any policy" : entry.policy;
  for (const std::string& rule : entry.rules) {
    stands_for += " " + rule;
  }
  return {{Printable(list.name)},
          {entry.id, Style::kBold},
          {moderation::ToString(entry.kind)},
          {Printable(ValueText(entry))},
          {action},
          {Printable(stands_for)},
          {entry.expires ? UtcText(*entry.expires).substr(0, 10) : "-",
           entry.ExpiredAt(now) ? Style::kRed : Style::kPlain},
          {Printable(entry.added_by)},
          {Printable(entry.reason)}};
}

// Rules that entries cite and their policy does not have.
void CheckRules(const List& list, const std::map<std::string, moderation::Policy>& policies,
                std::vector<ListProblem>& problems) {
  for (const ListEntry& entry : list.entries) {
    const auto policy = policies.find(entry.policy);
    for (const std::string& rule : entry.rules) {
      if (policy != policies.end() && policy->second.FindRule(rule) == nullptr &&
          policy->second.FindLevel(rule) == nullptr) {
        problems.push_back({entry.line, true,
                            entry.id + ": " + entry.policy + " has no rule " + rule,
                            "see its rules with: safeguard policy show"});
      }
    }
  }
}

std::string ProblemText(const std::string& file, const ListProblem& problem, std::size_t width,
                        bool color) {
  std::string text = fmt::format("{}:{}: {}: {}\n", Printable(file), problem.line,
                                 problem.error ? Styled("error", Style::kRed, color)
                                               : Styled("warning", Style::kYellow, color),
                                 Printable(problem.message));
  if (!problem.mend.empty()) {
    text += Wrap("Mend: " + Printable(problem.mend), width, 4);
  }
  return text;
}

}  // namespace

ExitCode RunListsShow(const ListsShowArguments& arguments, Console& console) {
  const auto files = storage::FindListFiles(arguments.lists);
  if (!files) {
    return Fails(console, files.error(), ExitCode::kCannotRun);
  }
  const std::int64_t now = UtcNow();
  std::vector<std::vector<Cell>> rows;
  for (const std::string& file : *files) {
    const Result<std::string> bytes = ReadFile(file, moderation::kListBytesMax);
    if (!bytes) {
      return Fails(console, bytes.error(), ExitCode::kCannotRun);
    }
    const Result<List> list = moderation::ReadList(*bytes, storage::ListName(file));
    if (!list) {
      return Fails(console, list.error(), ExitCode::kCannotRun);
    }
    for (const ListEntry& entry : list->entries) {
      if (arguments.expired && !entry.ExpiredAt(now)) {
        continue;
      }
      if (arguments.json) {
        nlohmann::ordered_json line = {{"list", list->name}};
        line.update(nlohmann::ordered_json::parse(moderation::EntryLine(entry)));
        console.Out(JsonLine(line) + "\n");
      } else {
        rows.push_back(Row(*list, entry, now));
      }
    }
  }
  if (!arguments.json) {
    console.Out(RenderTable({{"LIST"},
                             {"ENTRY"},
                             {"KIND"},
                             {"VALUE"},
                             {"ACTION"},
                             {"STANDS FOR"},
                             {"EXPIRES"},
                             {"ADDED BY"},
                             {"REASON", false, true}},
                            rows, console.columns(), UseColor(console, arguments.color)));
  }
  return ExitCode::kSafe;
}

ExitCode RunListsLint(const ListsLintArguments& arguments, Services& services, Console& console) {
  std::map<std::string, moderation::Policy> policies;
  const PolicyCatalog catalog(services.shipped_policies(), arguments.data_dir);
  for (const std::string& name : arguments.policies) {
    Result<LoadedPolicy> loaded = catalog.Load(name, "", Golden::kIgnore);
    if (!loaded) {
      return Fails(console, loaded.error(), ExitCode::kCannotRun);
    }
    policies[loaded->policy.id] = std::move(loaded->policy);
  }
  const auto files = storage::FindListFiles(arguments.lists);
  if (!files) {
    return Fails(console, files.error(), ExitCode::kCannotRun);
  }
  const bool color = UseColor(console, arguments.color);
  std::size_t entries = 0;
  std::size_t found = 0;
  for (const std::string& file : *files) {
    const Result<std::string> bytes = ReadFile(file, moderation::kListBytesMax);
    if (!bytes) {
      return Fails(console, bytes.error(), ExitCode::kCannotRun);
    }
    std::vector<ListProblem> problems;
    const List list = moderation::ReadListLines(*bytes, storage::ListName(file), problems);
    const std::vector<ListProblem> warnings = moderation::LintList(list, UtcNow());
    problems.insert(problems.end(), warnings.begin(), warnings.end());
    CheckRules(list, policies, problems);
    std::ranges::stable_sort(problems, {}, &ListProblem::line);
    for (const ListProblem& problem : problems) {
      console.Out(arguments.json ? JsonLine({{"file", file},
                                             {"line", problem.line},
                                             {"severity", problem.error ? "error" : "warning"},
                                             {"reason", problem.message},
                                             {"mend", problem.mend}}) +
                                       "\n"
                                 : ProblemText(file, problem, console.columns(), color));
    }
    entries += list.entries.size();
    found += problems.size();
  }
  if (!arguments.json) {
    console.Out(fmt::format("{} {}, {} {}\n", entries, entries == 1 ? "entry" : "entries", found,
                            found == 1 ? "finding" : "findings"));
  }
  return found > 0 ? ExitCode::kViolation : ExitCode::kSafe;
}

}  // namespace safeguard::apps
