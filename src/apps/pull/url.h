// The few things done with URLs: parts, relative references, escapes. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::apps::pull {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case
  std::string port;    // never empty
  std::string path;    // as written, begins with '/'
  std::string text;    // the whole URL in normal form, without fragment

  // Who answers it: equal origins may see the same secrets.
  [[nodiscard]] std::string Origin() const { return scheme + "://" + host + ":" + port; }
};

// Only http and https, and no user name or password: kInvalidInput otherwise.
Result<Url> ParseUrl(const std::string& text);

// Where `reference` (a Location or Link field, perhaps relative) leads from `base`.
Result<Url> ResolveUrl(const std::string& base, const std::string& reference);

// Percent-encoding of all but letters, digits and "-._~"; EscapePath also keeps '/'.
std::string EscapeSegment(std::string_view text);
std::string EscapePath(std::string_view text);

}  // namespace safeguard::apps::pull
