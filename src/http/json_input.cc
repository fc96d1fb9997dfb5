#include "http/json_input.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/utf8.h"
#include "http/json_fields.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::json;
using moderation::Content;
using moderation::ContentKind;
using moderation::Role;

std::unexpected<Problem> Wrong(std::string pointer, std::string detail, std::string hint) {
  return std::unexpected(
      Problem{400, "invalid-request", std::move(detail), std::move(hint), std::move(pointer)});
}

std::optional<Role> RoleFrom(const std::string& name) {
  for (const Role role :
       {Role::kSystem, Role::kDeveloper, Role::kUser, Role::kAssistant, Role::kTool}) {
    if (name == ToString(role)) {
      return role;
    }
  }
  return std::nullopt;
}

constexpr std::size_t kWebhookBytesMax = 2048;
constexpr std::size_t kTextBytesMax = std::size_t{4} << 20;  // the body's own limit comes first

void ReadMessages(const Json& list, const std::string& pointer, Fields& fields, Content& content) {
  if (!list.is_array() || list.empty() || list.size() > kMessagesMax) {
    fields.Fault("messages", "is no list of 1 to " + std::to_string(kMessagesMax) + " messages",
                 R"(give [{"role": "user", "content": "..."}, ...])");
    return;
  }
  content.kind = ContentKind::kConversation;
  for (std::size_t m = 0; m < list.size(); ++m) {
    const std::string place = pointer + "/messages/" + std::to_string(m);
    if (!list[m].is_object()) {
      fields.Fault({400, "invalid-request", "a message is no object",
                    R"(give {"role": "user", "content": "..."})", place});
      return;
    }
    Fields message(list[m], place);
    const std::optional<Role> role = RoleFrom(message.Text("role", kNameBytesMax));
    if (!role) {
      message.Fault("role", "is none that is known",
                    "there are: system, developer, user, assistant, tool");
    }
    const Json* text = message.Get("content");
    if (text == nullptr || !text->is_string()) {
      message.Fault("content", "is not a text", "give a string");
    }
    if (std::optional<Problem> problem = message.End()) {
      fields.Fault(std::move(*problem));
      return;
    }
    content.messages.push_back({*role, text->get<std::string>()});
  }
}

// "contents" of a batch.
std::vector<Content> ReadContents(Fields& fields) {
  std::vector<Content> list;
  const Json* contents = fields.Get("contents");
  if (contents == nullptr || !contents->is_array() || contents->empty() ||
      contents->size() > kContentsMax) {
    fields.Fault("contents", "is no list of 1 to " + std::to_string(kContentsMax) + " contents",
                 R"(give [{"text": "..."}, ...]; split what is longer)");
  } else {
    for (std::size_t c = 0; c < contents->size(); ++c) {
      const std::string place = "/contents/" + std::to_string(c);
      const Json& item = (*contents)[c];
      if (!item.is_object()) {
        fields.Fault(
            {400, "invalid-request", "a content is no object", R"(give {"text": "..."})", place});
        break;
      }
      Fields one(item, place);
      list.push_back(ReadContent(one, place));
      if (std::optional<Problem> problem = one.End()) {
        fields.Fault(std::move(*problem));
        break;
      }
    }
  }
  return list;
}

// By what it is judged: policies or a route, or neither.
template <typename Question>
void ReadMeasure(Fields& fields, Question& question) {
  question.policies = fields.Names("policies", kPoliciesMax);
  question.route = fields.Text("route", kNameBytesMax);
  if (fields.Get("route") == nullptr) {
    return;
  }
  if (!question.policies.empty()) {
    fields.Fault("route", "and \"policies\" are both there",
                 "give one of them: a route has its own policies");
  } else if (question.route.empty()) {
    fields.Fault("route", "is empty", "give a route's name, or leave it out");
  }
}

void ReadCommon(Fields& fields, JudgeQuestion& question) {
  ReadMeasure(fields, question);
  question.account = fields.Text("account", kNameBytesMax);
  if (const auto ms = fields.Number("timeout_ms", 1, kTimeoutMsMax)) {
    question.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(*ms));
  }
  question.include_reasoning = fields.Flag("include_reasoning");
}

