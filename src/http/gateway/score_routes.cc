// Interfaces that want scores and places: the FMS detector API (TrustyAI, OpenShift AI), and
// Perspective's comments:analyze.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "http/domain_json.h"
#include "http/gateway/gateway.h"
#include "http/json_fields.h"
#include "http/json_input.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::json;
using Ordered = nlohmann::ordered_json;
using moderation::Outcome;
using moderation::Verdict;

Response Answered(const Ordered& json, int status = 200) {
  Response response;
  response.status = status;
  response.body = JsonLine(json);
  return response;
}

// -- FMS detectors. Offsets are in characters, as their clients count. --

Response DetectorError(int status, const std::string& message) {
  Response response = Answered({{"code", status}, {"message", message}}, status);
  response.problem = "detector";
  return response;
}

// "spam" or "spam,hate" of the header; empty: the default ones.
std::vector<std::string> DetectorPolicies(const Request& request) {
  std::vector<std::string> names;
  std::string_view left = request.header("detector-id");
  while (!left.empty()) {
    const std::string_view name = left.substr(0, left.find(','));
    left.remove_prefix(std::min(left.size(), name.size() + 1));
    if (!name.empty() && name != "default") {
      names.emplace_back(name);
    }
  }
  return names;
}

Ordered Detection(const Verdict& verdict) {
  Ordered json = {{"detection", verdict.policy.id},
                  {"detection_type", verdict.category.empty() ? "violation" : verdict.category},
                  {"score", verdict.score.value_or(1.0)},
                  {"evidence", Ordered::array()}};
  for (const std::string& rule : verdict.rule_ids) {
    json["evidence"].push_back({{"name", "rule"}, {"value", rule}, {"score", nullptr}});
  }
  json["metadata"] = {{"policy_version", verdict.policy.version},
                      {"decided_by", verdict.decided_by.layer}};
  return json;
}

// An item for each place that the verdict rests on; for the whole content where it names none.
void AddSpans(const Verdict& verdict, const std::string& text, Ordered& list) {
  std::vector<std::pair<std::size_t, std::size_t>> spans;
  for (const moderation::Evidence& evidence : verdict.evidence) {
    if (evidence.start < evidence.end && evidence.end <= text.size()) {
      spans.emplace_back(evidence.start, evidence.end);
    }
  }
  if (spans.empty()) {
    spans.emplace_back(0, text.size());
  }
  for (const auto& [begin, end] : spans) {
    Ordered json = {{"start", CodePoints(text, begin)},
                    {"end", CodePoints(text, end)},
                    {"text", text.substr(begin, end - begin)}};
    json.update(Detection(verdict));
    list.push_back(std::move(json));
  }
}

// An empty list would say that nothing was found.
std::optional<Response> Undecided(const Result<JudgeAnswer>& answer) {
  if (!answer) {
    return DetectorError(answer.error().code == ErrorCode::kNotFound ? 404 : 503,
                         answer.error().message);
  }
  const auto found = std::ranges::find(answer->verdicts, Outcome::kUndetermined, &Verdict::outcome);
  if (found == answer->verdicts.end()) {
    return std::nullopt;
  }
  return DetectorError(503, "undetermined under " + found->policy.id + ": " + found->detail);
}

void DetectContents(const RouteContext& context, const std::shared_ptr<Request>& request,
                    const Reply& reply) {
  const OrProblem<Json> body = ParseObject(request->body);
  if (!body) {
    reply(DetectorError(400, body.error().detail));
    return;
  }
  Fields fields(*body, "");
  fields.Get("detector_params");
  const Json* contents = fields.Get("contents");
  const bool good = contents != nullptr && contents->is_array() && !contents->empty() &&
                    contents->size() <= kContentsMax &&
                    std::ranges::all_of(*contents, [](const Json& one) { return one.is_string(); });
  const std::optional<Problem> problem = fields.End();
  if (!good || problem) {
    reply(DetectorError(422, problem ? problem->detail : "\"contents\" is no list of texts"));
    return;
  }
  GatewayQuestion question;
  question.policies = DetectorPolicies(*request);
  std::vector<std::string> texts;
  for (const Json& one : *contents) {
    texts.push_back(one.get<std::string>());
    question.contents.push_back(moderation::UserMessage(texts.back()));
  }
  question.render = [texts = std::move(texts)](const Result<JudgeAnswer>& answer) {
    if (std::optional<Response> undecided = Undecided(answer)) {
      return *undecided;
    }
    Ordered all = Ordered::array();
    std::size_t judged = 0;
    for (const std::string& text : texts) {
      Ordered list = Ordered::array();
      if (!moderation::IsBlank(moderation::UserMessage(text))) {
        for (std::size_t p = 0; p < answer->policies; ++p) {
          const Verdict& verdict = answer->verdicts[judged * answer->policies + p];
          if (verdict.outcome == Outcome::kViolation) {
            AddSpans(verdict, text, list);
          }
        }
        ++judged;
      }
      all.push_back(std::move(list));
    }
    return Answered(all);
  };
  AskGateway(context, *request, reply, std::move(question));
}

