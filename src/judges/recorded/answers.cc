#include "judges/recorded/answers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/json_depth.h"
#include "engine/harmony_parser.h"
#include "engine/special_tokens.h"

namespace safeguard::judges {
namespace {

using nlohmann::json;

constexpr std::size_t kTokensMax = 1 << 20;
constexpr std::size_t kDepthMax = 64;  // of brackets, so that a line of "[[[[" costs no memory

std::string Key(char kind, std::string_view what, std::string_view policy) {
  return std::string(1, kind) + std::string(policy) + "\n" + std::string(what);
}

std::string StringOf(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) {
    return {};
  }
  return found->is_string() ? found->get<std::string>() : found->is_number() ? found->dump() : "";
}

RecordedAnswer ReadHarmony(const engine::Bpe& bpe, const std::vector<std::uint32_t>& ids) {
  engine::HarmonyParserOptions lenient;
  lenient.strict = false;
  engine::HarmonyParser parser(bpe, lenient);
  bool broken = false;
  for (const std::uint32_t id : ids) {
    broken = broken || !parser.Push(id);
  }
  broken = broken || !parser.Finish();
  RecordedAnswer answer;
  answer.complete = false;
  for (const engine::ParsedMessage& message : parser.messages()) {
    if (message.header.channel == "final") {
      answer.final = message.content;
      answer.complete = !broken;
    } else {
      answer.reasoning += (answer.reasoning.empty() ? "" : "\n") + message.content;
    }
  }
  return answer;
}

Result<std::vector<std::uint32_t>> TokenIds(const json& list) {
  std::vector<std::uint32_t> ids;
  if (!list.is_array() || list.size() > kTokensMax) {
    return Fail(ErrorCode::kInvalidInput, "`tokens` is no list of ids");
  }
  for (const json& id : list) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= engine::kVocabularyRows) {
      return Fail(ErrorCode::kInvalidInput, "`tokens` holds something that is no o200k_harmony id");
    }
    ids.push_back(id.get<std::uint32_t>());
  }
  return ids;
}

// The text of an answer that need not be a string: {"violation": 1}, 1, true.
std::optional<std::string> AnswerText(const json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  const bool written = value.is_object() || value.is_boolean() || value.is_number();
  return written ? std::optional(value.dump(-1, ' ', false, json::error_handler_t::replace))
                 : std::nullopt;
}

// Whether control tokens are spelled out: then it is the whole completion.
bool IsHarmony(std::string_view text) {
  return text.find("<|channel|>") != std::string_view::npos ||
         text.find("<|message|>") != std::string_view::npos;
}

// The completion as text; nothing when there is none.
std::optional<std::string> CompletionOf(const json& object) {
  for (const char* name : {"completion", "raw"}) {
    const auto found = object.find(name);
    if (found != object.end() && found->is_string()) {
      return found->get<std::string>();
    }
  }
  return std::nullopt;
}

Result<RecordedAnswer> ReadAnswerOf(const json& object, const engine::Bpe* bpe) {
  for (const char* name : {"final", "answer", "response", "output", "model_output"}) {
    const auto found = object.find(name);
    const std::optional<std::string> text =
        found == object.end() ? std::nullopt : AnswerText(*found);
    if (text) {
      return RecordedAnswer{StringOf(object, "reasoning"), *text};
    }
  }
  const bool tokens = object.contains("tokens");
  const std::optional<std::string> completion = CompletionOf(object);
  if (!tokens && !completion) {
    return Fail(ErrorCode::kInvalidInput, "has no answer",
                "give \"final\", \"completion\" or \"tokens\"");
  }
  if (!tokens && !IsHarmony(*completion)) {
    return RecordedAnswer{StringOf(object, "reasoning"), *completion};
  }
  if (bpe == nullptr) {
    return Fail(ErrorCode::kNotFound, "needs the o200k tokenizer to be read",
                "set SAFEGUARD_MODELS to the folder that holds o200k");
  }
  if (!tokens) {
    return ReadHarmony(*bpe, CompletionIds(*bpe, *completion));
  }
  const Result<std::vector<std::uint32_t>> ids = TokenIds(object["tokens"]);
  if (!ids) {
    return std::unexpected(ids.error());
  }
  return ReadHarmony(*bpe, *ids);
}

}  // namespace

std::vector<std::uint32_t> CompletionIds(const engine::Bpe& bpe, std::string_view completion) {
  std::vector<std::uint32_t> ids;
  const auto add = [&](std::string_view text) {
    const std::vector<std::uint32_t> more = bpe.Encode(text);
    ids.insert(ids.end(), more.begin(), more.end());
  };
  std::size_t text = 0;
  for (std::size_t at = completion.find("<|"); at != std::string_view::npos;
       at = completion.find("<|", at)) {
    const std::size_t end = completion.find("|>", at);
    const std::string_view name =
        end == std::string_view::npos ? "" : completion.substr(at, end + 2 - at);
    const std::optional<std::uint32_t> id = engine::ControlTokenId(name);
    if (!id) {
      at += 2;
      continue;
    }
    add(completion.substr(text, at - text));
    ids.push_back(*id);
    at = text = end + 2;
  }
  add(completion.substr(text));
  return ids;
}

Result<RecordedAnswers> RecordedAnswers::Read(std::string_view jsonl, const std::string& name,
                                              const engine::Bpe* bpe, bool by_line) {
  RecordedAnswers all;
  for (std::size_t number = 1; !jsonl.empty(); ++number) {
    const std::string_view line = jsonl.substr(0, jsonl.find('\n'));
    jsonl.remove_prefix(std::min(line.size() + 1, jsonl.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    const std::string place = name + ": line " + std::to_string(number);
    if (JsonDepth(line) > kDepthMax) {
      return Fail(ErrorCode::kLimit, place + " is nested too deeply");
    }
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object()) {
      return Fail(ErrorCode::kInvalidInput, place + " is not a JSON object");
    }
    Result<RecordedAnswer> answer = ReadAnswerOf(object, bpe);
    if (!answer) {
      return Fail(answer.error().code, place + ": " + answer.error().message, answer.error().hint);
    }
    const std::string id = by_line ? "line " + std::to_string(number) : StringOf(object, "id");
    const std::string text = StringOf(object, "text");
    if (id.empty() && text.empty()) {
      return Fail(ErrorCode::kInvalidInput, place + " does not say which content it answers",
                  "give \"id\" or \"text\"");
    }
    const std::string policy = by_line ? "" : StringOf(object, "policy");
    const Status added =
        all.Add(id.empty() ? Key('t', text, policy) : Key('i', id, policy), std::move(*answer));
    if (!added) {
      return Fail(added.error().code, place + ": " + added.error().message, added.error().hint);
    }
  }
  return all;
}

Status RecordedAnswers::Add(std::string key, RecordedAnswer&& answer) {
  if (!answers_.try_emplace(std::move(key), std::move(answer)).second) {
    return Fail(ErrorCode::kInvalidInput, "answers a content that was answered before",
                "keep one answer for each content and policy");
  }
  return {};
}

const RecordedAnswer* RecordedAnswers::Find(const moderation::Content& content,
                                            const std::string& policy) const {
  for (const std::string& of : {policy, std::string()}) {
    if (!content.id.empty()) {
      if (const auto found = answers_.find(Key('i', content.id, of)); found != answers_.end()) {
        return &found->second;
      }
    }
    if (content.messages.size() == 1) {  // a conversation is more than any of its texts
      const auto found = answers_.find(Key('t', content.messages.front().text, of));
      if (found != answers_.end()) {
        return &found->second;
      }
    }
  }
  return nullptr;
}

}  // namespace safeguard::judges
