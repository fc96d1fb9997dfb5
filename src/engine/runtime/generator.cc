// The engine's thread around the scheduler. Callers only touch the inbox.
#include "engine/generator.h"

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "engine/runtime/scheduler.h"

namespace safeguard::engine {
namespace {

class ThreadedGenerator final : public Generator {
 public:
  ThreadedGenerator(Forward& forward, const Vocabulary& vocabulary, GeneratorSettings settings)
      : vocabulary_size_(vocabulary.size()),
        forward_(forward),
        settings_(std::move(settings)),
        scheduler_(forward, vocabulary, settings_),
        thread_([this] { Loop(); }) {}

  ~ThreadedGenerator() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  ThreadedGenerator(const ThreadedGenerator&) = delete;
  ThreadedGenerator& operator=(const ThreadedGenerator&) = delete;

  Result<RequestId> Submit(GenerationRequest request,
                           std::function<void(GenerationResult)> on_done) override {
    Status status = CheckRequest(request, vocabulary_size_, forward_.config().context_max);
    if (status) {
      status = CheckMemory(request, forward_, settings_.cache_bytes_max, settings_.step_tokens_max);
    }
    if (!status) {
      return std::unexpected(std::move(status.error()));
    }
    const auto submitted = settings_.now();
    RequestId id{};
    {
      const std::lock_guard lock(mutex_);
      if (inbox_.size() + counters_.queued >= settings_.queue_max) {
        return Fail(ErrorCode::kLimit,
                    "the engine's queue is full: " + std::to_string(settings_.queue_max) +
                        " requests are waiting",
                    "try again later or raise the queue's limit");
      }
      id = static_cast<RequestId>(++last_id_);
      inbox_.push_back({id, std::move(request), std::move(on_done), submitted});
    }
    wake_.notify_one();
    return id;
  }

  void Cancel(RequestId id) override {
    {
      const std::lock_guard lock(mutex_);
      cancelled_.push_back(id);
    }
    wake_.notify_one();
  }

  GenerationResult Run(GenerationRequest request) override {
    std::promise<GenerationResult> promise;
    const Result<RequestId> id = Submit(std::move(request), [&promise](GenerationResult result) {
      promise.set_value(std::move(result));
    });
    if (!id) {
      GenerationResult refused;
      refused.error = id.error();
      return refused;
    }
    return promise.get_future().get();
  }

  [[nodiscard]] GeneratorCounters counters() const override {
    const std::lock_guard lock(mutex_);
    GeneratorCounters counters = counters_;
    counters.queued += inbox_.size();
    return counters;
  }

 private:
  struct Submission {
    RequestId id{};
    GenerationRequest request;
    std::function<void(GenerationResult)> on_done;
    Scheduler::Time submitted;
  };

  void Loop() {
    bool busy = false;
    for (;;) {
      std::vector<Submission> submissions;
      std::vector<RequestId> cancelled;
      bool stopping = false;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return busy || stop_ || !inbox_.empty() || !cancelled_.empty(); });
        submissions.swap(inbox_);
        cancelled.swap(cancelled_);
        counters_.queued += submissions.size();
        stopping = stop_;
      }
      for (Submission& one : submissions) {
        scheduler_.Add(one.id, std::move(one.request), std::move(one.on_done), one.submitted);
      }
      for (const RequestId id : cancelled) {
        scheduler_.Cancel(id);
      }
      if (stopping) {
        scheduler_.CancelAll();
        return;
      }
      busy = scheduler_.StepOnce();
      const std::lock_guard lock(mutex_);
      counters_ = scheduler_.counters();
    }
  }

  const std::size_t vocabulary_size_;
  const Forward& forward_;  // only what may be called from any thread
  const GeneratorSettings settings_;
  Scheduler scheduler_;  // the thread's alone

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Submission> inbox_;     // guarded by mutex_
  std::vector<RequestId> cancelled_;  // guarded by mutex_
  GeneratorCounters counters_;        // guarded by mutex_; after the last step
  std::uint64_t last_id_ = 0;         // guarded by mutex_
  bool stop_ = false;                 // guarded by mutex_
  std::thread thread_;                // last: everything is there when it starts
};

}  // namespace

const char* ToString(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStopToken:
      return "stop_token";
    case FinishReason::kGrammarComplete:
      return "grammar_complete";
    case FinishReason::kProbed:
      return "probed";
    case FinishReason::kTokenLimit:
      return "token_limit";
    case FinishReason::kTimeLimit:
      return "time_limit";
    case FinishReason::kCancelled:
      return "cancelled";
    case FinishReason::kError:
      return "error";
  }
  return "unknown";
}

std::vector<std::uint32_t> GenerationResult::FinalIds() const {
  std::vector<std::uint32_t> ids;
  for (std::size_t i = final_begin; i < final_end; ++i) {
    ids.push_back(tokens[i].id);
  }
  return ids;
}

Result<std::unique_ptr<Generator>> Generator::Create(Forward& forward, const Vocabulary& vocabulary,
                                                     GeneratorSettings settings) {
  if (settings.sequences_max == 0 || settings.step_tokens_max < settings.sequences_max ||
      settings.queue_max == 0 || settings.batch_step_tokens_max == 0 ||
      settings.drafts.tokens_max > kRewindMax ||
      std::ranges::any_of(settings.tenant_weights,
                          [](const auto& weight) { return !(weight.second > 0); })) {
    return Fail(ErrorCode::kInvalidInput, "the generator's limits cannot work",
                "at least one sequence, one place in the queue and one token of a batch request in "
                "a step, step_tokens_max not below sequences_max, at most " +
                    std::to_string(kRewindMax) + " drafted tokens, and weights above 0");
  }
  if (vocabulary.size() != forward.config().vocabulary) {
    return Fail(ErrorCode::kInvalidInput,
                "the tokenizer has " + std::to_string(vocabulary.size()) + " ids, the model " +
                    std::to_string(forward.config().vocabulary),
                "use the tokenizer of the checkpoint");
  }
  return std::make_unique<ThreadedGenerator>(forward, vocabulary, std::move(settings));
}

}  // namespace safeguard::engine
