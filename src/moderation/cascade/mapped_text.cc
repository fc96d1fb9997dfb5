#include "moderation/cascade/mapped_text.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "base/utf8.h"

namespace safeguard::moderation {

namespace {

bool IsAscii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) {
    all |= static_cast<unsigned char>(c);
  }
  return all < 0x80;
}

// Appends first, first + 1, ...: by way of a small buffer, so that the large memory, which is fresh
// from the system, is written once and not twice as resize and a loop would.
void AppendCounting(std::uint32_t first, std::size_t count, std::vector<std::uint32_t>& out) {
  std::array<std::uint32_t, 1024> numbers;
  out.reserve(out.size() + count);
  for (std::size_t done = 0; done < count;) {
    const std::size_t size = std::min(count - done, numbers.size());
    std::iota(numbers.begin(), numbers.end(), first + static_cast<std::uint32_t>(done));
    out.insert(out.end(), numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(size));
    done += size;
  }
}

}  // namespace

MappedText Identity(std::string_view text) {
  CHECK(text.size() < std::numeric_limits<std::uint32_t>::max());
  MappedText mapped;
  mapped.text = text;
  // First as if every byte were a code point.
  AppendCounting(0, text.size(), mapped.origin);
  AppendCounting(1, text.size(), mapped.origin_end);
  if (IsAscii(text)) {
    return mapped;
  }
  for (std::size_t i = 0; i < text.size();) {
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const std::size_t end = i + DecodeUtf8(text, i).length;
    for (std::size_t k = i; k < end; ++k) {
      mapped.origin[k] = static_cast<std::uint32_t>(i);
      mapped.origin_end[k] = static_cast<std::uint32_t>(end);
    }
    i = end;
  }
  return mapped;
}

void Rewriter::Copy(std::size_t begin, std::size_t end) {
  const auto from = static_cast<std::ptrdiff_t>(begin);
  const auto to = static_cast<std::ptrdiff_t>(end);
  out_.text.append(source_.text, begin, end - begin);
  out_.origin.insert(out_.origin.end(), source_.origin.begin() + from, source_.origin.begin() + to);
  out_.origin_end.insert(out_.origin_end.end(), source_.origin_end.begin() + from,
                         source_.origin_end.begin() + to);
}

void Rewriter::CopyUpTo(std::size_t end) {
  if (!changed_) {
    changed_ = true;
    out_.text.reserve(source_.text.size());
    out_.origin.reserve(source_.text.size());
    out_.origin_end.reserve(source_.text.size());
  }
  Copy(copied_, end);
}

void Rewriter::Replace(std::size_t begin, std::size_t end, std::string_view with) {
  CHECK(copied_ <= begin && begin < end && end <= source_.text.size());
  if (std::string_view(source_.text).substr(begin, end - begin) == with) {
    return;
  }
  CopyUpTo(begin);
  copied_ = end;
  if (with.empty()) {
    return;
  }
  std::uint32_t first = source_.origin[begin];
  std::uint32_t last = source_.origin_end[begin];
  for (std::size_t i = begin; i < end; ++i) {
    first = std::min(first, source_.origin[i]);
    last = std::max(last, source_.origin_end[i]);
  }
  out_.text += with;
  out_.origin.resize(out_.text.size(), first);
  out_.origin_end.resize(out_.text.size(), last);
}

void Rewriter::Reorder(std::size_t begin, std::size_t end, std::span<const ByteRange> pieces) {
  CHECK(copied_ <= begin && begin < end && end <= source_.text.size());
  CopyUpTo(begin);
  copied_ = end;
  for (const auto& [from, to] : pieces) {
    CHECK(begin <= from && from <= to && to <= end);
    Copy(from, to);
  }
}

std::optional<MappedText> Rewriter::Finish() {
  if (!changed_) {
    return std::nullopt;
  }
  Copy(copied_, source_.text.size());
  if (out_.text == source_.text) {
    return std::nullopt;
  }
  return std::move(out_);
}

}  // namespace safeguard::moderation
