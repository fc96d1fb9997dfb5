// The reader of tokenizer.json: whatever it accepts is a working tokenizer.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "engine/word_piece.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded = safeguard::engine::WordPiece::Load(
      std::string_view(reinterpret_cast<const char*>(data), size));
  if (!loaded) {
    CHECK(!loaded.error().message.empty());
    return 0;
  }
  const safeguard::engine::WordPiece& tokenizer = **loaded;
  const auto inside = [&](std::int32_t id) {
    return id >= 0 && static_cast<std::size_t>(id) < tokenizer.vocabulary_size();
  };
  CHECK(inside(tokenizer.cls()));
  CHECK(inside(tokenizer.sep()));
  CHECK(inside(tokenizer.unknown()));
  for (const auto& token :
       tokenizer.Encode("[CLS] a\u0301 \u4E2D\uD55C unaffable [SEP] #\u200B#")) {
    CHECK(inside(token.id));
    const bool control = token.id == tokenizer.cls() || token.id == tokenizer.sep();
    if (token.id != tokenizer.unknown()) {
      CHECK(!control);
    }
  }
  return 0;
}
