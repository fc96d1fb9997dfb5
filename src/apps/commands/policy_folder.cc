// policy import and export: between the store and folders of text; policy log.
#include "storage/policy_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/input/data_folder.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "apps/output/version_text.h"
#include "base/utc_time.h"
#include "eval/golden_set.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

namespace fs = std::filesystem;
using moderation::PolicyStore;
using moderation::StoreEvent;

constexpr std::size_t kEventsAtOnce = 1000;

// The policy folders that a source names: itself, or those in it.
Result<std::vector<std::string>> FoldersOf(const std::string& source) {
  std::error_code ignored;  // what cannot be looked at is reported by PolicyFolders
  if (fs::is_regular_file(source, ignored)) {
    return Fail(ErrorCode::kInvalidInput, source + " is a file",
                "safeguard policy publish takes a file; import takes folders");
  }
  if (fs::is_regular_file(fs::path(source) / "policy.md", ignored)) {
    return std::vector{source};
  }
  Result<std::vector<std::string>> folders = storage::PolicyFolders(source);
  if (folders && folders->empty()) {
    return Fail(ErrorCode::kNotFound, "there is no policy in " + source,
                "a policy's folder is NAME/policy.md, with golden.jsonl where it has one");
  }
  return folders;
}

Status CheckGolden(const std::string& folder) {
  const std::string path = folder + "/golden.jsonl";
  std::error_code ignored;  // mostly there is none
  if (!fs::exists(path, ignored)) {
    return {};
  }
  const auto golden = eval::ReadGoldenSet(path);
  return golden ? Status{} : std::unexpected(golden.error());
}

std::string Plural(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string ImportLine(const storage::Imported& imported) {
  std::string text = imported.policy_id + ": ";
  if (imported.events > 0) {
    text += fmt::format("{} with {} of history imported", Plural(imported.versions, "new version"),
                        Plural(imported.events, "event"));
  }
  if (imported.head_is_new) {
    text += fmt::format("{}policy.md is the new draft {}", imported.events > 0 ? "; " : "",
                        VersionName(imported.head));
  } else if (imported.events == 0) {
    text += fmt::format("nothing new, policy.md is {} ({})", VersionName(imported.head),
                        StateText(imported.head));
  }
  return text + ".\n";
}

nlohmann::ordered_json ImportJson(const storage::Imported& imported) {
  return {{"policy", imported.policy_id},
          {"imported_versions", imported.versions},
          {"imported_events", imported.events},
          {"head", VersionJson(imported.head)},
          {"head_is_new", imported.head_is_new}};
}

Result<std::vector<StoreEvent>> Newest(PolicyStore& store, const std::string& policy_id,
                                       std::size_t limit) {
  std::vector<StoreEvent> events;
  while (true) {
    const Result<std::vector<StoreEvent>> more =
        store.History(policy_id, events.empty() ? 0 : events.back().sequence, kEventsAtOnce);
    if (!more) {
      return more;
    }
    events.insert(events.end(), more->begin(), more->end());
    // Only the newest are kept: a history of any length takes bounded memory.
    if (limit > 0 && events.size() > limit) {
      events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(limit));
    }
    if (more->size() < kEventsAtOnce) {
      std::ranges::reverse(events);
      return events;
    }
  }
}

Result<std::unique_ptr<PolicyStore>> OpenStore(const std::string& data_dir, bool create) {
  const Result<std::string> folder = DataFolder(data_dir);
  if (!folder) {
    return std::unexpected(folder.error());
  }
  return storage::OpenPolicyStore(*folder, {.create = create});
}

}  // namespace

ExitCode RunPolicyImport(const PolicyImportArguments& arguments, Console& console) {
  const Result<std::string> who = ActingPerson(arguments.who);
  if (!who) {
    return Fails(console, who.error(), ExitCode::kUsage);
  }
  std::vector<std::string> folders;
  for (const std::string& source : arguments.sources) {
    const Result<std::vector<std::string>> found = FoldersOf(source);
    if (!found) {
      return Fails(console, found.error(), StoreExitCode(found.error()));
    }
    folders.insert(folders.end(), found->begin(), found->end());
  }
  const Result<std::unique_ptr<PolicyStore>> store = OpenStore(arguments.data_dir, true);
  if (!store) {
    return Fails(console, store.error(), ExitCode::kCannotRun);
  }
  for (const std::string& folder : folders) {
    const Status golden = CheckGolden(folder);
    const Result<storage::Imported> imported =
        golden ? storage::ImportPolicy(**store, folder, {*who, arguments.note, UtcNow()})
               : std::unexpected(golden.error());
    if (!imported) {
      return Fails(console, imported.error(), StoreExitCode(imported.error()));
    }
    console.Out(arguments.json ? JsonLine(ImportJson(*imported)) + "\n" : ImportLine(*imported));
  }
  return ExitCode::kSafe;
}

ExitCode RunPolicyExport(const PolicyExportArguments& arguments, Console& console) {
  const Result<std::unique_ptr<PolicyStore>> store = OpenStore(arguments.data_dir, false);
  if (!store) {
    return Fails(console, store.error(), ExitCode::kCannotRun);
  }
  Result<std::vector<std::string>> policies =
      arguments.policies.empty() ? (*store)->PolicyIds() : arguments.policies;
  if (!policies) {
    return Fails(console, policies.error(), ExitCode::kCannotRun);
  }
  for (const std::string& policy : *policies) {
    const Result<std::vector<std::string>> written =
        storage::ExportPolicy(**store, policy, arguments.to, {.overwrite = arguments.overwrite});
    if (!written) {
      return Fails(console, written.error(), StoreExitCode(written.error()));
    }
    if (arguments.json) {
      console.Out(JsonLine({{"policy", policy}, {"written", *written}}) + "\n");
      continue;
    }
    console.Out(written->empty()
                    ? fmt::format("{}: {}/{} is up to date.\n", policy, arguments.to, policy)
                    : fmt::format("{}: {} written under {}/{}.\n", policy,
                                  Plural(written->size(), "file"), arguments.to, policy));
  }
  return ExitCode::kSafe;
}

ExitCode RunPolicyLog(const PolicyLogArguments& arguments, Console& console) {
  const Result<std::unique_ptr<PolicyStore>> store = OpenStore(arguments.data_dir, false);
  if (!store) {
    return Fails(console, store.error(), ExitCode::kCannotRun);
  }
  if (!arguments.policy.empty()) {
    const auto known = (*store)->Versions(arguments.policy);
    if (!known) {
      return Fails(console, known.error(), ExitCode::kCannotRun);
    }
  }
  const Result<std::vector<StoreEvent>> events = Newest(**store, arguments.policy, arguments.limit);
  if (!events) {
    return Fails(console, events.error(), ExitCode::kCannotRun);
  }
  if (!arguments.json) {
    console.Out(EventTable(*events, console.columns(), UseColor(console, arguments.color)));
    return ExitCode::kSafe;
  }
  for (const StoreEvent& event : *events) {
    console.Out(JsonLine(EventJson(event)) + "\n");
  }
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
