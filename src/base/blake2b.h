// Blake2bHex() of bytes that come in parts.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace safeguard {

// Used by one thread.
class Blake2b {
 public:
  Blake2b();
  ~Blake2b();
  Blake2b(const Blake2b&) = delete;
  Blake2b& operator=(const Blake2b&) = delete;

  void Update(std::string_view bytes);
  // The digest of all parts: 64 hexadecimal digits. To be called once, last.
  std::string Hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace safeguard
