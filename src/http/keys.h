// API keys. A key is "sg_ID_SECRET" with 256 random bits of secret; what is kept is the BLAKE2b
// hash of the whole key, so the file with the keys opens nothing. (A slow password hash would add
// nothing to 256 bits.) A key belongs to a tenant, and has scopes, an optional end and quotas;
// rotating one makes a new key of the same name and lets the old one live for a while.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/problem.h"

namespace safeguard::http {

// kAdmin includes the others.
enum class Scope { kJudge, kPolicyWrite, kReview, kAdmin };

const char* ToString(Scope scope);  // "judge", "policy-write", "review", "admin"
std::optional<Scope> ScopeFrom(std::string_view text);

// Whoever has no other tenant.
inline constexpr std::string_view kDefaultTenant = "default";
// Of a key that is of all tenants: it says which one with each request.
inline constexpr std::string_view kAllTenants = "*";

// kInvalidInput for what is neither a tenant's name (1 to 63 lower-case letters, digits and '-',
// the first no '-') nor kAllTenants.
Status CheckTenant(std::string_view name);

struct ApiKey {
  std::string id;    // 12 hexadecimal digits; safe to log
  std::string name;  // whose it is: "gateway", "maria"
  std::string hash;  // BLAKE2b of the key
  std::set<Scope> scopes;
  std::int64_t created = 0;            // milliseconds since 1970
  std::int64_t expires = 0;            // 0: never
  int requests_per_minute = 0;         // 0: no quota
  std::int64_t tokens_per_minute = 0;  // likewise; see KeyRing
  std::string tenant{kDefaultTenant};

  [[nodiscard]] bool Has(Scope scope) const {
    return scopes.contains(scope) || scopes.contains(Scope::kAdmin);
  }
  [[nodiscard]] bool ExpiredAt(std::int64_t now) const { return expires != 0 && now >= expires; }
  friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

inline constexpr std::size_t kKeysMax = 10'000;
inline constexpr std::size_t kKeyFileBytesMax = std::size_t{8} << 20;

// A set of keys as the bytes of a file, and back. Reading fails (kCorruptFile) on anything that
// Write() does not write.
std::string WriteKeys(const std::vector<ApiKey>& keys);
Result<std::vector<ApiKey>> ReadKeys(std::string_view bytes);

struct NewKey {
  ApiKey key;
  std::string secret;  // shown once, kept nowhere
};

// `random` is 38 random bytes at least: 6 for the id, 32 for the secret.
NewKey MakeKey(std::string name, std::set<Scope> scopes, std::int64_t now, std::string_view random);

// A request that may go on.
struct Admitted {
  ApiKey key;
  std::vector<Header> quota;  // x-ratelimit-*, for its answer; none without quotas
};

// Whom a request comes from, and whether it may. Quotas are buckets that fill up again in a minute.
// Thread-safe.
class KeyRing {
 public:
  // Replaces all keys; quotas go on where they were.
  void Set(std::vector<ApiKey> keys);
  [[nodiscard]] std::size_t size() const;
  // Of the keys, without kDefaultTenant and kAllTenants.
  [[nodiscard]] std::set<std::string> tenants() const;

  // The key of "Authorization: Bearer KEY" or "X-API-Key: KEY", as Admit() says; its quotas stay as
  // they are.
  [[nodiscard]] OrProblem<ApiKey> Find(std::string_view authorization, std::string_view api_key,
                                       std::int64_t now) const;
  // The key of "Authorization: Bearer KEY" or "X-API-Key: KEY". 401 without one, or with one that
  // is unknown or over; takes one request and `tokens` from its quotas, 429 when there are not so
  // many left. More tokens than fit into a minute are let in when the whole minute is there, and
  // the next request waits for the rest. `now` is in milliseconds since 1970.
  OrProblem<Admitted> Admit(std::string_view authorization, std::string_view api_key,
                            std::size_t tokens, std::int64_t now);
  // Takes `tokens` more for what was only known later.
  void Charge(const std::string& key_id, std::size_t tokens, std::int64_t now);

 private:
  // What is left of a minute's share. Below 0: owed.
  struct Bucket {
    double left = 0;
    std::int64_t filled = 0;

    void Fill(double full, std::int64_t now);
  };
  struct Quota {
    Bucket requests;
    Bucket tokens;
  };

  // REQUIRES: mutex_ is held.
  [[nodiscard]] OrProblem<const ApiKey*> FindLocked(std::string_view authorization,
                                                    std::string_view api_key,
                                                    std::int64_t now) const;
  Quota& QuotaOf(const ApiKey& key, std::int64_t now);
  std::optional<Problem> TakeQuota(const ApiKey& key, std::size_t tokens, std::int64_t now,
                                   std::vector<Header>& told);

  mutable std::mutex mutex_;
  std::map<std::string, ApiKey> by_hash_;
  std::map<std::string, Quota> quotas_;  // by id
};

}  // namespace safeguard::http
