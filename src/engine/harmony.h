// Harmony: the conversation format of gpt-oss, from typed messages to token ids.
//
// Ids are made message by message. Every text (policy, content, names, header fields) is encoded as
// ordinary text, and only this renderer adds control tokens, so no text can become one. Because
// nothing is encoded across messages, the ids of a conversation begin with the ids of its first
// messages: what stands before the content can be computed once.
//
// Equal to openai/harmony's renderer for conversations without function tools.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/bpe.h"

namespace safeguard::engine {

// In order of trust, highest first.
enum class HarmonyRole : std::uint8_t { kSystem, kDeveloper, kUser, kAssistant, kTool };
const char* ToString(HarmonyRole role);
std::optional<HarmonyRole> HarmonyRoleOf(std::string_view name);

enum class ReasoningEffort : std::uint8_t { kLow, kMedium, kHigh };
const char* ToString(ReasoningEffort effort);
std::optional<ReasoningEffort> ReasoningEffortOf(std::string_view name);

inline constexpr const char* kModelIdentity =
    "You are ChatGPT, a large language model trained by OpenAI.";
inline constexpr const char* kKnowledgeCutoff = "2024-06";

// The system message. A member without a value leaves its line out.
struct HarmonySystem {
  std::optional<std::string> identity = kModelIdentity;
  std::optional<std::string> knowledge_cutoff = kKnowledgeCutoff;
  std::optional<std::string> date{};  // "YYYY-MM-DD"; changes the prompt, and answers, every day
  std::optional<ReasoningEffort> effort = ReasoningEffort::kMedium;
  std::vector<std::string> channels = {"analysis", "commentary", "final"};
  bool channel_required = true;

  bool operator==(const HarmonySystem&) const = default;
};

// A schema that an answer is asked to follow. It only asks: a grammar enforces.
struct ResponseFormat {
  std::string name;
  std::string description;  // may be empty
  std::string schema;       // JSON Schema, as text

  bool operator==(const ResponseFormat&) const = default;
};

// The developer message: "# Instructions", then "# Response Formats". Without instructions and
// formats it is empty.
struct HarmonyDeveloper {
  std::optional<std::string> instructions{};
  std::vector<ResponseFormat> formats{};

  bool operator==(const HarmonyDeveloper&) const = default;
};

struct HarmonyHeader {
  HarmonyRole role = HarmonyRole::kUser;
  std::string name{};                      // of the author; needed for tools, else mostly empty
  std::optional<std::string> recipient{};  // "all" is not written
  std::optional<std::string> channel{};
  // Where it begins with "<|constrain|>", that is written as the control token.
  std::optional<std::string> content_type{};

  bool operator==(const HarmonyHeader&) const = default;
};

struct HarmonyMessage {
  HarmonyHeader header{};
  // As it is, or built from the parts of a system or developer message.
  std::variant<std::string, HarmonySystem, HarmonyDeveloper> content{};

  bool operator==(const HarmonyMessage&) const = default;
};

HarmonyMessage SystemMessage(HarmonySystem system);
HarmonyMessage DeveloperMessage(HarmonyDeveloper developer);
HarmonyMessage UserMessage(std::string text);
HarmonyMessage AssistantMessage(std::string channel, std::string text);

// The text between a message's header and its end.
std::string ContentText(const HarmonyMessage& message);

// Which of the assistant's earlier reasoning is left out.
enum class DropReasoning : std::uint8_t {
  // openai/harmony's rule: when the last message of the assistant is in the channel final, those in
  // analysis before the first final.
  kBeforeFirstFinal,
  // What its documentation means: those in analysis before the last final.
  kBeforeLastFinal,
  kNone,
};

// kInvalidInput for a tool's message without a name, and for a system or developer content under
// another role.
Status AppendMessage(const Bpe& bpe, const HarmonyMessage& message,
                     std::vector<std::uint32_t>& ids);

// All messages; ready to be continued by another message or by AppendAssistantStart.
Result<std::vector<std::uint32_t>> RenderConversation(
    const Bpe& bpe, std::span<const HarmonyMessage> messages,
    DropReasoning drop = DropReasoning::kBeforeFirstFinal);

// The same, ended by the beginning of the assistant's answer: a prompt.
Result<std::vector<std::uint32_t>> RenderPrompt(
    const Bpe& bpe, std::span<const HarmonyMessage> messages,
    DropReasoning drop = DropReasoning::kBeforeFirstFinal);

// "<|start|>assistant", which ends every prompt. What the model says next is a header.
void AppendAssistantStart(const Bpe& bpe, std::vector<std::uint32_t>& ids);

// After AppendAssistantStart: opens the channel final, so that the next token is of the answer.
void AppendOpenFinal(const Bpe& bpe, std::vector<std::uint32_t>& ids);

// After AppendAssistantStart: an empty analysis, then the channel final opened. An answer without
// reasoning, which the model was not trained for.
void AppendSkippedAnalysis(const Bpe& bpe, std::vector<std::uint32_t>& ids);

// Inside an analysis whose budget is spent: ends it and opens the channel final.
void AppendCloseAnalysis(const Bpe& bpe, std::vector<std::uint32_t>& ids);

// Where the policy stands. Servers differ in what they make of a policy sent as `system`.
enum class PolicyPlacement : std::uint8_t {
  // A developer message: what Ollama and vLLM (since June 2026) make of it, in exact Harmony.
  kDeveloper,
  // In the system message, after the identity line, as vLLM does with
  // VLLM_GPT_OSS_HARMONY_SYSTEM_INSTRUCTIONS=1. The 20b model follows content that gives orders
  // less often so.
  kSystem,
  // The developer message of Hugging Face's chat template, which ends in two more line ends. To be
  // equal to transformers, pin the date too: the template always writes one.
  kHfTemplate,
};
const char* ToString(PolicyPlacement placement);  // "developer", "system", "hf-template"
std::optional<PolicyPlacement> PolicyPlacementOf(std::string_view name);

struct PolicyPrompt {
  std::string policy;
  std::vector<ResponseFormat> formats{};  // stand after the policy
  PolicyPlacement placement = PolicyPlacement::kDeveloper;
  ReasoningEffort effort = ReasoningEffort::kLow;
  std::optional<std::string> date{};
  std::string knowledge_cutoff = kKnowledgeCutoff;
  std::string identity = kModelIdentity;
};

// The messages before the content: the same for every content, so their ids can be shared.
std::vector<HarmonyMessage> PolicyMessages(const PolicyPrompt& prompt);

}  // namespace safeguard::engine
