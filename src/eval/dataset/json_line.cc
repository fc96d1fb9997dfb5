#include "eval/dataset/json_line.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "eval/dataset.h"

namespace safeguard::eval {
namespace {

// The deepest nesting of brackets outside strings, so that a line of "[[[[" costs no memory.
std::size_t Depth(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      i += c == '\\' ? 1 : 0;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

Result<nlohmann::json> ParseJson(std::string_view text) {
  if (Depth(text) > kJsonDepthMax) {
    return Fail(ErrorCode::kLimit,
                "the JSON is nested deeper than " + std::to_string(kJsonDepthMax) + " levels");
  }
  try {
    return nlohmann::json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::exception& exception) {
    const auto* parse_error = dynamic_cast<const nlohmann::json::parse_error*>(&exception);
    const std::string place =
        parse_error == nullptr ? "" : " at byte " + std::to_string(parse_error->byte);
    return Fail(ErrorCode::kInvalidInput, "this is not valid JSON" + place,
                "write one complete JSON object on each line");
  }
}

}  // namespace safeguard::eval
