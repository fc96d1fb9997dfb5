#include "apps/run.h"

#include <variant>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/completion.h"
#include "apps/commands/commands.h"
#include "apps/commands/eval_route.h"
#include "apps/commands/guard_commands.h"
#include "apps/commands/receipt_commands.h"
#include "apps/commands/review_commands.h"
#include "apps/commands/screen_commands.h"
#include "apps/commands/serve.h"

namespace safeguard::apps {
namespace {

// The classifiers of the dedicated judge stand in the data folder, unless --model names another.
template <typename Arguments>
Arguments WithClassifiers(Arguments arguments) {
  if (arguments.judge.judge == "dedicated" && arguments.judge.model.empty()) {
    arguments.judge.model = arguments.data_dir;
  }
  return arguments;
}

struct Runner {
  const CommandTree& tree;
  Services& services;
  Console& console;
  const std::atomic<bool>& stop;

  ExitCode operator()(const ParseEnd& end) const {
    console.Out(end.out);
    if (end.code != ExitCode::kSafe) {
      ReportError(console, end.error);
    }
    return end.code;
  }
  ExitCode operator()(const ClassifyArguments& a) const {
    return RunClassify(WithClassifiers(a), services, console);
  }
  ExitCode operator()(const BatchArguments& a) const {
    return RunBatch(WithClassifiers(a), services, console, stop);
  }
  ExitCode operator()(const EvalArguments& a) const {
    return RunEval(WithClassifiers(a), services, console, stop);
  }
  ExitCode operator()(const EvalRouteArguments& a) const {
    return RunEvalRoute(a, services, console, stop);
  }
  ExitCode operator()(const EvalRescoreArguments& a) const { return RunEvalRescore(a, console); }
  ExitCode operator()(const EvalCompareArguments& a) const { return RunEvalCompare(a, console); }
  ExitCode operator()(const EvalCascadeArguments& a) const { return RunEvalCascade(a, console); }
  ExitCode operator()(const PolicyShowArguments& a) const {
    return RunPolicyShow(a, services, console);
  }
  ExitCode operator()(const PolicyLintArguments& a) const {
    return RunPolicyLint(a, services, console);
  }
  ExitCode operator()(const PolicyListArguments& a) const {
    return RunPolicyList(a, services, console);
  }
  ExitCode operator()(const PolicyWarmArguments& a) const {
    return RunPolicyWarm(a, services, console);
  }
  ExitCode operator()(const PolicyCalibrateArguments& a) const {
    return RunPolicyCalibrate(WithClassifiers(a), services, console, stop);
  }
  ExitCode operator()(const PolicyChangeArguments& a) const {
    return RunPolicyChange(a, services, console);
  }
  ExitCode operator()(const PolicyPromoteArguments& a) const {
    return RunPolicyPromote(a, services, console);
  }
  ExitCode operator()(const PolicyImportArguments& a) const { return RunPolicyImport(a, console); }
  ExitCode operator()(const PolicyExportArguments& a) const { return RunPolicyExport(a, console); }
  ExitCode operator()(const PolicyLogArguments& a) const { return RunPolicyLog(a, console); }
  ExitCode operator()(const VerdictsArguments& a) const {
    return RunVerdicts(a, services, console, stop);
  }
  ExitCode operator()(const ReceiptArguments& a) const { return RunReceipt(a, console); }
  ExitCode operator()(const ReplayArguments& a) const { return RunReplay(a, services, console); }
  ExitCode operator()(const DoctorArguments& a) const { return RunDoctor(a, services, console); }
  ExitCode operator()(const JobsSubmitArguments& a) const {
    return RunJobsSubmit(a, services, console);
  }
  ExitCode operator()(const JobsRunArguments& a) const {
    return RunJobs(a, services, console, stop);
  }
  ExitCode operator()(const JobsListArguments& a) const { return RunJobsList(a, console); }
  ExitCode operator()(const JobsShowArguments& a) const { return RunJobsShow(a, console); }
  ExitCode operator()(const JobsRetryArguments& a) const { return RunJobsRetry(a, console); }
  ExitCode operator()(const ReviewListArguments& a) const {
    return RunReviewList(a, services, console);
  }
  ExitCode operator()(const ReviewShowArguments& a) const { return RunReviewShow(a, console); }
  ExitCode operator()(const ReviewDecideArguments& a) const {
    return RunReviewDecide(a, services, console);
  }
  ExitCode operator()(const ReviewExportArguments& a) const {
    return RunReviewExport(a, services, console);
  }
  ExitCode operator()(const ReviewPruneArguments& a) const { return RunReviewPrune(a, console); }
  ExitCode operator()(const PolicyTestArguments& a) const {
    return RunPolicyTest(a, services, console, stop);
  }
  ExitCode operator()(const PolicyDiffArguments& a) const {
    return RunPolicyDiff(a, services, console, stop);
  }
  ExitCode operator()(const BacktestArguments& a) const {
    return RunBacktest(a, services, console, stop);
  }
  ExitCode operator()(const BacktestStatusArguments& a) const {
    return RunBacktestStatus(a, console);
  }
  ExitCode operator()(const BacktestStopArguments& a) const { return RunBacktestStop(a, console); }
  ExitCode operator()(const ListsCheckArguments& a) const { return RunListsCheck(a, console); }
  ExitCode operator()(const ListsAddArguments& a) const { return RunListsAdd(a, console); }
  ExitCode operator()(const ListsShowArguments& a) const { return RunListsShow(a, console); }
  ExitCode operator()(const ListsLintArguments& a) const {
    return RunListsLint(a, services, console);
  }
  ExitCode operator()(const ModelInfoArguments& a) const { return RunModelInfo(a, console, stop); }
  ExitCode operator()(const ModelVerifyArguments& a) const {
    return RunModelVerify(a, console, stop);
  }
  ExitCode operator()(const ModelPackArguments& a) const { return RunModelPack(a, console); }
  ExitCode operator()(const ModelSynthArguments& a) const {
    return RunModelSynth(a, console, stop);
  }
  ExitCode operator()(const ModelTokensArguments& a) const { return RunModelTokens(a, console); }
  ExitCode operator()(const ModelPullArguments& a) const { return RunModelPull(a, console, stop); }
  ExitCode operator()(const ModelLogitsArguments& a) const {
    return RunModelLogits(a, console, stop);
  }
  ExitCode operator()(const ModelGenerateArguments& a) const {
    return RunModelGenerate(a, console, stop);
  }
  ExitCode operator()(const BenchArguments& a) const { return RunBench(a, console, stop); }
  ExitCode operator()(const GuardArguments& a) const { return RunGuard(a, services, console); }
  ExitCode operator()(const AuditArguments& a) const { return RunAudit(a, console); }
  ExitCode operator()(const ServeArguments& a) const {
    return RunServe(a, services, console, stop);
  }
  ExitCode operator()(const KeyArguments& a) const { return RunKey(a, console); }
  ExitCode operator()(const VersionArguments& a) const { return RunVersion(a, services, console); }
  ExitCode operator()(const ScreenTrainArguments& a) const {
    return RunScreenTrain(a, services, console, stop);
  }
  ExitCode operator()(const ScreenManageArguments& a) const {
    return RunScreenManage(a, services, console);
  }
  ExitCode operator()(const CompletionArguments& a) const {
    const Result<std::string> script = CompletionScript(tree.app(), a.shell);
    if (!script) {
      return Fails(console, script.error(), ExitCode::kUsage);
    }
    console.Out(*script);
    return ExitCode::kSafe;
  }
};

}  // namespace

ExitCode RunCommand(const std::vector<std::string>& arguments, Services& services, Console& console,
                    const std::atomic<bool>& stop) {
  CommandTree tree;
  const ExitCode code = std::visit(Runner{tree, services, console, stop}, tree.Parse(arguments));
  const Status written = console.out_status();
  return written ? code : Fails(console, written.error(), ExitCode::kCannotRun);
}

}  // namespace safeguard::apps
