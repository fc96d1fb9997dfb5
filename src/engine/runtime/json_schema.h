// The JSON Schema subset of engine/grammar.h, read into an expression over bytes.
#pragma once

#include <string_view>

#include "base/result.h"
#include "engine/grammar.h"
#include "engine/runtime/expression.h"

namespace safeguard::engine {

// Errors name the place in the schema as a JSON pointer. Nothing in `schema` is trusted.
Result<ExpressionId> ParseJsonSchema(ExpressionArena& arena, std::string_view schema,
                                     JsonLayout layout);

}  // namespace safeguard::engine
