// The commands, their options and their help: the only description of the command line. Parsing,
// help, suggestions and shell completion all come from it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apps/command_line/arguments.h"
#include "apps/command_line/eval_route_arguments.h"
#include "apps/command_line/guard_arguments.h"
#include "apps/command_line/jobs_arguments.h"
#include "apps/command_line/list_arguments.h"
#include "apps/command_line/policy_arguments.h"
#include "apps/command_line/receipt_arguments.h"
#include "apps/command_line/review_arguments.h"
#include "apps/command_line/screen_arguments.h"
#include "apps/command_line/serve_arguments.h"
#include "apps/exit_code.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 names it
class App;
}

namespace safeguard::apps {

// What to print instead of running a command: help or version on success, else the reason.
struct ParseEnd {
  ExitCode code = ExitCode::kSafe;
  std::string out;
  Error error{};  // when code is not kSafe
};

using Invocation = std::variant<
    ParseEnd, ClassifyArguments, BatchArguments, EvalArguments, EvalRouteArguments,
    EvalRescoreArguments, EvalCompareArguments, EvalCascadeArguments, PolicyShowArguments,
    PolicyLintArguments, PolicyListArguments, PolicyWarmArguments, PolicyCalibrateArguments,
    PolicyChangeArguments, PolicyPromoteArguments, PolicyImportArguments, PolicyExportArguments,
    PolicyLogArguments, PolicyTestArguments, PolicyDiffArguments, BacktestArguments,
    BacktestStatusArguments, BacktestStopArguments, VerdictsArguments, ListsCheckArguments,
    ListsAddArguments, ListsShowArguments, ListsLintArguments, JobsSubmitArguments,
    JobsRunArguments, JobsListArguments, JobsShowArguments, JobsRetryArguments, ReviewListArguments,
    ReviewShowArguments, ReviewDecideArguments, ReviewExportArguments, ReviewPruneArguments,
    ModelInfoArguments, ModelVerifyArguments, ModelPackArguments, ModelSynthArguments,
    ModelTokensArguments, ModelPullArguments, ModelLogitsArguments, ModelGenerateArguments,
    BenchArguments, VersionArguments, CompletionArguments, GuardArguments, AuditArguments,
    ScreenTrainArguments, ScreenManageArguments, ServeArguments, KeyArguments, ReceiptArguments,
    ReplayArguments, DoctorArguments>;

class CommandTree {
 public:
  CommandTree();
  ~CommandTree();
  CommandTree(const CommandTree&) = delete;
  CommandTree& operator=(const CommandTree&) = delete;

  // `arguments` without the program's name. To be called once.
  Invocation Parse(const std::vector<std::string>& arguments);

  [[nodiscard]] const CLI::App& app() const { return *app_; }

