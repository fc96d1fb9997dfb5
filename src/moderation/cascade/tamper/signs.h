// What shows that a content speaks to whoever judges it, as patterns.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace safeguard::moderation::tamper {

// How much a sign says alone. Two middling ones of different names decide together.
inline constexpr double kStrong = 0.9;
inline constexpr double kMiddling = 0.5;
inline constexpr double kWeak = 0.25;

struct Sign {
  const char* name;
  double weight;
  // A regular expression over folded text (lower case, plain signs, lines kept). A space stands for
  // any run of spaces and signs; "~" for up to five words between.
  const char* pattern;
};

std::span<const Sign> Signs();

// The pattern as Vectorscan takes it.
std::string Expression(std::string_view pattern);

}  // namespace safeguard::moderation::tamper
