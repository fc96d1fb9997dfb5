#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "apps/command_line/policy_arguments.h"
#include "apps/commands/commands.h"
#include "apps/commands/judging.h"
#include "apps/output/display_text.h"
#include "apps/output/policy_test_text.h"
#include "apps/output/verdict_json.h"
#include "apps/output/verdict_text.h"
#include "base/file.h"

namespace safeguard::apps {
namespace {

using Clock = std::chrono::steady_clock;

// The screen reads a content once for all policies that it is asked about together.
constexpr std::size_t kScreenPoliciesAtOnce = 64;
constexpr std::size_t kPilotTests = 8;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

eval::TestOptions OptionsOf(const PolicyTestArguments& arguments, const std::atomic<bool>& stop) {
  eval::TestOptions options;
  options.judge_learns = arguments.judge.judge == "screen";
  options.teach_golden = !arguments.text_only;
  options.folds = arguments.folds;
  options.strict_rules = arguments.strict_rules;
  options.policies_at_once = options.judge_learns ? kScreenPoliciesAtOnce : 1;
  options.run.cancel = &stop;
  return options;
}

std::vector<std::string> Notes(const eval::PolicyTester& tester, const LoadedPolicy& loaded,
                               bool mutation) {
  const auto tests = tester.tests();
  const auto examples = static_cast<std::size_t>(
      std::ranges::count_if(tests, [](const eval::PolicyTest& test) { return test.is_example; }));
  std::vector<std::string> notes = {
      fmt::format("{} tests: {} examples of the policy's text, {} golden cases{}.", tests.size(),
                  examples, tests.size() - examples,
                  loaded.golden_origin.empty() ? "" : " (" + loaded.golden_origin + ")")};
  const eval::TestOptions& options = tester.options();
  if (!options.judge_learns) {
    notes.emplace_back(
        "The judge reads the policy and learns from no golden case; the policy's own examples "
        "stand "
        "in what it reads.");
  } else if (tester.folds() < 2) {
    notes.emplace_back("A single text: the judge saw neither it nor any other case.");
  } else {
    notes.push_back(fmt::format(
        "Held out in {} folds: what judged a test had seen neither it, nor a case or example with "
        "the same text{}.",
        tester.folds(),
        options.teach_golden ? "; it had learned from the tests of the other folds"
                             : ", and no golden case at all"));
  }
  if (options.judge_learns && mutation) {
    notes.emplace_back(
        "The screen reads rules, levels and examples, no definitions: that a definition is tested, "
        "only a judge that reads the whole policy can show.");
  }
  if (tester.set().examples_without_side > 0) {
    notes.push_back(
        fmt::format("{} examples say nothing that can be tested: their label has no side.",
                    tester.set().examples_without_side));
  }
  return notes;
}

// What it will cost, from judging a few of the tests.
struct Estimate {
  std::size_t judgements = 0;
  double seconds = 0;
};

Result<Estimate> EstimateCost(eval::PolicyTester& tester, const moderation::Policy& policy,
                              std::size_t variants) {
  std::vector<std::size_t> pilot;
  for (std::size_t i = 0; i < std::min(kPilotTests, tester.tests().size()); ++i) {
    pilot.push_back(i);
  }
  // Twice: the first time also embeds what is embedded once for all.
  const Result<std::vector<eval::TestRun>> warm = tester.Run({&policy, 1}, pilot);
  if (!warm) {
    return std::unexpected(warm.error());
  }
  const Clock::time_point begin = Clock::now();
  const Result<std::vector<eval::TestRun>> runs = tester.Run({&policy, 1}, pilot);
  if (!runs) {
    return std::unexpected(runs.error());
  }
  const double judging = runs->front().seconds / static_cast<double>(pilot.size());
  const double preparing = std::max(0.0, SecondsSince(begin) - runs->front().seconds) /
                           static_cast<double>(tester.folds());
  const std::size_t at_once = tester.options().policies_at_once;
  const auto readings =
      static_cast<double>(tester.tests().size() * ((variants + at_once - 1) / at_once));
  return Estimate{tester.tests().size() * variants,
                  readings * judging + preparing * static_cast<double>(variants * tester.folds())};
}

class Session {
 public:
  Session(const PolicyTestArguments& arguments, Console& console, moderation::Judge& judge,
          const std::atomic<bool>& stop)
      : arguments_(arguments), console_(console), judge_(judge), stop_(stop) {}

  Result<PolicyTestReport> Test(const LoadedPolicy& loaded) {
    Result<eval::PolicyTester> tester = eval::PolicyTester::Make(
        judge_, eval::TestsOf(loaded.policy, loaded.golden), OptionsOf(arguments_, stop_));
    if (!tester) {
      Error error = tester.error();
      error.message = loaded.policy.id + ": " + error.message;
      return std::unexpected(std::move(error));
    }
    PolicyTestReport report;
    report.policy = loaded.policy;
    report.set = tester->set();
    report.folds = tester->folds();
    report.min_pass = arguments_.min_pass;
    report.notes = Notes(*tester, loaded, arguments_.mutation);
    if (arguments_.mutation || arguments_.dry_run) {
      Result<std::vector<eval::Mutant>> mutants = eval::MakeMutants(loaded.bytes, loaded.policy);
      if (!mutants) {
        return std::unexpected(mutants.error());
      }
      report.mutants = std::move(*mutants);
      if (Status told = TellCost(*tester, report); !told || arguments_.dry_run) {
        return told ? Result<PolicyTestReport>(std::move(report)) : std::unexpected(told.error());
      }
    }
    if (Status ran = Run(*tester, loaded, report); !ran) {
      return std::unexpected(ran.error());
    }
    report.summary = eval::Summarise(tester->tests(), report.run);
    return report;
  }

