#include "http/api/eval_run.h"

#include <utility>

#include "http/domain_json.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

Json ReferenceJson(const moderation::PolicyReference& policy) {
  return {{"policy", policy.id}, {"policy_version", policy.version}, {"policy_hash", policy.hash}};
}

Json RunJson(const EvalRun& run) {
  return {{"dataset", run.dataset},
          {"dataset_name", run.dataset_name},
          {"asked_by", run.asked_by},
          {"sample", run.sample},
          {"seed", run.seed}};
}

}  // namespace

std::string PayloadOf(const EvalRun& run) {
  Json json = RunJson(run);
  json["policies"] = Json::array();
  for (const EvalPolicy& policy : run.policies) {
    Json one = ReferenceJson(policy.policy);
    one["text"] = policy.text;
    json["policies"].push_back(std::move(one));
  }
  return JsonLine(json);
}

Result<EvalRun> EvalRunOf(std::string_view payload) {
  try {
    const Json json = Json::parse(payload);
    EvalRun run;
    run.dataset = json.at("dataset").get<std::string>();
    run.dataset_name = json.at("dataset_name").get<std::string>();
    run.asked_by = json.at("asked_by").get<std::string>();
    run.sample = json.at("sample").get<std::size_t>();
    run.seed = json.at("seed").get<std::uint64_t>();
    for (const Json& one : json.at("policies")) {
      run.policies.push_back(
          {{one.at("policy").get<std::string>(), one.at("policy_version").get<std::string>(),
            one.at("policy_hash").get<std::string>()},
           one.at("text").get<std::string>()});
    }
    if (!run.policies.empty()) {
      return run;
    }
  } catch (const Json::exception&) {
    // said below
  }
  return Fail(ErrorCode::kCorruptFile, "the evaluation in the queue cannot be read",
              "it was written by another program");
}

std::string EvalProgress(std::size_t done, std::size_t total) {
  return JsonLine({{"done", done}, {"total", total}});
}

std::string ResultOf(const EvalRun& run, const std::vector<EvalReport>& reports) {
  Json json = RunJson(run);
  json["reports"] = Json::array();
  const auto number = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  for (const EvalReport& report : reports) {
    Json one = ReferenceJson(report.policy);
    one["cases"] = report.cases;
    one["undetermined"] = report.undetermined;
    one["precision"] = number(report.precision);
    one["recall"] = number(report.recall);
    one["f1"] = number(report.f1);
    one["json_file"] = report.json_file;
    one["html_file"] = report.html_file;
    json["reports"].push_back(std::move(one));
  }
  return JsonLine(json);
}

std::string CancelledResultOf(const EvalRun& run, const std::string& progress) {
  Json json = Json::parse(ResultOf(run, {}));
  json["progress"] = progress.empty() ? Json(nullptr) : Json::parse(progress);
  return JsonLine(json);
}

}  // namespace safeguard::http
