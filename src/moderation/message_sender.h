// MessageSender: brings one message to a webhook, once. Whether and when to try again is the
// queue's business. Implemented in http/; by fakes in tests.
#pragma once

#include <optional>
#include <string>

#include "moderation/policy_store.h"

namespace safeguard::moderation {

struct OutgoingMessage {
  std::string url;
  std::string id;    // the receiver's idempotency key: the same at every attempt
  std::string body;  // JSON
  TimeMs now = 0;    // signed with it
};

enum class SendEnd {
  kDelivered,  // the receiver said so
  kRetry,      // it may go better later
  kHopeless,   // it will not, until somebody changes something
};

struct SendOutcome {
  SendEnd end = SendEnd::kRetry;
  std::string problem;                   // for a person; empty when delivered
  std::optional<TimeMs> retry_after_ms;  // what the receiver asked for
};

// Thread-safe.
class MessageSender {
 public:
  virtual ~MessageSender() = default;
  // Takes bounded time.
  virtual SendOutcome Send(const OutgoingMessage& message) = 0;
};

}  // namespace safeguard::moderation
