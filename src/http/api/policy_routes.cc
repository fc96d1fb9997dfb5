// /v1/policies: what there is, versions, and the changes that a store allows.
#include <algorithm>
#include <mutex>
#include <utility>

#include "base/hash.h"
#include "http/api/route_parts.h"
#include "http/domain_json.h"
#include "http/json_input.h"
#include "moderation/policy.h"
#include "moderation/policy_errors.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Action;
using moderation::PolicyStore;
using moderation::VersionInfo;
using moderation::VersionState;

std::string EtagOf(const std::string& body) {
  return "\"" + Blake2bHex(body).substr(0, 32) + "\"";
}

// The document with its ETag; 304 where the client has it.
Response WithEtag(const Request& request, Response response) {
  const std::string etag = EtagOf(response.body);
  if (NamesEtag(request.header("if-none-match"), etag)) {
    response.status = 304;
    response.body.clear();
  }
  response.headers.push_back({"etag", etag});
  return response;
}

std::vector<VersionInfo> VersionsIn(PolicyStore* store, const std::string& id) {
  auto versions = store == nullptr || !moderation::CheckPolicyId(id)
                      ? Result<std::vector<VersionInfo>>()
                      : store->Versions(id);
  return versions ? std::move(*versions) : std::vector<VersionInfo>();
}

// A policy in a list: what answers for it now. Nothing when nobody has it.
std::optional<Json> SummaryJson(const RouteContext& context, const std::string& id) {
  const std::vector<VersionInfo> versions = VersionsIn(context.parts.store, id);
  const ShippedPolicy* shipped = context.parts.shelf.FindShipped(id);
  if (versions.empty() && shipped == nullptr) {
    return std::nullopt;
  }
  Json json = {{"id", id}};
  json["source"] = versions.empty() ? "shipped" : "store";
  json["active"] = nullptr;
  json["canary"] = nullptr;
  json["shadows"] = Json::array();
  for (const VersionInfo& version : versions) {
    if (version.state == VersionState::kActive) {
      json["active"] = version.number;
    } else if (version.state == VersionState::kCanary) {
      json["canary"] = version.number;
    } else if (version.state == VersionState::kShadow) {
      json["shadows"].push_back(version.number);
    }
  }
  json["versions"] = versions.size();
  if (shipped != nullptr) {
    json["shipped"] = {{"version", shipped->policy.version},
                       {"policy_hash", shipped->policy.hash},
                       {"pack", shipped->pack}};
  }
  return json;
}

Problem UnknownPolicy(const std::string& id) {
  return {404,
          "unknown-policy",
          "there is no policy \"" + id + "\"",
          "GET /v1/policies lists those there are",
          {}};
}

OrProblem<Response> List(const RouteContext& context, const Request& request) {
  const auto query = ReadQuery(request.query, {"cursor", "limit"});
  const OrProblem<std::size_t> size = query ? PageSize(*query) : std::unexpected(query.error());
  if (!size) {
    return std::unexpected(size.error());
  }
  const auto cursor = query->find("cursor");
  if (cursor != query->end() && !moderation::CheckPolicyId(cursor->second)) {
    return std::unexpected(WrongCursor());
  }
  std::vector<std::string> ids;
  if (context.parts.store != nullptr) {
    Result<std::vector<std::string>> stored = context.parts.store->PolicyIds();
    if (!stored) {
      return std::unexpected(ProblemOf(stored.error()));
    }
    ids = std::move(*stored);
  }
  for (const ShippedPolicy& shipped : context.parts.shelf.shipped()) {
    ids.push_back(shipped.policy.id);
  }
  std::ranges::sort(ids);
  const auto twice = std::ranges::unique(ids);
  ids.erase(twice.begin(), twice.end());
  auto next = cursor == query->end() ? ids.begin() : std::ranges::upper_bound(ids, cursor->second);
  Json data = Json::array();
  for (; next != ids.end() && data.size() < *size; ++next) {
    if (std::optional<Json> json = SummaryJson(context, *next)) {
      data.push_back(std::move(*json));
    }
  }
  Json cursor_json = nullptr;
  if (next != ids.end()) {
    cursor_json = data.back()["id"];
  }
  return JsonResponse(200, {{"data", std::move(data)}, {"next_cursor", std::move(cursor_json)}});
}

