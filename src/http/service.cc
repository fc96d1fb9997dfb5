#include "http/service.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/utc_time.h"
#include "http/api/batch_worker.h"
#include "http/api/routes.h"
#include "http/gateway/gateway.h"
#include "http/idempotency.h"
#include "http/json_fields.h"
#include "http/json_input.h"
#include "http/proxy/proxy.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kPathBytesMax = 2048;
constexpr std::size_t kDiskThreads = 2;
constexpr std::size_t kDiskQueueMax = 256;

// Threads for what waits for the disk, so that nothing else does.
class DiskThreads {
 public:
  DiskThreads() {
    for (std::size_t t = 0; t < kDiskThreads; ++t) {
      threads_.emplace_back([this] { Work(); });
    }
  }

  bool Run(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || queue_.size() >= kDiskQueueMax) {
        return false;
      }
      queue_.push_back(std::move(work));
    }
    there_.notify_one();
    return true;
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    there_.notify_all();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) {
        thread.join();
      }
    }
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      there_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) {
        return;
      }
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable there_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

std::vector<std::string_view> Parts(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    const std::size_t end = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

// The values of a pattern's parts in braces; nothing when the path is another one.
std::optional<std::map<std::string, std::string>> Match(
    const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path) {
  if (pattern.size() != path.size()) {
    return std::nullopt;
  }
  std::map<std::string, std::string> values;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (!pattern[i].starts_with('{')) {
      if (pattern[i] != path[i]) {
        return std::nullopt;
      }
      continue;
    }
    std::optional<std::string> value = PercentDecode(path[i], false);
    if (!value || value->empty() || value->size() > kNameBytesMax) {
      return std::nullopt;
    }
    values[std::string(pattern[i].substr(1, pattern[i].size() - 2))] = std::move(*value);
  }
  return values;
}

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

}  // namespace

class Service::Impl {
 public:
  Impl(ServiceParts parts, const ServiceOptions& options)
      : context_{std::move(parts), options, options.timeout}, kept_(context_.parts.now) {
    if (context_.parts.upstream != nullptr) {
      proxy_ = std::make_unique<Proxy>(
          ExchangeParts{context_.parts.judging, context_.parts.metrics, *context_.parts.upstream,
                        context_.parts.now, context_.parts.log_line, context_.options.model,
                        context_.options.proxy, context_.parts.slow_judging});
      context_.proxy = proxy_.get();
    }
    Add(JudgeRoutes(context_));
    Add(JobRoutes(context_));
    Add(ReviewRoutes(context_));
    Add(ModerationRoutes(context_));
    Add(ChatRoutes(context_));
    Add(HookRoutes(context_));
    Add(ScoreRoutes(context_));
    Add(PolicyRoutes(context_));
    Add(VerdictRoutes(context_));
    Add(ShadowRoutes(context_));
    Add(FileRoutes(context_));
    Add(BatchRoutes(context_));
    Add(DatasetRoutes(context_));
    Add(EvalRoutes(context_));
    Add(OwnRoutes());
    context_.parts.metrics.SetGauge(
        "safeguard_judge_waiting_contents", "Contents that wait to be judged",
        [this] { return static_cast<double>(context_.parts.judging.waiting()); });
    if (context_.parts.batches != nullptr && context_.parts.files != nullptr) {
      batch_worker_ = std::make_unique<BatchWorker>(
          context_, [this](std::shared_ptr<Request> request, Reply reply) {
            bool known = false;
            const Route* route = FindRoute(*request, known);
            CHECK(route != nullptr && !route->blocking);
            route->handler(request, reply);
          });
    }
  }

  void Handle(std::shared_ptr<Request> request, Reply reply) {
    const std::string_view given = request->header("x-request-id");
    request->id = IsRequestId(given) ? std::string(given) : NewId();
    bool path_known = false;
    const Route* route = FindRoute(*request, path_known);
    Reply finish = [this, request, route, reply = std::move(reply)](Response response) {
      response.headers.push_back({"x-request-id", request->id});
      if (response.content_type.starts_with("application/")) {
        response.headers.push_back({"cache-control", "no-store"});
      }
      Report(*request, route, response);
      reply(std::move(response));
    };
    const std::optional<Problem> problem = Refusal(*request, route, path_known);
    if (problem) {
      finish(ProblemResponse(*problem, request->id, route != nullptr && route->openai));
      return;
    }
    if (route->idempotent && !request->header("idempotency-key").empty()) {
      if (!Remember(*request, route, finish)) {
        return;
      }
    }
    Dispatch(*route, request, finish);
  }

  void SetReady(bool ready) { ready_.store(ready); }
  void SetTimeout(std::chrono::milliseconds timeout) { context_.timeout.store(timeout); }

