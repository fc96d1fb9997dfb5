// OpenAI's POST /v1/moderations and GET /v1/models. Each of the 13 categories is a shipped policy
// or one of the "openai" pack; whoever publishes a policy of the same id replaces it. What OpenAI's
// shape has no place for stands in "safety", apart from its fields.
#include <algorithm>
#include <array>
#include <utility>

#include "http/api/routes.h"
#include "http/domain_json.h"
#include "http/json_input.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Outcome;
using moderation::Verdict;
using OnUndetermined = ModerationQuestion::OnUndetermined;

struct Category {
  const char* slug;
  const char* policy;
};
constexpr std::array<Category, 13> kCategories = {{
    {"harassment", "harassment"},
    {"harassment/threatening", "openai-harassment-threatening"},
    {"hate", "hate"},
    {"hate/threatening", "openai-hate-threatening"},
    {"illicit", "openai-illicit"},
    {"illicit/violent", "openai-illicit-violent"},
    {"self-harm", "self-harm"},
    {"self-harm/instructions", "openai-self-harm-instructions"},
    {"self-harm/intent", "openai-self-harm-intent"},
    {"sexual", "sexual-content"},
    {"sexual/minors", "openai-sexual-minors"},
    {"violence", "violence"},
    {"violence/graphic", "openai-violence-graphic"},
}};

const char* ToString(OnUndetermined mode) {
  switch (mode) {
    case OnUndetermined::kFlag:
      return "flag";
    case OnUndetermined::kError:
      return "error";
    case OnUndetermined::kPass:
      break;
  }
  return "pass";
}

// How an answer names its categories, in the order of its verdicts.
std::vector<std::string> CategoryNames(const ModerationQuestion& question) {
  std::vector<std::string> names;
  for (const Category& category : kCategories) {
    names.emplace_back(category.slug);
  }
  names.insert(names.end(), question.own_policies.begin(), question.own_policies.end());
  return names;
}

Json SafetyJson(const JudgeAnswer& answer, std::size_t content,
                const std::vector<std::string>& names, OnUndetermined mode) {
  Json verdicts = Json::object();
  Json undetermined = Json::array();
  for (std::size_t p = 0; p < names.size(); ++p) {
    const Verdict& verdict = answer.verdicts[content * answer.policies + p];
    Json one = {{"policy", verdict.policy.id},          {"policy_version", verdict.policy.version},
                {"outcome", ToString(verdict.outcome)}, {"reason", nullptr},
                {"rule_ids", verdict.rule_ids},         {"decided_by", verdict.decided_by.layer}};
    if (verdict.outcome == Outcome::kUndetermined) {
      one["reason"] = ToString(verdict.reason);
      undetermined.push_back(names[p]);
    }
    verdicts[names[p]] = std::move(one);
  }
  return {{"on_undetermined", ToString(mode)},
          {"undetermined", std::move(undetermined)},
          {"verdicts", std::move(verdicts)}};
}

Json ResultJson(const JudgeAnswer& answer, std::size_t content,
                const std::vector<std::string>& names, OnUndetermined mode) {
  bool flagged = false;
  Json categories = Json::object();
  Json scores = Json::object();
  Json inputs = Json::object();
  for (std::size_t p = 0; p < names.size(); ++p) {
    const Verdict& verdict = answer.verdicts[content * answer.policies + p];
    const bool undecided = verdict.outcome == Outcome::kUndetermined;
    const bool flag =
        undecided ? mode != OnUndetermined::kPass : verdict.outcome == Outcome::kViolation;
    flagged = flagged || flag;
    categories[names[p]] = flag;
    scores[names[p]] = verdict.score.value_or(flag ? 1.0 : 0.0);
    inputs[names[p]] = Json::array({"text"});
  }
  return {{"flagged", flagged},
          {"categories", std::move(categories)},
          {"category_scores", std::move(scores)},
          {"category_applied_input_types", std::move(inputs)},
          {"safety", SafetyJson(answer, content, names, mode)}};
}

