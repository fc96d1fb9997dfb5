// GET /v1/policies/{id}/versions/{version}/shadow: how often a version in the shadow agreed with
// what was answered, and where it did not.
#include <charconv>
#include <utility>

#include "base/utc_time.h"
#include "http/api/route_parts.h"
#include "http/api/shadow_results.h"
#include "http/domain_json.h"
#include "http/json_input.h"
#include "moderation/policy_store.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

// Of the policy, read for one answer. What is beyond it is said, and had with `from`.
constexpr std::size_t kRecordsMax = 200'000;

Json ShareJson(std::size_t count, std::size_t total) {
  if (total == 0) {
    return nullptr;
  }
  const Share share = ShareOf(count, total);
  return {{"value", share.value}, {"low", share.low}, {"high", share.high}};
}

Json SideJson(const moderation::VerdictRecord& record) {
  Json json = {{"sequence", record.sequence},
               {"policy_version", record.policy.version},
               {"outcome", ToString(record.outcome)},
               {"score", nullptr},
               {"rule_ids", record.rule_ids}};
  if (record.score) {
    json["score"] = *record.score;
  }
  return json;
}

Json DirectionsJson(const ShadowResults& results) {
  Json list = Json::array();
  for (const auto& [outcomes, direction] : results.directions()) {
    Json examples = Json::array();
    for (const ShadowResults::Pair& pair : direction.examples) {
      Json one = {{"content_hash", pair.shadow.content_hash},
                  {"when", UtcText(pair.answered.when)},
                  {"answered", SideJson(pair.answered)},
                  {"shadow", SideJson(pair.shadow)}};
      if (!pair.shadow.content_id.empty()) {
        one["id"] = pair.shadow.content_id;
      }
      examples.push_back(std::move(one));
    }
    list.push_back({{"from", ToString(outcomes.first)},
                    {"to", ToString(outcomes.second)},
                    {"count", direction.count},
                    {"share", ShareJson(direction.count, results.paired())},
                    {"examples", std::move(examples)}});
  }
  return list;
}

OrProblem<moderation::VersionInfo> FindVersion(const RouteContext& context,
                                               const Request& request) {
  if (context.parts.store == nullptr || context.parts.log == nullptr) {
    return std::unexpected(Problem{
        409, "no-store", "this server keeps no versions", "start it with --data-dir DIR", {}});
  }
  const std::string& name = request.values.at("version");
  int number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = read.ec == std::errc() && read.ptr == name.data() + name.size();
  const auto info = is_number && moderation::CheckPolicyId(request.values.at("id"))
                        ? context.parts.store->Find(request.values.at("id"), name)
                        : Result<moderation::VersionInfo>(
                              Fail(ErrorCode::kNotFound, "there is no version " + name));
  if (!info) {
    Problem problem = ProblemOf(info.error());
    problem.code = problem.status == 404 ? "unknown-policy" : problem.code;
    return std::unexpected(std::move(problem));
  }
  return *info;
}

// Sets the query's times, where the request gives some.
OrProblem<moderation::VerdictQuery> QueryOf(const Request& request) {
  const auto fields = ReadQuery(request.query, {"from", "until"});
  if (!fields) {
    return std::unexpected(fields.error());
  }
  moderation::VerdictQuery query;
  query.limit = moderation::kVerdictPageMax;
  for (const auto& [name, value] : *fields) {
    const Result<std::int64_t> time = ParseUtc(value);
    if (!time) {
      return std::unexpected(Problem{400,
                                     "invalid-request",
                                     "\"" + name + "\" cannot be read",
                                     "give a time as in 2026-11-28T15:45:02Z",
                                     {}});
    }
    (name == "from" ? query.from : query.until) = *time;
  }
  return query;
}

OrProblem<Response> Shadow(const RouteContext& context, const Request& request) {
  OrProblem<moderation::VerdictQuery> asked = QueryOf(request);
  const OrProblem<moderation::VersionInfo> info =
      asked ? FindVersion(context, request) : std::unexpected(asked.error());
  if (!info) {
    return std::unexpected(info.error());
  }
  moderation::VerdictQuery query = std::move(*asked);
  query.policy_id = info->policy_id;
  ShadowResults results(std::to_string(info->number));
  std::size_t read = 0;
  bool end = false;
  while (!end && read < kRecordsMax) {
    const Result<moderation::VerdictPage> page = context.parts.log->Scan(query);
    if (!page) {
      return std::unexpected(ProblemOf(page.error()));
    }
    for (const moderation::VerdictRecord& record : page->records) {
      results.Add(record);
    }
    read += page->records.size();
    query.after = page->next;
    end = page->end;
  }
  return JsonResponse(200, {{"policy", info->policy_id},
                            {"version", info->number},
                            {"state", ToString(info->state)},
                            {"records_read", read},
                            {"complete", end},
                            {"shadow_verdicts", results.shadows()},
                            {"paired", results.paired()},
                            {"agreed", results.agreed()},
                            {"agreement", ShareJson(results.agreed(), results.paired())},
                            {"disagreements", DirectionsJson(results)}});
}

}  // namespace

std::vector<Route> ShadowRoutes(const RouteContext& context) {
  return {DiskRoute(context, "GET", "/v1/policies/{id}/versions/{version}/shadow", Shadow,
                    Scope::kReview)};
}

}  // namespace safeguard::http
