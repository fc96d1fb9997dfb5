#include "judges/screen/content_texts.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/utf8.h"

namespace safeguard::judges {
namespace {

// Letters of scripts other than Latin, by block: symbols, punctuation and emoji count as neither.
bool IsForeignLetter(char32_t c) {
  return (c >= 0x0370 && c < 0x1E00) || (c >= 0x1F00 && c < 0x2000) ||
         (c >= 0x2E80 && c < 0xE000) || (c >= 0xF900 && c < 0xFE00) ||
         (c >= 0xFE70 && c < 0xFF00) || (c >= 0x20000 && c < 0x32000);
}

bool IsLatinLetter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c < 0x0250) ||
         (c >= 0x1E00 && c < 0x1F00);
}

bool MostlyForeign(std::string_view text) {
  std::size_t latin = 0;
  std::size_t foreign = 0;
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    latin += IsLatinLetter(point.value) ? 1 : 0;
    foreign += IsForeignLetter(point.value) ? 1 : 0;
    i += point.length;
  }
  return foreign > latin;
}

std::string ReplacementNote(const RepairedText& repaired, std::size_t message, bool conversation) {
  std::string note = "invalid UTF-8 at byte " + std::to_string(repaired.replaced_at.front());
  if (conversation) {
    note += " of message " + std::to_string(message);
  }
  if (repaired.replaced_at.size() > 1) {
    note += " and " + std::to_string(repaired.replaced_at.size() - 1) + " more";
  }
  return note + ": replaced by U+FFFD and judged so";
}

}  // namespace

ContentTexts::ContentTexts(const moderation::Content& content) {
  const bool conversation = content.messages.size() > 1;
  std::string joined;
  foreign_script_ = true;
  for (std::size_t m = 0; m < content.messages.size(); ++m) {
    const std::string& text = content.messages[m].text;
    Repaired repaired{text, {}};
    if (FirstInvalidUtf8(text)) {
      RepairedText mended = RepairUtf8(text);
      notes_.push_back(ReplacementNote(mended, m, conversation));
      repaired = {std::move(mended.text), std::move(mended.origin)};
    }
    joined += joined.empty() ? "" : "\n";
    message_begins_.push_back(joined.size());
    joined += repaired.text;
    for (moderation::View& view : moderation::CanonicalViews(repaired.text)) {
      foreign_script_ = foreign_script_ && MostlyForeign(view.text);
      texts_.push_back({false, m, std::move(view)});
    }
    messages_.push_back(std::move(repaired));
  }
  if (conversation) {
    texts_.push_back({true, 0, {"conversation", std::move(joined), {}, {}}});
  }
}

moderation::Evidence ContentTexts::EvidenceOf(std::size_t text, std::size_t begin,
                                              std::size_t end) const {
  const ContentText& source = texts_[text];
  moderation::Evidence evidence;
  if (source.whole_conversation) {
    const auto after = std::upper_bound(message_begins_.begin(), message_begins_.end(), begin);
    evidence.message = static_cast<std::size_t>(after - message_begins_.begin()) - 1;
    const std::size_t first = message_begins_[evidence.message];
    evidence.start = begin - first;
    evidence.end = std::min(end - first, messages_[evidence.message].text.size());
  } else {
    evidence.message = source.message;
    std::tie(evidence.start, evidence.end) = moderation::MapToOriginal(source.view, begin, end);
  }
  const Repaired& message = messages_[evidence.message];
  evidence.text = message.text.substr(evidence.start, evidence.end - evidence.start);
  if (!message.origin.empty()) {
    evidence.start = message.origin[evidence.start];
    evidence.end = message.origin[evidence.end];
  }
  return evidence;
}

}  // namespace safeguard::judges
