// Terms and allowed phrases, compiled, found in a folded text at the boundaries that each asks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/patterns/literal_set.h"
#include "base/result.h"
#include "moderation/lists.h"

namespace safeguard::moderation::lists {

// The literal that stands for a term: composed, folded, without a space at its ends.
std::string TermLiteral(std::string_view term);

// Whether [begin, end) of `text` stands as `match` asks. A word is a run of letters, marks and
// digits; in scripts written without spaces, and Hangul, every place is a boundary.
bool StandsAs(TermMatch match, std::string_view text, std::size_t begin, std::size_t end);

// Immutable; thread-safe.
class TermIndex {
 public:
  struct Term {
    std::string value;  // as written
    TermMatch match = TermMatch::kWord;
    std::uint32_t entry = 0;  // the caller's number for it
    bool allows = false;
  };
  static Result<std::unique_ptr<TermIndex>> Compile(const std::vector<Term>& terms);

  // Calls hit(entry, begin, end) for every place of a term for which `counts(entry)` that does not
  // lie within an allowed phrase for which `counts`. Places are bytes of `folded`.
  Status Find(std::string_view folded, const std::function<bool(std::uint32_t)>& counts,
              const std::function<void(std::uint32_t, std::size_t, std::size_t)>& hit) const;

  [[nodiscard]] bool empty() const { return terms_.empty(); }

 private:
  struct Known {
    TermMatch match;
    std::uint32_t entry;
  };
  std::vector<Known> terms_;
  std::vector<Known> allows_;
  std::unique_ptr<patterns::LiteralSet> term_set_;
  std::unique_ptr<patterns::LiteralSet> allow_set_;
};

}  // namespace safeguard::moderation::lists
