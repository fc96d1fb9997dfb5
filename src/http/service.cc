#include "http/service.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/hash.h"
#include "base/utc_time.h"
#include "http/accept.h"
#include "http/admission.h"
#include "http/api/routes.h"
#include "http/disk_threads.h"
#include "http/idempotency.h"
#include "http/json_fields.h"
#include "http/json_input.h"
#include "http/media_type.h"
#include "http/route_counters.h"
#include "http/route_table.h"
#include "http/spooling_sink.h"
#include "http/tenancies.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

// Pieces of bodies that wait for the disk: one of each connection at most, so none is refused.
constexpr std::size_t kPiecesMax = 100'000;

bool IsRequestId(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

// The trace id of a W3C traceparent header; empty when there is none.
std::string TraceId(std::string_view traceparent) {
  const bool shaped = traceparent.size() >= 55 && traceparent[2] == '-' && traceparent[35] == '-';
  const std::string_view id = shaped ? traceparent.substr(3, 32) : "";
  const bool hex = std::ranges::all_of(
      id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return hex ? std::string(id) : "";
}

// "127.0.0.1:8080", "localhost", "[::1]:80": names of this machine and of no other.
bool IsLocalHost(std::string_view host) {
  const std::size_t bracket = host.starts_with('[') ? host.find(']') : 0;
  const std::size_t colon = host.find(':', bracket == host.npos ? 0 : bracket);
  const std::string_view name = host.substr(0, colon);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]";
}

std::optional<Problem> CheckAccept(const Request& request, const Route& route) {
  const std::vector<std::string>& types = AnswerTypes(route);
  if (Accepts(request.header("accept"), types)) {
    return std::nullopt;
  }
  std::string list;
  for (const std::string& type : types) {
    list += (list.empty() ? "" : ", ") + type;
  }
  return Problem{406,
                 "not-acceptable",
                 "nothing that Accept names is what this path answers with",
                 "leave Accept out, or name what there is: " + list,
                 {}};
}

}  // namespace

class Service::Impl {
 public:
  Impl(ServiceParts parts, const ServiceOptions& options)
      : parts_(std::move(parts)),
        options_(options),
        spools_(options.spool_folder),
        tenancies_(parts_, options_, pieces_),
        kept_(parts_.now) {
    for (const Route& route : tenancies_.of_default().routes) {
      routes_.Add(route);
    }
    for (const Route& route : OwnRoutes()) {
      routes_.Add(route);
    }
    parts_.metrics.SetGauge("safeguard_judge_waiting_contents", "Contents that wait to be judged",
                            [this] { return static_cast<double>(tenancies_.Waiting()); });
    if (!parts_.routes.empty()) {
      parts_.metrics.AddSeries([routes = parts_.routes] { return RouteSeries(routes); });
    }
  }

  void Handle(std::shared_ptr<Request> request, Reply reply) {
    const std::string_view given = request->header("x-request-id");
    request->id = IsRequestId(given) ? std::string(given) : NewId();
    const RouteTable::Entry* entry = routes_.Find(*request);
    const Route* route = entry == nullptr ? nullptr : &entry->route;
    auto quota = std::make_shared<std::vector<Header>>();
    Reply finish = [this, request, route, quota, reply = std::move(reply)](Response response) {
      response.headers.push_back({"x-request-id", request->id});
      response.headers.insert(response.headers.end(), quota->begin(), quota->end());
      if (response.content_type.starts_with("application/")) {
        response.headers.push_back({"cache-control", "no-store"});
      }
      Report(*request, route, response);
      reply(std::move(response));
    };
    std::optional<Problem> problem = Refusal(*request, route, *quota);
    const Tenancy* tenancy = &tenancies_.of_default();
    if (!problem && !request->tenant.empty()) {
      tenancy = tenancies_.Find(request->tenant);
      if (tenancy == nullptr) {
        problem = UnknownTenant(*request);
      }
    }
    if (problem) {
      finish(ProblemResponse(*problem, request->id, route != nullptr && route->openai));
      return;
    }
    if (route->idempotent && !request->header("idempotency-key").empty()) {
      if (!Remember(*request, route, finish)) {
        return;
      }
    }
    const bool shared = entry->index >= tenancy->routes.size();  // of the service itself
    Dispatch(shared ? *route : tenancy->routes[entry->index], request, finish);
  }

