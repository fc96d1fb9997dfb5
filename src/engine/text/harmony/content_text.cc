// The words of system and developer messages (openai/harmony, docs/format.md).
#include <utility>

#include "engine/harmony.h"

namespace safeguard::engine {
namespace {

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    joined += i == 0 ? std::string_view() : separator;
    joined += parts[i];
  }
  return joined;
}

std::string SystemText(const HarmonySystem& system) {
  std::vector<std::string> lines;
  if (system.identity) {
    lines.push_back(*system.identity);
  }
  if (system.knowledge_cutoff) {
    lines.push_back("Knowledge cutoff: " + *system.knowledge_cutoff);
  }
  if (system.date) {
    lines.push_back("Current date: " + *system.date);
  }
  std::vector<std::string> sections;
  if (!lines.empty()) {
    sections.push_back(Join(lines, "\n"));
  }
  if (system.effort) {
    sections.push_back(std::string("Reasoning: ") + ToString(*system.effort));
  }
  if (!system.channels.empty()) {
    sections.push_back(
        "# Valid channels: " + Join(system.channels, ", ") + "." +
        (system.channel_required ? " Channel must be included for every message." : ""));
  }
  return Join(sections, "\n\n");
}

// What the library has no field for: it stands at the very end of the instructions.
void AddFormats(const std::vector<ResponseFormat>& formats, std::vector<std::string>& sections) {
  if (formats.empty()) {
    return;
  }
  sections.emplace_back("# Response Formats");
  for (const ResponseFormat& format : formats) {
    sections.push_back("## " + format.name);
    sections.push_back(
        (format.description.empty() ? std::string() : "// " + format.description + "\n") +
        format.schema);
  }
}

std::string DeveloperText(const HarmonyDeveloper& developer) {
  std::vector<std::string> sections;
  if (developer.instructions) {
    sections.emplace_back("# Instructions");
    sections.push_back(*developer.instructions);
  }
  AddFormats(developer.formats, sections);
  return Join(sections, "\n\n");
}

std::string WithFormats(const PolicyPrompt& prompt) {
  std::vector<std::string> sections;
  if (!prompt.policy.empty()) {
    sections.push_back(prompt.policy);
  }
  AddFormats(prompt.formats, sections);
  return Join(sections, "\n\n");
}

}  // namespace

std::string ContentText(const HarmonyMessage& message) {
  if (const auto* system = std::get_if<HarmonySystem>(&message.content)) {
    return SystemText(*system);
  }
  if (const auto* developer = std::get_if<HarmonyDeveloper>(&message.content)) {
    return DeveloperText(*developer);
  }
  return std::get<std::string>(message.content);
}

HarmonyMessage SystemMessage(HarmonySystem system) {
  return {.header = {.role = HarmonyRole::kSystem}, .content = std::move(system)};
}

HarmonyMessage DeveloperMessage(HarmonyDeveloper developer) {
  return {.header = {.role = HarmonyRole::kDeveloper}, .content = std::move(developer)};
}

HarmonyMessage UserMessage(std::string text) {
  return {.header = {.role = HarmonyRole::kUser}, .content = std::move(text)};
}

HarmonyMessage AssistantMessage(std::string channel, std::string text) {
  HarmonyMessage message{.header = {.role = HarmonyRole::kAssistant}, .content = std::move(text)};
  message.header.channel = std::move(channel);
  return message;
}

std::vector<HarmonyMessage> PolicyMessages(const PolicyPrompt& prompt) {
  HarmonySystem system;
  system.identity = prompt.identity;
  system.knowledge_cutoff = prompt.knowledge_cutoff;
  system.date = prompt.date;
  system.effort = prompt.effort;
  const std::string instructions = WithFormats(prompt);
  switch (prompt.placement) {
    case PolicyPlacement::kSystem:
      if (!instructions.empty()) {
        *system.identity += "\n" + instructions;
      }
      return {SystemMessage(std::move(system))};
    case PolicyPlacement::kHfTemplate: {
      std::vector<HarmonyMessage> messages = {SystemMessage(std::move(system))};
      if (!instructions.empty()) {
        messages.push_back({.header = {.role = HarmonyRole::kDeveloper},
                            .content = "# Instructions\n\n" + instructions + "\n\n"});
      }
      return messages;
    }
    case PolicyPlacement::kDeveloper:
      break;
  }
  return {SystemMessage(std::move(system)),
          DeveloperMessage({.instructions = prompt.policy, .formats = prompt.formats})};
}

}  // namespace safeguard::engine
