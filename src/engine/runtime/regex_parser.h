// The regular expressions of engine/grammar.h, read into an expression over bytes.
#pragma once

#include <string_view>

#include "base/result.h"
#include "engine/runtime/characters.h"
#include "engine/runtime/expression.h"

namespace safeguard::engine {

enum class RegexMatch : std::uint8_t {
  kWhole,   // the expression is the whole text
  kSearch,  // the text has a part that matches, unless ^ and $ tie it to the ends
};

// Errors say what is not understood and at which byte. Nothing in `pattern` is trusted.
Result<ExpressionId> ParseRegex(ExpressionArena& arena, std::string_view pattern, Spelling spelling,
                                RegexMatch match);

}  // namespace safeguard::engine
