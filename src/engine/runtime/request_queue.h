// The requests that wait for a place, and which of them is next: interactive ones first, then the
// tenant that has had least, then the earliest deadline, then who came first. A batch request that
// has waited long ranks with the interactive ones, but only while few batch requests run: a long
// backlog, all of which has waited, must not take every place from people who wait at a screen.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "engine/runtime/request_state.h"

namespace safeguard::engine {

// A request without a time limit counts as having this one, so that those with limits that keep
// coming do not pass it for ever.
inline constexpr std::chrono::seconds kUsualDeadline{120};

class RequestQueue {
 public:
  // `batch_places`: so many batch requests may run against interactive ones.
  RequestQueue(std::chrono::steady_clock::duration batch_wait_max, std::size_t batch_places)
      : batch_wait_max_(batch_wait_max), batch_places_(batch_places) {}

  void Push(std::unique_ptr<RequestState> request);
  // The next of those that are not held back, or null. `batch_running`: batch requests that run.
  [[nodiscard]] RequestState* Next(Time now, std::size_t batch_running);
  // What was held back (RequestState::held) is no longer.
  void Release();
  std::unique_ptr<RequestState> Take(const RequestState& request);
  // Those for which `ended` is set.
  std::vector<std::unique_ptr<RequestState>> TakeEnded();

  [[nodiscard]] bool HasWaitedLong(const RequestState& request, Time now) const {
    return now - request.submitted >= batch_wait_max_;
  }
  [[nodiscard]] std::size_t batch_places() const { return batch_places_; }
  [[nodiscard]] bool empty() const { return requests_.empty(); }
  [[nodiscard]] std::size_t size() const { return requests_.size(); }
  [[nodiscard]] const std::vector<std::unique_ptr<RequestState>>& requests() const {
    return requests_;
  }

 private:
  std::chrono::steady_clock::duration batch_wait_max_;
  std::size_t batch_places_;
  std::vector<std::unique_ptr<RequestState>> requests_;
};

}  // namespace safeguard::engine
