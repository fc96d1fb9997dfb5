#include "engine/runtime/request_queue.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"

namespace safeguard::engine {

void RequestQueue::Push(std::unique_ptr<RequestState> request) {
  requests_.push_back(std::move(request));
}

RequestState* RequestQueue::Next(Time now, std::size_t batch_running) {
  const auto rank = [&](const RequestState& request) {
    const bool urgent = request.request.priority == Priority::kInteractive ||
                        (batch_running < batch_places_ && HasWaitedLong(request, now));
    return std::tuple(!urgent, *request.level, request.deadline, request.order);
  };
  RequestState* next = nullptr;
  for (const auto& request : requests_) {
    if (!request->held && !request->ended && (next == nullptr || rank(*request) < rank(*next))) {
      next = request.get();
    }
  }
  return next;
}

void RequestQueue::Release() {
  for (const auto& request : requests_) {
    request->held = false;
  }
}

std::unique_ptr<RequestState> RequestQueue::Take(const RequestState& request) {
  const auto it = std::ranges::find(requests_, &request, &std::unique_ptr<RequestState>::get);
  CHECK(it != requests_.end());
  std::unique_ptr<RequestState> taken = std::move(*it);
  requests_.erase(it);
  return taken;
}

std::vector<std::unique_ptr<RequestState>> RequestQueue::TakeEnded() {
  std::vector<std::unique_ptr<RequestState>> ended;
  for (auto& request : requests_) {
    if (request->ended) {
      ended.push_back(std::move(request));
    }
  }
  std::erase(requests_, nullptr);
  return ended;
}

}  // namespace safeguard::engine
