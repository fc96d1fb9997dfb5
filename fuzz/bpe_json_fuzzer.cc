// The reader of o200k's tokenizer.json: whatever it accepts encodes any text to ordinary ids and
// decodes them to that text.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "engine/bpe.h"
#include "engine/special_tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto bpe = safeguard::engine::Bpe::LoadJson(input);
  if (!bpe) {
    CHECK(!bpe.error().message.empty());
    return 0;
  }
  CHECK((*bpe)->size() <= safeguard::engine::kOrdinaryTokens);
  for (const std::string_view text : {std::string_view("abcab  <|start|>\n\xFF\u4E2D"), input}) {
    const auto ids = (*bpe)->Encode(text);
    for (const std::uint32_t id : ids) {
      CHECK(id < (*bpe)->size());
    }
    const auto decoded = (*bpe)->Decode(ids);
    CHECK(decoded.has_value());
    CHECK(*decoded == text);
  }
  return 0;
}
