#include "http/api/batch_lines.h"

#include <algorithm>
#include <set>
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

OrProblem<BatchRequest> ReadLine(std::string_view line, std::size_t number,
                                 const std::string& endpoint) {
  if (line.size() > kBatchLineBytesMax) {
    return std::unexpected(
        Problem{400, "line-too-long", "the line has more than 4 MiB", "split it", {}});
  }
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

}  // namespace

BatchInput ReadBatchInput(std::string_view bytes, const std::string& endpoint) {
  BatchInput input;
  std::set<std::string> names;
  const auto fault = [&](std::size_t line, const Problem& problem) {
    std::string message = problem.detail;
    message += problem.hint.empty() ? "" : " (" + problem.hint + ")";
    const std::string& pointer = problem.pointer;
    input.faults.push_back({line, problem.code, std::move(message),
                            pointer.starts_with("/") ? pointer.substr(1) : pointer});
  };
  for (std::size_t number = 1; !bytes.empty() && input.faults.size() < kBatchErrorsMax; ++number) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.find_first_not_of(" \t\r") == line.npos) {
      continue;
    }
    if (input.requests.size() == kBatchLinesMax) {
      fault(0, {400, "too-many-lines", "the file has more than 50000 lines", "split it", {}});
      break;
    }
    OrProblem<BatchRequest> request = ReadLine(line, number, endpoint);
    if (!request) {
      fault(number, request.error());
    } else if (!names.insert(request->custom_id).second) {
      fault(number, {400, "duplicate-custom-id", "an earlier line has the same custom_id",
                     "give each line a name of its own", "/custom_id"});
    } else {
      input.requests.push_back(std::move(*request));
    }
  }
  if (input.requests.empty() && input.faults.empty()) {
    fault(0, {400, "empty-file", "the file has no line", "give one request a line", {}});
  }
  return input;
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
