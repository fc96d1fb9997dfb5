#include "apps/commands/commands.h"
#include "apps/commands/eval_measured.h"
#include "apps/output/report_files.h"
#include "eval/run_file.h"

namespace safeguard::apps {

ExitCode RunEvalRescore(const EvalRescoreArguments& arguments, Console& console) {
  if (const Status usable = CheckReports(arguments.reports); !usable) {
    return Fails(console, usable.error(), ExitCode::kUsage);
  }
  Result<eval::RecordedRun> run = eval::ReadRun(arguments.run);
  if (!run) {
    return Fails(console, run.error(), ExitCode::kUsage);
  }
  if (run->cases.empty()) {
    return Fails(console,
                 {ErrorCode::kInvalidInput, arguments.run + " holds no judged record yet",
                  "let eval --run go on"},
                 ExitCode::kUsage);
  }
  if (arguments.threshold) {
    eval::ApplyThreshold(*arguments.threshold, *run);
  }
  Result<Measured> measured = MeasuredOf(*run, arguments.policy);
  if (!measured) {
    return Fails(console, measured.error(), ExitCode::kUsage);
  }
  if (arguments.threshold) {
    std::string text = std::to_string(*arguments.threshold);
    text.erase(text.find_last_not_of('0') + 1);
    measured->notes.push_back("scored again: a violation at or above " + text +
                              (text.ends_with('.') ? "0" : "") +
                              "; verdicts without a score are as they were");
  }
  if (!arguments.reports.files.empty() && !measured->labels.empty()) {
    return Fails(console,
                 {ErrorCode::kInvalidInput, "--report is of one policy, and the run has several",
                  "choose one with --policy"},
                 ExitCode::kUsage);
  }
  const Status printed = PrintMeasured(
      {&*measured, 1}, {arguments.errors, {}, arguments.json, arguments.reports}, console);
  return printed ? ExitCode::kSafe : Fails(console, printed.error(), ExitCode::kCannotRun);
}

}  // namespace safeguard::apps