 private:
  Status TellCost(eval::PolicyTester& tester, const PolicyTestReport& report) {
    const std::size_t variants = 1 + (arguments_.mutation ? report.mutants.size() : 0);
    const Result<Estimate> cost = EstimateCost(tester, report.policy, variants);
    if (!cost) {
      return std::unexpected(cost.error());
    }
    console_.Error(
        fmt::format("safeguard: {}: {} tests{} = {} judgements, about {} (measured on {} tests)\n",
                    report.policy.id, tester.tests().size(),
                    arguments_.mutation ? fmt::format(" x (1 + {} clauses)", report.mutants.size())
                                        : std::string(),
                    cost->judgements, DurationText(cost->seconds * 1000),
                    std::min(kPilotTests, tester.tests().size())));
    return {};
  }

  Status Run(eval::PolicyTester& tester, const LoadedPolicy& loaded, PolicyTestReport& report) {
    const auto progress = [this](const char* what) {
      return [this, what](std::size_t done, std::size_t all) {
        if (console_.error_is_terminal()) {
          console_.Error(fmt::format("\r\x1b[K{}: {} of {}", what, done, all));
          if (done == all) {
            console_.Error("\r\x1b[K");
          }
        }
      };
    };
    if (arguments_.mutation) {
      Result<eval::MutationRun> mutation =
          eval::RunMutants(tester, loaded.policy, report.mutants, progress("mutation"));
      if (!mutation) {
        return std::unexpected(mutation.error());
      }
      report.mutated = true;
      report.mutation = std::move(*mutation);
      report.run = report.mutation.baseline;
    } else {
      Result<std::vector<eval::TestRun>> runs = tester.Run({&loaded.policy, 1});
      if (!runs) {
        return std::unexpected(runs.error());
      }
      report.run = std::move(runs->front());
    }
    if (arguments_.ablation) {
      Result<std::vector<eval::TestAblation>> ablations = eval::AblateTests(
          tester, loaded.bytes, loaded.policy, report.run, arguments_.moves, progress("ablation"));
      if (!ablations) {
        return std::unexpected(ablations.error());
      }
      report.ablated = true;
      report.ablations = std::move(*ablations);
    }
    return {};
  }

  const PolicyTestArguments& arguments_;
  Console& console_;
  moderation::Judge& judge_;
  const std::atomic<bool>& stop_;
};

Status CheckArguments(const PolicyTestArguments& arguments) {
  if (arguments.text_only && arguments.judge.judge != "screen") {
    return Fail(ErrorCode::kInvalidInput, "--text-only goes with the screen",
                "other judges learn from no golden case anyway");
  }
  return CheckUsage({arguments.policies, arguments.golden, arguments.judge});
}

void Print(const PolicyTestArguments& arguments, const PolicyTestReport& report, bool first,
           Console& console) {
  if (arguments.json) {
    console.Out(JsonLine(PolicyTestJson(report)) + "\n");
    return;
  }
  console.Out((first ? "" : "\n") +
              PolicyTestText(report, {console.columns(), UseColor(console, arguments.color),
                                      arguments.failures}));
}

}  // namespace

ExitCode RunPolicyTest(const PolicyTestArguments& arguments, Services& services, Console& console,
                       const std::atomic<bool>& stop) {
  if (const Status usage = CheckArguments(arguments); !usage) {
    return Fails(console, usage.error(), ExitCode::kUsage);
  }
  const JudgingRequest request{arguments.policies, arguments.golden, arguments.judge};
  const Result<std::vector<LoadedPolicy>> policies = LoadPolicies(request, services);
  if (!policies) {
    return Fails(console, policies.error(),
                 policies.error().code == ErrorCode::kInvalidInput ? ExitCode::kUsage
                                                                   : ExitCode::kCannotRun);
  }
  const Result<std::unique_ptr<moderation::Judge>> judge = services.OpenJudge(arguments.judge);
  if (!judge) {
    return Fails(console, judge.error(), ExitCode::kCannotRun);
  }
  Session session(arguments, console, **judge, stop);
  std::vector<PolicyTestReport> reports;
  bool passed = true;
  for (const LoadedPolicy& loaded : *policies) {
    Result<PolicyTestReport> report = session.Test(loaded);
    if (!report) {
      return Fails(console, report.error(), ExitCode::kUsage);
    }
    if (arguments.dry_run) {
      continue;
    }
    Print(arguments, *report, reports.empty(), console);
    passed = passed && report->passed();
    reports.push_back(std::move(*report));
    if (stop.load()) {
      console.Error("safeguard: interrupted; the figures are of what was judged until then\n");
      return ExitCode::kInterrupted;
    }
  }
  if (!arguments.junit.empty() && !arguments.dry_run) {
    const Status written = WriteFileAtomically(arguments.junit, JunitXml(reports));
    if (!written) {
      return Fails(console, written.error(), ExitCode::kCannotRun);
    }
  }
  return passed ? ExitCode::kSafe : ExitCode::kViolation;
}

}  // namespace safeguard::apps
