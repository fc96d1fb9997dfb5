// Text out of token ids that come one at a time: only whole characters are given out.
#pragma once

#include <cstdint>
#include <string>

#include "engine/bpe.h"

namespace safeguard::engine {

// Not thread-safe. All that was given out together equals the lossy decoding of all bytes: each
// maximal ill-formed part becomes one U+FFFD.
class TokenStream {
 public:
  // `bpe` must outlive it.
  explicit TokenStream(const Bpe& bpe) : bpe_(bpe) {}

  // What `id` completes; empty while a character is unfinished. A control token gives its name
  // ("<|end|>"), an id that means nothing U+FFFD.
  std::string Push(std::uint32_t id);

  // Ends the text: U+FFFD when a character stayed unfinished, else empty. It may then begin again.
  std::string Finish();

 private:
  const Bpe& bpe_;
  std::string pending_;  // the beginning of a character, at most 3 bytes
};

}  // namespace safeguard::engine
