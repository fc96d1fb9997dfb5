// Any bytes, repaired to UTF-8, through the canonical views and the sentence splitter, with all
// that moderation/views.h promises checked.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "moderation/views.h"

namespace {

using safeguard::moderation::CanonicalViews;
using safeguard::moderation::MapToOriginal;
using safeguard::moderation::Sentences;
using safeguard::moderation::View;

bool IsBoundary(std::string_view text, std::size_t at) {
  return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80;
}

void CheckView(const View& view, std::string_view original, std::size_t salt) {
  CHECK(!safeguard::FirstInvalidUtf8(view.text));
  CHECK(view.origin.size() == view.text.size() && view.origin_end.size() == view.text.size());
  for (std::size_t i = 0; i < view.text.size(); ++i) {
    CHECK(view.origin[i] < view.origin_end[i] && view.origin_end[i] <= original.size());
    CHECK(IsBoundary(original, view.origin[i]) && IsBoundary(original, view.origin_end[i]));
  }
  const std::size_t begin = view.text.empty() ? 0 : salt % view.text.size();
  const std::size_t end = begin + (view.text.size() - begin) / 2;
  const auto [first, last] = MapToOriginal(view, begin, end);
  CHECK(first <= last && last <= original.size() && (begin == end) == (first == last));
  CHECK(IsBoundary(original, first) && IsBoundary(original, last));
}

void CheckViews(const std::string& text, std::size_t salt) {
  const std::vector<View> views = CanonicalViews(text);
  CHECK(!views.empty() && views.size() <= 8);
  CHECK(views.front().name == "original" && views.front().text == text);
  std::size_t total = 0;
  for (std::size_t i = 0; i < views.size(); ++i) {
    CheckView(views[i], text, salt);
    total += views[i].text.size();
    for (std::size_t k = 0; k < i; ++k) {
      CHECK(views[i].text != views[k].text && views[i].name != views[k].name);
    }
    if (views[i].name == "normalised") {
      for (const View& again : CanonicalViews(views[i].text)) {
        CHECK(again.name != "normalised");
      }
    }
  }
  CHECK(total <= 4 * text.size() + 256);
}

void CheckSentences(const std::string& text, std::size_t bytes_max) {
  std::size_t next = 0;
  const auto gap_is_white = [&](std::size_t begin, std::size_t end) {
    // Only white space lies between sentences; none of it is a byte above ASCII's but these.
    constexpr std::string_view kLeads = "\xC2\xE1\xE2\xE3";
    return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(begin),
                       text.begin() + static_cast<std::ptrdiff_t>(end), [&](char c) {
                         const bool tail = (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
                         return c == ' ' || (c >= '\t' && c <= '\r') || tail ||
                                kLeads.find(c) != std::string_view::npos;
                       });
  };
  for (const auto& [begin, end] : Sentences(text, bytes_max)) {
    CHECK(next <= begin && begin < end && end <= text.size());
    CHECK(IsBoundary(text, begin) && IsBoundary(text, end));
    CHECK(end - begin <= std::max(bytes_max, std::size_t{4}));
    CHECK(gap_is_white(next, begin));
    next = end;
  }
  CHECK(gap_is_white(next, text.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string text = safeguard::RepairUtf8(bytes).text;
  const std::size_t salt = size == 0 ? 0 : data[0];
  CheckViews(text, salt);
  CheckSentences(text, 1 + salt);
  return 0;
}
