// The routes of the API, each set made by one function. What they share: their parts, and how a
// route says who may use it.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/service.h"

namespace safeguard::http {

class DiskThreads;
class Proxy;

// What the routes hold. Outlives every handler.
struct RouteContext {
  ServiceParts parts;
  ServiceOptions options;
  std::atomic<std::chrono::milliseconds> timeout;  // options.timeout, which may change meanwhile
  Proxy* proxy = nullptr;                          // null: no request is passed on
  DiskThreads* pieces = nullptr;  // read bodies while they are sent; null: they are read whole
};

struct Route {
  enum class Access { kOpen, kAnyKey, kScope };

  std::string method;
  std::string pattern;  // "/v1/policies/{id}": a part in braces matches any one part
  Access access = Access::kScope;
  Scope scope = Scope::kAdmin;  // of kScope
  bool blocking = false;        // waits for the disk: runs on a thread of its own
  bool idempotent = false;      // takes an Idempotency-Key
  bool openai = false;          // problems in OpenAI's shape too
  bool form = false;            // its body is multipart/form-data, else JSON
  Handler handler{};
};

std::vector<Route> JudgeRoutes(const RouteContext& context);
std::vector<Route> JobRoutes(const RouteContext& context);
std::vector<Route> ReviewRoutes(const RouteContext& context);
std::vector<Route> ChatRoutes(const RouteContext& context);
std::vector<Route> ModerationRoutes(const RouteContext& context);
std::vector<Route> PolicyRoutes(const RouteContext& context);
std::vector<Route> VerdictRoutes(const RouteContext& context);
std::vector<Route> ShadowRoutes(const RouteContext& context);
std::vector<Route> FileRoutes(const RouteContext& context);
std::vector<Route> BatchRoutes(const RouteContext& context);
std::vector<Route> DatasetRoutes(const RouteContext& context);
std::vector<Route> EvalRoutes(const RouteContext& context);
// Those that show which routes of judging the server has (served_route.h).
std::vector<Route> ServedRouteRoutes(const RouteContext& context);

// How long a request of so many contents may take that names no time itself.
std::chrono::milliseconds TimeFor(const RouteContext& context, std::size_t contents);
// Submits `job` to the tenant's queue, or to that of the route; a full queue is answered 429 with
// how long to wait, a content that is too long for waiting 413.
void SubmitOrRefuse(const RouteContext& context, const Request& request, const Reply& reply,
                    JudgeJob job, JudgeDone done, bool openai, const ServedRoute* route = nullptr);
// The record key of a request that may be sent twice: from its Idempotency-Key and caller.
std::string RecordKey(const Request& request);

}  // namespace safeguard::http
