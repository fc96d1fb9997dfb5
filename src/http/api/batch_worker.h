// Works off batches: each line goes through the route that it names, as if it had been sent, and
// its answer is kept before the next ones are asked. What a crash leaves undone the next start (or
// another process on the same files) goes on with; no line is kept twice, and the verdicts of one
// that is asked twice are recorded once.
#pragma once

#include <functional>
#include <memory>

#include "http/api/routes.h"

namespace safeguard::http {

class BatchWorker {
 public:
  // Answers a request as its route does; must not block.
  using Ask = std::function<void(std::shared_ptr<Request>, Reply)>;

  // Works from construction on. REQUIRES: context.parts has batches and files. `context` must
  // outlive it.
  BatchWorker(const RouteContext& context, Ask ask);
  ~BatchWorker();  // Stop()
  BatchWorker(const BatchWorker&) = delete;
  BatchWorker& operator=(const BatchWorker&) = delete;

  // Ends soon; what is under way is left to the next start.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace safeguard::http
