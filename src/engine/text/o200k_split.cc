#include "engine/text/o200k_split.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cstdint>
#include <limits>

#include "base/check.h"
#include "engine/text/o200k/newer_letters.h"

namespace safeguard::engine {
namespace {

// White space is spelled out: PCRE2's \s has U+180E, which the property White_Space has not.
#define SPACE R"(\t-\r\x{85}\p{Z})"
#define UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define ENDING R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
constexpr char kPattern[] = R"([^\r\n\p{L}\p{N}]?)" UPPER "*" LOWER "+" ENDING   //
                            R"(|[^\r\n\p{L}\p{N}]?)" UPPER "+" LOWER "*" ENDING  //
                            R"(|\p{N}{1,3})"                                     //
                            R"(| ?[^)" SPACE R"(\p{L}\p{N}]+[\r\n/]*)"           //
                            R"(|[)" SPACE R"(]*[\r\n]+)"                         //
                            R"(|[)" SPACE R"(]+(?![^)" SPACE R"(]))"             //
                            R"(|[)" SPACE R"(]+)";
#undef SPACE
#undef UPPER
#undef LOWER
#undef ENDING

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Code = std::unique_ptr<pcre2_code, FreeWith<pcre2_code_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, FreeWith<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, FreeWith<pcre2_match_context_free>>;

}  // namespace

struct O200kSplit::Compiled {
  Code code;
  MatchContext limits;
};

O200kSplit::O200kSplit(Matcher matcher) {
  int error = 0;
  PCRE2_SIZE where = 0;
  auto compiled = std::make_unique<Compiled>();
  compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(kPattern), sizeof(kPattern) - 1,
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED, &error, &where,
                                     nullptr));
  CHECK(compiled->code != nullptr);
  if (matcher == Matcher::kJit) {
    // On failure the code stays without machine code, and pcre2_match interprets it.
    pcre2_jit_compile(compiled->code.get(), PCRE2_JIT_COMPLETE);
  }
  compiled->limits.reset(pcre2_match_context_create(nullptr));
  CHECK(compiled->limits != nullptr);
  // Backtracking in this pattern only gives back what one repeat took, so its cost is bounded by
  // the piece; the default limit would stop at pieces of some megabytes.
  pcre2_set_match_limit(compiled->limits.get(), std::numeric_limits<std::uint32_t>::max());
  compiled_ = std::move(compiled);
}

O200kSplit::~O200kSplit() = default;

void O200kSplit::ForEachPiece(std::string_view text,
                              const std::function<void(std::size_t, std::size_t)>& piece) const {
  const MatchData match(pcre2_match_data_create(1, nullptr));
  CHECK(match != nullptr);
  const std::optional<std::string> known = WithoutNewerLetters(text);
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(known ? known->data() : text.data());
  for (std::size_t at = 0; at < text.size();) {
    const auto run = [&](std::uint32_t options) {
      return pcre2_match(compiled_->code.get(), subject, text.size(), at,
                         PCRE2_NO_UTF_CHECK | options, match.get(), compiled_->limits.get());
    };
    int found = run(0);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
      found = run(PCRE2_NO_JIT);
    }
    // Every character begins one of the alternatives and no limit is set: what is left is a bug
    // or an allocation that failed, and neither may drop text silently.
    CHECK(found > 0);
    const std::size_t end = pcre2_get_ovector_pointer(match.get())[1];
    CHECK(end > at);
    CHECK(end <= text.size());
    piece(at, end);
    at = end;
  }
}

}  // namespace safeguard::engine
