#include "http/api/batch_worker.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "http/api/batch_lines.h"
#include "http/api/chat_run.h"
#include "http/api/file_lines.h"
#include "http/domain_json.h"
#include "moderation/batch_store.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Batch;
using moderation::BatchLine;
using moderation::BatchState;
using moderation::TimeMs;

constexpr std::size_t kAtOnce = 32;                         // lines that are asked together
constexpr std::size_t kBytesAtOnce = std::size_t{4} << 20;  // or one line
constexpr std::size_t kExpiredAtOnce = 1000;
constexpr TimeMs kLeaseMs = 15'000;
constexpr std::chrono::seconds kExtendEvery{4};
constexpr std::chrono::milliseconds kLookEvery{200};  // for a batch, or for trouble to have gone
constexpr std::chrono::seconds kPauseMax{5};          // of an overloaded service
constexpr std::chrono::minutes kPatience{10};  // of a line, where its judge has no time of its own
constexpr int kAttemptsMax = 5;                // of a line that fails for want of means

// The requests of a file that are not kept yet, some at a time.
class Requests {
 public:
  // `kept`: the numbers of the lines that are, ascending.
  Requests(FileLines lines, std::vector<std::size_t> kept, std::string endpoint)
      : lines_(std::move(lines)), kept_(std::move(kept)), endpoint_(std::move(endpoint)) {}

  // At most `count` of them, and of kBytesAtOnce; none at the end.
  Result<std::vector<BatchRequest>> Take(std::size_t count) {
    std::vector<BatchRequest> some;
    std::size_t bytes = 0;
    while (some.size() < count && bytes < kBytesAtOnce) {
      auto line = lines_.Next();
      if (!line) {
        return std::unexpected(line.error());
      }
      if (!*line) {
        break;
      }
      if (IsBlankLine((*line)->text) || std::ranges::binary_search(kept_, (*line)->number)) {
        continue;
      }
      OrProblem<BatchRequest> request = ReadBatchLine((*line)->text, (*line)->number, endpoint_);
      if (!request) {  // it was read once, and files do not change
        return Fail(ErrorCode::kCorruptFile,
                    "line " + std::to_string((*line)->number) + " has become unreadable",
                    "restore files.db from a backup");
      }
      bytes += request->body.size();
      some.push_back(std::move(*request));
    }
    return some;
  }

 private:
  FileLines lines_;
  std::vector<std::size_t> kept_;
  std::string endpoint_;
};

// One line on its way.
struct Asked {
  BatchRequest line;
  std::optional<Response> response;
  int attempts = 0;
};

// Lines that are asked together; outlives whoever waits for it, as answers may come late.
struct Group {
  std::mutex mutex;
  std::condition_variable answered;
  std::vector<Asked> lines;
  std::size_t open = 0;
};

bool Succeeded(const Response& response) {
  return response.status >= 200 && response.status < 300;
}

}  // namespace