OrProblem<Response> Show(const RouteContext& context, const Request& request) {
  const std::optional<Json> json = SummaryJson(context, request.values.at("id"));
  if (!json) {
    return std::unexpected(UnknownPolicy(request.values.at("id")));
  }
  return WithEtag(request, JsonResponse(200, *json));
}

OrProblem<Response> Versions(const RouteContext& context, const Request& request) {
  const OrProblem<Page> page = ReadPage(request);
  if (!page) {
    return std::unexpected(page.error());
  }
  const std::string& id = request.values.at("id");
  const std::vector<VersionInfo> versions = VersionsIn(context.parts.store, id);
  const ShippedPolicy* shipped = context.parts.shelf.FindShipped(id);
  if (versions.empty() && shipped == nullptr) {
    return std::unexpected(UnknownPolicy(id));
  }
  // From the newest on, so that versions that come meanwhile move nothing.
  Json data = Json::array();
  std::int64_t next = 0;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (page->after != 0 && version->number >= page->after) {
      continue;
    }
    if (data.size() == page->size) {
      next = version->number + 1;
      break;
    }
    data.push_back(VersionJson(*version));
  }
  return WithEtag(request, PageResponse(std::move(data), next));
}

OrProblem<PolicyStore*> StoreOf(const RouteContext& context) {
  if (context.parts.store == nullptr) {
    return std::unexpected(Problem{
        409, "no-store", "this server keeps no policies", "start it with --data-dir DIR", {}});
  }
  return context.parts.store;
}

OrProblem<VersionInfo> FindVersion(const RouteContext& context, const Request& request) {
  const moderation::VersionName name{request.values.at("id"), request.values.at("version")};
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const OrProblem<PolicyStore*> store = StoreOf(context);
  if (!store && !reads) {
    return std::unexpected(store.error());
  }
  const Result<VersionInfo> version =
      store ? (*store)->Find(name.policy_id, name.selector)
            : std::unexpected(context.parts.shelf.NoSuchVersion(name));
  if (!version) {
    const bool missing = version.error().code == ErrorCode::kNotFound;
    Problem problem =
        ProblemOf(missing ? context.parts.shelf.NoSuchVersion(name) : version.error());
    problem.code = problem.status == 404 ? "unknown-version" : problem.code;
    return std::unexpected(std::move(problem));
  }
  return *version;
}

OrProblem<Response> ShowVersion(const RouteContext& context, const Request& request) {
  const moderation::VersionName name{request.values.at("id"), request.values.at("version")};
  const ShippedPolicy* shipped = context.parts.shelf.FindShippedVersion(name);
  const bool stored =
      context.parts.store != nullptr && context.parts.store->Find(name.policy_id, name.selector);
  if (!stored && shipped != nullptr) {
    return WithEtag(request, JsonResponse(200, {{"policy", shipped->policy.id},
                                                {"version", shipped->policy.version},
                                                {"state", "shipped"},
                                                {"policy_hash", shipped->policy.hash},
                                                {"text", shipped->bytes}}));
  }
  const OrProblem<VersionInfo> version = FindVersion(context, request);
  if (!version) {
    return std::unexpected(version.error());
  }
  const auto bytes = context.parts.store->Read(version->policy_id, version->number);
  if (!bytes) {
    return std::unexpected(ProblemOf(bytes.error()));
  }
  Json json = VersionJson(*version);
  json["text"] = bytes->policy;
  return WithEtag(request, JsonResponse(200, json));
}

// If-Match: the change is made only while the policy is as the client last saw it. To be called
// under the lock of the changes.
std::optional<Problem> CheckIfMatch(const RouteContext& context, const Request& request,
                                    const std::string& id) {
  const std::string_view wanted = request.header("if-match");
  if (wanted.empty()) {
    return std::nullopt;
  }
  const std::optional<Json> json = SummaryJson(context, id);
  if (json && NamesEtag(wanted, EtagOf(JsonLine(*json)))) {
    return std::nullopt;
  }
  return Problem{412,
                 "changed-meanwhile",
                 "the policy " + id + " is not as If-Match says",
                 "GET it again, look at what changed, and send its new ETag",
                 {}};
}

Action ActionOf(const RouteContext& context, const Request& request, std::string why) {
  return {request.caller, std::move(why), context.parts.now()};
}

