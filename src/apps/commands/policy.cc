#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/display_text.h"
#include "apps/output/policy_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "judges/screen_text.h"

namespace safeguard::apps {
namespace {

using moderation::Finding;
using moderation::Severity;

std::string LintLine(const std::string& file, const Finding& finding, std::size_t width,
                     bool color) {
  const Style style = finding.severity == Severity::kError     ? Style::kRed
                      : finding.severity == Severity::kWarning ? Style::kYellow
                                                               : Style::kDim;
  std::string out = fmt::format("{}:{}: {}: {} [{}]\n", Printable(file), finding.line,
                                Styled(moderation::ToString(finding.severity), style, color),
                                Printable(finding.reason), finding.check);
  if (!finding.mend.empty()) {
    out += Wrap("Mend: " + Printable(finding.mend), width, 4);
  }
  return out;
}

std::string LintJson(const std::string& file, const Finding& finding) {
  return JsonLine({{"file", file},
                   {"line", finding.line},
                   {"severity", moderation::ToString(finding.severity)},
                   {"check", finding.check},
                   {"reason", finding.reason},
                   {"mend", finding.mend}}) +
         "\n";
}

// {"policy": as named, "id", "screen_text", "rules": {id: its text alone}}, a line.
std::string ScreenTextJson(const std::string& name, const moderation::Policy& policy,
                           const moderation::TokenCounter& count_tokens) {
  nlohmann::ordered_json rules = nlohmann::ordered_json::object();
  for (std::size_t r = 0; r < policy.rules.size(); ++r) {
    if (policy.rules[r].side == moderation::Side::kViolating) {
      rules[policy.rules[r].id] = judges::RuleScreenText(policy, r, count_tokens);
    }
  }
  return JsonLine({{"policy", name},
                   {"id", policy.id},
                   {"screen_text", judges::ScreenText(policy, count_tokens)},
                   {"rules", rules}}) +
         "\n";
}

std::string Count(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

struct LintCounts {
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::size_t hints = 0;

  void Add(Severity severity) {
    ++(severity == Severity::kError ? errors : severity == Severity::kWarning ? warnings : hints);
  }
};

}  // namespace

ExitCode RunPolicyShow(const PolicyShowArguments& arguments, Services& services, Console& console) {
  const PolicyCatalog catalog(services.shipped_policies(), arguments.data_dir);
  moderation::TokenCounter count_tokens;
  if (arguments.screen_text) {
    Result<moderation::TokenCounter> counter = services.OpenScreenTokenCounter(arguments.model);
    if (!counter) {
      return Fails(console, counter.error(), ExitCode::kCannotRun);
    }
    count_tokens = std::move(*counter);
  }
  bool failed = false;
  for (const std::string& name : arguments.policies) {
    const Result<LoadedPolicy> loaded = catalog.Load(name, "", Golden::kIgnore);
    if (!loaded) {
      ReportError(console, loaded.error());
      failed = true;
    } else if (arguments.screen_text) {
      console.Out(arguments.json
                      ? ScreenTextJson(name, loaded->policy, count_tokens)
                      : Printable(judges::ScreenText(loaded->policy, count_tokens)) + "\n");
    } else if (arguments.json) {
      console.Out(JsonText(PolicyJson(loaded->policy)));
    } else {
      console.Out(PolicyText(loaded->policy, loaded->origin, console.columns(),
                             UseColor(console, arguments.color)));
    }
  }
  return failed ? ExitCode::kCannotRun : ExitCode::kSafe;
}

ExitCode RunPolicyLint(const PolicyLintArguments& arguments, Services& services, Console& console) {
  const PolicyCatalog catalog(services.shipped_policies(), arguments.data_dir);
  const Result<moderation::TokenCounter> counter = services.OpenTokenCounter(arguments.model);
  if (!counter) {
    console.Error("safeguard: lengths in tokens are not checked: " + Describe(counter.error()) +
                  "\n");
  }
  const bool color = UseColor(console, arguments.color);
  LintCounts counts;
  bool failed = false;
  for (const std::string& name : arguments.policies) {
    const Result<LoadedPolicy> loaded = catalog.Load(name, "", Golden::kIgnore);
    if (!loaded) {
      ReportError(console, loaded.error());
      failed = true;
      continue;
    }
    for (const Finding& finding :
         moderation::LintPolicy(loaded->policy, counter ? *counter : nullptr)) {
      counts.Add(finding.severity);
      console.Out(arguments.json ? LintJson(name, finding)
                                 : LintLine(name, finding, console.columns(), color));
    }
  }
  if (!arguments.json) {
    console.Out(fmt::format("{}: {}, {}, {}\n", Count(arguments.policies.size(), "file"),
                            Count(counts.errors, "error"), Count(counts.warnings, "warning"),
                            Count(counts.hints, "hint")));
  }
  if (failed) {
    return ExitCode::kCannotRun;
  }
  return counts.errors + counts.warnings > 0 ? ExitCode::kViolation : ExitCode::kSafe;
}

}  // namespace safeguard::apps
