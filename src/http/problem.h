// What went wrong with a request, as RFC 9457 problem details that also say what to do.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace safeguard::http {

struct Problem {
  int status = 400;
  std::string code;     // stable: "invalid-json", "unknown-policy", ...
  std::string detail;   // what is wrong with this request
  std::string hint;     // what to do about it; empty: what may always be done
  std::string pointer;  // RFC 6901, into the body, of the field that is wrong; may be empty
  std::optional<int> retry_after{};  // seconds
  std::vector<Header> headers{};     // that its answer carries besides
};

template <typename T>
using OrProblem = std::expected<T, Problem>;

// {"type": "urn:safeguard:problem:CODE", "title", "status", "detail", "hint", "pointer",
//  "request_id"} as application/problem+json. With `openai` also {"error": {"message", "type",
// "param", "code"}}, which is what OpenAI's clients read.
Response ProblemResponse(const Problem& problem, const std::string& request_id,
                         bool openai = false);

// kNotFound 404, kInvalidInput 422, kLimit 422, kUnavailable 503, kCorruptFile 500.
Problem ProblemOf(const Error& error);

// The reason phrase of a status that this service uses: "Not Found".
const char* StatusTitle(int status);

}  // namespace safeguard::http
