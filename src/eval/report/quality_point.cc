// One run as a point in the plot of cost against quality.
#include <nlohmann/json.hpp>

#include "eval/report.h"

namespace safeguard::eval {
namespace {

using nlohmann::json;

const json& At(const json& object, std::initializer_list<const char*> path) {
  static const json kNull;
  const json* here = &object;
  for (const char* name : path) {
    const auto field = here->is_object() ? here->find(name) : here->end();
    if (!here->is_object() || field == here->end()) {
      return kNull;
    }
    here = &*field;
  }
  return *here;
}

std::optional<double> Number(const json& value, double least, double most) {
  if (!value.is_number()) {
    return std::nullopt;
  }
  const auto number = value.get<double>();
  return number >= least && number <= most ? std::optional(number) : std::nullopt;
}

std::optional<double> Sum(const std::optional<double>& a, const std::optional<double>& b) {
  return a && b ? std::optional(*a + *b) : std::nullopt;
}

constexpr double kSecondsMax = 1e7;
constexpr double kTokensMax = 1e9;

std::string NameOf(const std::string& policy, const std::string& model) {
  const std::size_t hash = model.rfind(' ');
  return (model.empty() ? "?" : model.substr(0, hash)) + " on " + policy;
}

}  // namespace

QualityPoint QualityOf(const Report& report) {
  QualityPoint point;
  point.name = NameOf(report.policy.id, report.models.empty() ? "" : report.models.front());
  point.f1 = report.with_undetermined.f1.value;
  point.interval = report.with_undetermined.f1.interval;
  if (report.cost.seconds) {
    point.seconds = report.cost.seconds->p50;
  }
  if (report.cost.prompt_tokens) {
    point.tokens = report.cost.prompt_tokens->mean - report.cost.cached_tokens->mean +
                   report.cost.reasoning_tokens->mean + report.cost.answer_tokens->mean;
  }
  return point;
}

Result<QualityPoint> ReadQualityPoint(std::string_view bytes, const std::string& name) {
  const json report = json::parse(bytes, nullptr, false);
  const json& f1 = At(report, {"with_undetermined_as_errors", "f1"});
  if (!f1.is_object()) {
    return Fail(ErrorCode::kCorruptFile, name + " is no report of `safeguard eval`",
                "write one with `safeguard eval --report FILE.json`");
  }
  QualityPoint point;
  const json& models = At(report, {"models"});
  const json& policy = At(report, {"policy", "id"});
  const bool named = models.is_array() && !models.empty() && models[0].is_string();
  point.name = NameOf(policy.is_string() ? policy.get<std::string>() : "?",
                      named ? models[0].get<std::string>() : "");
  point.f1 = Number(At(f1, {"value"}), 0, 1);
  const json& interval = At(f1, {"interval"});
  if (interval.is_array() && interval.size() == 2) {
    const std::optional<double> low = Number(interval[0], 0, 1);
    const std::optional<double> high = Number(interval[1], 0, 1);
    if (low && high && *low <= *high) {
      point.interval = Interval{.low = *low, .high = *high};
    }
  }
  point.seconds = Number(At(report, {"cost", "seconds", "p50"}), 0, kSecondsMax);
  const auto mean = [&report](const char* kind) {
    return Number(At(report, {"cost", kind, "mean"}), 0, kTokensMax);
  };
  point.tokens = Sum(Sum(mean("prompt_tokens"), mean("reasoning_tokens")), mean("answer_tokens"));
  if (const std::optional<double> cached = mean("cached_tokens"); point.tokens && cached) {
    point.tokens = *point.tokens - *cached;
  }
  return point;
}

}  // namespace safeguard::eval
