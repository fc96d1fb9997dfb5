#include "apps/input/policy_catalog.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <sstream>
#include <utility>

#include "apps/input/data_folder.h"
#include "base/file.h"
#include "base/hash.h"
#include "eval/golden_set.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

std::string JoinNames(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) {
    joined += (joined.empty() ? "" : ", ") + name;
  }
  return joined;
}

bool LooksLikePath(const std::string& text) {
  return text.find('/') != std::string::npos || text.find('.') != std::string::npos;
}

Status ParseGolden(std::string_view bytes, const std::string& name, LoadedPolicy& loaded) {
  std::istringstream in{std::string(bytes)};
  Result<std::vector<moderation::GoldenCase>> golden = eval::ReadGoldenSet(in, name);
  if (!golden) {
    return std::unexpected(golden.error());
  }
  loaded.golden = std::move(*golden);
  loaded.golden_origin = name;
  loaded.golden_hash = Blake2bHex(bytes);
  return {};
}

// The golden set that stands beside a policy file, or empty.
std::string SiblingGolden(const std::string& policy_path) {
  const std::filesystem::path path(policy_path);
  std::error_code ignored;  // whatever cannot be looked at is not there
  for (const std::string& name :
       {path.stem().string() + ".golden.jsonl",
        path.stem() == "policy" ? std::string("golden.jsonl") : std::string()}) {
    const std::filesystem::path candidate = path.parent_path() / name;
    if (!name.empty() && std::filesystem::is_regular_file(candidate, ignored)) {
      return candidate.string();
    }
  }
  return {};
}

// "policy.md" says nothing: the folder's name does.
std::string FallbackId(const std::string& path_text) {
  std::error_code ignored;  // a path that cannot be made absolute keeps its own stem
  const std::filesystem::path path = std::filesystem::absolute(path_text, ignored);
  if (path.stem() == "policy" && path.has_parent_path()) {
    return path.parent_path().filename().string();
  }
  return path.stem().string();
}

// Insertions, deletions, replacements and swaps of neighbours, each costing one (Damerau's optimal
// string alignment). Case does not count.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> cost((a.size() + 1) * width);
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      std::size_t& here = cost[i * width + j];
      if (i == 0 || j == 0) {
        here = i + j;
        continue;
      }
      here = std::min({cost[(i - 1) * width + j] + 1, cost[i * width + j - 1] + 1,
                       cost[(i - 1) * width + j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        here = std::min(here, cost[(i - 2) * width + j - 2] + 1);
      }
    }
  }
  return cost.back();
}

}  // namespace

std::vector<std::string> PolicyCatalog::names() const {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : shipped_) {
    if (file.path.ends_with("/policy.md")) {
      names.emplace_back(file.path.substr(0, file.path.find('/')));
    }
  }
  return names;
}

const EmbeddedFile* PolicyCatalog::Find(std::string_view path) const {
  const auto found =
      std::ranges::find_if(shipped_, [&](const EmbeddedFile& file) { return file.path == path; });
  return found == shipped_.end() ? nullptr : &*found;
}

Result<PolicyCatalog::Source> PolicyCatalog::Text(const std::string& name_or_path) const {
  if (const EmbeddedFile* file = Find(name_or_path + "/policy.md")) {
    return Source{std::string(file->bytes), name_or_path, kShippedOrigin, "", ""};
  }
  std::error_code ignored;  // what cannot be looked at is reported by ReadFile
  if (!LooksLikePath(name_or_path) && !std::filesystem::exists(name_or_path, ignored)) {
    const std::string nearest = Nearest(name_or_path, names());
    return Fail(ErrorCode::kNotFound, "no policy is called " + name_or_path,
                nearest.empty() ? "shipped: " + JoinNames(names()) + "; or give a path"
                                : "did you mean " + nearest + "?");
  }
  if (std::filesystem::is_directory(name_or_path, ignored)) {
    const bool holds_policy = std::filesystem::exists(name_or_path + "/policy.md", ignored);
    return Fail(
        ErrorCode::kInvalidInput, "the policy " + name_or_path + " is a directory",
        holds_policy ? "name the file: " + name_or_path + "/policy.md" : "name a file in it");
  }
  Result<std::string> bytes = ReadFile(name_or_path, moderation::kPolicyBytesMax);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  return Source{std::move(*bytes), FallbackId(name_or_path), name_or_path, "", ""};
}

Result<PolicyCatalog::Source> PolicyCatalog::Read(const std::string& name_or_path,
                                                  const std::string& golden_path,
                                                  Golden golden) const {
  Result<Source> source = Text(name_or_path);
  if (!source) {
    return source;
  }
  const EmbeddedFile* shipped = Find(name_or_path + "/golden.jsonl");
  if (golden_path.empty() && golden == Golden::kRead && source->origin == kShippedOrigin) {
    source->golden = shipped == nullptr ? "" : shipped->bytes;
    source->golden_origin = shipped == nullptr ? "" : kShippedOrigin;
    return source;
  }
  std::string path = golden_path;
  if (path.empty() && golden == Golden::kRead) {
    path = SiblingGolden(name_or_path);
  }
  if (path.empty()) {
    return source;
  }
  Result<std::string> bytes = ReadFile(path, moderation::kGoldenBytesMax);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  source->golden = std::move(*bytes);
  source->golden_origin = std::move(path);
  return source;
}

