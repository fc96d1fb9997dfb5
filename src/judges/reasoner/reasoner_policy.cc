#include "judges/reasoner/reasoner_policy.h"

#include <span>
#include <utility>

#include "base/check.h"

namespace safeguard::judges {

Result<Question> MakeQuestion(const engine::Bpe& bpe, const ReasonerSettings& settings,
                              std::string policy_message, AnswerPlan plan) {
  engine::PolicyPrompt prompt;
  prompt.policy = std::move(policy_message);
  prompt.placement = settings.placement;
  prompt.effort = settings.effort;
  prompt.date = settings.options.date;
  Question question;
  Result<std::vector<std::uint32_t>> prefix =
      engine::RenderConversation(bpe, engine::PolicyMessages(prompt));
  if (!prefix) {
    return std::unexpected(prefix.error());
  }
  question.prefix = std::move(*prefix);
  Result<std::shared_ptr<const engine::Grammar>> grammar = nullptr;
  if (!plan.schema.empty()) {
    grammar = engine::Grammar::FromJsonSchema(plan.schema);
  } else if (!plan.choice.empty()) {
    grammar = engine::Grammar::FromChoice(plan.choice);
  }
  if (!grammar) {
    return std::unexpected(grammar.error());
  }
  question.grammar = std::move(*grammar);
  question.plan = std::move(plan);
  return question;
}

Result<Question> MakeJointQuestion(const engine::Bpe& bpe, const ReasonerSettings& settings,
                                   const std::vector<const moderation::Policy*>& policies) {
  AnswerPlan plan = PlanJointAnswer(policies);
  std::string message = JointPolicyMessage(policies, plan);
  return MakeQuestion(bpe, settings, std::move(message), std::move(plan));
}

Result<std::shared_ptr<const ReasonerPolicy>> ReasonerPolicy::Make(const engine::Bpe& bpe,
                                                                   const ReasonerSettings& settings,
                                                                   const moderation::Policy& policy,
                                                                   const std::string& owner) {
  std::shared_ptr<ReasonerPolicy> prepared(new ReasonerPolicy(policy));
  AnswerPlan plan = PlanAnswer(policy, prepared->labels_, settings.form);
  if (settings.options.instant && !plan.verdict) {
    return Fail(ErrorCode::kInvalidInput,
                "policy " + policy.id +
                    " asks for an answer whose verdict has no fixed place, so no instant score can "
                    "be read",
                "choose another form of answer: label, json or rationale");
  }
  std::string message = PolicyMessage(policy, plan);
  Result<Question> question = MakeQuestion(bpe, settings, std::move(message), std::move(plan));
  if (!question) {
    return std::unexpected(question.error());
  }
  prepared->question_ = std::move(*question);
  prepared->question_.owner = owner;
  const std::size_t own =
      settings.options.reasoning_tokens_max + settings.options.answer_tokens_max;
  if (prepared->question_.prefix.size() + own >= settings.context_max) {
    return Fail(ErrorCode::kLimit,
                "policy " + policy.id + " has " +
                    std::to_string(prepared->question_.prefix.size()) +
                    " tokens, which leaves no room for content and answer in the model's " +
                    std::to_string(settings.context_max),
                "split it, or shorten it: policies of 400 to 600 tokens do best");
  }
  return prepared;
}

std::vector<std::uint32_t> MakePrompt(const engine::Bpe& bpe, const Question& question,
                                      const moderation::Content& content, bool instant) {
  std::vector<std::uint32_t> ids = question.prefix;
  const Status appended =
      engine::AppendMessage(bpe, engine::UserMessage(ContentMessage(content)), ids);
  CHECK(appended.has_value());  // a user's message has nothing that could be refused
  engine::AppendAssistantStart(bpe, ids);
  if (instant) {
    engine::AppendSkippedAnalysis(bpe, ids);
  }
  return ids;
}

engine::GenerationRequest MakeRequest(const ReasonerSettings& settings, const Question& question,
                                      std::vector<std::uint32_t> prompt, std::size_t shared) {
  const ReasonerOptions& options = settings.options;
  engine::GenerationRequest request;
  request.prompt = std::move(prompt);
  if (shared > 0 && shared < question.prefix.size()) {
    request.prefix_ends.push_back(shared);
  }
  request.prefix_ends.push_back(question.prefix.size());
  request.prefix_salt = question.owner;
  request.tenant = question.owner;
  request.priority =
      options.interactive ? engine::Priority::kInteractive : engine::Priority::kBatch;
  request.sampling.temperature = options.temperature;
  request.sampling.seed = options.seed;
  request.sampling.logprobs = false;
  request.tokens_max =
      options.answer_tokens_max + (options.instant ? 0 : options.reasoning_tokens_max);
  if (options.time_max) {
    request.time_max = *options.time_max;
  }
  request.reasoning = engine::ReasoningLimits{};
  request.reasoning->tokens_max = options.reasoning_tokens_max;
  request.grammar = question.grammar;
  if (const std::optional<VerdictPoint>& verdict = question.plan.verdict) {
    request.probe = engine::LabelProbe{};
    request.probe->after = verdict->before;
    request.probe->labels = verdict->violating;
    request.probe->labels.insert(request.probe->labels.end(), verdict->safe.begin(),
                                 verdict->safe.end());
    request.probe->stop = options.instant;
    request.probe->relative = true;  // a score is of one side against the other
  }
  return request;
}

}  // namespace safeguard::judges
