// WebhookSender: signed messages to URLs that people have given. It trusts neither the URL nor who
// answers: see Send() for what it refuses.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/message_sender.h"

namespace safeguard::http {

struct WebhookOptions {
  // The secrets to sign with, newest first (webhook_signature.h), asked for at every message, so
  // that they can be changed while it runs. REQUIRES: set.
  std::function<Result<std::vector<std::string>>()> secrets;
  // Private addresses that may be reached all the same: "10.1.0.0/16", "127.0.0.1".
  std::vector<std::string> allowed;
  std::string certificates;  // PEM file of trusted authorities; empty: the system's
  std::chrono::milliseconds connect_max{5'000};
  std::chrono::milliseconds total_max{15'000};
  std::size_t answer_bytes_max = 65'536;  // header and body together
};

// One POST a message, on a connection of its own. Delivered is what is answered with 2xx, whatever
// the body says. It follows no redirect, uses no proxy and sends no cookie. The name is looked up
// once for the attempt, and the address that is connected to is the one that was checked: it must
// be public, or within `allowed`; http without TLS goes to allowed addresses alone. A URL that
// cannot be right and a 410 are hopeless; all else may be tried again, after what Retry-After asks.
// kInvalidInput for an address range that is none.
Result<std::unique_ptr<moderation::MessageSender>> OpenWebhookSender(WebhookOptions options);

// Whether `url` can be a webhook's: http or https, a host, no user name, at most 2048 bytes.
Status CheckWebhookUrl(const std::string& url);

}  // namespace safeguard::http
