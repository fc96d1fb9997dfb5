// Cuts text into the pieces that o200k merges within. The pattern is that of o200k_base and
// o200k_harmony (tiktoken, openai_public.py), run by PCRE2. Which characters are letters, marks and
// numbers is that of Unicode 16, as in openai_harmony: what PCRE2's own Unicode version (14 in
// Debian 12) does not know yet is added (newer_letters.h).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace safeguard::engine {

// The expression as published: what a tokenizer.json must say to be split by this class.
inline constexpr std::string_view kO200kPattern =
    R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)re"
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)?)re"
    R"re(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)re"
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)?)re"
    R"re(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

class O200kSplit {
 public:
  enum class Matcher { kJit, kInterpreter };

  // kJit falls back to the interpreter where a system forbids run-time code, or where a match
  // needs more than the JIT's fixed stack: slower, same pieces.
  explicit O200kSplit(Matcher matcher = Matcher::kJit);
  ~O200kSplit();
  O200kSplit(const O200kSplit&) = delete;
  O200kSplit& operator=(const O200kSplit&) = delete;

  // Calls piece(begin, end) for each piece, in order; together they cover the text. Linear for
  // runs of one kind of character. Thread-safe. REQUIRES: valid UTF-8.
  void ForEachPiece(std::string_view text,
                    const std::function<void(std::size_t, std::size_t)>& piece) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace safeguard::engine
