// Any policy: the text that the trained screen reads of it fits its room, is one line of valid
// UTF-8, and is the same each time.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "judges/screen_text.h"
#include "moderation/policy.h"

namespace {

// Words and marks, a byte of a foreign letter at a time.
std::size_t CountTokens(std::string_view text) {
  std::size_t count = 0;
  bool inside = false;
  for (const char c : text) {
    const bool word = std::isalnum(static_cast<unsigned char>(c)) != 0;
    count += (word && !inside) || (!word && c != ' ') ? 1 : 0;
    inside = word;
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace safeguard;  // NOLINT(google-build-using-namespace): one function
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Result<moderation::Policy> policy = moderation::ReadPolicy(bytes, "fuzz");
  if (!policy) {
    return 0;
  }
  for (const std::size_t tokens_max : {16U, 126U}) {
    const std::string text = judges::ScreenText(*policy, CountTokens, tokens_max);
    CHECK(CountTokens(text) <= tokens_max);
    CHECK(!FirstInvalidUtf8(text));
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text == judges::ScreenText(*policy, CountTokens, tokens_max));
    for (std::size_t r = 0; r < policy->rules.size() && r < 20; ++r) {
      CHECK(CountTokens(judges::RuleScreenText(*policy, r, CountTokens, tokens_max)) <= tokens_max);
    }
  }
  return 0;
}