 private:
  void AddClassify();
  void AddBatch();
  void AddEval();  // eval_commands.cc
  void AddPolicy();
  void AddPolicyWarm(CLI::App& policy);
  void AddCalibrate(CLI::App* policy);      // calibrate_command.cc
  void AddVerdicts();                       // store_commands.cc
  void AddStoreCommands(CLI::App* policy);  // store_commands.cc
  void AddJobs();                           // jobs_commands.cc
  void AddJobsSubmit(CLI::App* jobs);
  void AddJobsRun(CLI::App* jobs);
  CLI::App* AddChange(CLI::App* policy, const std::string& name, const std::string& help,
                      StoreVerb verb);
  void AddPolicyTest(CLI::App* policy);  // policy_commands.cc
  void AddPolicyDiff(CLI::App* policy);
  void AddBacktest();
  void AddLists();  // list_commands.cc
  void AddListsCheck(CLI::App& lists);
  void AddListsAdd(CLI::App& lists);
  void AddModelGroup();  // model_commands.cc
  void AddBench();       // model_commands.cc
  void AddReview();      // review_commands.cc
  void AddReviewDecide(CLI::App* review);
  void AddScreen();  // screen_commands.cc
  void AddServe();   // serve_commands.cc
  Invocation FinishServe(const std::vector<std::string>& arguments);
  void AddKey();
  void AddReceipt(CLI::App* verdicts);  // receipt_commands.cc
  void AddReplay();
  void AddDoctor();
  void AddVersion();
  void AddGuard();  // guard_commands.cc
  void AddAudit();  // guard_commands.cc
  [[nodiscard]] Invocation Selected();
  // Of the groups whose commands' names others have too; empty: of none of them.
  [[nodiscard]] std::optional<Invocation> SelectedOfGroup(const CLI::App& command);
  [[nodiscard]] std::optional<Invocation> SelectedOfEval(const std::string& name) const;
  [[nodiscard]] std::optional<Invocation> SelectedOfPolicy(const std::string& name) const;
  [[nodiscard]] Invocation SelectedOfLists(const CLI::App& command);
  [[nodiscard]] std::optional<Invocation> SelectedOfStore(const std::string& name) const;
  [[nodiscard]] std::optional<Invocation> SelectedOfModel(const std::string& name) const;
  [[nodiscard]] std::optional<Invocation> SelectedOfJobs(const std::string& name) const;
  [[nodiscard]] std::optional<Invocation> SelectedOfReview(const std::string& name) const;
  [[nodiscard]] std::optional<Invocation> SelectedOfScreen(const std::string& name) const;
  [[nodiscard]] std::optional<Invocation> SelectedOfService(const CLI::App& command) const;
  [[nodiscard]] std::optional<Invocation> SelectedOfReceipts(const std::string& name) const;

  std::unique_ptr<CLI::App> app_;
  ClassifyArguments classify_;
  BatchArguments batch_;
  EvalArguments eval_;
  std::string eval_route_;
  EvalRescoreArguments rescore_;
  EvalCompareArguments compare_;
  PolicyShowArguments show_;
  PolicyLintArguments lint_;
  PolicyListArguments list_;
  PolicyWarmArguments warm_;
  PolicyCalibrateArguments calibrate_;
  PolicyChangeArguments change_;
  bool promote_force_ = false;
  PolicyImportArguments import_;
  PolicyExportArguments export_;
  PolicyLogArguments policy_log_;
  VerdictsArguments verdicts_;
  JobsSubmitArguments jobs_submit_;
  JobsRunArguments jobs_run_;
  JobsListArguments jobs_list_;
  JobsListArguments jobs_dead_;
  JobsShowArguments jobs_show_;
  JobsRetryArguments jobs_retry_;
  ReviewListArguments review_list_;
  ReviewShowArguments review_show_;
  ReviewDecideArguments review_decide_;
  ReviewExportArguments review_export_;
  ReviewPruneArguments review_prune_;
  ListsCheckArguments lists_check_;
  ListsAddArguments lists_add_;
  ListsShowArguments lists_show_;
  ListsLintArguments lists_lint_;
  PolicyTestArguments test_;
  PolicyDiffArguments diff_;
  BacktestArguments backtest_;
  BacktestStatusArguments backtest_status_;
  BacktestStopArguments backtest_stop_;
  ModelInfoArguments model_info_;
  ModelVerifyArguments model_verify_;
  ModelPackArguments model_pack_;
  ModelSynthArguments model_synth_;
  ModelTokensArguments model_tokens_;
  ModelPullArguments pull_;
  ModelLogitsArguments model_logits_;
  ModelGenerateArguments model_generate_;
  BenchArguments bench_;
  ServeArguments serve_;
  KeyArguments key_;
  ReceiptArguments receipt_;
  ReplayArguments replay_;
  DoctorArguments doctor_;
  VersionArguments version_;
  CompletionArguments completion_;
  GuardArguments guard_;
  AuditArguments audit_;
  EvalCascadeArguments cascade_;
  ScreenTrainArguments screen_train_;
  ScreenManageArguments screen_manage_;
};

}  // namespace safeguard::apps
