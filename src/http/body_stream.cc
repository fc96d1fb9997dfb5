#include "http/body_stream.h"

#include <utility>

namespace safeguard::http {

bool BodyStream::Write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (closed_ || ended_) {
    return false;
  }
  bytes_ += bytes;
  if (on_written_) {
    on_written_();
  }
  return true;
}

void BodyStream::End() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  if (on_written_) {
    on_written_();
  }
}

void BodyStream::Break() {
  const std::lock_guard lock(mutex_);
  broken_ = broken_ || !ended_;
  ended_ = true;
  if (on_written_) {
    on_written_();
  }
}

std::size_t BodyStream::waiting() const {
  const std::lock_guard lock(mutex_);
  return bytes_.size();
}

bool BodyStream::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void BodyStream::OnTaken(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  on_taken_ = std::move(wake);
}

BodyStream::Part BodyStream::Take() {
  const std::lock_guard lock(mutex_);
  Part part{std::exchange(bytes_, {}), ended_, broken_};
  if (on_taken_ && !part.bytes.empty()) {
    on_taken_();
  }
  return part;
}

void BodyStream::OnClosed(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (closed_ && wake) {
    wake();
  }
  on_closed_ = std::move(wake);
}

void BodyStream::Close() {
  const std::lock_guard lock(mutex_);
  if (on_closed_ && !closed_) {
    on_closed_();
  }
  closed_ = true;
  bytes_.clear();
  if (on_taken_) {
    on_taken_();
  }
}

void BodyStream::OnWritten(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  on_written_ = std::move(wake);
}

}  // namespace safeguard::http
