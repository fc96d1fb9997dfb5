// The grammar of a message's header, between <|start|> and <|message|>.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/bpe.h"
#include "engine/harmony.h"

namespace safeguard::engine {

struct ParsedHeader {
  HarmonyHeader header;
  bool to_tool = false;  // a recipient was named; a lone <|constrain|> type is none
  std::string rest;      // of a message that ended inside its header: what reads as its content
};

enum class HeaderForm : std::uint8_t {
  kWhole,  // <|message|> came
  kCut,    // the message ended before: after role and channel comes its content
};

// `role` is the author where that is known beforehand. As openai/harmony 0.0.8 reads it:
//   - the channel is the text after <|channel|> up to white space or "<";
//   - of the other words the role is taken away; the last is "to=RECIPIENT", or the content type
//     after a recipient, or alone (even if it is a content type) the recipient;
//   - an unknown role with more words is a tool.
// Strict, what does not fit is kInvalidInput with the library's message; else it is read as far as
// it fits: words left over are dropped, a missing role is the assistant's, an unknown one a tool's.
Result<ParsedHeader> ParseHeader(const Bpe& bpe, const std::vector<std::uint32_t>& ids,
                                 std::optional<HarmonyRole> role, HeaderForm form, bool strict);

}  // namespace safeguard::engine