// /text/chat and /text/generation: one content, a list of detections without places.
void DetectWhole(const RouteContext& context, const std::shared_ptr<Request>& request,
                 const Reply& reply, bool chat) {
  const OrProblem<Json> body = ParseObject(request->body);
  if (!body) {
    reply(DetectorError(400, body.error().detail));
    return;
  }
  const auto member = [&](const char* name) {
    const auto found = body->find(name);
    return found == body->end() ? Json() : *found;
  };
  moderation::Content content;
  content.kind = moderation::ContentKind::kConversation;
  bool good = true;
  if (chat) {
    const Json messages = member("messages");
    good = messages.is_array() && !messages.empty() && messages.size() <= kMessagesMax;
    for (std::size_t m = 0; good && m < messages.size(); ++m) {
      const Result<std::string> text = GatewayText(messages[m]);
      good = text && messages[m].is_object();
      if (good) {
        const bool answer = messages[m].value("role", Json()) == "assistant";
        content.messages.push_back(
            {answer ? moderation::Role::kAssistant : moderation::Role::kUser, *text});
      }
    }
  } else {
    const Json prompt = member("prompt");
    const Json generated = member("generated_text");
    good = prompt.is_string() && generated.is_string();
    if (good) {
      content.messages = {{moderation::Role::kUser, prompt.get<std::string>()},
                          {moderation::Role::kAssistant, generated.get<std::string>()}};
    }
  }
  if (!good) {
    reply(DetectorError(422, chat ? "\"messages\" is no list of messages that can be judged"
                                  : "\"prompt\" and \"generated_text\" are not both texts"));
    return;
  }
  GatewayQuestion question;
  question.policies = DetectorPolicies(*request);
  question.contents.push_back(std::move(content));
  question.render = [](const Result<JudgeAnswer>& answer) {
    if (std::optional<Response> undecided = Undecided(answer)) {
      return *undecided;
    }
    Ordered list = Ordered::array();
    for (const Verdict& verdict : answer->verdicts) {
      if (verdict.outcome == Outcome::kViolation) {
        list.push_back(Detection(verdict));
      }
    }
    return Answered(list);
  };
  AskGateway(context, *request, reply, std::move(question));
}

// -- Perspective --

struct Attribute {
  const char* name;
  const char* policy;
};
constexpr std::array<Attribute, 7> kAttributes = {{
    {"TOXICITY", "harassment"},
    {"SEVERE_TOXICITY", "openai-harassment-threatening"},
    {"INSULT", "harassment"},
    {"IDENTITY_ATTACK", "hate"},
    {"THREAT", "openai-harassment-threatening"},
    {"SEXUALLY_EXPLICIT", "sexual-content"},
    {"SPAM", "spam"},
}};

Response PerspectiveError(int status, const std::string& word, const std::string& message) {
  Response response =
      Answered({{"error", {{"code", status}, {"message", message}, {"status", word}}}}, status);
  response.problem = "perspective";
  return response;
}