Result<LoadedPolicy> PolicyCatalog::Load(const std::string& name_or_path,
                                         const std::string& golden_path, Golden golden) const {
  std::unique_ptr<moderation::PolicyStore> store;
  const Result<std::optional<moderation::VersionInfo>> stored = FindStored(name_or_path, store);
  if (!stored) {
    return std::unexpected(stored.error());
  }
  if (*stored) {
    const auto version = moderation::ReadLiveVersion(*store, **stored);
    Result<LoadedPolicy> loaded =
        version ? LoadStored(**version, golden_path, golden) : std::unexpected(version.error());
    if (loaded) {
      loaded->stored = **stored;
      loaded->routed = name_or_path.find('@') == std::string::npos;
    }
    return loaded;
  }
  const Result<Source> source = Read(name_or_path, golden_path, golden);
  if (!source) {
    return std::unexpected(source.error());
  }
  Result<moderation::Policy> policy = moderation::ReadPolicy(source->policy, source->fallback_id);
  if (!policy) {
    Error error = policy.error();
    error.message = "the policy " + name_or_path + " cannot be read: " + error.message;
    return std::unexpected(std::move(error));
  }
  LoadedPolicy loaded;
  loaded.policy = std::move(*policy);
  loaded.bytes = source->policy;
  loaded.origin = source->origin;
  if (!source->golden_origin.empty()) {
    const Status parsed = ParseGolden(source->golden, source->golden_origin, loaded);
    if (!parsed) {
      return std::unexpected(parsed.error());
    }
  }
  return loaded;
}

namespace {

// A data folder in which no policy was published yet.
bool HoldsOtherData(const std::string& folder) {
  std::error_code ignored;  // what cannot be looked at is not there
  return std::ranges::any_of(
      std::array{"/classifiers", "/audit", "/jobs.db", "/verdicts.db", "/reviews.db"},
      [&](const char* name) { return std::filesystem::exists(folder + name, ignored); });
}

}  // namespace

Result<std::optional<moderation::VersionInfo>> PolicyCatalog::FindStored(
    const std::string& name, std::unique_ptr<moderation::PolicyStore>& store) const {
  const moderation::VersionName wanted = moderation::ParseVersionName(name);
  const bool names_version = name.find('@') != std::string::npos;
  std::error_code ignored;  // what cannot be looked at is no file
  if (!moderation::CheckPolicyId(wanted.policy_id) ||
      (names_version && std::filesystem::exists(name, ignored))) {
    return std::nullopt;
  }
  std::string folder = NamedDataFolder(data_dir_);
  if (folder.empty() && names_version) {
    Result<std::string> usual = DataFolder("");
    if (!usual) {
      return std::unexpected(usual.error());
    }
    folder = std::move(*usual);
  }
  if (folder.empty()) {
    return std::nullopt;
  }
  Result<std::unique_ptr<moderation::PolicyStore>> opened = storage::OpenPolicyStore(folder, {});
  if (!opened) {
    // A variable that is set for later says nothing yet; a flag means what it says, but the folder
    // may be there for other data alone.
    const bool not_yet = opened.error().code == ErrorCode::kNotFound &&
                         (data_dir_.empty() || HoldsOtherData(folder));
    return not_yet && !names_version ? Result<std::optional<moderation::VersionInfo>>(std::nullopt)
                                     : std::unexpected(opened.error());
  }
  store = std::move(*opened);
  const Result<std::vector<moderation::VersionInfo>> versions = store->Versions(wanted.policy_id);
  if (!versions && versions.error().code == ErrorCode::kNotFound && !names_version) {
    return std::nullopt;
  }
  if (!versions) {
    return std::unexpected(versions.error());
  }
  Result<moderation::VersionInfo> found =
      store->Find(wanted.policy_id, names_version ? wanted.selector : "active");
  if (!found && !names_version) {
    return Fail(ErrorCode::kNotFound,
                "no version of " + wanted.policy_id + " in the store is active",
                "safeguard policy promote " + wanted.policy_id +
                    "@VERSION --to active, or name a version: " + wanted.policy_id + "@latest");
  }
  return found ? Result<std::optional<moderation::VersionInfo>>(std::move(*found))
               : std::unexpected(found.error());
}

Result<LoadedPolicy> LoadStored(const moderation::LiveVersion& version,
                                const std::string& golden_path, Golden golden) {
  LoadedPolicy loaded;
  loaded.policy = version.policy;
  loaded.bytes = version.bytes;
  loaded.origin = "the store, version " + version.policy.version;
  Status parsed;
  if (!golden_path.empty()) {
    const Result<std::string> bytes = ReadFile(golden_path, moderation::kGoldenBytesMax);
    parsed = bytes ? ParseGolden(*bytes, golden_path, loaded) : std::unexpected(bytes.error());
  } else if (golden == Golden::kRead && !version.golden.empty()) {
    parsed = ParseGolden(version.golden, loaded.origin, loaded);
  }
  if (!parsed) {
    return std::unexpected(parsed.error());
  }
  return loaded;
}

std::string Nearest(std::string_view wanted, const std::vector<std::string>& known) {
  constexpr std::size_t kWantedBytesMax = 100;  // nobody mistypes more
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(wanted.size() / 3, 1) + 1;
  if (wanted.empty() || wanted.size() > kWantedBytesMax) {
    return {};
  }
  for (const std::string& name : known) {
    const std::size_t distance = EditDistance(wanted, name);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace safeguard::apps
