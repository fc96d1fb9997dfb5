// For tests: an upstream that answers what it is told to, cut into pieces, and may stall or die.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http/upstream.h"

namespace safeguard::http {

struct UpstreamScript {
  int status = 200;
  std::string content_type = "text/event-stream";
  std::string body{};
  std::size_t piece = 0;  // bytes at once; 0: all
  // What comes behind the body.
  enum class Then { kEnd, kBroken, kSilence } then = Then::kEnd;
  bool reachable = true;
};

class FakeUpstream final : public Upstream {
 public:
  std::unique_ptr<UpstreamCall> Post(UpstreamRequest request) override {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    return std::make_unique<Call>(script_, drained_);
  }
  // Calls whose answer has been read to its end, by one who waits for more.
  int drained() const { return drained_->load(); }
  void Set(UpstreamScript script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  std::vector<UpstreamRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  class Call final : public UpstreamCall {
   public:
    Call(UpstreamScript script, std::shared_ptr<std::atomic<int>> drained)
        : script_(std::move(script)), drained_(std::move(drained)) {}

    UpstreamEvent Next(std::chrono::steady_clock::time_point until, bool read) override {
      UpstreamEvent event;
      if (!script_.reachable) {
        event.kind = UpstreamEvent::Kind::kBroken;
        event.problem = "nobody listens";
        return event;
      }
      if (!std::exchange(head_told_, true)) {
        event.kind = UpstreamEvent::Kind::kHead;
        event.status = script_.status;
        event.content_type = script_.content_type;
        return event;
      }
      if (read && at_ < script_.body.size()) {
        const std::size_t size = script_.piece == 0 ? script_.body.size() : script_.piece;
        event.kind = UpstreamEvent::Kind::kBytes;
        event.bytes = script_.body.substr(at_, size);
        at_ += event.bytes.size();
        return event;
      }
      if (read && !ended_ && script_.then != UpstreamScript::Then::kSilence) {
        ended_ = true;
        event.kind = script_.then == UpstreamScript::Then::kEnd ? UpstreamEvent::Kind::kEnd
                                                                : UpstreamEvent::Kind::kBroken;
        return event;
      }
      if (ended_ && !std::exchange(told_drained_, true)) {
        drained_->fetch_add(1);
      }
      std::unique_lock lock(mutex_);
      woken_.wait_until(lock, until, [&] { return wake_; });
      wake_ = false;
      return event;
    }

    void Wake() override {
      const std::lock_guard lock(mutex_);
      wake_ = true;
      woken_.notify_all();
    }

   private:
    UpstreamScript script_;
    std::shared_ptr<std::atomic<int>> drained_;
    bool told_drained_ = false;
    bool head_told_ = false;
    bool ended_ = false;
    std::size_t at_ = 0;
    std::mutex mutex_;
    std::condition_variable woken_;
    bool wake_ = false;
  };

  std::mutex mutex_;
  UpstreamScript script_;
  std::vector<UpstreamRequest> requests_;
  std::shared_ptr<std::atomic<int>> drained_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace safeguard::http
