#include "http/api/batch_worker.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "http/api/batch_lines.h"
#include "http/api/chat_run.h"
#include "http/domain_json.h"
#include "moderation/batch_store.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Batch;
using moderation::BatchLine;
using moderation::BatchState;
using moderation::TimeMs;

constexpr std::size_t kAtOnce = 32;  // lines that are asked together
constexpr TimeMs kLeaseMs = 15'000;
constexpr std::chrono::seconds kExtendEvery{4};
constexpr std::chrono::milliseconds kLookEvery{200};  // for a batch, or for trouble to have gone
constexpr std::chrono::seconds kPauseMax{5};          // of an overloaded service
constexpr std::chrono::minutes kPatience{10};  // of a line, where its judge has no time of its own
constexpr int kAttemptsMax = 5;                // of a line that fails for want of means

// One line on its way.
struct Asked {
  const BatchRequest* line = nullptr;
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
    const auto bytes = context_.parts.files->Read(held.what.owner, held.what.input_file);
    if (!bytes && bytes.error().code != ErrorCode::kNotFound) {
      return std::unexpected(bytes.error());
    }
    BatchInput input;
    if (bytes) {
      input = ReadBatchInput(*bytes, held.what.endpoint);
    } else {
      input.faults = {{0, "unknown-file", "the input file is not there any more", ""}};
    }
    if (!input.faults.empty()) {
      return End(held, BatchState::kFailed, JsonLine(FaultsJson(input.faults)));
    }
    Result<Batch> started = batches_.Start(held, input.requests.size(), Now());
    if (!started) {
      return std::unexpected(started.error());
    }
    const auto kept = batches_.Kept(held);
    if (!kept) {
      return std::unexpected(kept.error());
    }
    std::vector<const BatchRequest*> left;
    for (const BatchRequest& line : input.requests) {
      if (!std::ranges::binary_search(*kept, line.number)) {
        left.push_back(&line);
      }
    }
    return WorkOff(std::move(*started), left);
  }

  Status WorkOff(Batch held, std::span<const BatchRequest* const> left) {
    while (!left.empty() && held.state == BatchState::kInProgress && Now() < held.what.expires) {
      const auto some = left.first(std::min(kAtOnce, left.size()));
      std::vector<BatchLine> lines;
      const Status asked = AskAll(held, some, lines);
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
      left = left.subspan(some.size());
    }
    if (held.state == BatchState::kCancelling) {
      return End(held, BatchState::kCancelled, "");
    }
    return left.empty() ? End(held, BatchState::kCompleted, "") : Expire(held, left);
  }

  Status Expire(const Batch& held, std::span<const BatchRequest* const> left) {
    std::vector<BatchLine> lines;
    for (const BatchRequest* line : left) {
      lines.push_back({line->number, true,
                       BatchUnaskedLine(held.id, *line, "batch_expired",
                                        "the batch's time was up before this line was asked")});
    }
    const Result<Batch> kept = batches_.Keep(held, lines, Now() + kLeaseMs);
    return kept ? End(held, BatchState::kExpired, "") : std::unexpected(kept.error());
  }

  Status End(const Batch& held, BatchState state, std::string errors) {
    const Result<Batch> ended = batches_.End(held, {state, std::move(errors)}, Now());
    return ended ? Status{} : std::unexpected(ended.error());
  }

  // The answers of all `requests`, unless it is time to stop.
  Status AskAll(const Batch& held, std::span<const BatchRequest* const> requests,
                std::vector<BatchLine>& lines) {
    const auto group = std::make_shared<Group>();
    for (const BatchRequest* request : requests) {
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
      lines.push_back({asked.line->number, !Succeeded(*asked.response),
                       BatchAnswerLine(held.id, *asked.line, *asked.response)});
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
      AskOne(RequestOf(held, *group->lines[i].line), [group, i](Response response) {
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
      if (std::chrono::steady_clock::now() >= extend) {
        extend = std::chrono::steady_clock::now() + kExtendEvery;
        if (const auto kept = batches_.Keep(held, {}, Now() + kLeaseMs); !kept) {
          return std::unexpected(kept.error());
        }
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
