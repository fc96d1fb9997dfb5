#include "moderation/cascade/hidden_text.h"

#include <vector>

#include "base/utf8.h"
#include "moderation/cascade/plausible.h"

namespace safeguard::moderation {
namespace {

struct Run {
  std::string message;
  std::vector<ByteRange> sources;  // of each byte of the message
};

bool IsTag(char32_t c) {
  return c >= 0xE0020 && c <= 0xE007E;
}

// The byte that a variation selector can carry, or -1.
int SelectorByte(char32_t c) {
  if (c >= 0xFE00 && c <= 0xFE0F) {
    return static_cast<int>(c - 0xFE00);
  }
  return c >= 0xE0100 && c <= 0xE01EF ? static_cast<int>(c - 0xE0100) + 16 : -1;
}

// Reads the run of carriers of one kind that starts at `at`; `value` gives the byte or -1.
template <typename Value>
std::size_t ReadRun(std::string_view text, std::size_t at, Value value, Run& run) {
  while (at < text.size()) {
    const DecodedCodePoint point = DecodeUtf8(text, at);
    const int byte = value(point.value);
    if (byte < 0) {
      break;
    }
    run.message += static_cast<char>(byte);
    run.sources.emplace_back(at, at + point.length);
    at += point.length;
  }
  return at;
}

class Message {
 public:
  explicit Message(const MappedText& source) : source_(source) {}

  void Add(const Run& run) {
    if (last_run_ > 1 && run.message.size() > 1) {
      Append('\n', run.sources.front());
    }
    last_run_ = run.message.size();
    // A code point of several bytes maps, whole, to the carriers of all of them.
    for (std::size_t i = 0; i < run.message.size();) {
      const std::size_t end = i + DecodeUtf8(run.message, i).length;
      for (std::size_t k = i; k < end; ++k) {
        Append(run.message[k], {run.sources[i].first, run.sources[end - 1].second});
      }
      i = end;
    }
  }

  std::optional<MappedText> Finish() {
    return made_.text.empty() ? std::nullopt : std::optional(std::move(made_));
  }

 private:
  void Append(char byte, ByteRange from) {
    made_.text += byte;
    made_.origin.push_back(source_.origin[from.first]);
    made_.origin_end.push_back(source_.origin_end[from.second - 1]);
  }

  const MappedText& source_;
  MappedText made_;
  std::size_t last_run_ = 0;
};

}  // namespace

std::optional<MappedText> HiddenText(const MappedText& source) {
  constexpr std::size_t kFewestSelectors = 4;
  constexpr char32_t kBlackFlag = 0x1F3F4;
  const std::string_view text = source.text;
  Message message(source);
  char32_t previous = 0;
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    Run run;
    if (IsTag(point.value)) {
      const auto tag = [](char32_t c) { return IsTag(c) ? static_cast<int>(c - 0xE0000) : -1; };
      i = ReadRun(text, i, tag, run);
      const bool flag = previous == kBlackFlag && run.message.size() <= 6;
      if (!flag) {
        message.Add(run);
      }
    } else if (SelectorByte(point.value) >= 0) {
      i = ReadRun(text, i, SelectorByte, run);
      if (run.message.size() >= kFewestSelectors && IsPrintable(run.message)) {
        message.Add(run);
      }
    } else {
      i += point.length;
    }
    previous = point.value;
  }
  return message.Finish();
}

}  // namespace safeguard::moderation