  void Log(const std::string& event, const std::string& detail) {
    context_.parts.log_line(Json{
        {"time", UtcText(context_.parts.now())},
        {"level", "info"},
        {"event", event},
        {"detail", detail}}.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  void Stop() {
    if (batch_worker_ != nullptr) {
      batch_worker_->Stop();
    }
    if (proxy_ != nullptr) {
      proxy_->Stop();
    }
    disk_.Stop();
  }

 private:
  struct Entry {
    Route route;
    std::vector<std::string_view> parts;  // of route.pattern
  };

  void Add(std::vector<Route> routes) {
    for (Route& route : routes) {
      Entry& entry = routes_.emplace_back(Entry{std::move(route), {}});
      entry.parts = Parts(entry.route.pattern);
    }
  }

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
    Route metrics = open("/metrics", [this] {
      Response response;
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      response.body = context_.parts.metrics.Text();
      return response;
    });
    metrics.access = Route::Access::kAnyKey;
    routes.push_back(std::move(metrics));
    return routes;
  }

  const Route* FindRoute(Request& request, bool& path_known) const {
    if (request.path.size() > kPathBytesMax || !request.path.starts_with('/')) {
      return nullptr;
    }
    const std::string method = request.method == "HEAD" ? "GET" : request.method;
    const std::vector<std::string_view> parts = Parts(request.path);
    for (const Entry& entry : routes_) {
      auto values = Match(entry.parts, parts);
      path_known = path_known || values.has_value();
      if (values && entry.route.method == method) {
        request.values = std::move(*values);
        return &entry.route;
      }
    }
    return nullptr;
  }

  // The first key locks a server that was open to this machine.
  [[nodiscard]] bool KeysRequired() const {
    return context_.options.keys_required || context_.parts.keys.size() > 0;
  }

  // Why a request goes no further; sets whom it comes from.
  std::optional<Problem> Refusal(Request& request, const Route* route, bool path_known) {
    if (!KeysRequired() && !IsLocalHost(request.header("host"))) {
      return Problem{421,
                     "foreign-host",
                     "without keys this server answers to localhost and 127.0.0.1 alone",
                     "use one of these names, or give the server keys (safeguard key new)",
                     {}};
    }
    if (route == nullptr && path_known) {
      return Problem{405,
                     "method-not-allowed",
                     "this path has no " + request.method.substr(0, 16),
                     "see /openapi.json",
                     {}};
    }
    if (route == nullptr) {
      return Problem{404, "no-such-path", "there is nothing at this path", "see /openapi.json", {}};
    }
    if (route->access != Route::Access::kOpen) {
      if (std::optional<Problem> problem = Authorize(request, *route)) {
        return problem;
      }
    }
    const std::string_view type = request.header("content-type");
    const char* expected = route->form ? "multipart/form-data" : "application/json";
    if (!request.body.empty() && !type.starts_with(expected)) {
      return Problem{415,
                     route->form ? "not-a-form" : "not-json",
                     std::string("the body is not said to be ") + (route->form ? "a form" : "JSON"),
                     std::string("send Content-Type: ") + expected,
                     {}};
    }
    if (request.header("idempotency-key").size() > kNameBytesMax) {
      return Problem{
          400, "invalid-request", "the Idempotency-Key is too long", "give at most 256 bytes", {}};
    }
    return std::nullopt;
  }

  std::optional<Problem> Authorize(Request& request, const Route& route) {
    request.caller = "local";
    request.caller_id = "local";
    if (!KeysRequired()) {
      return std::nullopt;
    }
    const OrProblem<ApiKey> key = context_.parts.keys.Admit(
        request.header("authorization"), request.header("x-api-key"), context_.parts.now());
    if (!key) {
      context_.parts.metrics.CountRefused(key.error().status == 429 ? "quota" : "key");
      return key.error();
    }
    request.caller = key->name;
    request.caller_id = key->id;
    if (route.access == Route::Access::kScope && !key->Has(route.scope)) {
      context_.parts.metrics.CountRefused("scope");
      return Problem{403,
                     "scope-missing",
                     "the key " + key->id + " has not the scope " + ToString(route.scope),
                     "use a key that has it",
                     {}};
    }
    return std::nullopt;
  }

  // False when the answer is there already, or cannot be given; it has been sent then.
  bool Remember(const Request& request, const Route* route, Reply& finish) {
    const std::string name = request.caller_id + "\n" + request.path + "\n" +
                             std::string(request.header("idempotency-key"));
    Idempotency::Known known = kept_.Begin(name, Blake2bHex(request.body));
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
      context_.parts.metrics.CountRefused("queue");
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
    context_.parts.metrics.CountRequest(pattern, method, response.status, took.count());
    // A server that is not ready yet says so without anything being wrong.
    const bool expected = route != nullptr && route->access == Route::Access::kOpen;
    const char* level = response.status < 400               ? "info"
                        : response.status < 500 || expected ? "warn"
                                                            : "error";
    Json line = {{"time", UtcText(context_.parts.now())},
                 {"level", level},
                 {"event", "request"},
                 {"request_id", request.id},
                 {"method", method},
                 {"route", pattern},
                 {"status", response.status},
                 {"ms", static_cast<double>(static_cast<std::int64_t>(took.count() * 1e6)) / 1000},
                 {"bytes_in", request.body.size()},
                 {"bytes_out", response.body.size()},
                 {"caller", request.caller_id},
                 {"peer", request.peer}};
    if (const std::string trace = TraceId(request.header("traceparent")); !trace.empty()) {
      line["trace_id"] = trace;
    }
    if (!response.problem.empty()) {
      line["problem"] = response.problem;
    }
    context_.parts.log_line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  std::string NewId() { return "req_" + Blake2bHex(context_.parts.random_bytes(16)).substr(0, 24); }

  RouteContext context_;
  std::unique_ptr<Proxy> proxy_;
  Idempotency kept_;
  std::deque<Entry> routes_;  // entries stay where they are
  std::atomic<bool> ready_{false};
  DiskThreads disk_;
  std::unique_ptr<BatchWorker> batch_worker_;
};

Service::Service(ServiceParts parts, const ServiceOptions& options)
    : impl_(std::make_unique<Impl>(std::move(parts), options)) {}

Service::~Service() {
  impl_->Stop();
}

void Service::Handle(std::shared_ptr<Request> request, Reply reply) {
  impl_->Handle(std::move(request), std::move(reply));
}

void Service::SetReady(bool ready) {
  impl_->SetReady(ready);
}

void Service::SetTimeout(std::chrono::milliseconds timeout) {
  impl_->SetTimeout(timeout);
}

void Service::Log(const std::string& event, const std::string& detail) {
  impl_->Log(event, detail);
}

void Service::Stop() {
  impl_->Stop();
}

}  // namespace safeguard::http
