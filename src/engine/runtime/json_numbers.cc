#include "engine/runtime/json_numbers.h"

#include <algorithm>
#include <vector>

#include "engine/grammar.h"

namespace safeguard::engine {
namespace {

// Magnitudes: numbers without a sign.
struct Magnitude {
  std::int64_t whole = 0;
  std::string fraction;
  bool exclusive = false;
};

ExpressionId Digit(ExpressionArena& arena, char first, char last) {
  return first > last
             ? kNothing
             : arena.ByteRange(static_cast<unsigned char>(first), static_cast<unsigned char>(last));
}

ExpressionId DigitsUpTo(ExpressionArena& arena, std::size_t min, std::size_t max) {
  return arena.Repeat(Digit(arena, '0', '9'), static_cast<std::uint32_t>(min),
                      static_cast<std::uint32_t>(max));
}

// Texts of exactly low.size() digits between two such texts.
ExpressionId SameLength(ExpressionArena& arena, std::string_view low, std::string_view high) {
  if (low.empty()) {
    return kEmpty;
  }
  const std::size_t rest = low.size() - 1;
  if (low[0] == high[0]) {
    return arena.Concat(Digit(arena, low[0], low[0]),
                        SameLength(arena, low.substr(1), high.substr(1)));
  }
  const std::string zeros(rest, '0');
  const std::string nines(rest, '9');
  std::vector<ExpressionId> parts;
  parts.push_back(
      arena.Concat(Digit(arena, low[0], low[0]), SameLength(arena, low.substr(1), nines)));
  parts.push_back(
      arena.Concat(Digit(arena, static_cast<char>(low[0] + 1), static_cast<char>(high[0] - 1)),
                   DigitsUpTo(arena, rest, rest)));
  parts.push_back(
      arena.Concat(Digit(arena, high[0], high[0]), SameLength(arena, zeros, high.substr(1))));
  return arena.Alternatives(std::move(parts));
}

// Whole numbers in [low, high], 0 <= low.
ExpressionId Wholes(ExpressionArena& arena, std::int64_t low, std::int64_t high) {
  std::vector<ExpressionId> parts;
  while (low <= high) {
    const std::string text = std::to_string(low);
    const std::int64_t longest = std::stoll(std::string(text.size(), '9'));
    const std::string last = std::to_string(std::min(high, longest));
    parts.push_back(SameLength(arena, text, last));
    low = longest + 1;
  }
  return arena.Alternatives(std::move(parts));
}

// What may stand after the `at`-th digit of a fraction so that it is at least `fraction`.
ExpressionId AtLeast(ExpressionArena& arena, std::string_view fraction, std::size_t at,
                     bool exclusive) {
  const std::size_t room = kDecimalsMax - at;
  if (at == fraction.size()) {
    if (!exclusive) {
      return DigitsUpTo(arena, 0, room);
    }
    std::vector<ExpressionId> parts;  // zeros, then a digit above zero
    parts.reserve(room);
    for (std::size_t zeros = 0; zeros < room; ++zeros) {
      parts.push_back(arena.Concat(
          arena.Literal(std::string(zeros, '0')),
          arena.Concat(Digit(arena, '1', '9'), DigitsUpTo(arena, 0, room - zeros - 1))));
    }
    return arena.Alternatives(std::move(parts));
  }
  const char digit = fraction[at];
  return arena.Alternatives(
      {arena.Concat(Digit(arena, static_cast<char>(digit + 1), '9'),
                    DigitsUpTo(arena, 0, room - 1)),
       arena.Concat(Digit(arena, digit, digit), AtLeast(arena, fraction, at + 1, exclusive))});
}

// The same for at most `fraction`.
ExpressionId AtMost(ExpressionArena& arena, std::string_view fraction, std::size_t at,
                    bool exclusive) {
  const std::size_t room = kDecimalsMax - at;
  if (at == fraction.size()) {
    return exclusive ? kNothing
                     : arena.Repeat(Digit(arena, '0', '0'), 0, static_cast<std::uint32_t>(room));
  }
  const char digit = fraction[at];
  const ExpressionId more = arena.Alternatives(
      {arena.Concat(Digit(arena, '0', static_cast<char>(digit - 1)),
                    DigitsUpTo(arena, 0, room - 1)),
       arena.Concat(Digit(arena, digit, digit), AtMost(arena, fraction, at + 1, exclusive))});
  // Ending here is ending with zeros, and the fraction has a digit above zero to come.
  return at == 0 ? more : arena.Alternatives({kEmpty, more});
}

// "" or "." with digits: the fractions from `low` on, of the whole number that `low` has.
ExpressionId FractionsFrom(ExpressionArena& arena, const Magnitude& low) {
  const ExpressionId point = arena.Literal(".");
  if (low.fraction.empty() && !low.exclusive) {
    return arena.Repeat(arena.Concat(point, DigitsUpTo(arena, 1, kDecimalsMax)), 0, 1);
  }
  return arena.Concat(point, AtLeast(arena, low.fraction, 0, low.exclusive));
}

ExpressionId FractionsTo(ExpressionArena& arena, const Magnitude& high) {
  const ExpressionId point = arena.Literal(".");
  if (high.fraction.empty()) {
    const ExpressionId zeros =
        arena.Repeat(arena.Literal("0"), 1, static_cast<std::uint32_t>(kDecimalsMax));
    return high.exclusive ? kNothing : arena.Repeat(arena.Concat(point, zeros), 0, 1);
  }
  return arena.Alternatives(
      {kEmpty, arena.Concat(point, AtMost(arena, high.fraction, 0, high.exclusive))});
}

ExpressionId Magnitudes(ExpressionArena& arena, const Magnitude& low, const Magnitude& high,
                        bool fractions) {
  if (!fractions) {
    const bool above = !low.fraction.empty() || low.exclusive;
    const bool below = high.fraction.empty() && high.exclusive;
    return Wholes(arena, low.whole + (above ? 1 : 0), high.whole - (below ? 1 : 0));
  }
  if (low.whole > high.whole) {
    return kNothing;
  }
  if (low.whole == high.whole) {
    return arena.Concat(Wholes(arena, low.whole, low.whole),
                        arena.Both(FractionsFrom(arena, low), FractionsTo(arena, high)));
  }
  const ExpressionId any =
      arena.Repeat(arena.Concat(arena.Literal("."), DigitsUpTo(arena, 1, kDecimalsMax)), 0, 1);
  return arena.Alternatives(
      {arena.Concat(Wholes(arena, low.whole, low.whole), FractionsFrom(arena, low)),
       arena.Concat(Wholes(arena, low.whole + 1, high.whole - 1), any),
       arena.Concat(Wholes(arena, high.whole, high.whole), FractionsTo(arena, high))});
}

ExpressionId NumbersOf(ExpressionArena& arena, const NumberRange& range, bool fractions) {
  std::vector<ExpressionId> parts;
  const Magnitude zero{.whole = 0, .fraction = {}, .exclusive = true};
  if (range.low.negative) {
    // From -low down to zero or to -high; zero itself is written without a sign.
    const Magnitude far{range.low.whole, range.low.fraction, range.low_exclusive};
    const Magnitude near =
        range.high.negative ? Magnitude{range.high.whole, range.high.fraction, range.high_exclusive}
                            : zero;
    parts.push_back(arena.Concat(arena.Literal("-"), Magnitudes(arena, near, far, fractions)));
  }
  if (!range.high.negative) {
    const Magnitude high{range.high.whole, range.high.fraction, range.high_exclusive};
    const Magnitude low = range.low.negative
                              ? Magnitude{}
                              : Magnitude{range.low.whole, range.low.fraction, range.low_exclusive};
    parts.push_back(Magnitudes(arena, low, high, fractions));
  }
  return arena.Alternatives(std::move(parts));
}

}  // namespace

Result<Decimal> ParseDecimal(std::string_view text) {
  Decimal decimal;
  decimal.negative = text.starts_with('-');
  std::string digits;
  std::int64_t point = -1;
  std::int64_t exponent = 0;
  for (std::size_t i = decimal.negative ? 1 : 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      point = static_cast<std::int64_t>(digits.size());
    } else if (c == 'e' || c == 'E') {
      const std::string rest(text.substr(i + 1));
      exponent = rest.size() > 4 ? 9999 : std::stoll(rest);
      break;
    } else {
      digits += c;
    }
  }
  point = (point < 0 ? static_cast<std::int64_t>(digits.size()) : point) + exponent;
  while (!digits.empty() && digits.front() == '0') {
    digits.erase(0, 1);
    --point;
  }
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
  }
  if (digits.empty()) {
    return Decimal{};
  }
  const std::int64_t decimals = static_cast<std::int64_t>(digits.size()) - point;
  if (point > 15 || decimals > static_cast<std::int64_t>(kDecimalsMax)) {
    return Fail(ErrorCode::kLimit, "the bound " + std::string(text.substr(0, 40)),
                "a number has at most 15 digits and " + std::to_string(kDecimalsMax) + " decimals");
  }
  if (point < 0) {
    digits.insert(0, static_cast<std::size_t>(-point), '0');
    point = 0;
  }
  if (static_cast<std::int64_t>(digits.size()) < point) {
    digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
  }
  decimal.whole = point == 0 ? 0 : std::stoll(digits.substr(0, static_cast<std::size_t>(point)));
  decimal.fraction = digits.substr(static_cast<std::size_t>(point));
  return decimal;
}

ExpressionId IntegersIn(ExpressionArena& arena, const NumberRange& range) {
  return NumbersOf(arena, range, /*fractions=*/false);
}

ExpressionId NumbersIn(ExpressionArena& arena, const NumberRange& range) {
  return NumbersOf(arena, range, /*fractions=*/true);
}

}  // namespace safeguard::engine
