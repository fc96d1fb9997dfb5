#include "moderation/cascade/decode.h"

#include <array>
#include <bitset>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "moderation/cascade/codecs.h"
#include "moderation/cascade/plausible.h"

namespace safeguard::moderation {
namespace {

enum Kind : std::uint8_t { kBase64, kBase32, kHex, kPercent, kEntities, kEscapes, kKinds };
constexpr std::array<const char*, kKinds> kNames = {"base64",  "base32",   "hex",
                                                    "percent", "entities", "escapes"};

struct Edit {
  std::size_t begin;
  std::size_t end;
  std::string text;
  Kind kind;
};

constexpr std::size_t kFewestDigits = 16;
constexpr std::size_t kFewestPairs = 8;

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::vector<Edit> Read() {
    for (std::size_t i = 0; i < text_.size();) {
      const char c = text_[i];
      if (c == '&') {
        i = Take(i, ReadEntity(text_, i), kEntities);
      } else if (c == '%') {
        i = Take(i, ReadPercent(text_, i), kPercent);
      } else if (c == '\\') {
        i = Take(i, ReadEscapes(text_, i), kEscapes);
      } else if (IsBase64Char(c)) {
        i = ReadDigits(i);
      } else {
        ++i;
      }
    }
    return std::move(edits_);
  }

  // The kinds that yielded words.
  const std::bitset<kKinds>& telling() const { return telling_; }

 private:
  std::size_t Take(std::size_t at, std::optional<Reference> read, Kind kind) {
    if (!read) {
      return at + 1;
    }
    const std::size_t end = at + read->length;
    // A reference to nothing (&shy;) splits a word: as telling as a letter.
    Add(at, end, std::move(read->text), kind);
    return end;
  }

  void Add(std::size_t begin, std::size_t end, std::string decoded, Kind kind) {
    telling_[kind] = telling_[kind] || decoded.empty() || CarriesWords(decoded);
    edits_.push_back({begin, end, std::move(decoded), kind});
  }

  // A run of base64 characters that starts at `at`; returns where to read on.
  std::size_t ReadDigits(std::size_t at) {
    std::size_t end = at;
    while (end < text_.size() && IsBase64Char(text_[end])) {
      ++end;
    }
    if (end - at == 2 || end - at == 4) {
      if (const std::size_t pairs = ReadPairs(at); pairs > at) {
        return pairs;
      }
    }
    if (end - at < kFewestDigits) {
      return end;
    }
    if (const std::size_t wrapped = ReadWrapped(at, end); wrapped > end) {
      return wrapped;
    }
    if (TryRun(at, end)) {
      return edits_.back().end;
    }
    // What looks like one run may be a path or several runs: try its alphanumeric parts.
    for (std::size_t i = at; i < end;) {
      std::size_t part = i;
      while (part < end && IsAlnum(text_[part])) {
        ++part;
      }
      if (part - i >= kFewestDigits && part - i < end - at) {
        TryRun(i, part);
      }
      i = part + 1;
    }
    return end;
  }

  // Decodes the run [begin, end) when that gives plausible text.
  bool TryRun(std::size_t begin, std::size_t end) {
    const std::string_view digits = text_.substr(begin, end - begin);
    const std::pair<Kind, std::optional<std::string>> tries[] = {
        {kHex, FromHex(digits)}, {kBase32, FromBase32(digits)}, {kBase64, FromBase64(digits)}};
    for (const auto& [kind, bytes] : tries) {
      if (bytes && IsPlausibleText(*bytes)) {
        while (end < text_.size() && text_[end] == '=') {
          ++end;
        }
        Add(begin, end, *bytes, kind);
        return true;
      }
    }
    return false;
  }

  // Base64 in lines of equal length (RFC 2045: 76, PEM: 64); returns its end, or `end`.
  std::size_t ReadWrapped(std::size_t begin, std::size_t end) {
    constexpr std::size_t kShortestLine = 40;
    const std::size_t width = end - begin;
    if (width < kShortestLine || width % 4 != 0 || begin < unwrapped_) {
      return end;
    }
    std::string digits(text_.substr(begin, width));
    std::size_t last = end;
    for (std::size_t line = width; line == width;) {
      std::size_t next = last;
      next += text_.substr(next, 1) == "\r" ? 1 : 0;
      if (text_.substr(next, 1) != "\n") {
        break;
      }
      const std::size_t start = ++next;
      while (next < text_.size() && IsBase64Char(text_[next])) {
        ++next;
      }
      line = next - start;
      if (line == 0 || line > width) {
        break;
      }
      digits += text_.substr(start, line);
      last = next;
    }
    unwrapped_ = last;
    std::optional<std::string> bytes = last > end ? FromBase64(digits) : std::nullopt;
    if (!bytes || !IsPlausibleText(*bytes)) {
      return end;
    }
    while (last < text_.size() && text_[last] == '=') {
      ++last;
    }
    Add(begin, last, std::move(*bytes), kBase64);
    return last;
  }

  // Pairs of hex digits, each with or without 0x, apart by the same one or two characters, from
  // `at`; returns their end, or `at`.
  std::size_t ReadPairs(std::size_t at) {
    const std::size_t prefix = text_.substr(at, 2) == "0x" || text_.substr(at, 2) == "0X" ? 2 : 0;
    std::string bytes;
    std::string_view gap;
    std::size_t end = at;
    for (std::size_t i = at; i + prefix + 2 <= text_.size();) {
      const std::string_view pair = text_.substr(i + prefix, 2);
      const bool prefixed = prefix == 0 || (text_[i] == '0' && (text_[i + 1] | 0x20) == 'x');
      if (!prefixed || HexValue(pair[0]) < 0 || HexValue(pair[1]) < 0) {
        break;
      }
      bytes += static_cast<char>(HexValue(pair[0]) * 16 + HexValue(pair[1]));
      end = i + prefix + 2;
      if (gap.empty()) {
        gap = text_.substr(end, 1);
        gap = text_.substr(end, gap == "," && text_.substr(end + 1, 1) == " " ? 2 : 1);
      }
      if (gap.empty() || IsAlnum(gap[0]) || text_.substr(end, gap.size()) != gap) {
        break;
      }
      i = end + gap.size();
    }
    const bool cut = end < text_.size() && IsAlnum(text_[end]);
    if (bytes.size() < kFewestPairs) {
      return at;
    }
    if (cut || !IsPlausibleText(bytes)) {
      return end;  // read once, whatever it is
    }
    Add(at, end, std::move(bytes), kHex);
    return end;
  }

  std::string_view text_;
  std::vector<Edit> edits_;
  std::bitset<kKinds> telling_;
  std::size_t unwrapped_ = 0;  // lines before it have been tried as wrapped base64, together
};

}  // namespace

std::optional<Decoded> Decode(const MappedText& source) {
  Reader reader(source.text);
  const std::vector<Edit> edits = reader.Read();
  if (reader.telling().none()) {
    return std::nullopt;
  }
  Rewriter rewriter(source);
  for (const Edit& edit : edits) {
    if (reader.telling()[edit.kind]) {
      rewriter.Replace(edit.begin, edit.end, edit.text);
    }
  }
  std::optional<MappedText> made = rewriter.Finish();
  if (!made) {
    return std::nullopt;
  }
  std::string kind = "decoded";
  for (std::size_t k = 0; k < kKinds; ++k) {
    if (reader.telling().count() == 1 && reader.telling()[k]) {
      kind = kNames[k];
    }
  }
  return Decoded{std::move(*made), std::move(kind)};
}

}  // namespace safeguard::moderation
