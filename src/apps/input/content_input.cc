#include "apps/input/content_input.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "apps/output/verdict_json.h"
#include "base/file.h"
#include "base/json_depth.h"
#include "base/utf8.h"
#include "eval/dataset.h"

namespace safeguard::apps {
namespace {

constexpr const char* kStandardInput = "-";

struct NamedBytes {
  std::string name;
  std::string bytes;
};

Result<NamedBytes> ReadNamed(const std::string& path, Console& console) {
  const bool input = path == kStandardInput;
  Result<std::string> bytes =
      input ? console.ReadInput(kContentBytesMax) : ReadFile(path, kContentBytesMax);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  std::string name = input ? "standard input" : path;
  const std::size_t nul = bytes->find('\0');
  if (nul != std::string::npos) {
    return Fail(ErrorCode::kInvalidInput,
                name + " is binary: it has a NUL byte at offset " + std::to_string(nul),
                "give it as UTF-8 text");
  }
  return NamedBytes{std::move(name), std::move(*bytes)};
}

Result<NamedBytes> ReadText(const ContentRequest& request, Console& console) {
  const bool from_file = !request.file.empty();
  if (request.has_text && from_file) {
    return Fail(ErrorCode::kInvalidInput,
                "the content is given twice, as an argument and by --file", "give one of them");
  }
  if (request.has_text && request.text != kStandardInput) {
    return NamedBytes{"the argument", request.text};
  }
  if (from_file) {
    return ReadNamed(request.file, console);
  }
  if (!request.has_text && console.in_is_terminal()) {
    return Fail(ErrorCode::kInvalidInput, "there is no content to judge",
                "give it as an argument, with --file, or through a pipe");
  }
  Result<NamedBytes> piped = ReadNamed(kStandardInput, console);
  // `echo text | safeguard classify`: the newline is the shell's, not the author's.
  if (piped && piped->bytes.ends_with('\n')) {
    piped->bytes.pop_back();
  }
  return piped;
}

Error NotAConversation(const std::string& name, const std::string& why) {
  return {ErrorCode::kInvalidInput, name + " is not a conversation: " + why,
          R"(write [{"role": "user", "content": "..."}, ...] or {"messages": [...]})"};
}

Result<ContentInput> ReadConversation(const NamedBytes& named) {
  ContentInput input;
  const RepairedText repaired = RepairUtf8(named.bytes);
  if (!repaired.replaced_at.empty()) {
    input.notes.push_back("invalid UTF-8 at byte " + std::to_string(repaired.replaced_at.front()) +
                          " of " + named.name + " was replaced");
  }
  if (JsonDepth(repaired.text) > eval::kJsonDepthMax) {
    return std::unexpected(NotAConversation(named.name, "it is nested too deeply"));
  }
  nlohmann::json json = nlohmann::json::parse(repaired.text, nullptr, false);
  if (json.is_discarded()) {
    return std::unexpected(NotAConversation(named.name, "it is not JSON"));
  }
  if (json.is_object() && json.contains("messages")) {
    json = json["messages"];
  }
  if (!json.is_array()) {
    return std::unexpected(NotAConversation(named.name, "it holds no list of messages"));
  }
  std::istringstream line(nlohmann::json{{"messages", std::move(json)}}.dump());
  eval::ReadOptions options;
  options.format = eval::DataFormat::kJsonl;
  options.mapping.read_labels = false;
  options.mapping.messages = "messages";
  const auto reader = eval::ReadRecords(line, named.name, options);
  if (!reader) {
    return std::unexpected(reader.error());
  }
  std::optional<eval::Entry> entry = (*reader)->Next();
  if (!entry || !entry->record) {
    std::string why = entry ? entry->record.error().message : "it is empty";
    const std::string prefix = "line 1: ";
    return std::unexpected(
        NotAConversation(named.name, why.starts_with(prefix) ? why.substr(prefix.size()) : why));
  }
  input.content = std::move(entry->record->content);
  input.content.kind = moderation::ContentKind::kConversation;
  return input;
}

ContentInput SingleMessage(const NamedBytes& named, moderation::Role role) {
  ContentInput input;
  RepairedText repaired = RepairUtf8(named.bytes);
  if (!repaired.replaced_at.empty()) {
    const std::size_t more = repaired.replaced_at.size() - 1;
    input.notes.push_back("invalid UTF-8 at byte " + std::to_string(repaired.replaced_at.front()) +
                          (more == 0 ? "" : " and " + std::to_string(more) + " more places") +
                          " was replaced");
    input.origin = std::move(repaired.origin);
  }
  input.content = role == moderation::Role::kAssistant
                      ? moderation::Completion(std::move(repaired.text))
                      : moderation::UserMessage(std::move(repaired.text));
  return input;
}

}  // namespace

Result<ContentInput> ReadContent(const ContentRequest& request, Console& console) {
  Result<ContentInput> input;
  if (!request.conversation.empty()) {
    if (request.has_text || !request.file.empty()) {
      return Fail(ErrorCode::kInvalidInput, "a conversation and a text are given",
                  "give one of them");
    }
    const Result<NamedBytes> named = ReadNamed(request.conversation, console);
    if (!named) {
      return std::unexpected(named.error());
    }
    input = ReadConversation(*named);
  } else {
    Result<NamedBytes> named = ReadText(request, console);
    if (!named) {
      return std::unexpected(named.error());
    }
    input = SingleMessage(std::move(*named), request.role);
  }
  if (input) {
    input->content.surface = request.surface;
    input->content.language = request.language;
  }
  return input;
}

void Restore(const ContentInput& input, moderation::Verdict& verdict) {
  verdict.notes.insert(verdict.notes.begin(), input.notes.begin(), input.notes.end());
  if (input.origin.empty()) {
    return;
  }
  for (moderation::Evidence& evidence : verdict.evidence) {
    if (evidence.start < input.origin.size() && evidence.end < input.origin.size()) {
      evidence.start = input.origin[evidence.start];
      evidence.end = input.origin[evidence.end];
    }
  }
}

}  // namespace safeguard::apps
