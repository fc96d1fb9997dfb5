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

Problem Unauthorized(std::string detail) {
  return {401,
          "unauthorized",
          std::move(detail),
          "send a key of this server as Authorization: Bearer KEY",
          {}};
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
  } catch (const nlohmann::json::exception&) {
    return Fail(ErrorCode::kCorruptFile, "a key lacks a field or has one of the wrong type");
  }
  if (key.hash.size() != 64 || key.id.empty() || key.scopes.empty() ||
      key.requests_per_minute < 0 || key.expires < 0) {
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

std::string WriteKeys(const std::vector<ApiKey>& keys) {
  Json list = Json::array();
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
  }
  return Json{{"format", "safeguard-keys-1"}, {"keys", std::move(list)}}.dump(2) + "\n";
}

Result<std::vector<ApiKey>> ReadKeys(std::string_view bytes) {
  const Json json = Json::parse(bytes, nullptr, false);
  if (!json.is_object() || json.value("format", Json()) != "safeguard-keys-1" ||
      !json.contains("keys") || !json["keys"].is_array() || json["keys"].size() > kKeysMax) {
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

OrProblem<ApiKey> KeyRing::Admit(std::string_view authorization, std::string_view api_key,
                                 std::int64_t now) {
  constexpr std::string_view kBearer = "Bearer ";
  std::string_view given = api_key;
  if (authorization.starts_with(kBearer)) {
    given = authorization.substr(kBearer.size());
  }
  if (given.empty()) {
    return std::unexpected(Unauthorized("this server wants a key"));
  }
  // Looked up by hash: what the time of the look-up tells is of the hash, not of the key.
  const std::string hash = given.size() <= kKeyBytesMax ? Blake2bHex(given) : "";
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) {
    return std::unexpected(Unauthorized("the key is not known"));
  }
  const ApiKey& key = found->second;
  if (key.ExpiredAt(now)) {
    return std::unexpected(Unauthorized("the key ended at " + UtcText(key.expires)));
  }
  if (key.requests_per_minute > 0) {
    const double full = key.requests_per_minute;
    const auto [bucket, is_new] = buckets_.try_emplace(key.id, Bucket{full, now});
    const double minutes =
        static_cast<double>(std::max<std::int64_t>(now - bucket->second.filled, 0)) / 60'000;
    bucket->second.tokens = std::min(full, bucket->second.tokens + minutes * full);
    bucket->second.filled = now;
    if (bucket->second.tokens < 1) {
      const double wait = (1 - bucket->second.tokens) / full * 60;
      return std::unexpected(Problem{429,
                                     "over-quota",
                                     "the key " + key.id + " may make " +
                                         std::to_string(key.requests_per_minute) +
                                         " requests a minute",
                                     "wait, or ask for a higher quota",
                                     {},
                                     static_cast<int>(std::ceil(wait))});
    }
    bucket->second.tokens -= 1;
  }
  return key;
}

}  // namespace safeguard::http
