// Service: every route of the API behind one function from request to answer. It knows who calls,
// what they may do and how often, gives each request its id, answers a repeated Idempotency-Key as
// it did the first time, counts, and writes one line of JSON about each request, never its content.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/body_sink.h"
#include "http/chat_model.h"
#include "http/dataset_mapping.h"
#include "http/judging.h"
#include "http/keys.h"
#include "http/message.h"
#include "http/metrics.h"
#include "http/policy_shelf.h"
#include "http/proxy/proxy_settings.h"
#include "http/served_route.h"
#include "http/upstream.h"
#include "moderation/batch_store.h"
#include "moderation/file_store.h"
#include "moderation/job_queue.h"
#include "moderation/policy.h"
#include "moderation/policy_store.h"
#include "moderation/receipt.h"
#include "moderation/review_queue.h"
#include "moderation/verdict_log.h"

namespace safeguard::http {

struct ServiceOptions {
  // Whether keys are needed even while there are none. Without it, and without keys, everybody who
  // reaches the server may do everything: only for one that this machine alone reaches. Then
  // requests must name this machine as their Host, so that no web page can talk to it through a
  // name of its own.
  bool keys_required = true;
  // Of judging, where the request names none: of a batch once more for each 16 contents, up to a
  // minute.
  std::chrono::milliseconds timeout{2500};
  // Of one content that somebody waits for; a longer one is refused, or submitted as a job.
  std::size_t content_bytes_max = std::size_t{256} << 10;
  // Of one answer of the model that is talked to; after it there is none.
  std::chrono::milliseconds chat_time_max{110'000};
  ProxyOptions proxy{};                    // of requests that are passed on
  std::string model = "safeguard-screen";  // as /v1/models and /v1/moderations call the judge
  bool keep_content = false;               // in the records of jobs and reviews
  bool works_on_evals = true;              // false: none is taken, as nobody would work on it
  std::string spool_folder{};              // for files that arrive; empty: they are in memory
};

// What a labelled dataset holds.
struct DatasetFacts {
  std::size_t records = 0;
  std::size_t violations = 0;
  std::size_t safe = 0;
  std::size_t unlabelled = 0;
  std::size_t line_errors = 0;
  std::vector<std::string> first_errors;  // some of them, each with its line
};
// Reads a dataset's bytes as the mapping says; `name` is for its errors.
using DatasetReader = std::function<Result<DatasetFacts>(
    const moderation::ByteSource& bytes, const std::string& name, const DatasetMapping& mapping)>;

// What a tenant has of its own: policies, verdicts, jobs, reviews and files, and the queue before
// the judge. Nothing of it is reached by another tenant's key. All outlive the service; pointers as
// in ServiceParts.
struct TenantParts {
  Judging& judging;
  PolicyShelf& shelf;
  moderation::PolicyStore* store = nullptr;
  moderation::VerdictLog* log = nullptr;
  moderation::JobQueue* queue = nullptr;
  moderation::ReviewQueue* reviews = nullptr;
  moderation::FileStore* files = nullptr;
  moderation::BatchStore* batches = nullptr;
  DatasetReader read_dataset{};
  Judging* slow_judging = nullptr;
  moderation::ReceiptSigner sign_receipt{};
};

// What the routes work with: the default tenant's, and what all share. All but the functions must
// outlive the service.
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
  moderation::ReviewQueue* reviews = nullptr;  // null: nothing is decided by people
  moderation::FileStore* files = nullptr;      // null: no files are kept
  moderation::BatchStore* batches = nullptr;   // null: nor batches of requests
  DatasetReader read_dataset{};                // REQUIRES: set, with files
  // Asked by the proxy where its fail mode is degrade; null: degrade is closed.
  Judging* slow_judging = nullptr;
  // For the check of a policy; without it what depends on a length is said to be unchecked.
  moderation::TokenCounter count_tokens{};
  // Of another tenant than the default one; null where it has not been opened. The same each time,
  // from any thread. Without it there is the default tenant alone.
  std::function<const TenantParts*(const std::string& tenant)> find_tenant{};
  // Of exported receipts; called from any thread. Without it they are not signed.
  moderation::ReceiptSigner sign_receipt{};
  // That requests may name: the operator's, and so the default tenant's alone.
  std::span<const ServedRoute> routes{};
};

enum class LogLevel { kInfo, kError };

// Thread-safe.
class Service {
 public:
  Service(ServiceParts parts, const ServiceOptions& options);
  ~Service();  // Stop()
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // See http::Handler. Every request is answered, with a problem where nothing else can be said.
  // Nobody may read from an answer's stream any more when the service goes.
  void Handle(std::shared_ptr<Request> request, Reply reply);
  // See http::BodyPlanner: files go to the disk as they arrive, and those of a caller who may not
  // send any are not read. The service outlives the sink.
  BodyPlan PlanBody(Request& head);

  // What /readyz says; false at first.
  void SetReady(bool ready);
  // Goes on with what a tenant's files ask for before its first request comes. REQUIRES:
  // ServiceParts::find_tenant has it.
  void OpenTenant(const std::string& name);
  // Of requests that come from now on; see ServiceOptions.
  void SetTimeout(std::chrono::milliseconds timeout);
  // Writes a line {"event": `event`, ...} to the log.
  void Log(const std::string& event, const std::string& detail, LogLevel level = LogLevel::kInfo);
  // Finishes what waits for the disk, then ends the threads.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The OpenAPI 3.1 document that /openapi.json serves.
std::string_view OpenApiDocument();

}  // namespace safeguard::http
