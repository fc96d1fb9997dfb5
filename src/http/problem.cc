#include "http/problem.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace safeguard::http {

const char* StatusTitle(int status) {
  static const std::map<int, const char*> titles = {{200, "OK"},
                                                    {201, "Created"},
                                                    {204, "No Content"},
                                                    {304, "Not Modified"},
                                                    {400, "Bad Request"},
                                                    {401, "Unauthorized"},
                                                    {403, "Forbidden"},
                                                    {404, "Not Found"},
                                                    {405, "Method Not Allowed"},
                                                    {406, "Not Acceptable"},
                                                    {408, "Request Timeout"},
                                                    {409, "Conflict"},
                                                    {412, "Precondition Failed"},
                                                    {413, "Content Too Large"},
                                                    {415, "Unsupported Media Type"},
                                                    {421, "Misdirected Request"},
                                                    {422, "Unprocessable Content"},
                                                    {429, "Too Many Requests"},
                                                    {431, "Request Header Fields Too Large"},
                                                    {500, "Internal Server Error"},
                                                    {502, "Bad Gateway"},
                                                    {503, "Service Unavailable"},
                                                    {504, "Gateway Timeout"},
                                                    {507, "Insufficient Storage"}};
  const auto found = titles.find(status);
  return found == titles.end() ? "Error" : found->second;
}

namespace {

// What to do about a problem that does not say it itself.
std::string HintOf(const Problem& problem) {
  if (!problem.hint.empty()) {
    return problem.hint;
  }
  if (problem.retry_after || problem.status == 503) {
    return "wait a moment, then send it again";
  }
  return problem.status < 500 ? "see /openapi.json for what this path takes"
                              : "whoever runs this server finds more in its log";
}

}  // namespace

Response ProblemResponse(const Problem& problem, const std::string& request_id, bool openai) {
  nlohmann::ordered_json json = {{"type", "urn:safeguard:problem:" + problem.code},
                                 {"title", StatusTitle(problem.status)},
                                 {"status", problem.status},
                                 {"detail", problem.detail},
                                 {"hint", HintOf(problem)}};
  if (!problem.pointer.empty()) {
    json["pointer"] = problem.pointer;
  }
  json["request_id"] = request_id;
  if (openai) {
    const std::string message =
        problem.hint.empty() ? problem.detail : problem.detail + " (" + problem.hint + ")";
    json["error"] = {{"message", message},
                     {"type", problem.status < 500 ? "invalid_request_error" : "server_error"},
                     {"param", nullptr},
                     {"code", problem.code}};
    if (!problem.pointer.empty()) {
      json["error"]["param"] = problem.pointer.substr(1);
    }
  }
  Response response;
  response.status = problem.status;
  response.problem = problem.code;
  response.content_type = "application/problem+json";
  response.body = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  response.headers = problem.headers;
  if (problem.retry_after) {
    response.headers.push_back({"retry-after", std::to_string(*problem.retry_after)});
  }
  if (problem.status == 401) {
    response.headers.push_back({"www-authenticate", "Bearer"});
  }
  return response;
}

Problem ProblemOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return {404, "not-found", error.message, error.hint, {}};
    case ErrorCode::kInvalidInput:
      return {422, "invalid-input", error.message, error.hint, {}};
    case ErrorCode::kLimit:
      return {422, "over-limit", error.message, error.hint, {}};
    case ErrorCode::kUnavailable:
      return {503, "unavailable", error.message, error.hint, {}, 1};
    case ErrorCode::kCorruptFile:
      break;
  }
  return {500, "corrupt-file", error.message, error.hint, {}};
}

}  // namespace safeguard::http
