#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/input/data_folder.h"
#include "apps/input/known_policies.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "apps/output/version_text.h"
#include "moderation/policy_state.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::PolicyStore;
using moderation::VersionInfo;
using moderation::VersionState;

// The store, or null when there is none; a folder that is named must hold one.
Result<std::unique_ptr<PolicyStore>> OpenStore(const std::string& data_dir, std::string& folder) {
  const Result<std::string> where = DataFolder(data_dir);
  if (!where) {
    return nullptr;
  }
  folder = *where;
  Result<std::unique_ptr<PolicyStore>> store = storage::OpenPolicyStore(*where, {});
  if (!store && store.error().code == ErrorCode::kNotFound && data_dir.empty()) {
    return nullptr;
  }
  return store;
}

// "3", "2 (10%)", "-"
std::string NumbersIn(const std::vector<VersionInfo>& versions, VersionState state) {
  std::string text;
  for (const VersionInfo& version : versions) {
    if (version.state == state) {
      text += (text.empty() ? "" : ", ") + std::to_string(version.number);
      if (state == VersionState::kCanary) {
        text += fmt::format(" ({:g}%)", version.canary_percent);
      }
    }
  }
  return text.empty() ? "-" : text;
}

Status ListStore(PolicyStore& store, const std::string& folder,
                 const PolicyListArguments& arguments, Console& console) {
  const Result<std::vector<std::string>> ids = store.PolicyIds();
  if (!ids) {
    return std::unexpected(ids.error());
  }
  std::vector<std::vector<Cell>> rows;
  for (const std::string& id : *ids) {
    const Result<std::vector<VersionInfo>> versions = store.Versions(id);
    if (!versions) {
      return std::unexpected(versions.error());
    }
    if (arguments.json) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const VersionInfo& version : *versions) {
        list.push_back(VersionJson(version));
      }
      console.Out(JsonLine({{"name", id}, {"source", "store"}, {"versions", std::move(list)}}) +
                  "\n");
      continue;
    }
    const std::string active = NumbersIn(*versions, VersionState::kActive);
    rows.push_back({{id, Style::kBold},
                    {active, active == "-" ? Style::kYellow : Style::kGreen},
                    {NumbersIn(*versions, VersionState::kCanary)},
                    {NumbersIn(*versions, VersionState::kShadow)},
                    {NumbersIn(*versions, VersionState::kDraft), Style::kPlain},
                    {std::to_string(versions->size())},
                    {Printable(versions->back().note)}});
  }
  if (!arguments.json && !rows.empty()) {
    console.Out("In the store " + Printable(folder) + "\n");
    console.Out(RenderTable({{"NAME"},
                             {"ACTIVE"},
                             {"CANARY"},
                             {"SHADOW"},
                             {"DRAFTS"},
                             {"VERSIONS", true, false},
                             {"LAST NOTE", false, true}},
                            rows, console.columns(), UseColor(console, arguments.color)));
    console.Out("\nShipped with safeguard\n");
  }
  return {};
}

Status ListShipped(Services& services, const PolicyListArguments& arguments, Console& console) {
  const PolicyCatalog catalog(services.shipped_policies());
  std::vector<std::vector<Cell>> rows;
  for (const std::string& name : catalog.names()) {
    const Result<PolicyCatalog::Source> source = catalog.Read(name, "", Golden::kRead);
    if (!source) {
      return std::unexpected(source.error());
    }
    const Result<moderation::Policy> policy =
        moderation::ReadPolicy(source->policy, source->fallback_id);
    if (!policy) {
      return std::unexpected(policy.error());
    }
    const auto cases = static_cast<std::size_t>(std::ranges::count(source->golden, '\n'));
    if (arguments.json) {
      console.Out(JsonLine({{"name", name},
                            {"source", "shipped"},
                            {"policy", policy->id},
                            {"title", policy->name},
                            {"policy_version", policy->version},
                            {"policy_hash", policy->hash},
                            {"rules", policy->rules.size()},
                            {"golden_cases", cases}}) +
                  "\n");
    }
    rows.push_back({{name, Style::kBold},
                    {Printable(policy->name)},
                    {Printable(policy->version)},
                    {std::to_string(policy->rules.size())},
                    {std::to_string(cases)}});
  }
  if (!arguments.json) {
    console.Out(RenderTable({{"NAME"},
                             {"TITLE", false, true},
                             {"VERSION"},
                             {"RULES", true, false},
                             {"GOLDEN CASES", true, false}},
                            rows, console.columns(), UseColor(console, arguments.color)));
  }
  return {};
}

// `store`: null where there is none.
Status ListVersions(PolicyStore* store, const std::string& folder, Services& services,
                    const PolicyListArguments& arguments, Console& console) {
  const Result<std::vector<VersionInfo>> versions =
      store == nullptr ? moderation::NoPolicy(arguments.policy) : store->Versions(arguments.policy);
  if (!versions && versions.error().code == ErrorCode::kNotFound) {
    const Status known = CheckKnownPolicy(arguments.policy, services.shipped_policies(), folder);
    if (known && !arguments.json) {
      console.Out(arguments.policy + " ships with safeguard; the store has no version of it.\n");
    }
    return known;
  }
  if (!versions) {
    return std::unexpected(versions.error());
  }
  if (!arguments.json) {
    console.Out(VersionTable(*versions, console.columns(), UseColor(console, arguments.color)));
    return {};
  }
  for (const VersionInfo& version : *versions) {
    console.Out(JsonLine(VersionJson(version)) + "\n");
  }
  return {};
}

// For scripts and shell completion: each name once.
Status ListNames(PolicyStore* store, Services& services, Console& console) {
  const Result<std::vector<std::string>> names = KnownPolicies(services.shipped_policies(), store);
  if (!names) {
    return std::unexpected(names.error());
  }
  for (const std::string& name : *names) {
    console.Out(name + "\n");
  }
  return {};
}

}  // namespace

ExitCode RunPolicyList(const PolicyListArguments& arguments, Services& services, Console& console) {
  std::string folder;
  const Result<std::unique_ptr<PolicyStore>> store = OpenStore(arguments.data_dir, folder);
  if (!store) {
    return Fails(console, store.error(), ExitCode::kCannotRun);
  }
  Status listed;
  if (arguments.names) {
    listed = ListNames(store->get(), services, console);
  } else if (!arguments.policy.empty()) {
    listed = ListVersions(store->get(), folder, services, arguments, console);
  } else {
    listed = *store == nullptr ? Status{} : ListStore(**store, folder, arguments, console);
    listed = listed ? ListShipped(services, arguments, console) : listed;
  }
  return listed ? ExitCode::kSafe : Fails(console, listed.error(), ExitCode::kCannotRun);
}

}  // namespace safeguard::apps
