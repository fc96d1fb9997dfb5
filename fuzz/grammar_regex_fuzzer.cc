// Any bytes as a regular expression, alone and as the pattern of a bounded string: an error that
// says something, or a grammar that accepts what it generates.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "engine/grammar.h"
#include "engine/runtime/automaton.h"

using safeguard::engine::Grammar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view pattern(reinterpret_cast<const char*>(data), size);
  const auto grammar = Grammar::FromRegex(pattern);
  if (!grammar) {
    CHECK(!grammar.error().message.empty());
    return 0;
  }
  const auto automaton = (*grammar)->automaton();
  auto state = automaton->start();
  std::string text;
  for (std::size_t step = 0; step < 60; ++step) {
    const auto run = automaton->OnlyContinuation(state, 100);
    const auto next = automaton->NextBytes(run.end);
    if (automaton->failed()) {
      return 0;
    }
    text += run.bytes;
    state = run.end;
    if (automaton->Accepts(state)) {
      CHECK((*grammar)->Matches(text).value_or(true));
      CHECK(!safeguard::FirstInvalidUtf8(text));
    }
    CHECK(next.any() || automaton->Accepts(state));
    if (next.none()) {
      break;
    }
    auto byte = static_cast<unsigned>(step * 37 + size) % 256;
    while (!next.test(byte)) {
      byte = (byte + 1) % 256;
    }
    text += static_cast<char>(byte);
    state = automaton->Next(state, static_cast<unsigned char>(byte));
  }
  return 0;
}
