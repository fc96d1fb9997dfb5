#include "http/api/route_parts.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/domain_json.h"
#include "http/json_input.h"

namespace safeguard::http {

Route DiskRoute(const RouteContext& context, const char* method, const char* pattern,
                RouteFunction function, std::optional<Scope> scope) {
  Route route{method, pattern, Route::Access::kAnyKey};
  if (scope) {
    route.access = Route::Access::kScope;
    route.scope = *scope;
  }
  route.blocking = true;
  route.handler = [&context, function](const std::shared_ptr<Request>& request,
                                       const Reply& reply) {
    OrProblem<Response> response = function(context, *request);
    reply(response ? std::move(*response) : ProblemResponse(response.error(), request->id));
  };
  return route;
}

Response JsonResponse(int status, const nlohmann::ordered_json& json) {
  Response response;
  response.status = status;
  response.body = JsonLine(json);
  return response;
}

OrProblem<std::size_t> PageSize(const std::map<std::string, std::string>& query, std::size_t most,
                                std::size_t otherwise) {
  const auto limit = query.find("limit");
  if (limit == query.end()) {
    return otherwise;
  }
  std::size_t size = 0;
  const char* end = limit->second.data() + limit->second.size();
  const auto read = std::from_chars(limit->second.data(), end, size);
  if (read.ec != std::errc() || read.ptr != end || size < 1 || size > most) {
    return std::unexpected(Problem{400,
                                   "invalid-request",
                                   "\"limit\" is no page size",
                                   "give a number from 1 to " + std::to_string(most),
                                   {}});
  }
  return size;
}

OrProblem<std::int64_t> PageCursor(const std::map<std::string, std::string>& query) {
  const auto cursor = query.find("cursor");
  if (cursor == query.end()) {
    return 0;
  }
  std::int64_t after = 0;
  const char* end = cursor->second.data() + cursor->second.size();
  const auto read = std::from_chars(cursor->second.data(), end, after);
  if (read.ec != std::errc() || read.ptr != end || after < 0) {
    return std::unexpected(WrongCursor());
  }
  return after;
}

Problem WrongCursor() {
  return {400,
          "invalid-request",
          "\"cursor\" cannot be read",
          "give the next_cursor of the page before",
          {}};
}

OrProblem<Page> ReadPage(const Request& request) {
  const auto query = ReadQuery(request.query, {"cursor", "limit"});
  const OrProblem<std::size_t> size = query ? PageSize(*query) : std::unexpected(query.error());
  const OrProblem<std::int64_t> after = size ? PageCursor(*query) : std::unexpected(size.error());
  return after ? OrProblem<Page>(Page{*after, *size}) : std::unexpected(after.error());
}

Response PageResponse(nlohmann::ordered_json data, std::int64_t next) {
  nlohmann::ordered_json cursor = nullptr;
  if (next != 0) {
    cursor = std::to_string(next);
  }
  return JsonResponse(200, {{"data", std::move(data)}, {"next_cursor", std::move(cursor)}});
}

bool NamesEtag(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
    one = one.substr(0, one.find_last_not_of(" \t") + 1);
    if (one == "*" || one == etag || (one.starts_with("W/") && one.substr(2) == etag)) {
      return true;
    }
  }
  return false;
}

OrProblem<moderation::JobQuery> ReadJobQuery(const Request& request, const std::string& kind,
                                             const char* called_off) {
  const auto query = ReadQuery(request.query, {"state", "cursor", "limit"});
  const OrProblem<std::size_t> size = query ? PageSize(*query) : std::unexpected(query.error());
  const OrProblem<std::int64_t> after = size ? PageCursor(*query) : std::unexpected(size.error());
  if (!after) {
    return std::unexpected(after.error());
  }
  moderation::JobQuery wanted{.kind = kind, .after = *after, .limit = *size};
  if (const auto state = query->find("state"); state != query->end()) {
    const bool off = called_off != nullptr && state->second == called_off;
    wanted.state = off ? moderation::JobState::kDone : moderation::JobStateFrom(state->second);
    if (called_off != nullptr && wanted.state == moderation::JobState::kDone) {
      wanted.called_off = off;
    }
    if (!wanted.state) {
      return std::unexpected(Problem{400,
                                     "invalid-request",
                                     "\"state\" cannot be read",
                                     std::string("there are: waiting, leased, done, dead") +
                                         (called_off == nullptr ? "" : ", ") +
                                         (called_off == nullptr ? "" : called_off),
                                     {}});
    }
  }
  return wanted;
}

}  // namespace safeguard::http
