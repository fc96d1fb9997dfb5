// `safeguard key`: the keys of the service.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/serve.h"
#include "apps/input/data_folder.h"
#include "apps/input/key_file.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "base/file.h"
#include "base/random_bytes.h"
#include "base/utc_time.h"

namespace safeguard::apps {
namespace {

using http::ApiKey;
using Json = nlohmann::ordered_json;

constexpr std::size_t kKeyRandomBytes = 38;
constexpr std::size_t kKeyNameBytesMax = 100;

std::string ScopeList(const ApiKey& key) {
  std::string list;
  for (const http::Scope scope : key.scopes) {
    list += (list.empty() ? "" : ",") + std::string(ToString(scope));
  }
  return list;
}

Json KeyJson(const ApiKey& key) {
  Json json = {{"id", key.id}, {"name", key.name}, {"scopes", Json::array()}};
  for (const http::Scope scope : key.scopes) {
    json["scopes"].push_back(ToString(scope));
  }
  json["created"] = UtcText(key.created);
  json["expires"] = key.expires == 0 ? Json(nullptr) : Json(UtcText(key.expires));
  json["requests_per_minute"] = key.requests_per_minute;
  json["tokens_per_minute"] = key.tokens_per_minute;
  json["tenant"] = key.tenant;
  return json;
}

std::string TenantText(const ApiKey& key) {
  return key.tenant == http::kDefaultTenant ? ""
         : key.tenant == http::kAllTenants  ? ", of all tenants"
                                            : ", of the tenant " + key.tenant;
}

// The new key's secret, the one time that it is shown.
void Show(const http::NewKey& made, bool json, Console& console) {
  if (json) {
    Json object = KeyJson(made.key);
    object["key"] = made.secret;
    console.Out(JsonLine(object) + "\n");
    return;
  }
  console.Out(made.secret + "\n");
  console.Error(fmt::format(
      "safeguard: key {} for {} ({}){}. It is shown this once; keep it where "
      "secrets are kept.\n",
      made.key.id, Printable(made.key.name), ScopeList(made.key), TenantText(made.key)));
}

Result<std::vector<ApiKey>::iterator> FindKey(std::vector<ApiKey>& keys, const std::string& id) {
  const auto found = std::ranges::find(keys, id, &ApiKey::id);
  if (found == keys.end()) {
    return Fail(ErrorCode::kNotFound, "there is no key " + id, "safeguard key list shows them");
  }
  return found;
}

Status New(const KeyArguments& arguments, std::vector<ApiKey>& keys, http::NewKey& made) {
  std::set<http::Scope> scopes;
  for (const std::string& name : arguments.scopes) {
    scopes.insert(*http::ScopeFrom(name));  // the command line offers no others
  }
  if (arguments.name.empty() || arguments.name.size() > kKeyNameBytesMax) {
    return Fail(ErrorCode::kInvalidInput, "a key needs a name of at most 100 bytes",
                "say whose it is, as in: safeguard key new gateway");
  }
  const std::string tenant =
      arguments.tenant.empty() ? std::string(http::kDefaultTenant) : arguments.tenant;
  if (const Status known = http::CheckTenant(tenant); !known) {
    return known;
  }
  if (keys.size() >= http::kKeysMax) {
    return Fail(ErrorCode::kLimit, "there are as many keys as there may be", "revoke some");
  }
  made = http::MakeKey(arguments.name, std::move(scopes), UtcNow(), RandomBytes(kKeyRandomBytes));
  made.key.requests_per_minute = arguments.requests_per_minute;
  made.key.tokens_per_minute = arguments.tokens_per_minute;
  made.key.tenant = tenant;
  if (arguments.days > 0) {
    made.key.expires = made.key.created + std::llround(arguments.days * 86'400'000);
  }
  keys.push_back(made.key);
  return {};
}

Status Rotate(const KeyArguments& arguments, std::vector<ApiKey>& keys, http::NewKey& made) {
  const auto old = FindKey(keys, arguments.name);
  if (!old) {
    return std::unexpected(old.error());
  }
  const std::int64_t now = UtcNow();
  made = http::MakeKey((*old)->name, (*old)->scopes, now, RandomBytes(kKeyRandomBytes));
  made.key.requests_per_minute = (*old)->requests_per_minute;
  made.key.tokens_per_minute = (*old)->tokens_per_minute;
  made.key.tenant = (*old)->tenant;
  const std::int64_t end = now + std::llround(arguments.overlap_hours * 3'600'000);
  (*old)->expires = (*old)->expires == 0 ? end : std::min(end, (*old)->expires);
  keys.push_back(made.key);
  return {};
}

std::string QuotaText(std::int64_t a_minute) {
  return a_minute == 0 ? "-" : std::to_string(a_minute);
}

void List(const std::vector<ApiKey>& keys, bool json, Console& console) {
  std::vector<std::vector<Cell>> rows;
  for (const ApiKey& key : keys) {
    if (json) {
      console.Out(JsonLine(KeyJson(key)) + "\n");
      continue;
    }
    const bool over = key.ExpiredAt(UtcNow());
    rows.push_back({{key.id, Style::kBold},
                    {Printable(key.name)},
                    {key.tenant},
                    {ScopeList(key)},
                    {QuotaText(key.requests_per_minute)},
                    {QuotaText(key.tokens_per_minute)},
                    {UtcText(key.created).substr(0, 10)},
                    {key.expires == 0 ? "never" : UtcText(key.expires).substr(0, 16),
                     over ? Style::kRed : Style::kPlain}});
  }
  if (!json) {
    console.Out(RenderTable({{"ID"},
                             {"NAME"},
                             {"TENANT"},
                             {"SCOPES", false, true},
                             {"A MINUTE", true, false},
                             {"TOKENS", true, false},
                             {"CREATED"},
                             {"ENDS"}},
                            rows, console.columns(), false));
  }
}

}  // namespace

std::string KeyFilePath(const std::string& data_folder) {
  return data_folder + "/keys.json";
}

Result<std::vector<ApiKey>> LoadKeys(const std::string& data_folder) {
  const Result<std::string> bytes = ReadFile(KeyFilePath(data_folder), http::kKeyFileBytesMax);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
    return std::vector<ApiKey>();
  }
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  Result<std::vector<ApiKey>> keys = http::ReadKeys(*bytes);
  if (!keys) {
    Error error = keys.error();
    error.message = KeyFilePath(data_folder) + ": " + error.message;
    return std::unexpected(std::move(error));
  }
  return keys;
}

