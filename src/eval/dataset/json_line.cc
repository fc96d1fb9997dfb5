#include "eval/dataset/json_line.h"

#include <cstddef>
#include <string>

#include "base/json_depth.h"
#include "eval/dataset.h"

namespace safeguard::eval {

Result<nlohmann::json> ParseJson(std::string_view text) {
  if (JsonDepth(text) > kJsonDepthMax) {
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
