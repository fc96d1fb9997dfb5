// Base64 with the alphabet of RFC 4648, section 4, padded. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace safeguard {

std::string Base64(std::string_view bytes);

// Nothing when `text` is not what Base64() writes; a missing padding is forgiven.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace safeguard