class BatchWorker::Impl {
 public:
  Impl(const RouteContext& context, Ask ask)
      : context_(context),
        batches_(*context.parts.batches),
        ask_(std::move(ask)),
        thread_([this] { Run(); }) {}

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stop_.notify_all();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  // False when it is time to stop.
  bool Pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !stop_.wait_for(lock, time, [&] { return stopping_; });
  }
  bool Stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }
  [[nodiscard]] TimeMs Now() const { return context_.parts.now(); }

  void Run() {
    bool told = false;
    while (!Stopping()) {
      const auto taken = batches_.Take(Now(), Now() + kLeaseMs);
      if (!taken && !told) {
        Tell("batches-trouble", Describe(taken.error()));
      }
      told = !taken;
      if (!taken || !*taken) {
        Pause(kLookEvery);
        continue;
      }
      const Status worked = Work(**taken);
      if (!worked) {
        Tell("batch-put-back", (*taken)->id + ": " + Describe(worked.error()));
        Pause(kLookEvery);
      }
    }
  }

  void Tell(const std::string& event, const std::string& detail) {
    context_.parts.log_line(JsonLine({{"level", "warn"}, {"event", event}, {"detail", detail}}));
  }

  // An error leaves the batch to whoever takes it next.
  Status Work(Batch held) {
    const Result<BatchCheck> check = Check(held);
    if (!check) {
      return check.error().code == ErrorCode::kNotFound
                 ? End(held, BatchState::kFailed,
                       JsonLine(FaultsJson(
                           {{0, "unknown-file", "the input file is not there any more", ""}})))
                 : std::unexpected(check.error());
    }
    if (!check->faults().empty()) {
      return End(held, BatchState::kFailed, JsonLine(FaultsJson(check->faults())));
    }
    Result<Batch> started = batches_.Start(held, check->requests(), Now());
    if (!started) {
      return std::unexpected(started.error());
    }
    Result<std::vector<std::size_t>> kept = batches_.Kept(held);
    if (!kept) {
      return std::unexpected(kept.error());
    }
    Requests left(LinesOf(held), std::move(*kept), held.what.endpoint);
    return WorkOff(std::move(*started), left);
  }

  [[nodiscard]] FileLines LinesOf(const Batch& held) const {
    return {*context_.parts.files, held.what.owner, held.what.input_file, kBatchLineBytesMax};
  }

  // Reads all of the file once before anything is asked.
  Result<BatchCheck> Check(const Batch& held) {
    BatchCheck check(held.what.endpoint);
    FileLines lines = LinesOf(held);
    auto extend = std::chrono::steady_clock::now() + kExtendEvery;
    for (bool more = true; more;) {
      const auto line = lines.Next();
      if (!line) {
        return std::unexpected(line.error());
      }
      more = line->has_value() && check.Add((*line)->text, (*line)->number, (*line)->too_long);
      if (const Status extended = ExtendAt(held, extend); !extended) {
        return std::unexpected(extended.error());
      }
    }
    check.End();
    return check;
  }

  // Holds the lease when it is time to.
  Status ExtendAt(const Batch& held, std::chrono::steady_clock::time_point& next) {
    if (std::chrono::steady_clock::now() < next) {
      return {};
    }
    next = std::chrono::steady_clock::now() + kExtendEvery;
    const auto kept = batches_.Keep(held, {}, Now() + kLeaseMs);
    return kept ? Status{} : LeaseTrouble(kept.error());
  }
  // kNotFound is said of the file alone.
  static Status LeaseTrouble(Error error) {
    error.code = ErrorCode::kUnavailable;
    return std::unexpected(std::move(error));
  }

  Status WorkOff(Batch held, Requests& left) {
    bool all = false;
    while (held.state == BatchState::kInProgress && Now() < held.what.expires) {
      const auto some = left.Take(kAtOnce);
      if (!some || some->empty()) {
        all = some.has_value();
        if (!all) {
          return std::unexpected(some.error());
        }
        break;
      }
      std::vector<BatchLine> lines;
      const Status asked = AskAll(held, *some, lines);
      if (!asked || Stopping()) {
        // Who takes it next need not wait for the lease to run out.
        const Result<Batch> released = asked ? batches_.Keep(held, {}, Now()) : held;
        return asked && !released ? std::unexpected(released.error()) : asked;
      }
      Result<Batch> kept = batches_.Keep(held, lines, Now() + kLeaseMs);
      if (!kept) {
        return std::unexpected(kept.error());
      }
      held = std::move(*kept);
    }
    if (held.state == BatchState::kCancelling) {
      return End(held, BatchState::kCancelled, "");
    }
    return all ? End(held, BatchState::kCompleted, "") : Expire(held, left);
  }

  Status Expire(const Batch& held, Requests& left) {
    for (;;) {
      const auto some = left.Take(kExpiredAtOnce);
      if (!some) {
        return std::unexpected(some.error());
      }
      if (some->empty()) {
        return End(held, BatchState::kExpired, "");
      }
      std::vector<BatchLine> lines;
      for (const BatchRequest& line : *some) {
        lines.push_back({line.number, true,
                         BatchUnaskedLine(held.id, line, "batch_expired",
                                          "the batch's time was up before this line was asked")});
      }
      if (const auto kept = batches_.Keep(held, lines, Now() + kLeaseMs); !kept) {
        return std::unexpected(kept.error());
      }
    }
  }

  Status End(const Batch& held, BatchState state, std::string errors) {
    const Result<Batch> ended = batches_.End(held, {state, std::move(errors)}, Now());
    return ended ? Status{} : std::unexpected(ended.error());
  }

  // The answers of all `requests`, unless it is time to stop.
  Status AskAll(const Batch& held, const std::vector<BatchRequest>& requests,
                std::vector<BatchLine>& lines) {
    const auto group = std::make_shared<Group>();
    for (const BatchRequest& request : requests) {
      group->lines.push_back({request, std::nullopt, 0});
    }
    for (;;) {
      std::chrono::milliseconds pause{0};
      Submit(held, group);
      if (const Status waited = Await(held, *group); !waited || Stopping()) {
        return waited;
      }
      bool again = false;
      for (Asked& asked : group->lines) {
        if (const auto wait = Again(asked)) {
          asked.response.reset();
          again = true;
          pause = std::max(pause, *wait);
        }
      }
      if (!again) {
        break;
      }
      if (!Pause(pause)) {
        return {};
      }
    }
    for (const Asked& asked : group->lines) {
      lines.push_back({asked.line.number, !Succeeded(*asked.response),
                       BatchAnswerLine(held.id, asked.line, *asked.response)});
    }
    return {};
  }

  // How long to wait before it is asked again, where its answer says that it should be.
  static std::optional<std::chrono::milliseconds> Again(const Asked& asked) {
    const int status = asked.response->status;
    const bool wanting = status == 503 && asked.attempts < kAttemptsMax;
    if (status != 429 && !wanting) {
      return std::nullopt;
    }
    return std::min<std::chrono::milliseconds>(std::chrono::seconds(asked.attempts), kPauseMax);
  }

  void Submit(const Batch& held, const std::shared_ptr<Group>& group) {
    std::vector<std::size_t> open;
    {
      const std::lock_guard lock(group->mutex);
      for (std::size_t i = 0; i < group->lines.size(); ++i) {
        if (!group->lines[i].response) {
          ++group->lines[i].attempts;
          open.push_back(i);
        }
      }
      group->open = open.size();
    }
    for (const std::size_t i : open) {
      AskOne(RequestOf(held, group->lines[i].line), [group, i](Response response) {
        const std::lock_guard lock(group->mutex);
        group->lines[i].response = std::move(response);
        --group->open;
        group->answered.notify_all();
      });
    }
  }

  // What no model here answers is not passed on to an upstream: nobody's key is with it.
  void AskOne(const std::shared_ptr<Request>& request, const Reply& reply) {
    const nlohmann::json body = nlohmann::json::parse(request->body);
    const auto model = body.find("model");
    const bool named = model != body.end() && model->is_string();
    if (request->path != "/v1/moderations" &&
        !(named && IsChatModel(context_, model->get<std::string>()))) {
      reply(ProblemResponse({404, "unknown-model", "the line's model does not talk here",
                             "GET /v1/models names those there are", "/model"},
                            request->id, true));
      return;
    }
    ask_(request, reply);
  }

  // Until all are answered or it is time to stop; the lease goes on meanwhile.
  Status Await(const Batch& held, Group& group) {
    auto extend = std::chrono::steady_clock::now() + kExtendEvery;
    std::unique_lock lock(group.mutex);
    while (!group.answered.wait_for(lock, kLookEvery, [&] { return group.open == 0; })) {
      lock.unlock();
      if (Stopping()) {
        return {};
      }
      if (Status extended = ExtendAt(held, extend); !extended) {
        return extended;
      }
      lock.lock();
    }
    return {};
  }

  [[nodiscard]] std::shared_ptr<Request> RequestOf(const Batch& held,
                                                   const BatchRequest& line) const {
    auto request = std::make_shared<Request>();
    request->method = "POST";
    request->path = held.what.endpoint;
    request->body = line.body;
    request->id = held.id + "-" + std::to_string(line.number);
    request->caller = held.what.owner;
    request->caller_id = held.what.owner;
    request->peer = "batch";
    request->headers = {{"content-type", "application/json"},
                        {"idempotency-key", request->id}};  // of the records in the log
    // Times run from when a request was received: nobody waits for a line of a batch.
    request->received = std::chrono::steady_clock::now() + kPatience;
    return request;
  }

  const RouteContext& context_;
  moderation::BatchStore& batches_;
  Ask ask_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

BatchWorker::BatchWorker(const RouteContext& context, Ask ask)
    : impl_(std::make_unique<Impl>(context, std::move(ask))) {}

BatchWorker::~BatchWorker() {
  impl_->Stop();
}

void BatchWorker::Stop() {
  impl_->Stop();
}

}  // namespace safeguard::http
