#include "http/keys.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/utc_time.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kIdBytes = 6;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kKeyBytesMax = 256;
constexpr Scope kScopes[] = {Scope::kJudge, Scope::kPolicyWrite, Scope::kReview, Scope::kAdmin};

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

// As a program before tenants and tokens' quotas wrote them. What it could not understand is in
// another format, so that it refuses the file instead of giving a tenant's key everybody's data.
constexpr const char* kPlainFormat = "safeguard-keys-1";
constexpr const char* kFormat = "safeguard-keys-2";
constexpr std::size_t kTenantBytesMax = 63;
constexpr double kMinuteSeconds = 60;
constexpr double kMinuteMs = 60'000;

bool IsPlain(const ApiKey& key) {
  return key.tenant == kDefaultTenant && key.tokens_per_minute == 0;
}

Problem Unauthorized(std::string detail) {
  return {401,
          "unauthorized",
          std::move(detail),
          "send a key of this server as Authorization: Bearer KEY",
          {}};
}

std::string Whole(double number) {
  return std::to_string(static_cast<std::int64_t>(number));
}

// `missing` of `what`, of which a minute brings `full`.
Problem OverQuota(const ApiKey& key, const std::string& what, double full, double missing) {
  return {429,
          "over-quota",
          "the key " + key.id + " may have " + Whole(full) + " " + what + " a minute",
          "wait as long as Retry-After says, or ask for a higher quota",
          {},
          static_cast<int>(std::ceil(missing / full * kMinuteSeconds))};
}

Result<ApiKey> ReadKey(const Json& json) {
  ApiKey key;
  try {
    key.id = json.at("id").get<std::string>();
    key.name = json.at("name").get<std::string>();
    key.hash = json.at("hash").get<std::string>();
    for (const Json& name : json.at("scopes")) {
      const std::optional<Scope> scope = ScopeFrom(name.get<std::string>());
      if (!scope) {
        return Fail(ErrorCode::kCorruptFile, "key " + key.id + " has an unknown scope");
      }
      key.scopes.insert(*scope);
    }
    key.created = json.at("created").get<std::int64_t>();
    key.expires = json.at("expires").get<std::int64_t>();
    key.requests_per_minute = json.at("requests_per_minute").get<int>();
    key.tokens_per_minute = json.value("tokens_per_minute", std::int64_t{0});
    key.tenant = json.value("tenant", std::string(kDefaultTenant));
  } catch (const nlohmann::json::exception&) {
    return Fail(ErrorCode::kCorruptFile, "a key lacks a field or has one of the wrong type");
  }
  if (key.hash.size() != 64 || key.id.empty() || key.scopes.empty() ||
      key.requests_per_minute < 0 || key.tokens_per_minute < 0 || key.expires < 0 ||
      !CheckTenant(key.tenant)) {
    return Fail(ErrorCode::kCorruptFile, "key " + key.id + " is not whole");
  }
  return key;
}

}  // namespace

const char* ToString(Scope scope) {
  switch (scope) {
    case Scope::kJudge:
      return "judge";
    case Scope::kPolicyWrite:
      return "policy-write";
    case Scope::kReview:
      return "review";
    case Scope::kAdmin:
      break;
  }
  return "admin";
}

std::optional<Scope> ScopeFrom(std::string_view text) {
  for (const Scope scope : kScopes) {
    if (text == ToString(scope)) {
      return scope;
    }
  }
  return std::nullopt;
}

Status CheckTenant(std::string_view name) {
  const bool shaped = !name.empty() && name.size() <= kTenantBytesMax && name.front() != '-' &&
                      std::ranges::all_of(name, [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                      });
  if (shaped || name == kAllTenants) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              "\"" + std::string(name.substr(0, 100)) + "\" is no name of a tenant",
              "give lower-case letters, digits and '-', at most 63, or '*' for all tenants");
}

std::string WriteKeys(const std::vector<ApiKey>& keys) {
  Json list = Json::array();
  const bool plain = std::ranges::all_of(keys, IsPlain);
  for (const ApiKey& key : keys) {
    Json scopes = Json::array();
    for (const Scope scope : key.scopes) {
      scopes.push_back(ToString(scope));
    }
    list.push_back({{"id", key.id},
                    {"name", key.name},
                    {"hash", key.hash},
                    {"scopes", std::move(scopes)},
                    {"created", key.created},
                    {"expires", key.expires},
                    {"requests_per_minute", key.requests_per_minute}});
    if (!plain) {
      list.back()["tokens_per_minute"] = key.tokens_per_minute;
      list.back()["tenant"] = key.tenant;
    }
  }
  return Json{{"format", plain ? kPlainFormat : kFormat}, {"keys", std::move(list)}}.dump(2) + "\n";
}

Result<std::vector<ApiKey>> ReadKeys(std::string_view bytes) {
  const Json json = Json::parse(bytes, nullptr, false);
  const Json format = json.is_object() ? json.value("format", Json()) : Json();
  if ((format != kPlainFormat && format != kFormat) || !json.contains("keys") ||
      !json["keys"].is_array() || json["keys"].size() > kKeysMax) {
    return Fail(ErrorCode::kCorruptFile, "this is no file of keys",
                "restore keys.json, or remove it and make new keys with safeguard key new");
  }
  std::vector<ApiKey> keys;
  for (const Json& item : json["keys"]) {
    Result<ApiKey> key = ReadKey(item);
    if (!key) {
      return std::unexpected(key.error());
    }
    keys.push_back(std::move(*key));
  }
  return keys;
}