  BodyPlan PlanBody(Request& head) {
    const RouteTable::Entry* entry = routes_.Find(head);
    if (entry == nullptr || !entry->route.form || options_.spool_folder.empty()) {
      return {};
    }
    if (!IsForUs(head) || !MayCall(parts_, KeysRequired(), entry->route, head)) {
      return {.unread = true};
    }
    return {.sink = MakeSpoolingSink(spools_, pieces_, parts_.log_line)};
  }

  void OpenTenant(const std::string& name) { static_cast<void>(tenancies_.Find(name)); }
  void SetReady(bool ready) { ready_.store(ready); }
  void SetTimeout(std::chrono::milliseconds timeout) { tenancies_.SetTimeout(timeout); }

  void Log(const std::string& event, const std::string& detail, LogLevel level) {
    parts_.log_line(Json{
        {"time", UtcText(parts_.now())},
        {"level", level == LogLevel::kError ? "error" : "info"},
        {"event", event},
        {"detail",
         detail}}.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  void Stop() {
    tenancies_.Stop();
    disk_.Stop();
    pieces_.Stop();
  }

 private:
  std::vector<Route> OwnRoutes() {
    const auto open = [](const char* pattern, std::function<Response()> answer) {
      Route route{"GET", pattern, Route::Access::kOpen};
      route.handler = [answer = std::move(answer)](const std::shared_ptr<Request>&,
                                                   const Reply& reply) { reply(answer()); };
      return route;
    };
    const auto alive = [] {
      Response response;
      response.body = R"({"status":"ok"})";
      return response;
    };
    const auto ready = [this] {
      Response response;
      response.status = ready_.load() ? 200 : 503;
      response.body = ready_.load() ? R"({"status":"ok"})" : R"({"status":"not ready"})";
      return response;
    };
    std::vector<Route> routes;
    routes.push_back(open("/healthz", alive));
    routes.push_back(open("/health", ready));
    routes.push_back(open("/readyz", ready));
    routes.push_back(open("/openapi.json", [] {
      Response response;
      response.body = std::string(OpenApiDocument());
      return response;
    }));
    Route metrics = open(kMetricsPath, [this] {
      Response response;
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      response.body = parts_.metrics.Text();
      return response;
    });
    metrics.access = Route::Access::kAnyKey;
    routes.push_back(std::move(metrics));
    return routes;
  }

  // The first key locks a server that was open to this machine.
  [[nodiscard]] bool KeysRequired() const {
    return options_.keys_required || parts_.keys.size() > 0;
  }

  // Whether it names this machine, where that is all that keeps others out.
  [[nodiscard]] bool IsForUs(const Request& request) const {
    return KeysRequired() || IsLocalHost(request.header("host"));
  }

  // Why a request goes no further; sets whom it comes from.
  std::optional<Problem> Refusal(Request& request, const Route* route, std::vector<Header>& quota) {
    if (!IsForUs(request)) {
      return Problem{421,
                     "foreign-host",
                     "without keys this server answers to localhost and 127.0.0.1 alone",
                     "use one of these names, or give the server keys (safeguard key new)",
                     {}};
    }
    const std::string methods = route == nullptr ? routes_.MethodsOf(request.path) : "";
    if (!methods.empty()) {
      return Problem{.status = 405,
                     .code = "method-not-allowed",
                     .detail = "this path has no " + request.method.substr(0, 16),
                     .hint = "it has: " + methods,
                     .pointer = "",
                     .headers = {{"allow", methods}}};
    }
    if (route == nullptr) {
      return Problem{404, "no-such-path", "there is nothing at this path", "see /openapi.json", {}};
    }
    if (route->access != Route::Access::kOpen) {
      if (std::optional<Problem> problem =
              AdmitRequest(parts_, KeysRequired(), *route, request, quota)) {
        return problem;
      }
    }
    std::optional<Problem> problem = CheckBody(request, route->form);
    problem = problem ? std::move(problem) : CheckAccept(request, *route);
    if (problem) {
      return problem;
    }
    if (request.header("idempotency-key").size() > kNameBytesMax) {
      return Problem{
          400, "invalid-request", "the Idempotency-Key is too long", "give at most 256 bytes", {}};
    }
    return std::nullopt;
  }

  // False when the answer is there already, or cannot be given; it has been sent then.
  bool Remember(const Request& request, const Route* route, Reply& finish) {
    const std::string name = request.tenant + "\n" + request.caller_id + "\n" + request.path +
                             "\n" + std::string(request.header("idempotency-key"));
    Idempotency::Known known = kept_.Begin(name, request.body_hash());
    if (known.response) {
      known.response->headers.push_back({"idempotency-replayed", "true"});
      finish(std::move(*known.response));
      return false;
    }
    if (known.problem) {
      finish(ProblemResponse(*known.problem, request.id, route->openai));
      return false;
    }
    finish = [this, name, finish](Response response) {
      kept_.End(name, response);
      finish(std::move(response));
    };
    return true;
  }

  void Dispatch(const Route& route, const std::shared_ptr<Request>& request, const Reply& finish) {
    if (!route.blocking) {
      route.handler(request, finish);
      return;
    }
    const bool taken = disk_.Run([&route, request, finish] { route.handler(request, finish); });
    if (!taken) {
      parts_.metrics.CountRefused("queue");
      finish(ProblemResponse({429,
                              "overloaded",
                              "more requests wait than may",
                              "wait as long as Retry-After says, then send again",
                              {},
                              1},
                             request->id, route.openai));
    }
  }

  void Report(const Request& request, const Route* route, const Response& response) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - request.received;
    const std::string pattern = route == nullptr ? "none" : route->pattern;
    const std::string method = route == nullptr ? "none" : route->method;
    parts_.metrics.CountRequest(pattern, method, response.status, took.count());
    // A server that is not ready yet says so without anything being wrong.
    const bool expected = route != nullptr && route->access == Route::Access::kOpen;
    const char* level = response.status < 400               ? "info"
                        : response.status < 500 || expected ? "warn"
                                                            : "error";
    Json line = {{"time", UtcText(parts_.now())},
                 {"level", level},
                 {"event", "request"},
                 {"request_id", request.id},
                 {"method", method},
                 {"route", pattern},
                 {"status", response.status},
                 {"ms", static_cast<double>(static_cast<std::int64_t>(took.count() * 1e6)) / 1000},
                 {"bytes_in", request.body_bytes()},
                 {"bytes_out", response.body_bytes()},
                 {"caller", request.caller_id},
                 {"peer", request.peer}};
    if (request.tenant != kDefaultTenant && !request.tenant.empty()) {
      line["tenant"] = request.tenant;
    }
    if (const std::string trace = TraceId(request.header("traceparent")); !trace.empty()) {
      line["trace_id"] = trace;
    }
    if (!response.problem.empty()) {
      line["problem"] = response.problem;
    }
    parts_.log_line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  std::string NewId() { return "req_" + Blake2bHex(parts_.random_bytes(16)).substr(0, 24); }

  const ServiceParts parts_;  // the default tenant's
  const ServiceOptions options_;
  SpoolFolder spools_;
  DiskThreads pieces_{kPiecesMax};
  Tenancies tenancies_;
  Idempotency kept_;
  RouteTable routes_;
  std::atomic<bool> ready_{false};
  DiskThreads disk_;
};

Service::Service(ServiceParts parts, const ServiceOptions& options)
    : impl_(std::make_unique<Impl>(std::move(parts), options)) {}

Service::~Service() {
  impl_->Stop();
}

void Service::Handle(std::shared_ptr<Request> request, Reply reply) {
  impl_->Handle(std::move(request), std::move(reply));
}

BodyPlan Service::PlanBody(Request& head) {
  return impl_->PlanBody(head);
}

void Service::SetReady(bool ready) {
  impl_->SetReady(ready);
}

void Service::OpenTenant(const std::string& name) {
  impl_->OpenTenant(name);
}

void Service::SetTimeout(std::chrono::milliseconds timeout) {
  impl_->SetTimeout(timeout);
}

void Service::Log(const std::string& event, const std::string& detail, LogLevel level) {
  impl_->Log(event, detail, level);
}

void Service::Stop() {
  impl_->Stop();
}

}  // namespace safeguard::http
