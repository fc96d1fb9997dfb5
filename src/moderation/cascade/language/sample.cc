#include "moderation/cascade/language/sample.h"

#include <algorithm>
#include <string_view>

namespace safeguard::moderation::language {
namespace {

constexpr std::size_t kPieces = 32;

// The nearest beginning of a code point at or after `at`.
std::size_t PointFrom(std::string_view text, std::size_t at) {
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) {
    ++at;
  }
  return at;
}

}  // namespace

std::string SampleOf(const Content& content) {
  const std::size_t bytes = TextBytes(content);
  std::string sample;
  if (bytes <= kSampleBytes) {
    for (const Message& message : content.messages) {
      sample += message.text + "\n";
    }
    return sample;
  }
  // The pieces are placed on all messages laid end to end.
  const std::size_t piece = kSampleBytes / kPieces;
  std::size_t message_begin = 0;
  std::size_t next = 0;
  for (const Message& message : content.messages) {
    const std::string_view text = message.text;
    const std::size_t message_end = message_begin + text.size();
    for (; next < kPieces; ++next) {
      const std::size_t begin = (bytes - piece) * next / (kPieces - 1);
      if (begin >= message_end) {
        break;
      }
      const std::size_t from = PointFrom(text, begin - message_begin);
      const std::size_t to = PointFrom(text, std::min(from + piece, text.size()));
      sample += text.substr(from, to - from);
      sample += '\n';
    }
    message_begin = message_end;
  }
  return sample;
}

}  // namespace safeguard::moderation::language
