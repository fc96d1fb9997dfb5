// Plain text: released in words, so that what is released does not depend on how it arrives.
#include <memory>
#include <string>
#include <utility>

#include "base/utf8.h"
#include "http/guard/sse_wire.h"

namespace safeguard::guard {
namespace {

constexpr std::size_t kWordBytesMax = 64;

class PlainWire final : public WireDecoder {
 public:
  explicit PlainWire(const GuardSettings& settings) : notice_(settings.plain_notice) {}

  Status Feed(std::string_view bytes, std::vector<WireEvent>& events) override {
    held_ += bytes;
    std::size_t at = 0;
    while (const std::size_t taken = NextWord(at)) {
      Emit(std::string_view(held_).substr(at, taken), events);
      at += taken;
    }
    held_.erase(0, at);
    return {};
  }

  void Flush(std::vector<WireEvent>& events) override {
    const std::size_t whole = WholeCharacters(held_);
    if (whole > 0) {
      Emit(std::string_view(held_).substr(0, whole), events);
      held_.erase(0, whole);
    }
  }

  Status Finish(std::vector<WireEvent>& events) override {
    if (!held_.empty()) {
      Emit(std::exchange(held_, ""), events);
    }
    WireEvent end;
    end.closes = {"text"};
    end.answer_ends = true;
    events.push_back(std::move(end));
    return {};
  }

  std::string Ending(EndKind, const std::string&) override { return notice_; }
  void Released(const WireEvent&) override {}
  [[nodiscard]] std::size_t dropped() const override { return 0; }

 private:
  // Bytes of `text` before a character that more bytes may complete.
  static std::size_t WholeCharacters(std::string_view text) {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
      const auto byte = static_cast<unsigned char>(text[text.size() - back]);
      const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 0;
      if (length > back) {
        return text.size() - back;
      }
      if (byte < 0x80 || length > 0) {
        break;
      }
    }
    return text.size();
  }

  // Bytes of the word that begins at `at`, with the white space before it; 0: it may go on.
  [[nodiscard]] std::size_t NextWord(std::size_t at) const {
    for (std::size_t i = at + 1; i < held_.size(); ++i) {
      if (held_[i] == ' ' || held_[i] == '\n' || held_[i] == '\t' || held_[i] == '\r') {
        return i - at;
      }
      if (i - at >= kWordBytesMax) {
        return WholeCharacters(std::string_view(held_).substr(at, kWordBytesMax));
      }
    }
    return 0;
  }

  static void Emit(std::string_view bytes, std::vector<WireEvent>& events) {
    WireEvent event;
    event.bytes = RepairUtf8(bytes).text;
    event.texts.push_back({"text", event.bytes, TextKind::kContent});
    events.push_back(std::move(event));
  }

  std::string notice_;
  std::string held_;  // less than a word, or than its longest
};

}  // namespace

std::unique_ptr<WireDecoder> MakePlainWire(const GuardSettings& settings) {
  return std::make_unique<PlainWire>(settings);
}

}  // namespace safeguard::guard
