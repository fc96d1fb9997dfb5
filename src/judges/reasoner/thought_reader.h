// The reasoning of one answer, told while its tokens come.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "engine/bpe.h"
#include "engine/generator.h"
#include "engine/harmony_parser.h"

namespace safeguard::judges {

// Whole characters of everything before the final message, several messages a line apart: what
// ReadChannels() makes of the same tokens. Used by one thread at a time.
class ThoughtReader {
 public:
  // `bpe` must outlive it.
  ThoughtReader(const engine::Bpe& bpe, std::function<void(std::string_view)> tell);

  void Push(const engine::GeneratedToken& token);

 private:
  engine::HarmonyParser parser_;
  std::function<void(std::string_view)> tell_;
  std::size_t message_ = 0;  // that the last told text is of
  bool told_ = false;
  bool ended_ = false;  // the answer has begun, or what comes cannot be read
};

}  // namespace safeguard::judges
