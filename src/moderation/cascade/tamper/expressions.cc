#include "moderation/cascade/tamper/signs.h"

namespace safeguard::moderation::tamper {

std::string Expression(std::string_view pattern) {
  static constexpr std::string_view kGap = "(?:[ \\n.,;:*_\"'()\\[\\]~`#>-]+)";
  static constexpr std::string_view kWords = "(?:[ ,'\"*_(-]+[^ \\n.,:;!?]+){0,5}";
  std::string expression;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      expression += pattern.substr(i++, 2);
      continue;
    }
    in_class = c == '[' || (in_class && c != ']');
    if (c == ' ' && !in_class) {
      expression += kGap;
    } else if (c == '~' && !in_class) {
      expression += kWords;
    } else {
      expression += c;
    }
  }
  return expression;
}

}  // namespace safeguard::moderation::tamper
