#include "moderation/cascade/turn.h"

#include <algorithm>
#include <functional>

#include "base/unicode/characters.h"
#include "base/utf8.h"
#include "moderation/cascade/familiar_words.h"

namespace safeguard::moderation {
namespace {

// [begin, end) turned round, a letter and its marks kept together.
void Reverse(std::string_view text, ByteRange range, Rewriter& rewriter) {
  std::vector<ByteRange> pieces;
  for (std::size_t i = range.first; i < range.second;) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    const bool mark = point.value >= 0x300 && unicode::KindOf(point.value) == unicode::Kind::kMark;
    if (mark && !pieces.empty()) {
      pieces.back().second += point.length;
    } else {
      pieces.emplace_back(i, i + point.length);
    }
    i += point.length;
  }
  std::ranges::reverse(pieces);
  rewriter.Reorder(range.first, range.second, pieces);
}

using Looks = bool (*)(const Familiarity&);

// Adds the clauses of the line [begin, end) that look disguised.
void AddClauses(std::string_view text, ByteRange line, Looks looks, std::vector<ByteRange>& parts) {
  for (std::size_t begin = line.first; begin < line.second;) {
    const std::size_t end = std::min(text.find_first_of(".!?:;()\"\r\n", begin), line.second);
    if (looks(Familiar(text.substr(begin, end - begin)))) {
      parts.emplace_back(begin, end);
    }
    begin = end + 1;
  }
}

// The parts of `text` that look disguised: whole lines, or the clauses of a line that has plain
// words too.
std::vector<ByteRange> FindParts(std::string_view text, Looks looks) {
  std::vector<ByteRange> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const ByteRange line = {begin, std::min(text.find_first_of("\r\n", begin), text.size())};
    const Familiarity found = Familiar(text.substr(begin, line.second - begin));
    const std::size_t before = parts.size();
    if (found.forward != 0) {
      AddClauses(text, line, looks, parts);
    }
    if (parts.size() == before && looks(found)) {
      parts.push_back(line);
    }
    begin = line.second + 1;
  }
  return parts;
}

// The runs of bytes of `source` that come from the `overridden` parts of the original.
std::vector<ByteRange> Shown(const MappedText& source, std::span<const ByteRange> overridden) {
  std::vector<ByteRange> runs;
  std::size_t at = 0;
  for (const auto& [first, last] : overridden) {
    const auto before = [](std::uint32_t origin, std::size_t offset) { return origin < offset; };
    const auto begin = std::lower_bound(source.origin.begin() + static_cast<std::ptrdiff_t>(at),
                                        source.origin.end(), first, before);
    const auto end = std::lower_bound(begin, source.origin.end(), last, before);
    at = static_cast<std::size_t>(end - source.origin.begin());
    if (begin != end) {
      runs.emplace_back(static_cast<std::size_t>(begin - source.origin.begin()), at);
    }
  }
  return runs;
}

}  // namespace

std::vector<ByteRange> OverriddenRanges(std::string_view original) {
  constexpr std::string_view kOverride = "\u202E";
  constexpr std::string_view kPop = "\u202C";
  std::vector<ByteRange> ranges;
  for (std::size_t i = original.find(kOverride); i < original.size();) {
    const std::size_t begin = i + kOverride.size();
    const std::size_t line = std::min(original.find_first_of("\r\n", begin), original.size());
    const std::size_t length = original.substr(begin, line - begin).find(kPop);
    const std::size_t end = length == std::string_view::npos ? line : begin + length;
    ranges.emplace_back(begin, end);
    i = original.find(kOverride, end);
  }
  return ranges;
}

std::optional<MappedText> TurnBackward(const MappedText& source,
                                       std::span<const ByteRange> overridden) {
  std::optional<MappedText> shown;
  if (!overridden.empty()) {
    Rewriter rewriter(source);
    for (const ByteRange& run : Shown(source, overridden)) {
      Reverse(source.text, run, rewriter);
    }
    shown = rewriter.Finish();
  }
  const MappedText& from = shown ? *shown : source;
  Rewriter rewriter(from);
  for (const ByteRange& part : FindParts(from.text, LooksBackward)) {
    Reverse(from.text, part, rewriter);
  }
  std::optional<MappedText> turned = rewriter.Finish();
  return turned ? std::move(turned) : std::move(shown);
}

std::optional<MappedText> UndoRot13(const MappedText& source) {
  Rewriter rewriter(source);
  for (const auto& [begin, end] : FindParts(source.text, LooksRotated)) {
    for (std::size_t i = begin; i < end; ++i) {
      const char c = source.text[i];
      const char lower = static_cast<char>(c | 0x20);
      if (lower >= 'a' && lower <= 'z') {
        const char letter = static_cast<char>(c + (lower < 'n' ? 13 : -13));
        rewriter.Replace(i, i + 1, std::string_view(&letter, 1));
      }
    }
  }
  return rewriter.Finish();
}

}  // namespace safeguard::moderation
