#include "engine/text/bert_normalizer.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/check.h"
#include "base/unicode/properties.h"
#include "base/utf8.h"
#include "engine/text/bert_characters.h"

namespace safeguard::engine {

void BertNormalizer::Run(std::string_view text) {
  CHECK(text.size() < 0xFFFFFFFFU);
  for (std::size_t at = 0; at < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, at);
    const auto begin = static_cast<std::uint32_t>(at);
    const TextSpan source{begin, begin + point.length};
    const bool plain = point.value >= ' ' && point.value < 0x7F;
    if (plain && marks_.empty()) {
      last_source_ = source;
      Lower(point.value, source);
    } else {
      Clean(point.value, source);
    }
    at += point.length;
  }
  FlushMarks();
}

void BertNormalizer::Clean(char32_t c, TextSpan source) {
  if (!settings_.clean_text) {
    SetApart(c, source);
  } else if (!IsBertControl(c)) {
    SetApart(unicode::IsWhiteSpace(c) ? U' ' : c, source);
  }
}

void BertNormalizer::SetApart(char32_t c, TextSpan source) {
  if (!settings_.handle_chinese_chars || !IsBertIdeograph(c)) {
    Decompose(c, source);
    return;
  }
  Decompose(U' ', source);
  Decompose(c, source);
  Decompose(U' ', source);
}

// Canonical ordering moves marks past each other. The reference aligns what comes out with what
// went in by position, not by character: the n-th first mark of a run has the n-th source of the
// run, and further marks of a decomposition have the source before them.
void BertNormalizer::Decompose(char32_t c, TextSpan source) {
  if (!settings_.strip_accents) {
    Lower(c, source);
    return;
  }
  bool first = true;
  for (const char32_t part : BertDecomposition(c)) {
    const std::uint8_t combining_class = BertCombiningClass(part);
    if (combining_class != 0) {
      marks_.push_back({part, combining_class, first});
      if (first) {
        sources_.push_back(source);
      }
    } else {
      FlushMarks();
      last_source_ = source;
      Strip(part, source);
    }
    first = false;
  }
}

// A stable counting sort, so that no run of marks costs more than its length.
void BertNormalizer::SortMarks() {
  if (std::ranges::is_sorted(marks_, {}, &Mark::combining_class)) {
    return;
  }
  std::array<std::size_t, 256> places{};
  for (const Mark& mark : marks_) {
    ++places[mark.combining_class];
  }
  std::exclusive_scan(places.begin(), places.end(), places.begin(), std::size_t{0});
  sorted_.resize(marks_.size());
  for (const Mark& mark : marks_) {
    sorted_[places[mark.combining_class]++] = mark;
  }
  marks_.swap(sorted_);
}

void BertNormalizer::FlushMarks() {
  if (marks_.empty()) {
    return;
  }
  SortMarks();
  std::size_t next = 0;
  for (const Mark& mark : marks_) {
    if (mark.first) {
      last_source_ = sources_[next++];
    }
    Strip(mark.c, last_source_);
  }
  marks_.clear();
  sources_.clear();
}

void BertNormalizer::Strip(char32_t c, TextSpan source) {
  if (!IsBertAccent(c)) {
    Lower(c, source);
  }
}

void BertNormalizer::Lower(char32_t c, TextSpan source) {
  if (!settings_.lowercase) {
    sink_.Take(c, source);
    return;
  }
  for (const char32_t lower : BertLower(c)) {
    sink_.Take(lower, source);
  }
}

}  // namespace safeguard::engine