// The policy of an attribute: of Perspective's, or one whose name is a policy's own.
std::string PolicyOf(const std::string& attribute) {
  const auto known = std::ranges::find_if(
      kAttributes, [&](const Attribute& one) { return attribute == one.name; });
  if (known != kAttributes.end()) {
    return known->policy;
  }
  const bool upper =
      std::ranges::all_of(attribute, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
  return upper ? "" : attribute;
}

Ordered AttributeJson(const Verdict& verdict, const std::string& text, double score) {
  const Ordered value = {{"value", score}, {"type", "PROBABILITY"}};
  Ordered spans = Ordered::array();
  for (const moderation::Evidence& evidence : verdict.evidence) {
    if (evidence.start < evidence.end && evidence.end <= text.size()) {
      spans.push_back({{"begin", CodePoints(text, evidence.start)},
                       {"end", CodePoints(text, evidence.end)},
                       {"score", value}});
    }
  }
  if (spans.empty()) {
    spans.push_back({{"begin", 0}, {"end", CodePoints(text, text.size())}, {"score", value}});
  }
  return {{"spanScores", std::move(spans)}, {"summaryScore", value}};
}

Response PerspectiveAnswer(const Result<JudgeAnswer>& answer, const std::string& text,
                           const std::map<std::string, std::size_t>& attributes,
                           const std::string& token, const Json& languages) {
  if (!answer) {
    return answer.error().code == ErrorCode::kNotFound
               ? PerspectiveError(400, "INVALID_ARGUMENT", answer.error().message)
               : PerspectiveError(503, "UNAVAILABLE", answer.error().message);
  }
  Ordered scores = Ordered::object();
  for (const auto& [attribute, at] : attributes) {
    const Verdict& verdict = answer->verdicts[at];
    // Near the middle a score is all that is asked for; where there is none, there is no answer.
    if (!verdict.score) {
      return PerspectiveError(503, "UNAVAILABLE",
                              "undetermined under " + verdict.policy.id + ": " + verdict.detail);
    }
    scores[attribute] = AttributeJson(verdict, text, *verdict.score);
  }
  Ordered json = {{"attributeScores", std::move(scores)}, {"languages", languages}};
  if (!token.empty()) {
    json["clientToken"] = token;
  }
  return Answered(json);
}

void Analyze(const RouteContext& context, const std::shared_ptr<Request>& request,
             const Reply& reply) {
  const auto refuse = [&](const std::string& why) {
    reply(PerspectiveError(400, "INVALID_ARGUMENT", why));
  };
  const OrProblem<Json> body = ParseObject(request->body);
  if (!body) {
    refuse(body.error().detail);
    return;
  }
  Fields fields(*body, "");
  const Json* comment = fields.Get("comment");
  const Json* asked = fields.Get("requestedAttributes");
  const std::string token = fields.Text("clientToken", kNameBytesMax);
  for (const char* name :
       {"languages", "doNotStore", "spanAnnotations", "sessionId", "communityId"}) {
    fields.Get(name);
  }
  if (const std::optional<Problem> problem = fields.End()) {
    refuse(problem->detail + " (" + problem->hint + ")");
    return;
  }
  const bool has_text = comment != nullptr && comment->is_object() && comment->contains("text") &&
                        (*comment)["text"].is_string();
  if (!has_text || comment->value("type", Json("PLAIN_TEXT")) == "HTML") {
    refuse(has_text ? "HTML is not judged: send its text" : "\"comment\" has no \"text\"");
    return;
  }
  if (asked == nullptr || !asked->is_object() || asked->empty() || asked->size() > kPoliciesMax) {
    refuse("\"requestedAttributes\" names no attributes");
    return;
  }
  GatewayQuestion question;
  std::map<std::string, std::size_t> attributes;
  for (const auto& [name, settings] : asked->items()) {
    const std::string policy = PolicyOf(name);
    if (policy.empty()) {
      refuse("no policy answers to " + name.substr(0, 64) + "; name one by its own id");
      return;
    }
    const auto there = std::ranges::find(question.policies, policy);
    attributes[name] = static_cast<std::size_t>(there - question.policies.begin());
    if (there == question.policies.end()) {
      question.policies.push_back(policy);
    }
  }
  const std::string text = (*comment)["text"].get<std::string>();
  question.contents.push_back(moderation::UserMessage(text));
  if (moderation::IsBlank(question.contents.front())) {
    refuse("the comment is empty");
    return;
  }
  question.render = [text, attributes, token, languages = body->value("languages", Json::array())](
                        const Result<JudgeAnswer>& answer) {
    return PerspectiveAnswer(answer, text, attributes, token, languages);
  };
  AskGateway(context, *request, reply, std::move(question));
}

}  // namespace

std::vector<Route> ScoreRoutes(const RouteContext& context) {
  const auto route = [&](const char* pattern, auto function) {
    Route made{"POST", pattern, Route::Access::kScope, Scope::kJudge};
    made.handler = [&context, function](const std::shared_ptr<Request>& request,
                                        const Reply& reply) { function(context, request, reply); };
    return made;
  };
  const auto whole = [](bool chat) {
    return [chat](const RouteContext& where, const std::shared_ptr<Request>& request,
                  const Reply& reply) { DetectWhole(where, request, reply, chat); };
  };
  return {route("/api/v1/text/contents", DetectContents), route("/api/v1/text/chat", whole(true)),
          route("/api/v1/text/generation", whole(false)),
          route("/v1alpha1/comments:analyze", Analyze)};
}

}  // namespace safeguard::http
