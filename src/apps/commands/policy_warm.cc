#include <fmt/format.h>

#include "apps/commands/commands.h"
#include "apps/commands/judging.h"
#include "apps/input/policy_catalog.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "apps/output/verdict_text.h"

namespace safeguard::apps {

ExitCode RunPolicyWarm(const PolicyWarmArguments& arguments, Services& services, Console& console) {
  const JudgingRequest request{arguments.policies, "", arguments.judge};
  if (const Status usage = CheckUsage(request); !usage) {
    return Fails(console, usage.error(), ExitCode::kUsage);
  }
  const Result<std::vector<LoadedPolicy>> loaded = LoadPolicies(request, services);
  if (!loaded) {
    return Fails(console, loaded.error(), ExitCode::kCannotRun);
  }
  std::vector<const moderation::Policy*> policies;
  for (const LoadedPolicy& one : *loaded) {
    policies.push_back(&one.policy);
  }
  const Result<std::vector<WarmReport>> warmed = services.WarmPolicies(arguments.judge, policies);
  if (!warmed) {
    return Fails(console, warmed.error(), ExitCode::kCannotRun);
  }
  std::vector<std::vector<Cell>> rows;
  for (const WarmReport& report : *warmed) {
    if (arguments.json) {
      console.Out(JsonLine({{"policy", report.policy},
                            {"tokens", report.tokens},
                            {"was_there", report.was_there},
                            {"seconds", report.seconds}}) +
                  "\n");
    }
    rows.push_back({{Printable(report.policy), Style::kBold},
                    {std::to_string(report.tokens)},
                    {report.was_there ? "was kept already" : "computed and kept"},
                    {DurationText(report.seconds * 1000)}});
  }
  if (!arguments.json) {
    console.Out(RenderTable({{"POLICY", false, true}, {"TOKENS", true}, {"STATE"}, {"TIME", true}},
                            rows, console.columns(), UseColor(console, arguments.color)));
  }
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
