// Cheap tests of whether bytes are text that somebody could have meant to be read.
#pragma once

#include <string_view>

namespace safeguard::moderation {

// Valid UTF-8 without controls (tab and line ends are none), not empty.
bool IsPrintable(std::string_view bytes);

// Printable, and at least three quarters letters, digits and spaces, half of it letters: what
// bytes are that were text before they were encoded, and random ones are not.
bool IsPlausibleText(std::string_view bytes);

// Whether a reader would miss anything had these bytes stayed encoded: a letter, a digit, or a
// character outside ASCII.
bool CarriesWords(std::string_view bytes);

}  // namespace safeguard::moderation