// OpenAI's "input": a text, texts, or one content of parts.
void ReadInput(const Json& input, Fields& fields, ModerationQuestion& question) {
  constexpr const char* kHint = "give a text, a list of texts, or a list of parts of type text";
  if (input.is_string()) {
    question.contents.push_back(moderation::UserMessage(input.get<std::string>()));
    return;
  }
  if (!input.is_array() || input.empty() || input.size() > kContentsMax) {
    fields.Fault("input", "is no text and no list of 1 to " + std::to_string(kContentsMax), kHint);
    return;
  }
  std::string joined;
  bool parts = false;
  for (const Json& item : input) {
    if (item.is_string() && !parts) {
      question.contents.push_back(moderation::UserMessage(item.get<std::string>()));
      continue;
    }
    const bool is_part = item.is_object() && item.contains("type") && item["type"].is_string() &&
                         question.contents.empty();
    if (is_part && item["type"] == "image_url") {
      fields.Fault("input", "holds an image, which this service does not judge",
                   "send the text alone; an image must not pass as judged");
      return;
    }
    if (!is_part || item["type"] != "text" || !item.contains("text") || !item["text"].is_string()) {
      fields.Fault("input", "holds something that is neither a text nor a part", kHint);
      return;
    }
    joined += (parts ? "\n" : "") + item["text"].get<std::string>();
    parts = true;
  }
  if (parts) {
    question.contents.push_back(moderation::UserMessage(std::move(joined)));
  }
}

}  // namespace

Content ReadContent(Fields& fields, const std::string& pointer) {
  Content content;
  const Json* messages = fields.Get("messages");
  const bool has_text = fields.Get("text") != nullptr;
  const std::string text = fields.Text("text", kTextBytesMax);
  const std::string role = fields.Text("role", kNameBytesMax);
  if (has_text == (messages != nullptr)) {
    fields.Fault("text", has_text ? "and \"messages\" are both there" : "is missing",
                 "give either \"text\" or \"messages\"");
    return content;
  }
  if (messages != nullptr) {
    ReadMessages(*messages, pointer, fields, content);
  } else if (role.empty() || role == "user") {
    content = moderation::UserMessage(text);
  } else if (role == "assistant") {
    content = moderation::Completion(text);
  }
  if (!role.empty() && (messages != nullptr || (role != "user" && role != "assistant"))) {
    fields.Fault("role", "does not fit", R"(give "user" or "assistant", and only with "text")");
  }
  content.id = fields.Text("id", kNameBytesMax);
  content.surface = fields.Text("surface", kNameBytesMax);
  content.language = fields.Text("language", kNameBytesMax);
  return content;
}

OrProblem<JudgeQuestion> ReadJudgeQuestion(std::string_view body) {
  const OrProblem<Json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  JudgeQuestion question;
  question.contents.push_back(ReadContent(fields, ""));
  ReadCommon(fields, question);
  question.stream = fields.Flag("stream");
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return question;
}

OrProblem<JudgeQuestion> ReadBatchQuestion(std::string_view body) {
  const OrProblem<Json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  JudgeQuestion question;
  question.contents = ReadContents(fields);
  ReadCommon(fields, question);
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return question;
}

OrProblem<JobQuestion> ReadJobQuestion(std::string_view body, JobContents contents) {
  const OrProblem<Json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  JobQuestion question;
  if (contents == JobContents::kMany) {
    question.contents = ReadContents(fields);
  } else {
    question.contents.push_back(ReadContent(fields, ""));
  }
  ReadMeasure(fields, question);
  question.account = fields.Text("account", kNameBytesMax);
  question.webhook = fields.Text("webhook", kWebhookBytesMax);
  question.priority = fields.Number("priority", -kPriorityMax, kPriorityMax).value_or(0);
  if (const auto ms = fields.Number("deadline_ms", 1, kJobDeadlineMsMax)) {
    question.deadline = std::chrono::milliseconds(static_cast<std::int64_t>(*ms));
  }
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return question;
}

