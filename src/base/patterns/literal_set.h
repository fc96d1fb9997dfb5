// Many literal strings found in one pass over a text, whatever their number.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::patterns {

class Database;

// Immutable and thread-safe after Compile.
class LiteralSet {
 public:
  // Bytes are compared as they are: fold case before, in the literals and in the texts. No literals
  // at all are allowed and find nothing. REQUIRES: no empty literal.
  static Result<std::unique_ptr<LiteralSet>> Compile(std::span<const std::string> literals);
  ~LiteralSet();
  LiteralSet(const LiteralSet&) = delete;
  LiteralSet& operator=(const LiteralSet&) = delete;

  // Calls hit(index of the literal, begin, end) for every place where it stands, overlapping ones
  // too, in order of the end. REQUIRES: text of less than 4 GiB.
  using Hit = std::function<void(std::size_t, std::size_t, std::size_t)>;
  Status Scan(std::string_view text, const Hit& hit) const;

 private:
  LiteralSet();
  std::unique_ptr<Database> database_;  // null: no literals
  std::vector<std::size_t> sizes_;
};

}  // namespace safeguard::patterns