Response Answer(const Result<JudgeAnswer>& answer, const std::vector<std::string>& names,
                OnUndetermined mode, const std::string& model, const std::string& request_id) {
  if (!answer) {
    Problem problem = ProblemOf(answer.error());
    if (answer.error().code == ErrorCode::kNotFound) {
      problem.code = "unknown-policy";
      problem.pointer = "/safety/policies";
    }
    return ProblemResponse(problem, request_id, true);
  }
  const auto undecided =
      std::ranges::find(answer->verdicts, Outcome::kUndetermined, &Verdict::outcome);
  if (mode == OnUndetermined::kError && undecided != answer->verdicts.end()) {
    return ProblemResponse(
        {503,
         "undetermined",
         "under " + undecided->policy.id + " nothing could be decided: " + undecided->detail,
         R"(send again, or choose "on_undetermined": "flag")",
         {},
         1},
        request_id, true);
  }
  Json results = Json::array();
  for (std::size_t c = 0; c * answer->policies < answer->verdicts.size(); ++c) {
    results.push_back(ResultJson(*answer, c, names, mode));
  }
  Response response;
  response.body =
      JsonLine({{"id", "modr-" + request_id}, {"model", model}, {"results", std::move(results)}});
  return response;
}

void Moderate(const RouteContext& context, const std::shared_ptr<Request>& request,
              const Reply& reply) {
  OrProblem<ModerationQuestion> question = ReadModerationQuestion(request->body);
  if (!question) {
    reply(ProblemResponse(question.error(), request->id, true));
    return;
  }
  std::vector<std::string> names = CategoryNames(*question);
  JudgeJob job;
  for (const Category& category : kCategories) {
    job.policies.emplace_back(category.policy);
  }
  for (const std::string& own : question->own_policies) {
    job.policies.push_back(own);
  }
  job.contents = std::move(question->contents);
  job.key = RecordKey(*request);
  job.deadline = request->received + TimeFor(context, job.contents.size());
  SubmitOrRefuse(
      context, *request, reply, std::move(job),
      [reply, names = std::move(names), mode = question->on_undetermined,
       model = context.options.model, id = request->id](const Result<JudgeAnswer>& answer) {
        reply(Answer(answer, names, mode, model, id));
      },
      true);
}

Json ModelJson(const std::string& model) {
  return {{"id", model}, {"object", "model"}, {"created", 0}, {"owned_by", "safeguard"}};
}

// The judge, for /v1/moderations, and the model that is talked to.
std::vector<std::string> ModelNames(const RouteContext& context) {
  std::vector<std::string> names = {context.options.model};
  if (context.parts.chat != nullptr && context.parts.chat->name() != names.front()) {
    names.push_back(context.parts.chat->name());
  }
  return names;
}

}  // namespace

std::vector<Route> ModerationRoutes(const RouteContext& context) {
  Route moderate{"POST", "/v1/moderations", Route::Access::kScope, Scope::kJudge};
  moderate.idempotent = true;
  moderate.openai = true;
  moderate.handler = [&context](const std::shared_ptr<Request>& request, const Reply& reply) {
    Moderate(context, request, reply);
  };
  Route models{"GET", "/v1/models", Route::Access::kAnyKey};
  models.openai = true;
  models.handler = [&context](const std::shared_ptr<Request>&, const Reply& reply) {
    Json data = Json::array();
    for (const std::string& name : ModelNames(context)) {
      data.push_back(ModelJson(name));
    }
    Response response;
    response.body = JsonLine({{"object", "list"}, {"data", std::move(data)}});
    reply(std::move(response));
  };
  Route model{"GET", "/v1/models/{id}", Route::Access::kAnyKey};
  model.openai = true;
  model.handler = [&context](const std::shared_ptr<Request>& request, const Reply& reply) {
    const std::vector<std::string> names = ModelNames(context);
    const std::string& asked = request->values.at("id");
    if (std::ranges::find(names, asked) == names.end()) {
      reply(ProblemResponse({404,
                             "unknown-model",
                             "there is no such model here",
                             "GET /v1/models names those that answer",
                             {}},
                            request->id, true));
      return;
    }
    Response response;
    response.body = JsonLine(ModelJson(asked));
    reply(std::move(response));
  };
  return {std::move(moderate), std::move(models), std::move(model)};
}

}  // namespace safeguard::http
