// What the sentences of a policy that is written as prose say about content.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "moderation/policy.h"

namespace safeguard::moderation::reading {

// A part of a sentence with a verdict of its own, or without one.
struct ProseClause {
  std::size_t begin = 0;  // bytes of the paragraph
  std::size_t end = 0;
  Side side = Side::kNone;
  bool rest = false;       // about whatever is not named: "everything else"
  bool negative = false;   // "whatever is not a fraud report": the rest, if that was named before
  bool only = false;       // one subject is wanted and nothing else: "only for"
  bool names = false;      // has words that say what content is about
  bool points = false;     // begins with "such", "those", "then": goes on from what was said
  bool exception = false;  // "unless ...": its side, where none is said, is the other one
  bool question = false;   // what the next clause answers
  bool contrary = false;   // "..., does not": the other side, too
};

// In order; they cover the paragraph but for spaces.
std::vector<ProseClause> ReadProseClauses(std::string_view paragraph);

// "Everything else", "Whatever is off topic", "Anything that isn't about it": stands for all that
// is not named. A text that names subjects of its own besides is not one.
bool IsRest(std::string_view text);

}  // namespace safeguard::moderation::reading
