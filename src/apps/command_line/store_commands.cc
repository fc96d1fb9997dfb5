// `safeguard policy ...`: the commands on the store.
#include <CLI/CLI.hpp>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {
namespace {

void AddPerson(CLI::App* command, std::string& who, std::string& note) {
  command
      ->add_option("--as", who, "Who does this (default: $SAFEGUARD_USER, else the system's user)")
      ->type_name("NAME");
  command->add_option("-m,--note", note, "Why; kept in the history")->type_name("TEXT");
}

CLI::Option* AddVersionName(CLI::App* command, std::string& version) {
  return command
      ->add_option("version", version,
                   "The version: spam@3, spam@1f0c9a (the beginning of its hash), spam@latest, "
                   "spam@canary")
      ->type_name("POLICY@VERSION");
}

}  // namespace

void CommandTree::AddVerdicts() {
  CLI::App* command = app_->add_subcommand("verdicts", "What was recorded with --record");
  command
      ->add_option("policy", verdicts_.policy,
                   "Of this policy, or version: spam, spam@3 (default: "
                   "all)")
      ->type_name("POLICY");
  Choices(command->add_option("--channel", verdicts_.channel, "Only of versions in this part"),
          "active|canary|shadow|direct");
  Choices(command->add_option("--outcome", verdicts_.outcome, "Only these"),
          "violation|safe|undetermined");
  command->add_option("--since", verdicts_.since, "At or after this time, as in 2026-11-28")
      ->type_name("TIME");
  command->add_option("--until", verdicts_.until, "Before this time")->type_name("TIME");
  command->add_flag("--with-content", verdicts_.with_content, "Only those whose text was kept");
  AddDataFolder(command, verdicts_.data_dir);
  AddJson(command, verdicts_.json, "The records, one JSON object a line, oldest first");
  AddColor(command, verdicts_.color);
  command->footer(kVerdictsExamples);
  AddReceipt(command);
}

CLI::App* CommandTree::AddChange(CLI::App* policy, const std::string& name, const std::string& help,
                                 StoreVerb verb) {
  CLI::App* command = policy->add_subcommand(name, help);
  command->callback([this, verb] { change_.verb = verb; });
  return command;
}

void CommandTree::AddStoreCommands(CLI::App* policy) {
  CLI::App* publish =
      AddChange(policy, "publish", "Put a policy into the store: a new draft", StoreVerb::kPublish);
  publish->add_option("policy", change_.policy, "A file, or the name of a shipped policy")
      ->type_name("POLICY")
      ->required();
  publish
      ->add_option("--id", change_.id, "Under this id (default: the policy's own, else its file's)")
      ->type_name("ID");
  AddFile(publish, "--golden", change_.golden,
          "Its labelled cases, kept with the version (default: those beside the policy)");
  publish->add_flag("--no-golden", change_.no_golden, "Without labelled cases");
  publish->footer(kPublishExamples);

  CLI::App* approve = AddChange(policy, "approve", "Approve a version that somebody else wrote",
                                StoreVerb::kApprove);
  AddVersionName(approve, change_.policy)->required();
  approve->footer(kApproveExamples);

  CLI::App* promote = AddChange(policy, "promote", "Move a version on: shadow, canary, active",
                                StoreVerb::kPromote);
  AddVersionName(promote, change_.policy)->required();
  Choices(promote->add_option("--to", change_.to, "The state it enters")->required(),
          "shadow|canary|active|draft");
  promote->add_option("--percent", change_.percent, "Of a canary: its share of contents")
      ->type_name("P")
      ->check(NumberFrom(0, 100));
  promote->add_flag("--force", promote_force_, "Even where the check of the policy finds errors");
  promote->footer(kPromoteExamples);

  CLI::App* rollback = AddChange(
      policy, "rollback", "Go back to the version that was active before", StoreVerb::kRollback);
  rollback->add_option("policy", change_.policy, "The policy")->type_name("POLICY")->required();
  rollback->footer(kRollbackExamples);

  CLI::App* retire =
      AddChange(policy, "retire", "Take a version out of service", StoreVerb::kRetire);
  AddVersionName(retire, change_.policy)->required();
  retire->add_flag("--all", change_.whole, "Every version: nothing answers for the policy then");
  retire->footer(kRetireExamples);

  CLI::App* settings =
      AddChange(policy, "settings", "Show or change the two-person rule", StoreVerb::kSettings);
  settings->add_option("policy", change_.policy, "The policy (default: the whole store)")
      ->type_name("POLICY");
  Choices(
      settings->add_option("--two-person", change_.two_person,
                           "Whether somebody other than the author must approve what may answer"),
      "on|off|store");
  settings->footer(kSettingsExamples);

  for (CLI::App* command : {publish, approve, promote, rollback, retire, settings}) {
    AddPerson(command, change_.who, change_.note);
    AddDataFolder(command, change_.data_dir);
    AddJson(command, change_.json, "As one JSON object");
  }

  CLI::App* import = policy->add_subcommand("import", "Take policies from folders into the store");
  import->add_option("folder", import_.sources, "Folders of policies, or of one")
      ->type_name("DIR")
      ->required();
  AddPerson(import, import_.who, import_.note);
  AddDataFolder(import, import_.data_dir);
  AddJson(import, import_.json, "One JSON object a line, one line a policy");
  import->footer(kImportExamples);

  CLI::App* exports = policy->add_subcommand("export", "Write policies with their history as text");
  exports->add_option("policy", export_.policies, "The policies (default: all in the store)")
      ->type_name("POLICY");
  exports->add_option("--to", export_.to, "The folder")->type_name("DIR")->required();
  exports->add_flag("--overwrite", export_.overwrite, "Overwrite edits that were not imported");
  AddDataFolder(exports, export_.data_dir);
  AddJson(exports, export_.json, "One JSON object a line, one line a policy");
  exports->footer(kExportExamples);

  CLI::App* log = policy->add_subcommand("log", "What happened to policies: who, when and why");
  log->add_option("policy", policy_log_.policy, "The policy (default: all)")->type_name("POLICY");
  log->add_option("--limit", policy_log_.limit,
                  "How many events, newest first; 0: all (default: 50)")
      ->type_name("N")
      ->check(NumberFrom(0, 1e9));
  AddDataFolder(log, policy_log_.data_dir);
  AddJson(log, policy_log_.json, "One JSON object a line, one line an event");
  AddColor(log, policy_log_.color);
  log->footer(kPolicyLogExamples);
}

std::optional<Invocation> CommandTree::SelectedOfStore(const std::string& name) const {
  if (name == "publish" || name == "approve" || name == "rollback" || name == "retire" ||
      name == "settings") {
    return change_;
  }
  if (name == "promote") {
    return PolicyPromoteArguments{change_, promote_force_};
  }
  if (name == "import") {
    return import_;
  }
  if (name == "export") {
    return export_;
  }
  if (name == "log") {
    return policy_log_;
  }
  if (name == "verdicts") {
    return verdicts_;
  }
  return std::nullopt;
}

}  // namespace safeguard::apps
