#include <cmath>

#include "moderation/cascade/route_file/fields.h"
#include "moderation/cascade/route_file/read_guard.h"
#include "moderation/route_file.h"

namespace safeguard::moderation {
namespace {

using reading::YamlNode;
using route_file::Fields;
using route_file::ReadGuard;

constexpr double kDaySeconds = 86'400;

void ReadBand(Fields& fields, std::string_view key, std::optional<Band>& out) {
  std::optional<std::pair<double, double>> pair;
  fields.Pair(key, pair);
  if (pair) {
    out = Band{pair->first, pair->second};
  }
}

void ReadSeconds(Fields& fields, std::string_view key, double least, double most, Duration& out) {
  std::optional<double> seconds;
  fields.Number(key, least, most, seconds);
  if (seconds) {
    out = Duration(std::llround(*seconds * 1e6));
  }
}

const std::vector<std::string>& ScreenKinds() {
  static const std::vector<std::string> kinds = {"auto", "trained", "embedding", "dedicated"};
  return kinds;
}

void ReadScreenKind(Fields& fields, std::string& out) {
  fields.Word("screen", ScreenKinds(), [&](std::size_t place) { out = ScreenKinds()[place]; });
}

void ReadPolicy(Fields& fields, RouteSettings& route) {
  RoutePolicy policy;
  fields.Text("policy", policy.policy);
  fields.Number("severity", 1e-3, 1e6, policy.severity);
  fields.Number("false_alarm", 0, 1e6, policy.false_alarm);
  ReadBand(fields, "band", policy.band);
  fields.Texts("languages", 100, policy.languages);
  fields.Number("recall_bound", 0, 1, policy.recall_bound);
  ReadScreenKind(fields, policy.screen);
  route.policies.push_back(std::move(policy));
}

void ReadReasoner(Fields& fields, RouteSettings& route) {
  RouteReasoner reasoner;
  fields.Text("name", reasoner.name);
  fields.Word("judge", {"reasoner", "recorded"},
              [&](std::size_t place) { reasoner.judge = place == 0 ? "reasoner" : "recorded"; });
  fields.Text("model", reasoner.model);
  fields.Text("recorded", reasoner.recorded);
  fields.Word("effort", {"low", "medium", "high"}, [&](std::size_t place) {
    reasoner.effort = place == 0 ? "low" : place == 1 ? "medium" : "high";
  });
  fields.Word("answer", {"policy", "label", "json", "rationale"}, [&](std::size_t place) {
    reasoner.answer = place == 0   ? "policy"
                      : place == 1 ? "label"
                      : place == 2 ? "json"
                                   : "rationale";
  });
  static const std::vector<std::string> kPrecisions = {"default", "f32", "int16", "int8", "bf16"};
  fields.Word("precision", kPrecisions,
              [&](std::size_t place) { reasoner.precision = kPrecisions[place]; });
  fields.Count("samples", 1, static_cast<double>(kSamplesMax), reasoner.samples);
  fields.Number("temperature", 0, 100, reasoner.temperature);
  fields.Number("tokens", 1, 1e6, reasoner.tokens);
  fields.Number("recall", 0, 1, reasoner.recall);
  ReadBand(fields, "unsure", reasoner.unsure);
  route.reasoners.push_back(std::move(reasoner));
}

void ReadFailures(Fields& fields, RouteSettings& route) {
  const auto failure = [&fields](std::string_view key, OnFailure& out) {
    fields.Word(key, {"next", "undetermined"}, [&out](std::size_t place) {
      out = place == 0 ? OnFailure::kNext : OnFailure::kUndetermined;
    });
  };
  failure("lists", route.on_list_failure);
  failure("screen", route.on_screen_failure);
  failure("reasoner", route.on_reasoner_failure);
}

void ReadTime(Fields& fields, RouteSettings& route) {
  std::optional<double> budget;
  fields.Number("budget_ms", 1, 3'600'000, budget);
  if (budget) {
    route.time_budget = Duration(std::llround(*budget * 1000));
  }
  std::optional<double> finish;
  fields.Number("finish_ms", 1, 86'400'000, finish);
  if (finish) {
    route.finish_budget = Duration(std::llround(*finish * 1000));
  }
  std::optional<double> p99;
  fields.Number("p99_ms", 1, 3'600'000, p99);
  if (p99) {
    route.governor.latency_p99 = Duration(std::llround(*p99 * 1000));
  }
}

void ReadAudit(Fields& fields, AuditSettings& audit) {
  fields.Number("safe", 0, 1, audit.safe_share);
  fields.Number("violation", 0, 1, audit.violation_share);
  fields.Flag("later", audit.later);
  ReadSeconds(fields, "window_s", 1, 30 * kDaySeconds, audit.window);
  fields.Count("windows", 1, 10'000, audit.windows);
}

void ReadBudget(Fields& fields, GovernorSettings& governor) {
  ComputeBudget& budget = governor.budget;
  fields.Number("tokens_per_second", 1e-6, 1e12, budget.tokens_per_second);
  fields.Number("share", 1e-9, 1e3, budget.share);
  fields.Number("money_per_day", 1e-9, 1e12, budget.money_per_day);
  fields.Number("price_per_million_tokens", 0, 1e9, budget.price_per_million_tokens);
  ReadSeconds(fields, "burst_s", 1, 3600, budget.burst);
  fields.Number("audit_floor", 1e-3, 1, governor.audit_floor);
  fields.Number("band_cut_max", 0, 1, governor.band_cut_max);
  fields.Count("backlog_max", 0, 1e9, governor.backlog_max);
}

void ReadDegrade(Fields& fields, GovernorSettings& governor) {
  std::vector<std::string> names;
  fields.Texts("degrade", kDegradations.size(), names);
  if (names.empty()) {
    return;
  }
  governor.order.clear();
  for (const std::string& name : names) {
    bool known = false;
    for (const Degradation step : kDegradations) {
      if (name == ToString(step)) {
        governor.order.push_back(step);
        known = true;
      }
    }
    if (!known) {
      fields.Wrong("degrade", "must be of effort, audit, band, defer, shed");
    }
  }
}

void ReadAll(const YamlNode& root, RouteFile& file, Status& status) {
  RouteSettings& route = file.settings;
  Fields fields(root, "", status);
  fields.Text("route", route.name);
  fields.Maps("policies", "policy", kRoutePoliciesMax,
              [&](Fields& each) { ReadPolicy(each, route); });
  fields.Texts("lists", kRouteListsMax, file.lists);
  fields.Map("screen", [&](Fields& screen) {
    screen.Word("judge", {"screen", "recorded"},
                [&](std::size_t place) { file.screen = place == 0 ? "screen" : "recorded"; });
    screen.Word("kind", ScreenKinds(),
                [&](std::size_t place) { file.screen_kind = ScreenKinds()[place]; });
    screen.Text("model", file.screen_model);
    screen.Text("recorded", file.screen_recorded);
  });
  fields.Maps("reasoners", "", kRouteReasonersMax,
              [&](Fields& each) { ReadReasoner(each, route); });
  fields.Map("on_failure", [&](Fields& failures) { ReadFailures(failures, route); });
  fields.Word("unanswered", {"undetermined", "provisional"}, [&](std::size_t place) {
    route.unanswered = place == 0 ? Unanswered::kUndetermined : Unanswered::kProvisional;
  });
  fields.Map("time", [&](Fields& time) { ReadTime(time, route); });
  fields.Map("audit", [&](Fields& audit) { ReadAudit(audit, route.audit); });
  fields.Map("budget", [&](Fields& budget) { ReadBudget(budget, route.governor); });
  ReadDegrade(fields, route.governor);
  fields.Word("language_gate", {"on", "known", "off", "yes", "true", "no", "false"},
              [&](std::size_t place) {
                route.language_gate = place != 2 && place < 5;
                route.gate_unknown = route.language_gate && place != 1;
              });
  fields.Flag("tamper_defence", route.tamper_defence);
  fields.Flag("need_canary", route.need_canary);
  fields.Map("review", [&](Fields& review) {
    review.Flag("undetermined", route.review_undetermined);
    review.Flag("violations", route.review_violations);
  });
  auto seed = static_cast<std::size_t>(route.seed);
  fields.Count("seed", 0, 9e15, seed);
  route.seed = seed;
  fields.Map("guard", [&](Fields& guard) { file.guard = ReadGuard(guard, route); });
}

}  // namespace

Result<RouteFile> ReadRouteFile(std::string_view yaml) {
  if (yaml.size() > kRouteBytesMax) {
    return Fail(ErrorCode::kLimit,
                "the route is longer than " + std::to_string(kRouteBytesMax) + " bytes",
                "a route is a page of settings; is this another file?");
  }
  if (yaml.find('\0') != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidInput, "the route holds a NUL byte: it is no text",
                "give a YAML file");
  }
  Result<YamlNode> root = reading::ReadYaml(yaml, 1, "route");
  if (!root) {
    return std::unexpected(root.error());
  }
  RouteFile file;
  Status status;
  ReadAll(*root, file, status);
  if (status) {
    status = CheckRoute(file.settings);
  }
  if (!status) {
    return std::unexpected(status.error());
  }
  for (const RouteReasoner& reasoner : file.settings.reasoners) {
    const bool recorded = reasoner.judge == "recorded";
    if ((recorded ? reasoner.recorded : reasoner.model).empty()) {
      return Fail(ErrorCode::kInvalidInput,
                  "the reasoner " + reasoner.name + " needs " + (recorded ? "recorded" : "model"),
                  recorded ? "name the JSONL file with the answers"
                           : "name a checkpoint: a Hugging Face folder or a .gguf file");
    }
  }
  if (file.screen == "recorded" && file.screen_recorded.empty()) {
    return Fail(ErrorCode::kInvalidInput, "a recorded screen needs screen.recorded",
                "name the JSONL file with the answers");
  }
  return file;
}

}  // namespace safeguard::moderation
