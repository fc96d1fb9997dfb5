// Any bytes as a JSON Schema: an error that says something, or a grammar whose every random answer
// is accepted by it and never gets stuck.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "engine/grammar.h"
#include "engine/runtime/automaton.h"

using safeguard::engine::Automaton;
using safeguard::engine::Grammar;
using safeguard::engine::JsonLayout;
using safeguard::engine::kDeadState;

namespace {

// Walks `steps` bytes that the grammar allows, chosen by a hash of the input.
void Walk(const Grammar& grammar, std::size_t seed) {
  const auto automaton = grammar.automaton();
  auto state = automaton->start();
  std::string text;
  for (int step = 0; step < 100; ++step) {
    const auto next = automaton->NextBytes(state);
    if (automaton->failed()) {
      return;
    }
    if (next.none() || (automaton->Accepts(state) && seed % 5 == 0)) {
      CHECK(automaton->Accepts(state));  // alive: it can always end somewhere
      CHECK(grammar.Matches(text).value_or(true));
      CHECK(!safeguard::FirstInvalidUtf8(text));
      return;
    }
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    unsigned byte = static_cast<unsigned>(seed >> 33) % 256;
    while (!next.test(byte)) {
      byte = (byte + 1) % 256;
    }
    text += static_cast<char>(byte);
    state = automaton->Next(state, static_cast<unsigned char>(byte));
    CHECK(state != kDeadState);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const JsonLayout layout : {JsonLayout::kCompact, JsonLayout::kEither}) {
    const auto grammar = Grammar::FromJsonSchema(text, layout);
    if (!grammar) {
      CHECK(!grammar.error().message.empty());
      continue;
    }
    Walk(**grammar, size);
    Walk(**grammar, size * 31 + 7);
  }
  return 0;
}
