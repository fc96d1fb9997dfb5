// The control tokens of o200k_harmony: what structures a prompt and an answer. Ids below
// kOrdinaryTokens are text; text never encodes to an id at or above it.
// Source: openai/harmony, public_encodings.rs, and the tokenizer.json of gpt-oss.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace safeguard::engine {

constexpr std::uint32_t kOrdinaryTokens = 199'998;
constexpr std::uint32_t kVocabularyRows = 201'088;  // rows of gpt-oss's embedding: all ids

namespace special {
constexpr std::uint32_t kStartOfText = 199'998;  // Hugging Face's bos; never rendered
constexpr std::uint32_t kEndOfText = 199'999;    // padding
constexpr std::uint32_t kReturn = 200'002;       // the answer is complete
constexpr std::uint32_t kConstrain = 200'003;    // before a content type
constexpr std::uint32_t kChannel = 200'005;
constexpr std::uint32_t kStart = 200'006;    // of a message
constexpr std::uint32_t kEnd = 200'007;      // of a message
constexpr std::uint32_t kMessage = 200'008;  // between a message's header and its content
constexpr std::uint32_t kCall = 200'012;     // ends a call of a tool
constexpr std::uint32_t kEndOfPrompt = 200'018;
}  // namespace special

constexpr bool IsControlToken(std::uint32_t id) {
  return id >= kOrdinaryTokens && id <= kVocabularyRows;
}

// Sampling stops after these two.
constexpr bool StopsSampling(std::uint32_t id) {
  return id == special::kReturn || id == special::kCall;
}

// A message's content ends at these three.
constexpr bool EndsMessage(std::uint32_t id) {
  return StopsSampling(id) || id == special::kEnd;
}

// "<|start|>", "<|reserved_200014|>"; empty when `id` is no control token. For display: no reader
// of ours looks for these strings in a text.
std::string ControlTokenName(std::uint32_t id);

// The id of "<|start|>" and the other named control tokens; nothing for reserved ones.
std::optional<std::uint32_t> ControlTokenId(std::string_view name);

}  // namespace safeguard::engine