using Findings = std::vector<moderation::Finding>;

Json FindingsJson(const Findings& list) {
  Json findings = Json::array();
  for (const moderation::Finding& finding : list) {
    findings.push_back({{"severity", ToString(finding.severity)},
                        {"check", finding.check},
                        {"line", finding.line},
                        {"reason", finding.reason},
                        {"mend", finding.mend}});
  }
  return findings;
}

OrProblem<Response> Publish(const RouteContext& context, const Request& request) {
  const OrProblem<PolicyStore*> store = StoreOf(context);
  OrProblem<PublishQuestion> question =
      store ? ReadPublishQuestion(request.body) : std::unexpected(store.error());
  if (!question) {
    return std::unexpected(question.error());
  }
  const auto named = request.values.find("id");
  std::string id = named == request.values.end() ? question->id : named->second;
  const Result<moderation::Policy> policy =
      moderation::ReadPolicy(question->text, id.empty() ? "policy" : id);
  if (!policy) {
    Problem problem = ProblemOf(policy.error());
    problem.pointer = "/text";
    return std::unexpected(std::move(problem));
  }
  id = id.empty() ? policy->id : id;
  std::size_t cases = 0;
  if (!question->golden.empty()) {
    const auto golden = context.parts.read_golden(question->golden, "the golden set");
    if (!golden) {
      Problem problem = ProblemOf(golden.error());
      problem.pointer = "/golden";
      return std::unexpected(std::move(problem));
    }
    cases = golden->size();
  }
  if (std::optional<Problem> changed = CheckIfMatch(context, request, id)) {
    return std::unexpected(std::move(*changed));
  }
  const auto published =
      (*store)->Publish(id, {std::move(question->text), std::move(question->golden)},
                        ActionOf(context, request, std::move(question->note)));
  if (!published) {
    return std::unexpected(ProblemOf(published.error()));
  }
  Json json = VersionJson(published->version);
  json["is_new"] = published->is_new;
  json["golden_cases"] = cases;
  json["findings"] = FindingsJson(moderation::LintPolicy(*policy, context.parts.count_tokens));
  Response response = JsonResponse(published->is_new ? 201 : 200, json);
  response.headers.push_back({"location", "/v1/policies/" + id + "/versions/" +
                                              std::to_string(published->version.number)});
  return response;
}

OrProblem<Response> Changed(const Result<VersionInfo>& version) {
  if (!version) {
    Problem problem = ProblemOf(version.error());
    if (problem.status == 422) {
      problem.status = 409;  // the request is well-formed; the policy's state does not allow it
      problem.code = "not-allowed-now";
    }
    return std::unexpected(std::move(problem));
  }
  return JsonResponse(200, VersionJson(*version));
}

// Why a version may not come to answer: its policy has errors. Nothing where it has none.
OrProblem<std::optional<Response>> RefuseErrors(const RouteContext& context, const Request& request,
                                                const VersionInfo& version) {
  const auto bytes = context.parts.store->Read(version.policy_id, version.number);
  const auto policy = bytes ? moderation::ReadPolicy(bytes->policy, version.policy_id)
                            : std::unexpected(bytes.error());
  if (!policy) {
    return std::unexpected(ProblemOf(policy.error()));
  }
  const Findings errors =
      moderation::ErrorsOf(moderation::LintPolicy(*policy, context.parts.count_tokens));
  if (errors.empty()) {
    return std::nullopt;
  }
  Response response = ProblemResponse({409,
                                       "policy-has-errors",
                                       moderation::ErrorsText(errors),
                                       "mend it and publish it again, or send \"force\": true",
                                       {}},
                                      request.id);
  Json json = Json::parse(response.body);
  json["findings"] = FindingsJson(errors);
  response.body = JsonLine(json);
  return response;
}

bool Answers(const std::string& state) {
  return state == "active" || state == "canary";
}

