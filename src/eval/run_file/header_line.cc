#include "base/hash.h"
#include "eval/run_file/lines.h"

namespace safeguard::eval {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json PolicyJson(const RunPolicy& policy) {
  ordered_json object = {{"id", policy.id},           {"name", policy.name},
                         {"version", policy.version}, {"hash", policy.hash},
                         {"label", policy.label},     {"golden", policy.golden},
                         {"thresholds", nullptr}};
  if (policy.thresholds) {
    object["thresholds"] = {policy.thresholds->violation, policy.thresholds->safe};
  }
  return object;
}

RunPolicy ReadPolicyOf(const json& object) {
  RunPolicy policy{.id = object.at("id"),
                   .name = object.at("name"),
                   .version = object.at("version"),
                   .hash = object.at("hash"),
                   .label = object.at("label"),
                   .golden = object.at("golden"),
                   .thresholds = std::nullopt};
  if (const json& thresholds = object.at("thresholds"); !thresholds.is_null()) {
    policy.thresholds =
        moderation::Thresholds{.violation = thresholds.at(0), .safe = thresholds.at(1)};
  }
  return policy;
}

}  // namespace

ordered_json HeaderJson(const RunHeader& header) {
  ordered_json policies = ordered_json::array();
  for (const RunPolicy& policy : header.policies) {
    policies.push_back(PolicyJson(policy));
  }
  return {{kRunMark, kRunFormat},
          {"tool", header.tool},
          {"dataset",
           {{"name", header.dataset_name},
            {"path", header.dataset_path},
            {"hash", header.dataset_hash},
            {"mapping", header.dataset_mapping},
            {"line_errors", header.line_errors}}},
          {"records", header.records},
          {"sample", header.sample},
          {"seed", header.seed},
          {"folds", header.folds},
          {"judge", header.judge},
          {"judge_identity", header.judge_identity},
          {"prompting", header.prompting},
          {"policies", std::move(policies)},
          {"notes", header.notes}};
}

Result<RunHeader> ReadHeader(const json& json) {
  if (!json.is_object() || !json.contains(kRunMark) || !json[kRunMark].is_number_integer()) {
    return Fail(ErrorCode::kInvalidInput, "this is not a run file",
                "name a file that eval --run has written");
  }
  if (json[kRunMark].get<int>() > kRunFormat) {
    return Fail(ErrorCode::kInvalidInput, "this run was written by a newer safeguard",
                "use that version, or judge again");
  }
  try {
    const auto& data = json.at("dataset");
    RunHeader header{.tool = json.at("tool"),
                     .dataset_name = data.at("name"),
                     .dataset_path = data.at("path"),
                     .dataset_hash = data.at("hash"),
                     .dataset_mapping = data.at("mapping"),
                     .records = json.at("records"),
                     .line_errors = data.at("line_errors"),
                     .sample = json.at("sample"),
                     .seed = json.at("seed"),
                     .folds = json.at("folds"),
                     .judge = json.at("judge"),
                     .judge_identity = json.at("judge_identity"),
                     .prompting = json.at("prompting"),
                     .policies = {},
                     .notes = json.at("notes")};
    for (const auto& policy : json.at("policies")) {
      header.policies.push_back(ReadPolicyOf(policy));
    }
    if (!header.policies.empty()) {
      return header;
    }
  } catch (const nlohmann::json::exception&) {  // a field is missing or of another type
  }
  return Fail(ErrorCode::kCorruptFile, "the header of the run is damaged", "judge again");
}

RunHeader MakeHeader(const Dataset& dataset, std::span<const moderation::Policy> policies) {
  RunHeader header;
  header.dataset_name = dataset.name;
  header.dataset_path = dataset.path;
  header.dataset_hash = dataset.hash;
  header.records = dataset.records.size();
  header.line_errors = dataset.error_count;
  for (const moderation::Policy& policy : policies) {
    header.policies.push_back({.id = policy.id,
                               .name = policy.name,
                               .version = policy.version,
                               .hash = policy.hash,
                               .label = {},
                               .golden = {},
                               .thresholds = policy.thresholds});
  }
  return header;
}

std::string ContentHash(const moderation::Content& content) {
  std::string all = moderation::ToString(content.kind);
  for (const moderation::Message& message : content.messages) {
    all += std::string("\n") + moderation::ToString(message.role) + " " +
           std::to_string(message.text.size()) + "\n" + message.text;
  }
  return Blake2bHex(all);
}

}  // namespace safeguard::eval
