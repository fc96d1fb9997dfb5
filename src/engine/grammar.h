// What an answer may be: a JSON Schema, a choice of labels or a regular expression, compiled to one
// automaton over bytes. Everything is bounded: a source over a limit is kLimit, one that uses what
// is not supported is kInvalidInput and names it.
//
// JSON Schema: `type` (one or a list), `properties` (written in the order of the schema's text;
// those not in `required` may be left out), `required`, `additionalProperties` (false or absent:
// none are ever written), `items`, `minItems`, `maxItems`, `minLength`, `maxLength`, `pattern`,
// `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `enum`, `const`, `anyOf`,
// `nullable`. Annotations (title, description, default, examples, ...) are ignored. Every value has
// one spelling: strings escape only what they must, numbers have no exponent, at most
// kDecimalsMax decimals and 15 digits before them. Lengths count code points.
//
// Regular expressions: literals, . [classes] (groups) (?:groups) | * + ? {m} {m,} {m,n}, \d \w \s
// and their opposites (ASCII), \n \t \r \f \v \0 \xHH \uHHHH. As a whole grammar an expression
// matches the whole answer; ^ and $ may stand at its ends. A schema's `pattern` may match anywhere,
// as JSON Schema says, unless ^ and $ tie it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::engine {

class Automaton;

inline constexpr std::size_t kSchemaBytesMax = 1 << 18;
inline constexpr std::size_t kSchemaDepthMax = 32;
inline constexpr std::size_t kSchemaPropertiesMax = 256;  // of one object
inline constexpr std::size_t kSchemaEnumMax = 4096;       // values of one enum
inline constexpr std::size_t kRegexBytesMax = 1 << 14;
inline constexpr std::size_t kRegexDepthMax = 64;
inline constexpr std::uint32_t kRegexRepeatMax = 10'000;
inline constexpr std::uint32_t kSchemaCountMax = 1'000'000;  // maxLength, maxItems
inline constexpr std::size_t kChoicesMax = 4096;
inline constexpr std::size_t kChoiceBytesMax = 1 << 16;  // of all labels together
inline constexpr std::size_t kDecimalsMax = 6;

// White space between the parts of a JSON value. One layout leaves nothing to choose there, so
// those bytes are forced and not sampled.
enum class JsonLayout : std::uint8_t {
  kCompact,  // {"a":1,"b":[1,2]}
  kSpaced,   // {"a": 1, "b": [1, 2]}
  kEither,   // after each colon and comma, a space or none
};

// Immutable to its users; may be used from several threads and by several generators at once.
class Grammar {
 public:
  static Result<std::shared_ptr<const Grammar>> FromJsonSchema(
      std::string_view schema, JsonLayout layout = JsonLayout::kCompact);
  // At least one label, none empty, valid UTF-8.
  static Result<std::shared_ptr<const Grammar>> FromChoice(std::span<const std::string> labels);
  static Result<std::shared_ptr<const Grammar>> FromRegex(std::string_view pattern);

  virtual ~Grammar() = default;

  // Whether the whole of `text` is an answer. kLimit when the grammar needs too many states for it.
  [[nodiscard]] virtual Result<bool> Matches(std::string_view text) const = 0;

  // The automaton to run an answer with. Its states are made as they are met; when half of its
  // room is used, the next caller gets a fresh one.
  [[nodiscard]] virtual std::shared_ptr<Automaton> automaton() const = 0;
};

}  // namespace safeguard::engine
