#include "http/api/batch_lines.h"

#include <utility>

#include "base/hash.h"
#include "http/domain_json.h"
#include "http/json_fields.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

Json LineJson(const std::string& batch, const BatchRequest& request) {
  const std::string name = batch + "/" + std::to_string(request.number);
  return {{"id", "batch_req_" + Blake2bHex(name).substr(0, 24)},
          {"custom_id", request.custom_id},
          {"response", nullptr},
          {"error", nullptr}};
}

}  // namespace

OrProblem<BatchRequest> ReadBatchLine(std::string_view line, std::size_t number,
                                      const std::string& endpoint) {
  const OrProblem<nlohmann::json> json = ParseObject(line);
  if (!json) {
    return std::unexpected(json.error());
  }
  Fields fields(*json, "");
  BatchRequest request{number, fields.Text("custom_id", kNameBytesMax), {}};
  if (request.custom_id.empty()) {
    fields.Fault("custom_id", "is missing", "give each line a name of its own");
  }
  if (fields.Text("method", kNameBytesMax) != "POST") {
    fields.Fault("method", "is not POST", "only POST can be asked");
  }
  if (fields.Text("url", kNameBytesMax) != endpoint) {
    fields.Fault("url", "is not the batch's endpoint", "all lines of a batch ask " + endpoint);
  }
  const nlohmann::json* body = fields.Get("body");
  if (body == nullptr || !body->is_object()) {
    fields.Fault("body", "is no object", "give the request's JSON");
  } else if (const auto stream = body->find("stream"); stream != body->end() && *stream != false) {
    fields.Fault("body", "asks for a stream", "leave \"stream\" out");
  }
  if (std::optional<Problem> problem = fields.End()) {
    return std::unexpected(std::move(*problem));
  }
  request.body = body->dump();
  return request;
}

bool IsBlankLine(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

void BatchCheck::Fault(std::size_t line, const Problem& problem) {
  std::string message = problem.detail;
  message += problem.hint.empty() ? "" : " (" + problem.hint + ")";
  const std::string& pointer = problem.pointer;
  faults_.push_back({line, problem.code, std::move(message),
                     pointer.starts_with("/") ? pointer.substr(1) : pointer});
}

bool BatchCheck::Add(std::string_view line, std::size_t number, bool too_long) {
  if (!too_long && IsBlankLine(line)) {
    return true;
  }
  if (names_.size() == kBatchLinesMax) {
    Fault(0, {400, "too-many-lines", "the file has more than 50000 lines", "split it", {}});
    return false;
  }
  if (too_long) {
    Fault(number, {400, "line-too-long", "the line has more than 4 MiB", "split it", {}});
  } else if (const OrProblem<BatchRequest> request = ReadBatchLine(line, number, endpoint_);
             !request) {
    Fault(number, request.error());
  } else if (!names_.insert(Blake2bHex(request->custom_id).substr(0, 32)).second) {
    Fault(number, {400, "duplicate-custom-id", "an earlier line has the same custom_id",
                   "give each line a name of its own", "/custom_id"});
  }
  return faults_.size() < kBatchErrorsMax;
}

void BatchCheck::End() {
  if (names_.empty() && faults_.empty()) {
    Fault(0, {400, "empty-file", "the file has no line", "give one request a line", {}});
  }
}

Json FaultsJson(const std::vector<BatchFault>& faults) {
  Json data = Json::array();
  for (const BatchFault& fault : faults) {
    Json one = {
        {"code", fault.code}, {"message", fault.message}, {"param", nullptr}, {"line", nullptr}};
    if (!fault.param.empty()) {
      one["param"] = fault.param;
    }
    if (fault.line > 0) {
      one["line"] = fault.line;
    }
    data.push_back(std::move(one));
  }
  return {{"object", "list"}, {"data", std::move(data)}};
}

std::string BatchAnswerLine(const std::string& batch, const BatchRequest& request,
                            const Response& response) {
  Json line = LineJson(batch, request);
  line["response"] = {{"status_code", response.status},
                      {"request_id", batch + "-" + std::to_string(request.number)},
                      {"body", Json::parse(response.body, nullptr, false)}};
  return JsonLine(line);
}

std::string BatchUnaskedLine(const std::string& batch, const BatchRequest& request,
                             const std::string& code, const std::string& message) {
  Json line = LineJson(batch, request);
  line["error"] = {{"code", code}, {"message", message}};
  return JsonLine(line);
}

}  // namespace safeguard::http
