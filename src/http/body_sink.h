// Who takes the body of a request while it arrives, so that it need not be in memory.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/message.h"
#include "http/problem.h"

namespace safeguard::http {

// Of one request.
class BodySink {
 public:
  virtual ~BodySink() = default;

  // Called once for each Take, from any thread: the next piece may come, or the request is answered
  // with the problem and nothing more comes.
  using Taken = std::function<void(std::optional<Problem>)>;

  // The next piece of the body. Returns at once; not called again before `taken` was.
  virtual void Take(std::string piece, Taken taken) = 0;
  // The body is complete: the request shall have it.
  virtual void GiveTo(Request& request) = 0;
};

// What becomes of a body, said when the request's header is there.
struct BodyPlan {
  // The request will be refused whatever its body says: it is answered without it.
  bool unread = false;
  std::shared_ptr<BodySink> sink{};  // of what is long; null: into Request::body
};

// Thread-safe; must not wait. The request has its header fields and no body.
using BodyPlanner = std::function<BodyPlan(Request& head)>;

}  // namespace safeguard::http
