// Whether a request may be: whom it comes from, what they may do and how often, and whose stores it
// works with.
#pragma once

#include <optional>
#include <vector>

#include "http/api/routes.h"
#include "http/message.h"
#include "http/problem.h"

namespace safeguard::http {

// With a key of all tenants: which one the request is for.
inline constexpr const char* kTenantHeader = "x-safeguard-tenant";
inline constexpr const char* kMetricsPath = "/metrics";

// Why a request for `route` goes no further; sets its caller and tenant, and in `quota` what its
// answer tells of the caller's. Without keys everybody is of all tenants.
std::optional<Problem> AdmitRequest(const ServiceParts& parts, bool keys_required,
                                    const Route& route, Request& request,
                                    std::vector<Header>& quota);

// Whether its key lets a request call `route` at all; nothing is taken from a quota.
bool MayCall(const ServiceParts& parts, bool keys_required, const Route& route,
             const Request& request);

// Where nobody has opened the tenant of an admitted request.
Problem UnknownTenant(const Request& request);

}  // namespace safeguard::http
