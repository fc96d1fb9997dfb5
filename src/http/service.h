// Service: every route of the API behind one function from request to answer. It knows who calls,
// what they may do and how often, gives each request its id, answers a repeated Idempotency-Key as
// it did the first time, counts, and writes one line of JSON about each request, never its content.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/chat_model.h"
#include "http/judging.h"
#include "http/keys.h"
#include "http/message.h"
#include "http/metrics.h"
#include "http/policy_shelf.h"
#include "http/proxy/proxy_settings.h"
#include "http/upstream.h"
#include "moderation/job_queue.h"
#include "moderation/policy_store.h"
#include "moderation/verdict_log.h"

namespace safeguard::http {

struct ServiceOptions {
  // Whether keys are needed even while there are none. Without it, and without keys, everybody who
  // reaches the server may do everything: only for one that this machine alone reaches. Then
  // requests must name this machine as their Host, so that no web page can talk to it through a
  // name of its own.
  bool keys_required = true;
  std::chrono::milliseconds timeout{2500};  // of judging, where the request names none
  // Of one answer of the model that is talked to; after it there is none.
  std::chrono::milliseconds chat_time_max{110'000};
  ProxyOptions proxy{};                    // of requests that are passed on
  std::string model = "safeguard-screen";  // as /v1/models and /v1/moderations call the judge
  bool keep_content = false;               // in the records of jobs and reviews
};

// What the routes work with. All but the functions must outlive the service.
struct ServiceParts {
  Judging& judging;
  PolicyShelf& shelf;
  moderation::PolicyStore* store = nullptr;  // null: policies cannot be changed
  moderation::VerdictLog* log = nullptr;     // null: verdicts are not recorded
  KeyRing& keys;
  Metrics& metrics;
  GoldenReader read_golden;
  std::function<moderation::TimeMs()> now;               // milliseconds since 1970
  std::function<std::string(std::size_t)> random_bytes;  // unpredictable
  std::function<void(std::string_view)> log_line;        // one JSON object without a newline
  ChatModel* chat = nullptr;                             // null: no model to talk to
  Upstream* upstream = nullptr;                          // null: no request is passed on
  moderation::JobQueue* queue = nullptr;                 // null: nothing is judged later
  // Whether a URL may be a job's webhook. REQUIRES: set, with a queue.
  std::function<Status(const std::string&)> check_webhook{};
};

// Thread-safe.
class Service {
 public:
  Service(ServiceParts parts, const ServiceOptions& options);
  ~Service();  // Stop()
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // See http::Handler. Every request is answered, with a problem where nothing else can be said.
  void Handle(std::shared_ptr<Request> request, Reply reply);

  // What /readyz says; false at first.
  void SetReady(bool ready);
  // Of requests that come from now on; see ServiceOptions.
  void SetTimeout(std::chrono::milliseconds timeout);
  // Writes a line {"event": `event`, ...} to the log.
  void Log(const std::string& event, const std::string& detail);
  // Finishes what waits for the disk, then ends the threads.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The OpenAPI 3.1 document that /openapi.json serves.
std::string_view OpenApiDocument();

}  // namespace safeguard::http
