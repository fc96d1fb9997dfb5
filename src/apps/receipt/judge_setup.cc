#include "apps/receipt/judge_setup.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "apps/version_info.h"
#include "base/file.h"
#include "base/hash.h"
#include "moderation/route_file.h"

namespace safeguard::apps {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json ChoiceJson(const JudgeChoice& choice) {
  Json json = {{"judge", choice.judge}, {"model", choice.model}};
  if (choice.judge == "screen") {
    json["screen"] = choice.screen;
  } else if (choice.judge == "recorded") {
    json["recorded"] = choice.recorded;
    json["recorded_by_line"] = choice.recorded_by_line;
  } else if (choice.judge == "reasoner") {
    json["effort"] = choice.effort;
    json["answer"] = choice.answer;
    json["placement"] = choice.placement;
    json["date"] = choice.date;
    json["instant"] = choice.instant;
    json["joint"] = choice.joint;
    json["reasoning_tokens"] = choice.reasoning_tokens;
    json["answer_tokens"] = choice.answer_tokens;
    json["precision"] = choice.precision;
    json["temperature"] = choice.temperature;
    json["seed"] = choice.seed;
  }
  return json;
}

Json MachineJson(const std::string& model_flag, Services& services) {
  Json json = {{"build",
                {{"version", VersionText()},
                 {"commit", GitDescribe()},
                 {"compiler", CompilerText()},
                 {"type", BuildType()}}},
               {"kernels",
                {{"screen", services.ScreenKernels()}, {"reasoner", services.ReasonerKernels()}}}};
  if (const Result<ModelFile> model = services.FindModel(model_flag)) {
    json["model"] = {{"encoder", model->sha256}, {"trained", model->trained_sha256}};
    if (const auto tokenizer = MappedFile::Open(model->folder + "/tokenizer.json")) {
      json["model"]["tokenizer"] = Sha256Hex((*tokenizer)->bytes());
    }
  }
  return json;
}

class SetupLog final : public moderation::VerdictLog {
 public:
  // `owned` is `log`, or null: somebody else has it. `layer`: whose verdicts are meant; empty: all.
  SetupLog(moderation::VerdictLog& log, std::unique_ptr<moderation::VerdictLog> owned,
           std::string layer, std::string setup)
      : log_(log), owned_(std::move(owned)), layer_(std::move(layer)), setup_(std::move(setup)) {}

  Status Append(std::span<const moderation::VerdictRecord> records) override {
    std::vector<moderation::VerdictRecord> told(records.begin(), records.end());
    for (moderation::VerdictRecord& record : told) {
      if (record.provenance.setup.empty() && (layer_.empty() || record.layer == layer_)) {
        record.provenance.setup = setup_;
      }
    }
    return log_.Append(told);
  }
  Result<moderation::VerdictPage> Scan(const moderation::VerdictQuery& query) override {
    return log_.Scan(query);
  }
  Result<std::uint64_t> Count(const moderation::VerdictQuery& query) override {
    return log_.Count(query);
  }

 private:
  moderation::VerdictLog& log_;
  std::unique_ptr<moderation::VerdictLog> owned_;
  std::string layer_;  // as the judge's verdicts name it; empty: any
  std::string setup_;
};

std::string LayerOf(const JudgeChoice& choice) {
  return choice.judge == "dedicated" ? "screen" : choice.judge;
}

// Leaves what is not there, or of another type, as it is.
template <typename Value>
void Take(const Json& json, const char* name, Value& value) {
  const auto found = json.find(name);
  if (found == json.end()) {
    return;
  }
  if constexpr (std::is_same_v<Value, std::string>) {
    value = found->is_string() ? found->get<std::string>() : value;
  } else if constexpr (std::is_same_v<Value, bool>) {
    value = found->is_boolean() ? found->get<bool>() : value;
  } else if constexpr (std::is_same_v<Value, double>) {
    value = found->is_number() ? found->get<double>() : value;
  } else {
    value = found->is_number_unsigned() ? found->get<Value>() : value;
  }
}

}  // namespace

std::string SetupOf(const JudgeChoice& choice, Services& services) {
  Json setup = MachineJson(choice.judge == "screen" ? choice.model : "", services);
  setup["judge"] = ChoiceJson(choice);
  return Dump(setup);
}

std::string RouteSetup(const std::string& file, Services& services, bool finishing) {
  Json setup = MachineJson("", services);
  const Result<std::string> bytes = ReadFile(file, moderation::kRouteBytesMax);
  setup["route"] = {{"hash", bytes ? Blake2bHex(*bytes) : ""}};
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(file, failed);
  setup["judge"] = {{"judge", "route"},
                    {"route", failed ? file : absolute.lexically_normal().string()},
                    {"finishing", finishing}};
  return Dump(setup);
}

std::unique_ptr<moderation::VerdictLog> WithSetup(std::unique_ptr<moderation::VerdictLog> log,
                                                  const JudgeChoice& choice, std::string setup) {
  moderation::VerdictLog& given = *log;
  return std::make_unique<SetupLog>(given, std::move(log), LayerOf(choice), std::move(setup));
}

std::unique_ptr<moderation::VerdictLog> WithSetup(moderation::VerdictLog& log,
                                                  const JudgeChoice& choice, std::string setup) {
  return std::make_unique<SetupLog>(log, nullptr, LayerOf(choice), std::move(setup));
}

std::unique_ptr<moderation::VerdictLog> WithRouteSetup(moderation::VerdictLog& log,
                                                       std::string setup) {
  return std::make_unique<SetupLog>(log, nullptr, "", std::move(setup));
}

Result<NamedSetup> ReadSetup(std::string_view setup) {
  const Json json = Json::parse(setup, nullptr, false);
  const auto judge = json.is_object() ? json.find("judge") : json.end();
  if (!json.is_object() || judge == json.end() || !judge->is_object()) {
    return Fail(ErrorCode::kInvalidInput, "the receipt does not say which judge it was",
                "it was recorded before there were receipts, or by a program that tells no setup");
  }
  NamedSetup named;
  Take(*judge, "route", named.route);
  Take(*judge, "finishing", named.finishing);
  JudgeChoice& choice = named.choice;
  for (const auto& [name, value] :
       {std::pair{"judge", &choice.judge}, std::pair{"model", &choice.model},
        std::pair{"screen", &choice.screen}, std::pair{"recorded", &choice.recorded},
        std::pair{"effort", &choice.effort}, std::pair{"answer", &choice.answer},
        std::pair{"placement", &choice.placement}, std::pair{"date", &choice.date},
        std::pair{"precision", &choice.precision}}) {
    Take(*judge, name, *value);
  }
  Take(*judge, "recorded_by_line", choice.recorded_by_line);
  Take(*judge, "instant", choice.instant);
  Take(*judge, "joint", choice.joint);
  Take(*judge, "reasoning_tokens", choice.reasoning_tokens);
  Take(*judge, "answer_tokens", choice.answer_tokens);
  Take(*judge, "temperature", choice.temperature);
  Take(*judge, "seed", choice.seed);
  return named;
}

}  // namespace safeguard::apps
