// A body that is sent while it is still being written. One side writes, the other reads, each from
// threads of its own; what waits between them is bounded by whoever writes, who must look.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace safeguard::http {

// Thread-safe.
class BodyStream {
 public:
  // -- Who writes --
  // False, and the bytes are dropped, when nobody reads any more.
  bool Write(std::string_view bytes);
  // The body is complete.
  void End();
  // The body stops in the middle, and the reader shall see that it does.
  void Break();
  // Bytes that were written and not yet taken.
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] bool closed() const;
  // Called when something was taken, or when nobody reads any more; on the reader's thread, under
  // the stream's lock: it must return at once and not call the stream. Null takes it away.
  void OnTaken(std::function<void()> wake);
  // Called once nobody reads any more, as OnTaken; at once when that is so already.
  void OnClosed(std::function<void()> wake);

  // -- Who reads --
  struct Part {
    std::string bytes;
    bool ended = false;   // no more comes
    bool broken = false;  // and it is not complete
  };
  // What is there now; maybe nothing.
  Part Take();
  // Nobody reads any more.
  void Close();
  // Called when there is something to take; as OnTaken, on the writer's thread.
  void OnWritten(std::function<void()> wake);

 private:
  mutable std::mutex mutex_;
  std::string bytes_;
  bool ended_ = false;
  bool broken_ = false;
  bool closed_ = false;
  std::function<void()> on_taken_;
  std::function<void()> on_closed_;
  std::function<void()> on_written_;
};

}  // namespace safeguard::http
