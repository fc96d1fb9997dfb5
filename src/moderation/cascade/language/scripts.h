// What the letters alone say of a language, for texts too short for statistics.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace safeguard::moderation::language {

struct ScriptGuess {
  std::string language;   // empty: the letters do not tell
  double confidence = 0;  // 0..1: high where one language alone is written so
  std::size_t letters = 0;
};

// From the script of most letters, and from letters that only one language of a script has. Latin
// letters do not tell. Linear time. REQUIRES: valid UTF-8.
ScriptGuess GuessByScript(std::string_view text);

}  // namespace safeguard::moderation::language
