#include "engine/special_tokens.h"

namespace safeguard::engine {
namespace {

struct Named {
  std::uint32_t id;
  const char* name;
};

constexpr Named kNamed[] = {
    {special::kStartOfText, "<|startoftext|>"},
    {special::kEndOfText, "<|endoftext|>"},
    {special::kReturn, "<|return|>"},
    {special::kConstrain, "<|constrain|>"},
    {special::kChannel, "<|channel|>"},
    {special::kStart, "<|start|>"},
    {special::kEnd, "<|end|>"},
    {special::kMessage, "<|message|>"},
    {special::kCall, "<|call|>"},
    {special::kEndOfPrompt, "<|endofprompt|>"},
};

}  // namespace

std::string ControlTokenName(std::uint32_t id) {
  if (!IsControlToken(id)) {
    return {};
  }
  for (const Named& token : kNamed) {
    if (token.id == id) {
      return token.name;
    }
  }
  return "<|reserved_" + std::to_string(id) + "|>";
}

std::optional<std::uint32_t> ControlTokenId(std::string_view name) {
  for (const Named& token : kNamed) {
    if (token.name == name) {
      return token.id;
    }
  }
  return std::nullopt;
}

}  // namespace safeguard::engine
