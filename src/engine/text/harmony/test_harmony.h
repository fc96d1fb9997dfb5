// Conversations for tests: read from goldens, or at random.
#pragma once

#include <rapidcheck.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "engine/bpe.h"
#include "engine/harmony.h"
#include "engine/harmony_parser.h"
#include "engine/special_tokens.h"
#include "engine/text/test_ranks.h"

namespace safeguard::engine::test {

// Single bytes are tokens 0 to 255; a few longer ones follow.
inline std::unique_ptr<Bpe> SmallBpe() {
  auto bpe = Bpe::LoadRanks(RankFile({"an", "final", "\xE4\xB8", "\xADx"}));
  return bpe ? std::move(*bpe) : nullptr;
}

using Ids = std::vector<std::uint32_t>;

// "<|start|>assistant..." with the named control tokens as ids: a model's output as it is written
// down. Only for tests; nothing in the product reads control tokens from text.
inline Ids IdsOf(const Bpe& bpe, std::string_view written) {
  Ids ids;
  std::size_t text_begin = 0;
  const auto add_text = [&](std::size_t end) {
    const Ids encoded = bpe.Encode(written.substr(text_begin, end - text_begin));
    ids.insert(ids.end(), encoded.begin(), encoded.end());
  };
  for (std::size_t at = written.find("<|"); at != std::string_view::npos;
       at = written.find("<|", at + 1)) {
    const std::size_t end = written.find("|>", at);
    const auto id = end == std::string_view::npos
                        ? std::nullopt
                        : ControlTokenId(written.substr(at, end + 2 - at));
    if (id) {
      add_text(at);
      ids.push_back(*id);
      text_begin = end + 2;
    }
  }
  add_text(written.size());
  return ids;
}

inline std::string Written(const Bpe& bpe, const Ids& ids) {
  TokenStream stream(bpe);
  std::string text;
  for (const std::uint32_t id : ids) {
    text += stream.Push(id);
  }
  return text + stream.Finish();
}

// Text of letters, spaces, control tokens' names and anything else.
inline rc::Gen<std::string> Text() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::uint32_t>>(rc::gen::arbitrary<std::uint32_t>()),
      [](const std::vector<std::uint32_t>& numbers) {
        std::string text;
        for (const std::uint32_t number : numbers) {
          if (number % 7 == 0) {
            text += ControlTokenName(kOrdinaryTokens + number / 7 % 16);
          } else {
            const std::uint32_t c = number % (number % 3 == 0 ? 0x110000 : 0x80);
            AppendUtf8(c >= 0xD800 && c <= 0xDFFF ? U'\n' : c, text);
          }
        }
        return text;
      });
}

// What a header's field may hold so that it can be read back.
inline rc::Gen<std::string> Word() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::oneOf(
      rc::gen::inRange('a', 'g'), rc::gen::inRange('0', '9'), rc::gen::element('_', '.', '-'))));
}

inline rc::Gen<HarmonyMessage> Message() {
  return rc::gen::exec([] {
    HarmonyMessage message;
    message.header.role =
        *rc::gen::element(HarmonyRole::kSystem, HarmonyRole::kDeveloper, HarmonyRole::kUser,
                          HarmonyRole::kAssistant, HarmonyRole::kTool);
    message.content = *Text();
    const bool tool = message.header.role == HarmonyRole::kTool;
    if (tool) {
      message.header.name = "functions." + *Word();
    }
    if (tool || *rc::gen::inRange(0, 3) == 0) {
      message.header.recipient = "to." + *Word();
      if (*rc::gen::arbitrary<bool>()) {
        message.header.content_type = *rc::gen::element<std::string>("json", "<|constrain|>json");
      }
    }
    if (*rc::gen::arbitrary<bool>()) {
      message.header.channel =
          *rc::gen::element<std::string>("analysis", "commentary", "final", "other");
    }
    return message;
  });
}

}  // namespace safeguard::engine::test