NewKey MakeKey(std::string name, std::set<Scope> scopes, std::int64_t now,
               std::string_view random) {
  CHECK(random.size() >= kIdBytes + kSecretBytes);
  NewKey made;
  made.key.id = Hex(random.substr(0, kIdBytes));
  made.secret = "sg_" + made.key.id + "_" + Hex(random.substr(kIdBytes, kSecretBytes));
  made.key.name = std::move(name);
  made.key.hash = Blake2bHex(made.secret);
  made.key.scopes = std::move(scopes);
  made.key.created = now;
  return made;
}

void KeyRing::Set(std::vector<ApiKey> keys) {
  const std::lock_guard lock(mutex_);
  by_hash_.clear();
  for (ApiKey& key : keys) {
    std::string hash = key.hash;
    by_hash_.emplace(std::move(hash), std::move(key));
  }
}

std::size_t KeyRing::size() const {
  const std::lock_guard lock(mutex_);
  return by_hash_.size();
}

std::set<std::string> KeyRing::tenants() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> names;
  for (const auto& [hash, key] : by_hash_) {
    if (key.tenant != kDefaultTenant && key.tenant != kAllTenants) {
      names.insert(key.tenant);
    }
  }
  return names;
}

OrProblem<const ApiKey*> KeyRing::FindLocked(std::string_view authorization,
                                             std::string_view api_key, std::int64_t now) const {
  constexpr std::string_view kBearer = "Bearer ";
  std::string_view given = api_key;
  if (authorization.starts_with(kBearer)) {
    given = authorization.substr(kBearer.size());
  }
  if (given.empty()) {
    return std::unexpected(Unauthorized("this server wants a key"));
  }
  // Looked up by hash: what the time of the look-up tells is of the hash, not of the key.
  const auto found = by_hash_.find(given.size() <= kKeyBytesMax ? Blake2bHex(given) : "");
  if (found == by_hash_.end()) {
    return std::unexpected(Unauthorized("the key is not known"));
  }
  if (found->second.ExpiredAt(now)) {
    return std::unexpected(Unauthorized("the key ended at " + UtcText(found->second.expires)));
  }
  return &found->second;
}

OrProblem<ApiKey> KeyRing::Find(std::string_view authorization, std::string_view api_key,
                                std::int64_t now) const {
  const std::lock_guard lock(mutex_);
  const OrProblem<const ApiKey*> key = FindLocked(authorization, api_key, now);
  return key ? OrProblem<ApiKey>(**key) : std::unexpected(key.error());
}

OrProblem<Admitted> KeyRing::Admit(std::string_view authorization, std::string_view api_key,
                                   std::size_t tokens, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  const OrProblem<const ApiKey*> key = FindLocked(authorization, api_key, now);
  if (!key) {
    return std::unexpected(key.error());
  }
  Admitted admitted{**key, {}};
  if (std::optional<Problem> problem = TakeQuota(**key, tokens, now, admitted.quota)) {
    problem->headers = std::move(admitted.quota);
    return std::unexpected(std::move(*problem));
  }
  return admitted;
}

void KeyRing::Charge(const std::string& key_id, std::size_t tokens, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  const auto key =
      std::ranges::find_if(by_hash_, [&](const auto& entry) { return entry.second.id == key_id; });
  if (key != by_hash_.end() && key->second.tokens_per_minute > 0) {
    QuotaOf(key->second, now).tokens.left -= static_cast<double>(tokens);
  }
}

void KeyRing::Bucket::Fill(double full, std::int64_t now) {
  const double minutes = static_cast<double>(std::max<std::int64_t>(now - filled, 0)) / kMinuteMs;
  left = std::min(full, left + minutes * full);
  filled = std::max(filled, now);
}

// Filled up to `now`.
KeyRing::Quota& KeyRing::QuotaOf(const ApiKey& key, std::int64_t now) {
  const double requests = key.requests_per_minute;
  const auto tokens = static_cast<double>(key.tokens_per_minute);
  const auto [quota, is_new] = quotas_.try_emplace(key.id, Quota{{requests, now}, {tokens, now}});
  quota->second.requests.Fill(requests, now);
  quota->second.tokens.Fill(tokens, now);
  return quota->second;
}

std::optional<Problem> KeyRing::TakeQuota(const ApiKey& key, std::size_t tokens, std::int64_t now,
                                          std::vector<Header>& told) {
  if (key.requests_per_minute == 0 && key.tokens_per_minute == 0) {
    return std::nullopt;
  }
  struct Share {
    const char* what;
    double full;
    double asked;
    Bucket* bucket;
  };
  Quota& quota = QuotaOf(key, now);
  std::vector<Share> shares;
  if (key.requests_per_minute > 0) {
    shares.push_back(
        {"requests", static_cast<double>(key.requests_per_minute), 1, &quota.requests});
  }
  if (key.tokens_per_minute > 0) {
    const auto full = static_cast<double>(key.tokens_per_minute);
    shares.push_back({"tokens", full, static_cast<double>(tokens), &quota.tokens});
  }
  std::optional<Problem> problem;
  for (const Share& share : shares) {
    // What no minute holds is let in by a full one, and is paid for later.
    const double missing = std::min(share.asked, share.full) - share.bucket->left;
    if (missing > 0 && !problem) {
      problem = OverQuota(key, share.what, share.full, missing);
    }
  }
  for (const Share& share : shares) {
    share.bucket->left -= problem ? 0 : share.asked;
    const std::string suffix = std::string("-") + share.what;
    const double owed = share.full - share.bucket->left;
    told.push_back({"x-ratelimit-limit" + suffix, Whole(share.full)});
    told.push_back(
        {"x-ratelimit-remaining" + suffix, Whole(std::floor(std::max(share.bucket->left, 0.0)))});
    told.push_back(
        {"x-ratelimit-reset" + suffix, Whole(std::ceil(owed / share.full * kMinuteSeconds)) + "s"});
  }
  return problem;
}

}  // namespace safeguard::http