OrProblem<ModerationQuestion> ReadModerationQuestion(std::string_view body) {
  using OnUndetermined = ModerationQuestion::OnUndetermined;
  const OrProblem<Json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  ModerationQuestion question;
  if (const Json* input = fields.Get("input")) {
    ReadInput(*input, fields, question);
  } else {
    fields.Fault("input", "is missing", "give the text to judge");
  }
  question.model = fields.Text("model", kNameBytesMax);
  const Json* safety = fields.Get("safety");
  if (safety != nullptr && !safety->is_object()) {
    fields.Fault("safety", "is no object", R"(give {"policies": ["spam"]})");
  } else if (safety != nullptr) {
    Fields own(*safety, "/safety");
    question.own_policies = own.Names("policies", kPoliciesMax);
    const std::string mode = own.Text("on_undetermined", kNameBytesMax);
    if (mode == "error") {
      question.on_undetermined = OnUndetermined::kError;
    } else if (mode == "pass") {
      question.on_undetermined = OnUndetermined::kPass;
    } else if (!mode.empty() && mode != "flag") {
      own.Fault("on_undetermined", "is none that is known", "there are: flag, error, pass");
    }
    if (std::optional<Problem> problem = own.End()) {
      fields.Fault(std::move(*problem));
    }
  }
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return question;
}

OrProblem<PublishQuestion> ReadPublishQuestion(std::string_view body) {
  const OrProblem<Json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  PublishQuestion question;
  question.id = fields.Text("id", kNameBytesMax);
  question.text = fields.Text("text", kTextBytesMax);
  question.golden = fields.Text("golden", kTextBytesMax);
  question.note = fields.Text("note", 4096);
  if (question.text.empty()) {
    fields.Fault("text", "is missing or empty", "give the policy as Markdown");
  }
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return question;
}

OrProblem<PromoteQuestion> ReadPromoteQuestion(std::string_view body) {
  const OrProblem<Json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  PromoteQuestion question;
  question.to = fields.Text("to", kNameBytesMax);
  question.percent = fields.Number("percent", 0, 100);
  question.note = fields.Text("note", 4096);
  question.force = fields.Flag("force");
  if (question.to != "draft" && question.to != "shadow" && question.to != "canary" &&
      question.to != "active" && question.to != "retired") {
    fields.Fault("to", "is no state", "there are: draft, shadow, canary, active, retired");
  } else if (question.to == "canary" && !question.percent) {
    fields.Fault("percent", "is missing",
                 R"(say how many of a hundred contents the canary judges, as in "percent": 10)");
  } else if (question.to != "canary" && question.percent) {
    fields.Fault("percent", "is only for a canary",
                 R"(leave it out, or send "to": "canary" with it)");
  }
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return question;
}

OrProblem<std::string> ReadNote(std::string_view body) {
  if (body.empty()) {
    return std::string();
  }
  const OrProblem<Json> json = ParseObject(body);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  std::string note = fields.Text("note", 4096);
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  return note;
}

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = high >= 0 ? digit(text[i + 2]) : -1;
    if (low < 0 || (high == 0 && low == 0)) {
      return std::nullopt;
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return FirstInvalidUtf8(decoded) ? std::nullopt : std::optional(decoded);
}

OrProblem<std::map<std::string, std::string>> ReadQuery(std::string_view query,
                                                        const std::vector<std::string>& known) {
  std::map<std::string, std::string> values;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::optional<std::string> name = PercentDecode(pair.substr(0, equals), true);
    const std::optional<std::string> value =
        PercentDecode(equals == pair.npos ? "" : pair.substr(equals + 1), true);
    if (!name || !value || value->size() > kNameBytesMax) {
      return Wrong("", "the query cannot be read", "encode it as in ?policy=spam&limit=10");
    }
    if (std::ranges::find(known, *name) == known.end()) {
      std::string list;
      for (const std::string& one : known) {
        list += (list.empty() ? "" : ", ") + one;
      }
      return Wrong("", "\"" + name->substr(0, 64) + "\" is no parameter of this request",
                   list.empty() ? "there are none" : "there are: " + list);
    }
    if (!values.emplace(*name, *value).second) {
      return Wrong("", "\"" + *name + "\" is there twice", "give it once");
    }
  }
  return values;
}

}  // namespace safeguard::http
