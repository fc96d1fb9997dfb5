// What a label says: violation, safe, or that it is not known. Never a guess.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "eval/dataset.h"

namespace safeguard::eval {

// true: violation; false: safe; empty: unknown ("", null, "missing", "n/a" ...). An array or a
// text with several labels ("D-SP2, R-SP0") is a violation when one of them is, safe when all are;
// an object of {name: value} likewise. Anything else that is not understood is an error that names
// the value and says how to map it.
Result<std::optional<bool>> ReadLabel(const nlohmann::json& value, const ColumnMapping& mapping);

// Any known positive: true; all known and negative (at least one): false; else empty.
std::optional<bool> AnyPositive(const std::vector<LabelValue>& labels);

// The label as one line of text.
std::string LabelText(const nlohmann::json& value);

}  // namespace safeguard::eval
