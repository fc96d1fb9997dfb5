// Many regular expressions found in one pass over a text, in time linear in it: Vectorscan's
// syntax, which is PCRE's without what needs backtracking (back references, look-around).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::patterns {

class Database;

// Immutable and thread-safe after Compile.
class PatternSet {
 public:
  // Over bytes: a class or `.` is one byte, so a character outside ASCII is written as itself and
  // not in a class. `.` matches no line end; `^` and `$` are line ends; letters, digits and \b are
  // ASCII's. kInvalidInput names the expression at fault.
  static Result<std::unique_ptr<PatternSet>> Compile(std::span<const std::string> expressions);
  ~PatternSet();
  PatternSet(const PatternSet&) = delete;
  PatternSet& operator=(const PatternSet&) = delete;

  // Calls hit(index of the expression, end) for every end at which the expression matches, in order
  // of the end. Where a match begins is not told: keeping track of it costs a database twenty times
  // the size. REQUIRES: text of less than 4 GiB.
  using Hit = std::function<void(std::size_t, std::size_t)>;
  Status Scan(std::string_view text, const Hit& hit) const;

 private:
  PatternSet();
  std::unique_ptr<Database> database_;  // null: no expressions
};

}  // namespace safeguard::patterns
