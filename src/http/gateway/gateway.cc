#include "http/gateway/gateway.h"

#include <algorithm>
#include <utility>

#include "http/json_input.h"
#include "http/proxy/judgeable_text.h"

namespace safeguard::http {

using moderation::Content;
using moderation::Outcome;
using moderation::Verdict;

void AskGateway(const RouteContext& context, const Request& request, const Reply& reply,
                GatewayQuestion question) {
  std::erase_if(question.contents, [](const Content& one) { return moderation::IsBlank(one); });
  auto render = std::move(question.render);
  if (question.contents.empty()) {
    reply(render(JudgeAnswer()));
    return;
  }
  JudgeJob job;
  job.contents = std::move(question.contents);
  job.policies = std::move(question.policies);
  job.key = RecordKey(request);
  job.deadline = request.received + TimeFor(context, job.contents.size());
  const bool taken = context.parts.judging.Submit(
      std::move(job), [reply, render](Result<JudgeAnswer> answer) { reply(render(answer)); });
  if (!taken) {
    context.parts.metrics.CountRefused("queue");
    reply(render(Fail(ErrorCode::kUnavailable, "more contents wait than may")));
  }
}

GatewayRuling Rule(const Result<JudgeAnswer>& answer, bool pass_undetermined) {
  if (!answer) {
    return {pass_undetermined && answer.error().code == ErrorCode::kUnavailable,
            "undetermined: " + answer.error().message};
  }
  GatewayRuling ruling{true, ""};
  for (const Outcome outcome : {Outcome::kViolation, Outcome::kUndetermined}) {
    const auto found = std::ranges::find(answer->verdicts, outcome, &Verdict::outcome);
    if (found == answer->verdicts.end()) {
      continue;
    }
    if (outcome == Outcome::kUndetermined) {
      return {pass_undetermined, "undetermined under " + found->policy.id + ": " +
                                     moderation::ToString(found->reason)};
    }
    ruling = {false, "violates " + found->policy.id};
    for (const std::string& rule : found->rule_ids) {
      ruling.reason += " " + rule;
    }
    return ruling;
  }
  return ruling;
}

Result<std::string> GatewayText(const nlohmann::json& value) {
  return JudgeableText(nlohmann::ordered_json(value));
}

OrProblem<std::vector<std::string>> PoliciesOfQuery(const Request& request) {
  const auto query = ReadQuery(request.query, {"policies"});
  if (!query) {
    return std::unexpected(query.error());
  }
  std::vector<std::string> names;
  const auto found = query->find("policies");
  std::string_view left = found == query->end() ? "" : std::string_view(found->second);
  while (!left.empty()) {
    const std::string_view name = left.substr(0, left.find(','));
    left.remove_prefix(std::min(left.size(), name.size() + 1));
    if (!name.empty() && std::ranges::find(names, name) == names.end()) {
      names.emplace_back(name);
    }
  }
  return names;
}

std::size_t CodePoints(std::string_view text, std::size_t byte) {
  return static_cast<std::size_t>(std::ranges::count_if(text.substr(0, byte), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace safeguard::http