Status SaveKeys(const std::string& data_folder, const std::vector<ApiKey>& keys) {
  std::error_code failure;
  if (std::filesystem::create_directories(data_folder, failure)) {
    std::filesystem::permissions(data_folder, std::filesystem::perms::owner_all, failure);
  }
  if (failure) {
    return Fail(ErrorCode::kUnavailable,
                "the folder " + data_folder + " cannot be made: " + failure.message(),
                "choose another with --data-dir");
  }
  return WriteFileAtomically(KeyFilePath(data_folder), http::WriteKeys(keys), FileReaders::kOwner);
}

ExitCode RunKey(const KeyArguments& arguments, Console& console) {
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  if (!folder) {
    return Fails(console, folder.error(), ExitCode::kUsage);
  }
  Result<std::vector<ApiKey>> keys = LoadKeys(*folder);
  if (!keys) {
    return Fails(console, keys.error(), ExitCode::kCannotRun);
  }
  http::NewKey made;
  Status done;
  switch (arguments.verb) {
    case KeyVerb::kList:
      List(*keys, arguments.json, console);
      return ExitCode::kSafe;
    case KeyVerb::kNew:
      done = New(arguments, *keys, made);
      break;
    case KeyVerb::kRotate:
      done = Rotate(arguments, *keys, made);
      break;
    case KeyVerb::kRevoke: {
      const auto found = FindKey(*keys, arguments.name);
      if (!found) {
        return Fails(console, found.error(), ExitCode::kUsage);
      }
      keys->erase(*found);
      break;
    }
  }
  if (!done) {
    return Fails(console, done.error(), ExitCode::kUsage);
  }
  const Status saved = SaveKeys(*folder, *keys);
  if (!saved) {
    return Fails(console, saved.error(), ExitCode::kCannotRun);
  }
  if (!made.secret.empty()) {
    Show(made, arguments.json, console);
  } else if (!arguments.json) {
    console.Out("Key " + arguments.name + " is revoked.\n");
  }
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
