#include "judges/reasoner/thought_reader.h"

#include <utility>

namespace safeguard::judges {

ThoughtReader::ThoughtReader(const engine::Bpe& bpe, std::function<void(std::string_view)> tell)
    : parser_(bpe, {.role = engine::HarmonyRole::kAssistant, .strict = false}),
      tell_(std::move(tell)) {}

void ThoughtReader::Push(const engine::GeneratedToken& token) {
  if (ended_) {
    return;
  }
  ended_ = !parser_.Push(token.id) || parser_.in_final();
  if (ended_ || parser_.new_text().empty()) {
    return;
  }
  // Text that came as its message ended belongs to that one.
  const bool open = parser_.state() == engine::HarmonyParser::State::kContent;
  const std::size_t message = parser_.messages().size() - (open ? 0 : 1);
  if (told_ && message != message_) {
    tell_("\n");
  }
  told_ = true;
  message_ = message;
  tell_(parser_.new_text());
}

}  // namespace safeguard::judges
