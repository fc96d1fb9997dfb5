// What the routes that read and change stores share: a handler as a function that gives an answer
// or a problem, pages, ETags' JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "http/api/routes.h"
#include "moderation/job_queue.h"

namespace safeguard::http {

using RouteFunction = OrProblem<Response> (*)(const RouteContext&, const Request&);

// A route that waits for the disk. `scope`: what a key needs; without it any key will do.
Route DiskRoute(const RouteContext& context, const char* method, const char* pattern,
                RouteFunction function, std::optional<Scope> scope = std::nullopt);

Response JsonResponse(int status, const nlohmann::ordered_json& json);

// The query's "limit": 1 to `most`, `otherwise` where it is not there.
OrProblem<std::size_t> PageSize(const std::map<std::string, std::string>& query,
                                std::size_t most = 200, std::size_t otherwise = 50);
// The query's "cursor": 0 where it is not there.
OrProblem<std::int64_t> PageCursor(const std::map<std::string, std::string>& query);
// Both of them, of a list that has no other parameters.
struct Page {
  std::int64_t after = 0;
  std::size_t size = 50;
};
OrProblem<Page> ReadPage(const Request& request);
Problem WrongCursor();
// {"data": ..., "next_cursor": "17"}; null where `next` is 0.
Response PageResponse(nlohmann::ordered_json data, std::int64_t next);
// Whether a list of ETags, as If-Match and If-None-Match have it, names this one; "*" names any.
// Those headers may say W/ before it, where it makes no difference.
bool NamesEtag(std::string_view list, std::string_view etag);
// The query of a list of jobs: state, cursor, limit. `called_off`: the word for those that were
// called off, where they are told from the done ones; may be null.
OrProblem<moderation::JobQuery> ReadJobQuery(const Request& request, const std::string& kind,
                                             const char* called_off = nullptr);

}  // namespace safeguard::http
