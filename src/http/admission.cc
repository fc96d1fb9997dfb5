#include "http/admission.h"

#include <string>
#include <string_view>
#include <utility>

namespace safeguard::http {
namespace {

// For quotas: near enough, and known before anything is read.
constexpr std::size_t kBytesAToken = 4;

// Whose stores the request works with: the key's tenant, or, with a key of all tenants, the one
// that it names.
std::optional<Problem> ChooseTenant(Request& request, std::string_view of_key) {
  const std::string_view asked = request.header(kTenantHeader);
  const bool names_all = asked == kAllTenants || (!asked.empty() && !CheckTenant(asked));
  if (names_all || (of_key != kAllTenants && !asked.empty() && asked != of_key)) {
    return Problem{names_all ? 400 : 403,
                   names_all ? "invalid-request" : "tenant-not-yours",
                   names_all ? "X-Safeguard-Tenant names no tenant"
                             : "the key is of another tenant than X-Safeguard-Tenant says",
                   "leave the header out, or name one tenant that the key is of",
                   {}};
  }
  request.tenant = of_key != kAllTenants ? of_key : asked.empty() ? kDefaultTenant : asked;
  return std::nullopt;
}

}  // namespace

std::optional<Problem> AdmitRequest(const ServiceParts& parts, bool keys_required,
                                    const Route& route, Request& request,
                                    std::vector<Header>& quota) {
  request.caller = "local";
  request.caller_id = "local";
  if (!keys_required) {
    return ChooseTenant(request, kAllTenants);
  }
  OrProblem<Admitted> admitted =
      parts.keys.Admit(request.header("authorization"), request.header("x-api-key"),
                       request.body_bytes() / kBytesAToken, parts.now());
  if (!admitted) {
    parts.metrics.CountRefused(admitted.error().status == 429 ? "quota" : "key");
    return std::move(admitted.error());
  }
  quota = std::move(admitted->quota);
  const ApiKey& key = admitted->key;
  request.caller = key.name;
  request.caller_id = key.id;
  if (route.access == Route::Access::kScope && !key.Has(route.scope)) {
    parts.metrics.CountRefused("scope");
    return Problem{403,
                   "scope-missing",
                   "the key " + key.id + " has not the scope " + ToString(route.scope),
                   "use a key that has it",
                   {}};
  }
  // What is counted names every tenant's policies.
  if (route.pattern == kMetricsPath && key.tenant != kAllTenants && !parts.keys.tenants().empty()) {
    parts.metrics.CountRefused("scope");
    return Problem{403,
                   "metrics-of-all-tenants",
                   "the metrics are of all tenants, and the key " + key.id + " is of one",
                   "use a key that is made with --tenant '*'",
                   {}};
  }
  return ChooseTenant(request, key.tenant);
}

bool MayCall(const ServiceParts& parts, bool keys_required, const Route& route,
             const Request& request) {
  if (!keys_required) {
    return true;
  }
  const OrProblem<ApiKey> key =
      parts.keys.Find(request.header("authorization"), request.header("x-api-key"), parts.now());
  return key && (route.access != Route::Access::kScope || key->Has(route.scope));
}

Problem UnknownTenant(const Request& request) {
  if (request.header(kTenantHeader).empty()) {  // its key is known, so it will be there
    return {503,
            "tenant-not-open",
            "the tenant's stores are not open",
            "wait a moment; if it stays, the server's log says why",
            {},
            1};
  }
  return {404,
          "unknown-tenant",
          "there is no tenant \"" + request.tenant + "\"",
          "make a key for it: safeguard key new NAME --tenant TENANT",
          {}};
}

}  // namespace safeguard::http
