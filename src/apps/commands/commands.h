// The commands. Each takes what the command line said, what it needs of the rest of the house and
// the terminal, and returns the exit code; what went wrong has then been said on standard error.
#pragma once

#include <atomic>

#include "apps/command_line/arguments.h"
#include "apps/command_line/jobs_arguments.h"
#include "apps/command_line/list_arguments.h"
#include "apps/command_line/policy_arguments.h"
#include "apps/exit_code.h"
#include "apps/output/console.h"
#include "apps/services.h"

namespace safeguard::apps {

ExitCode RunClassify(const ClassifyArguments& arguments, Services& services, Console& console);

// `stop` is set by Ctrl-C: the batch in flight is finished and kept.
ExitCode RunBatch(const BatchArguments& arguments, Services& services, Console& console,
                  const std::atomic<bool>& stop);

ExitCode RunEval(const EvalArguments& arguments, Services& services, Console& console,
                 const std::atomic<bool>& stop);

// A recorded run scored again, and two of them compared: nothing is judged.
ExitCode RunEvalRescore(const EvalRescoreArguments& arguments, Console& console);
ExitCode RunEvalCompare(const EvalCompareArguments& arguments, Console& console);
// What a compute budget buys, from recorded runs: nothing is judged.
ExitCode RunEvalCascade(const EvalCascadeArguments& arguments, Console& console);

ExitCode RunPolicyShow(const PolicyShowArguments& arguments, Services& services, Console& console);
ExitCode RunPolicyLint(const PolicyLintArguments& arguments, Services& services, Console& console);
ExitCode RunPolicyList(const PolicyListArguments& arguments, Services& services, Console& console);
// Reads policies for the reasoner ahead of time.
ExitCode RunPolicyWarm(const PolicyWarmArguments& arguments, Services& services, Console& console);

// `stop` is set by Ctrl-C: nothing is saved then.
ExitCode RunPolicyCalibrate(const PolicyCalibrateArguments& arguments, Services& services,
                            Console& console, const std::atomic<bool>& stop);
ExitCode RunPolicyChange(const PolicyChangeArguments& arguments, Services& services,
                         Console& console);
ExitCode RunPolicyPromote(const PolicyPromoteArguments& arguments, Services& services,
                          Console& console);
ExitCode RunPolicyImport(const PolicyImportArguments& arguments, Console& console);
ExitCode RunPolicyExport(const PolicyExportArguments& arguments, Console& console);
ExitCode RunPolicyLog(const PolicyLogArguments& arguments, Console& console);
// `stop` is set by Ctrl-C.
ExitCode RunVerdicts(const VerdictsArguments& arguments, Services& services, Console& console,
                     const std::atomic<bool>& stop);
// kUsage for what the user can say otherwise, else kCannotRun.
ExitCode StoreExitCode(const Error& error);
// The exit code of the provisional verdicts, once the job is on the disk.
ExitCode RunJobsSubmit(const JobsSubmitArguments& arguments, Services& services, Console& console);
// `stop` is set by Ctrl-C: what was begun is finished.
ExitCode RunJobs(const JobsRunArguments& arguments, Services& services, Console& console,
                 const std::atomic<bool>& stop);
ExitCode RunJobsList(const JobsListArguments& arguments, Console& console);
ExitCode RunJobsShow(const JobsShowArguments& arguments, Console& console);
ExitCode RunJobsRetry(const JobsRetryArguments& arguments, Console& console);
// `stop` is set by Ctrl-C: what was judged until then is told.
ExitCode RunPolicyTest(const PolicyTestArguments& arguments, Services& services, Console& console,
                       const std::atomic<bool>& stop);

ExitCode RunPolicyDiff(const PolicyDiffArguments& arguments, Services& services, Console& console,
                       const std::atomic<bool>& stop);

// Resumable like RunBatch; with --detach it returns once the job has begun.
ExitCode RunBacktest(const BacktestArguments& arguments, Services& services, Console& console,
                     const std::atomic<bool>& stop);
ExitCode RunBacktestStatus(const BacktestStatusArguments& arguments, Console& console);
// Returns once the job has ended.
ExitCode RunBacktestStop(const BacktestStopArguments& arguments, Console& console);

// kViolation or kUndetermined (review) where an entry hits, else kSafe.
ExitCode RunListsCheck(const ListsCheckArguments& arguments, Console& console);
ExitCode RunListsAdd(const ListsAddArguments& arguments, Console& console);
ExitCode RunListsShow(const ListsShowArguments& arguments, Console& console);
ExitCode RunListsLint(const ListsLintArguments& arguments, Services& services, Console& console);

ExitCode RunModelInfo(const ModelInfoArguments& arguments, Console& console,
                      const std::atomic<bool>& stop);
ExitCode RunModelVerify(const ModelVerifyArguments& arguments, Console& console,
                        const std::atomic<bool>& stop);
// Makes the file of packed weights, or checks the one that is there.
ExitCode RunModelPack(const ModelPackArguments& arguments, Console& console);
// Stopped, it leaves no unfinished file.
ExitCode RunModelSynth(const ModelSynthArguments& arguments, Console& console,
                       const std::atomic<bool>& stop);
// Texts on standard input, their tokens on standard output, a line each.
ExitCode RunModelTokens(const ModelTokensArguments& arguments, Console& console);
// `stop` is set by Ctrl-C: what has arrived is kept.
ExitCode RunModelPull(const ModelPullArguments& arguments, Console& console,
                      const std::atomic<bool>& stop);

ExitCode RunModelLogits(const ModelLogitsArguments& arguments, Console& console,
                        const std::atomic<bool>& stop);
ExitCode RunModelGenerate(const ModelGenerateArguments& arguments, Console& console,
                          const std::atomic<bool>& stop);

// Times a model. Stopped by Ctrl-C it prints nothing.
ExitCode RunBench(const BenchArguments& arguments, Console& console, const std::atomic<bool>& stop);

ExitCode RunVersion(const VersionArguments& arguments, Services& services, Console& console);

// Says what went wrong and returns `code`.
ExitCode Fails(Console& console, const Error& error, ExitCode code);

}  // namespace safeguard::apps
