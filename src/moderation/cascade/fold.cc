#include "moderation/cascade/fold.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/unicode/properties.h"
#include "base/utf8.h"

namespace safeguard::moderation {
namespace {

bool IsAsciiSpace(unsigned char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// The ASCII sign that `c` is drawn like, or 0.
char PlainSign(char32_t c) {
  if (c >= 0xFF01 && c <= 0xFF5E) {  // fullwidth forms
    return static_cast<char>(c - 0xFEE0);
  }
  struct Likeness {
    std::u32string_view likes;
    char sign;
  };
  static constexpr std::array<Likeness, 11> kLikenesses = {{{U"‹〈⟨《〈˂ᐸ❮", '<'},
                                                            {U"›〉⟩》〉˃ᐳ❯", '>'},
                                                            {U"│┃∣ǀ❘¦｜︱", '|'},
                                                            {U"“”„‟″«»❝❞", '"'},
                                                            {U"‘’‚‛′ʼ", '\''},
                                                            {U"【［⟦〔", '['},
                                                            {U"】］⟧〕", ']'},
                                                            {U"‐‑‒–—―−", '-'},
                                                            {U"：꞉∶ː", ':'},
                                                            {U"▁＿", '_'},
                                                            {U"⁄∕", '/'}}};
  for (const Likeness& likeness : kLikenesses) {
    if (likeness.likes.find(c) != std::u32string_view::npos) {
      return likeness.sign;
    }
  }
  return '\0';
}

class Folder {
 public:
  Folder(std::string_view source, FoldOptions options) : source_(source), options_(options) {
    out_.text.reserve(source.size());
  }

  Folded Run() && {
    while (at_ < source_.size()) {
      const auto byte = static_cast<unsigned char>(source_[at_]);
      if (IsAsciiSpace(byte)) {
        TakeSpace();
      } else if (byte < 0x80) {
        out_.text += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
        ++at_;
      } else {
        TakeWide();
      }
    }
    return std::move(out_);
  }

 private:
  // The white space at at_, if any: its length in bytes.
  [[nodiscard]] std::size_t SpaceAt(std::size_t at) const {
    if (at >= source_.size()) {
      return 0;
    }
    const auto byte = static_cast<unsigned char>(source_[at]);
    if (byte < 0x80) {
      return IsAsciiSpace(byte) ? 1 : 0;
    }
    const DecodedCodePoint point = DecodeUtf8(source_, at);
    return unicode::IsWhiteSpace(point.value) ? point.length : 0;
  }

  void TakeSpace() {
    const std::size_t begin = at_;
    bool line = false;
    while (const std::size_t length = SpaceAt(at_)) {
      line |= source_[at_] == '\n';
      at_ += length;
    }
    Put(line && options_.keep_lines ? "\n" : " ", begin);
  }

  void TakeWide() {
    const DecodedCodePoint point = DecodeUtf8(source_, at_);
    if (unicode::IsWhiteSpace(point.value)) {
      TakeSpace();
      return;
    }
    const std::size_t begin = at_;
    at_ += point.length;
    std::string lower;
    if (const char sign = options_.plain_signs ? PlainSign(point.value) : '\0'; sign != '\0') {
      Put(std::string(1, sign >= 'A' && sign <= 'Z' ? static_cast<char>(sign | 0x20) : sign),
          begin);
      return;
    }
    for (const char32_t c : unicode::ToLower(point.value)) {
      AppendUtf8(c, lower);
    }
    Put(lower, begin);
  }

  // `with` stands for the source from `begin` to at_.
  void Put(std::string_view with, std::size_t begin) {
    if (with.size() != at_ - begin) {
      out_.pieces.push_back({out_.text.size(), out_.text.size() + with.size(), begin, at_});
    }
    out_.text += with;
  }

  std::string_view source_;
  FoldOptions options_;
  std::size_t at_ = 0;
  Folded out_;
};

}  // namespace

std::pair<std::size_t, std::size_t> Folded::MapBack(std::size_t begin, std::size_t end) const {
  CHECK(begin < end && end <= text.size());
  // The last piece that begins at or before a byte, and that byte's place by it.
  const auto place = [&](std::size_t byte) -> std::pair<std::size_t, std::size_t> {
    const auto after = std::ranges::upper_bound(pieces, byte, {}, &Piece::begin);
    if (after == pieces.begin()) {
      return {byte, byte + 1};
    }
    const Piece& piece = *(after - 1);
    if (byte < piece.end) {
      return {piece.source_begin, piece.source_end};
    }
    const std::size_t at = piece.source_end + (byte - piece.end);
    return {at, at + 1};
  };
  return {place(begin).first, place(end - 1).second};
}

Folded Fold(std::string_view text, FoldOptions options) {
  return Folder(text, options).Run();
}

std::string FoldedTrimmed(std::string_view text) {
  std::string folded = Fold(text).text;
  if (folded.ends_with(' ')) {
    folded.pop_back();
  }
  if (folded.starts_with(' ')) {
    folded.erase(0, 1);
  }
  return folded;
}

}  // namespace safeguard::moderation
