// A long content in short: pieces taken evenly over its whole length.
#pragma once

#include <cstddef>
#include <string>

#include "moderation/content.h"

namespace safeguard::moderation::language {

inline constexpr std::size_t kSampleBytes = std::size_t{64} << 10;

// All text of the content, a line a message, where it has at most kSampleBytes; else 32 pieces of
// it, each of whole code points. Valid UTF-8.
std::string SampleOf(const Content& content);

}  // namespace safeguard::moderation::language
