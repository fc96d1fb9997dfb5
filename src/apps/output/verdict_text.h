// Verdicts for people: a table with the rationales beneath it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "moderation/verdict.h"

namespace safeguard::apps {

// The rationale of a safe verdict stands there only when it is the only verdict.
std::string VerdictText(std::span<const moderation::Verdict> verdicts, std::size_t width,
                        bool color);

// The chain of thought of each verdict that has one; for practitioners.
std::string ReasoningText(std::span<const moderation::Verdict> verdicts, std::size_t width,
                          bool color);

// "1.2 ms", "340 ms", "12 s".
std::string DurationText(double milliseconds);

}  // namespace safeguard::apps
