// The lines of OpenAI's batch files: requests in, answers out.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
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

// A line {"custom_id", "method": "POST", "url": `endpoint`, "body": {...}} whose body does not ask
// for a stream.
OrProblem<BatchRequest> ReadBatchLine(std::string_view line, std::size_t number,
                                      const std::string& endpoint);
bool IsBlankLine(std::string_view line);  // these are none

// Whether all lines of a file are requests, each with a custom_id of its own. Keeps a digest of
// each name and no line.
class BatchCheck {
 public:
  explicit BatchCheck(std::string endpoint) : endpoint_(std::move(endpoint)) {}

  // The next line; false when no more need come: enough is wrong. A `too_long` one is not read.
  bool Add(std::string_view line, std::size_t number, bool too_long = false);
  // After the last one.
  void End();

  [[nodiscard]] std::size_t requests() const { return names_.size(); }
  // The first of them; with any there is no batch.
  [[nodiscard]] const std::vector<BatchFault>& faults() const { return faults_; }

 private:
  void Fault(std::size_t line, const Problem& problem);

  std::string endpoint_;
  std::unordered_set<std::string> names_;  // 32 digits each
  std::vector<BatchFault> faults_;
};

// {"object": "list", "data": [{"code", "message", "param", "line"}]}
nlohmann::ordered_json FaultsJson(const std::vector<BatchFault>& faults);

// A line of the output file, without its newline: what the service answered.
std::string BatchAnswerLine(const std::string& batch, const BatchRequest& request,
                            const Response& response);
// A line of the error file of what was never asked.
std::string BatchUnaskedLine(const std::string& batch, const BatchRequest& request,
                             const std::string& code, const std::string& message);

}  // namespace safeguard::http
