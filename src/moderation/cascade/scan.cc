#include "moderation/cascade/scan.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "moderation/cascade/familiar_words.h"

namespace safeguard::moderation {
namespace {

// Classes of bytes; a word is a run of kLetter and kDigit.
enum Class : std::uint8_t {
  kPlain = 0,
  kLetter = 1,
  kDigit = 2,
  kBase64Sign = 4,  // + / - _
  kLetterSign = 8,  // stands for a letter: @ $ ! | + (
  kCode = 16,       // begins an encoded character: % & backslash
  kUndrawn = 32,    // control or not ASCII
};

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const bool white = c >= '\t' && c <= '\r';
    if ((c < 0x20 && !white) || c >= 0x7F) {
      classes[c] = kUndrawn;
    } else if (c >= '0' && c <= '9') {
      classes[c] = kDigit;
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
      classes[c] = kLetter;
    }
  }
  for (const char c : {'+', '/', '-', '_'}) {
    classes[static_cast<unsigned char>(c)] |= kBase64Sign;
  }
  for (const char c : {'@', '$', '!', '|', '+', '('}) {
    classes[static_cast<unsigned char>(c)] |= kLetterSign;
  }
  for (const char c : {'%', '&', '\\'}) {
    classes[static_cast<unsigned char>(c)] |= kCode;
  }
  return classes;
}();

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Suspicion Read() {
    for (std::size_t i = 0; i < text_.size();) {
      const std::uint8_t kind = ClassAt(i);
      if ((kind & (kLetter | kDigit)) != 0) {
        i = ReadWord(i);
        continue;
      }
      if (kind != kPlain) {
        ReadSign(i, kind);
      }
      if ((kind & kBase64Sign) == 0) {
        digits_begin_ = i + 1;
      }
      ++i;
    }
    found_.turned = LooksBackward(disguised_) || LooksRotated(disguised_);
    if (found_.undrawn) {
      // The cheap tests above know ASCII letters only.
      found_.spaced = found_.leet = true;
    }
    return found_;
  }

 private:
  std::uint8_t ClassAt(std::size_t i) const {
    return i < text_.size() ? kClasses[static_cast<unsigned char>(text_[i])] : std::uint8_t{kPlain};
  }

  std::size_t ReadWord(std::size_t begin) {
    constexpr std::size_t kFewestDigits = 16;
    constexpr std::size_t kFewestPairs = 8;
    std::size_t end = begin;
    std::uint64_t packed = 0;
    std::uint8_t kinds = 0;
    for (std::uint8_t kind = ClassAt(end); (kind & (kLetter | kDigit)) != 0;
         kind = ClassAt(++end)) {
      packed = PackLetter(packed, text_[end]);
      kinds |= kind;
    }
    const std::size_t length = end - begin;
    found_.leet |= kinds == (kLetter | kDigit);
    found_.encoded |= end - digits_begin_ >= kFewestDigits;
    if (length == 1) {
      ++singles_;
      found_.spaced |= singles_ + signs_ >= 3;
    } else {
      singles_ = signs_ = 0;
      if (length >= 3 && length <= 8) {
        AddDisguised(packed, disguised_);
      }
    }
    const bool pair = length == 2 || (length == 4 && text_[begin] == '0');
    pairs_ = pair ? pairs_ + 1 : 0;
    found_.encoded |= pairs_ >= kFewestPairs;
    return end;
  }

  void ReadSign(std::size_t i, std::uint8_t kind) {
    const std::uint8_t before = ClassAt(i - 1);  // of nothing at i == 0: kPlain
    const std::uint8_t after = ClassAt(i + 1);
    constexpr std::uint8_t kAlnum = kLetter | kDigit;
    if ((kind & kUndrawn) != 0) {
      found_.undrawn = true;
    }
    if ((kind & kCode) != 0) {
      found_.encoded |= (after & kAlnum) != 0 || (text_[i] == '&' && text_.substr(i + 1, 1) == "#");
    }
    if ((kind & kLetterSign) != 0) {
      ++signs_;
      found_.spaced |= singles_ > 0 && singles_ + signs_ >= 3;
      // @ and $ may begin or end a word, in a row too, as in "a$$"; before an amount they do not.
      const bool edge = text_[i] == '@' || text_[i] == '$';
      const std::uint8_t beside = edge ? kLetter | kLetterSign : kAlnum | kLetterSign;
      const bool left = (before & beside) != 0;
      const bool right = (after & beside) != 0;
      found_.leet |= edge ? left || right : left && right;
    }
  }

  std::string_view text_;
  Suspicion found_;
  std::size_t digits_begin_ = 0;  // of the base64 characters read so far
  std::size_t singles_ = 0;       // single letters and digits since the last longer word
  std::size_t signs_ = 0;         // signs that may be letters since then
  std::size_t pairs_ = 0;         // words of two since the last other
  Familiarity disguised_;         // never asked for words that read forwards
};

}  // namespace

Suspicion Scan(std::string_view text) {
  return Scanner(text).Read();
}

}  // namespace safeguard::moderation
