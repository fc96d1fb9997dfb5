// The lines of OpenAI's batch files: requests in, answers out.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/problem.h"

namespace safeguard::http {

inline constexpr std::size_t kBatchLinesMax = 50'000;
inline constexpr std::size_t kBatchLineBytesMax = std::size_t{4} << 20;
inline constexpr std::size_t kBatchErrorsMax = 100;  // told of one file

struct BatchRequest {
  std::size_t number = 0;  // of its line, from 1
  std::string custom_id;
  std::string body;  // JSON
};

// What is wrong with a line; 0: with the file.
struct BatchFault {
  std::size_t line = 0;
  std::string code;
  std::string message;
  std::string param;  // the field; may be empty
};

struct BatchInput {
  std::vector<BatchRequest> requests;
  std::vector<BatchFault> faults;  // the first of them; with any there is no batch
};

// Lines of {"custom_id", "method": "POST", "url": `endpoint`, "body": {...}}; each custom_id once,
// bodies that do not ask for a stream. Empty lines are none.
BatchInput ReadBatchInput(std::string_view bytes, const std::string& endpoint);

// {"object": "list", "data": [{"code", "message", "param", "line"}]}
nlohmann::ordered_json FaultsJson(const std::vector<BatchFault>& faults);

// A line of the output file, without its newline: what the service answered.
std::string BatchAnswerLine(const std::string& batch, const BatchRequest& request,
                            const Response& response);
// A line of the error file of what was never asked.
std::string BatchUnaskedLine(const std::string& batch, const BatchRequest& request,
                             const std::string& code, const std::string& message);

}  // namespace safeguard::http