OrProblem<Response> Promote(const RouteContext& context, const Request& request) {
  OrProblem<PromoteQuestion> question = ReadPromoteQuestion(request.body);
  const OrProblem<VersionInfo> version =
      question ? FindVersion(context, request) : std::unexpected(question.error());
  if (!version) {
    return std::unexpected(version.error());
  }
  if (std::optional<Problem> changed = CheckIfMatch(context, request, version->policy_id)) {
    return std::unexpected(std::move(*changed));
  }
  if (Answers(question->to) && !question->force) {
    auto refused = RefuseErrors(context, request, *version);
    if (!refused) {
      return std::unexpected(refused.error());
    }
    if (*refused) {
      return std::move(**refused);
    }
  }
  return Changed(context.parts.store->Move(
      version->policy_id, version->number, *moderation::VersionStateFrom(question->to),
      question->percent.value_or(0), ActionOf(context, request, std::move(question->note))));
}

OrProblem<Response> Approve(const RouteContext& context, const Request& request) {
  OrProblem<std::string> note = ReadNote(request.body);
  const OrProblem<VersionInfo> version =
      note ? FindVersion(context, request) : std::unexpected(note.error());
  if (!version) {
    return std::unexpected(version.error());
  }
  return Changed(context.parts.store->Approve(version->policy_id, version->number,
                                              ActionOf(context, request, std::move(*note))));
}

OrProblem<Response> Rollback(const RouteContext& context, const Request& request) {
  const OrProblem<PolicyStore*> store = StoreOf(context);
  OrProblem<std::string> note = store ? ReadNote(request.body) : std::unexpected(store.error());
  if (!note) {
    return std::unexpected(note.error());
  }
  const std::string& id = request.values.at("id");
  if (std::optional<Problem> changed = CheckIfMatch(context, request, id)) {
    return std::unexpected(std::move(*changed));
  }
  return Changed((*store)->Rollback(id, ActionOf(context, request, std::move(*note))));
}

OrProblem<Response> History(const RouteContext& context, const Request& request) {
  const OrProblem<PolicyStore*> store = StoreOf(context);
  const OrProblem<Page> page = store ? ReadPage(request) : std::unexpected(store.error());
  if (!page) {
    return std::unexpected(page.error());
  }
  const std::string& id = request.values.at("id");
  if (VersionsIn(*store, id).empty()) {
    return std::unexpected(UnknownPolicy(id));
  }
  auto events = (*store)->History(id, page->after, page->size + 1);
  if (!events) {
    return std::unexpected(ProblemOf(events.error()));
  }
  const bool more = events->size() > page->size;
  events->resize(events->size() - (more ? 1 : 0));
  Json data = Json::array();
  for (const moderation::StoreEvent& event : *events) {
    data.push_back(EventJson(event));
  }
  return PageResponse(std::move(data), more ? events->back().sequence : 0);
}

// Changes come one after the other, so that If-Match means what it says within this process.
Route Change(const RouteContext& context, const char* pattern, RouteFunction function,
             const std::shared_ptr<std::mutex>& turn) {
  Route route{"POST", pattern, Route::Access::kScope, Scope::kPolicyWrite};
  route.blocking = true;
  route.idempotent = true;
  route.handler = [&context, function, turn](const std::shared_ptr<Request>& request,
                                             const Reply& reply) {
    OrProblem<Response> response;
    {
      const std::lock_guard lock(*turn);
      response = function(context, *request);
    }
    reply(response ? std::move(*response) : ProblemResponse(response.error(), request->id));
  };
  return route;
}

}  // namespace

std::vector<Route> PolicyRoutes(const RouteContext& context) {
  const auto turn = std::make_shared<std::mutex>();
  std::vector<Route> routes;
  routes.push_back(DiskRoute(context, "GET", "/v1/policies", List));
  routes.push_back(DiskRoute(context, "GET", "/v1/policies/{id}", Show));
  routes.push_back(DiskRoute(context, "GET", "/v1/policies/{id}/versions", Versions));
  routes.push_back(DiskRoute(context, "GET", "/v1/policies/{id}/versions/{version}", ShowVersion));
  routes.push_back(DiskRoute(context, "GET", "/v1/policies/{id}/history", History));
  routes.push_back(Change(context, "/v1/policies", Publish, turn));
  routes.push_back(Change(context, "/v1/policies/{id}/versions", Publish, turn));
  routes.push_back(Change(context, "/v1/policies/{id}/versions/{version}/approve", Approve, turn));
  routes.push_back(Change(context, "/v1/policies/{id}/versions/{version}/promote", Promote, turn));
  routes.push_back(Change(context, "/v1/policies/{id}/rollback", Rollback, turn));
  return routes;
}

}  // namespace safeguard::http
