#include <algorithm>

#include "engine/harmony.h"
#include "engine/special_tokens.h"

namespace safeguard::engine {
namespace {

constexpr std::string_view kConstrainName = "<|constrain|>";

// Each text is encoded alone, as openai/harmony does: joining two could merge tokens across.
void AppendText(const Bpe& bpe, std::string_view text, std::vector<std::uint32_t>& ids) {
  const std::vector<std::uint32_t> encoded = bpe.Encode(text);
  ids.insert(ids.end(), encoded.begin(), encoded.end());
}

void AppendHeader(const Bpe& bpe, const HarmonyHeader& header, std::vector<std::uint32_t>& ids) {
  ids.push_back(special::kStart);
  if (header.role == HarmonyRole::kTool) {
    AppendText(bpe, header.name, ids);
  } else {
    AppendText(bpe, ToString(header.role), ids);
    if (!header.name.empty()) {
      AppendText(bpe, ":" + header.name, ids);
    }
  }
  if (header.recipient && *header.recipient != "all") {
    AppendText(bpe, " to=" + *header.recipient, ids);
  }
  if (header.channel) {
    ids.push_back(special::kChannel);
    AppendText(bpe, *header.channel, ids);
  }
  if (header.content_type) {
    std::string_view type = *header.content_type;
    if (type.starts_with(kConstrainName)) {
      AppendText(bpe, " ", ids);
      ids.push_back(special::kConstrain);
      type.remove_prefix(kConstrainName.size());
      AppendText(bpe, type, ids);
    } else {
      AppendText(bpe, " " + *header.content_type, ids);
    }
  }
  ids.push_back(special::kMessage);
}

bool IsAnalysis(const HarmonyMessage& message) {
  return message.header.channel == "analysis";
}

bool IsFinal(const HarmonyMessage& message) {
  return message.header.channel == "final";
}

bool IsAssistant(const HarmonyMessage& message) {
  return message.header.role == HarmonyRole::kAssistant;
}

// Analysis in front of this index is dropped.
std::size_t DropBefore(std::span<const HarmonyMessage> messages, DropReasoning drop) {
  const auto first = std::ranges::find_if(messages, IsFinal);
  if (drop == DropReasoning::kNone || first == messages.end()) {
    return 0;
  }
  if (drop == DropReasoning::kBeforeLastFinal) {
    const auto last = std::find_if(messages.rbegin(), messages.rend(), IsFinal);
    return static_cast<std::size_t>(messages.rend() - last) - 1;
  }
  const auto last = std::find_if(messages.rbegin(), messages.rend(), IsAssistant);
  const bool answered = last != messages.rend() && IsFinal(*last);
  return answered ? static_cast<std::size_t>(first - messages.begin()) : 0;
}

}  // namespace

Status AppendMessage(const Bpe& bpe, const HarmonyMessage& message,
                     std::vector<std::uint32_t>& ids) {
  const HarmonyRole role = message.header.role;
  if (role == HarmonyRole::kTool && message.header.name.empty()) {
    return Fail(ErrorCode::kInvalidInput, "a tool's message needs the tool's name");
  }
  if ((std::holds_alternative<HarmonySystem>(message.content) && role != HarmonyRole::kSystem) ||
      (std::holds_alternative<HarmonyDeveloper>(message.content) &&
       role != HarmonyRole::kDeveloper)) {
    return Fail(ErrorCode::kInvalidInput, std::string("a message of the role ") + ToString(role) +
                                              " has the content of a system or developer message");
  }
  AppendHeader(bpe, message.header, ids);
  AppendText(bpe, ContentText(message), ids);
  const bool call = role == HarmonyRole::kAssistant && message.header.recipient.has_value();
  ids.push_back(call ? special::kCall : special::kEnd);
  return {};
}

Result<std::vector<std::uint32_t>> RenderConversation(const Bpe& bpe,
                                                      std::span<const HarmonyMessage> messages,
                                                      DropReasoning drop) {
  std::vector<std::uint32_t> ids;
  const std::size_t drop_before = DropBefore(messages, drop);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i < drop_before && IsAnalysis(messages[i])) {
      continue;
    }
    if (Status status = AppendMessage(bpe, messages[i], ids); !status) {
      return std::unexpected(std::move(status.error()));
    }
  }
  return ids;
}

Result<std::vector<std::uint32_t>> RenderPrompt(const Bpe& bpe,
                                                std::span<const HarmonyMessage> messages,
                                                DropReasoning drop) {
  Result<std::vector<std::uint32_t>> ids = RenderConversation(bpe, messages, drop);
  if (ids) {
    AppendAssistantStart(bpe, *ids);
  }
  return ids;
}

void AppendAssistantStart(const Bpe& bpe, std::vector<std::uint32_t>& ids) {
  ids.push_back(special::kStart);
  AppendText(bpe, ToString(HarmonyRole::kAssistant), ids);
}

void AppendOpenFinal(const Bpe& bpe, std::vector<std::uint32_t>& ids) {
  ids.push_back(special::kChannel);
  AppendText(bpe, "final", ids);
  ids.push_back(special::kMessage);
}

void AppendSkippedAnalysis(const Bpe& bpe, std::vector<std::uint32_t>& ids) {
  ids.push_back(special::kChannel);
  AppendText(bpe, "analysis", ids);
  ids.push_back(special::kMessage);
  AppendCloseAnalysis(bpe, ids);
}

void AppendCloseAnalysis(const Bpe& bpe, std::vector<std::uint32_t>& ids) {
  ids.push_back(special::kEnd);
  AppendAssistantStart(bpe, ids);
  AppendOpenFinal(bpe, ids);
}

}  // namespace safeguard::engine
