// Examples written as JSON objects on one line: {"input": "...", "label": 1}.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace safeguard::moderation::reading {

struct JsonExample {
  std::string text;
  std::string label;  // as written: "1", "VIOLATES", "{"violation": 1}"; may be empty
};

// The example in a line that is one JSON object with a field of content ("input", "text", ...) and
// one of a label; commas after it are allowed. Nothing for anything else, such as a template.
std::optional<JsonExample> ReadJsonExample(std::string_view line);

}  // namespace safeguard::moderation::reading
