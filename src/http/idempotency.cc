#include "http/idempotency.h"

#include <utility>

namespace safeguard::http {

Idempotency::Known Idempotency::Begin(const std::string& name, const std::string& body_hash) {
  const std::lock_guard lock(mutex_);
  Trim();
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    kept_.push_back({name, body_hash, now_(), std::nullopt});
    by_name_[name] = std::prev(kept_.end());
    return {};
  }
  const Kept& kept = *found->second;
  if (kept.body_hash != body_hash) {
    return {std::nullopt, Problem{422,
                                  "idempotency-key-reused",
                                  "this Idempotency-Key came with another body before",
                                  "make a new key for each new request",
                                  {}}};
  }
  if (!kept.response) {
    return {std::nullopt, Problem{409,
                                  "still-at-work",
                                  "the first request with this Idempotency-Key is still at work",
                                  "wait a moment, then send it again",
                                  {},
                                  1}};
  }
  return {kept.response, std::nullopt};
}

void Idempotency::End(const std::string& name, const Response& response) {
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    return;  // so many came meanwhile that it was forgotten
  }
  if (response.status == 429 || response.status >= 500 || response.stream != nullptr) {
    Forget(found->second);
    return;
  }
  found->second->response = response;
  bytes_ += response.body.size();
  Trim();
}

void Idempotency::Forget(std::list<Kept>::iterator kept) {
  bytes_ -= kept->response ? kept->response->body.size() : 0;
  by_name_.erase(kept->name);
  kept_.erase(kept);
}

void Idempotency::Trim() {
  const std::int64_t oldest = now_() - kKeptMs;
  while (!kept_.empty() &&
         (kept_.size() > kKeptMax || bytes_ > kBytesMax || kept_.front().begun < oldest)) {
    Forget(kept_.begin());
  }
}

}  // namespace safeguard::http
