// Numbers of a JSON Schema: the decimal texts that lie in a range.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/runtime/expression.h"

namespace safeguard::engine {

inline constexpr std::int64_t kJsonWholeMax = 999'999'999'999'999;  // 15 digits: exact in a double

// A bound, as its decimal text: "-12.5" is {true, 12, "5"}.
struct Decimal {
  bool negative = false;
  std::int64_t whole = 0;
  std::string fraction;  // digits without trailing zeros, at most kDecimalsMax

  [[nodiscard]] bool IsZero() const { return whole == 0 && fraction.empty(); }
};

// Reads a JSON number ("1", "-2.50", "1e3"). Beyond 15 digits or kDecimalsMax decimals: kLimit.
Result<Decimal> ParseDecimal(std::string_view text);

struct NumberRange {
  Decimal low{.negative = true, .whole = kJsonWholeMax, .fraction = {}};
  Decimal high{.negative = false, .whole = kJsonWholeMax, .fraction = {}};
  bool low_exclusive = false;
  bool high_exclusive = false;
};

// Without a fraction ("7", "-12", never "-0" or "007"). kNothing when the range has no integer.
ExpressionId IntegersIn(ExpressionArena& arena, const NumberRange& range);

// With a fraction of up to kDecimalsMax digits, or without.
ExpressionId NumbersIn(ExpressionArena& arena, const NumberRange& range);

}  // namespace safeguard::engine
