// `eval` and the commands below it.
#include "apps/command_line/command_tree.h"
#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"
#include "eval/benchmark_sets.h"

namespace safeguard::apps {
namespace {

std::string Formats() {
  std::string names = "auto";
  for (const std::string_view name : eval::DatasetNames()) {
    names += "|" + std::string(name);
  }
  return names;
}

CLI::Option* AddList(CLI::App* command, const std::string& name, std::vector<std::string>& values,
                     const std::string& help, const std::string& type) {
  return command->add_option(name, values, help)->type_name(type)->expected(1)->take_all();
}

// How the data are read.
void AddData(CLI::App* command, EvalArguments& arguments) {
  AddFile(command, "-d,--data", arguments.data,
          "Labelled data (default: the policy's own golden set, cross-validated)");
  Choices(command->add_option("--format", arguments.format,
                              "What --data is (--list-datasets describes each)"),
          Formats());
  AddList(command, "--map", arguments.map,
          "Which field holds what: text, messages, prompt, response, label, labels, id, rules, "
          "surface, language, tags, slice; as in text=body,label=is_bad",
          "KEY=FIELD,...");
  command->add_option("--positive", arguments.positive, "Labels that mean violation")
      ->type_name("LABEL,...");
  command->add_option("--negative", arguments.negative, "Labels that mean safe")
      ->type_name("LABEL,...");
  command->add_option("--text-field", arguments.text_field, "As --map text=NAME")
      ->type_name("NAME");
  command->add_option("--label-field", arguments.label_field, "As --map label=NAME")
      ->type_name("NAME");
  AddList(command, "--positive-label", arguments.positive_labels,
          "As --positive, for one label; repeat it for more", "LABEL");
  AddList(command, "--label-of", arguments.label_of,
          "With several policies: the label that this one answers for", "POLICY=LABEL");
  command->add_flag("--any", arguments.any,
                    "Several policies as one: a violation of any counts against any label");
  command->add_flag("--complete-labels", arguments.complete_labels,
                    "With --label-of: only records whose every label is known");
  command
      ->add_option("--sample", arguments.sample,
                   "Judge N records of --data, drawn by --seed (default: all)")
      ->type_name("N")
      ->check(NumberFrom(1, 1e9));
  command
      ->add_option("--sample-seed", arguments.seed, "Of --sample, folds and intervals (default: 1)")
      ->type_name("N");
  command->add_flag("--list-datasets", arguments.list_datasets, "Describe every format and end");
}

void AddMeasuring(CLI::App* command, EvalArguments& arguments) {
  AddFile(command, "--run", arguments.run,
          "Keep every verdict in this run file, and go on with it when it is there");
  command->add_flag("--restart", arguments.restart, "Begin --run again");
  Choices(command->add_option("--prompting", arguments.prompting,
                              "With --judge reasoner: each policy in its own prompt, all in one, "
                              "or both, side by side"),
          "separate|joint|both");
  command
      ->add_option("--cross-validate", arguments.folds,
                   "Learn from all folds but one and judge that one, for each of K folds of --data")
      ->type_name("K")
      ->check(NumberFrom(2, 1000));
  AddFile(command, "--golden", arguments.golden,
          "Labelled cases to learn from (default: those beside the policy)");
  command->add_flag("--no-golden", arguments.no_golden, "Learn from the policy's text alone");
  command
      ->add_option("--threshold", arguments.thresholds,
                   "Also show the figures at this score; repeat it for more")
      ->type_name("T")
      ->expected(1)
      ->take_all()
      ->check(NumberFrom(0, 1));
}

void AddErrors(CLI::App* command, std::size_t& errors) {
  command->add_option("--errors", errors, "How many errors of each kind to show (default: 10)")
      ->type_name("N")
      ->check(NumberFrom(0, 10000));
}

void AddReports(CLI::App* command, ReportChoice& choice) {
  AddList(command, "--report", choice.files,
          "Also write the report to a file, in the form its name ends in: .html (one page that "
          "needs nothing else), .json, .md; repeat it for more",
          "FILE");
  AddList(command, "--beside", choice.beside,
          "With --report FILE.html: an earlier .json report, for the plot of cost against quality",
          "FILE");
}

void AddRunFile(CLI::App* command, const std::string& name, std::string& run) {
  command->add_option(name, run, "A file that eval --run has written")
      ->type_name("RUN")
      ->required();
}

void AddRescore(CLI::App* group, EvalRescoreArguments& arguments) {
  CLI::App* command =
      group->add_subcommand("rescore", "Figures of a recorded run, without judging again");
  AddRunFile(command, "run", arguments.run);
  command
      ->add_option_function<double>(
          "--threshold", [&arguments](const double& value) { arguments.threshold = value; },
          "A violation at or above this score (default: as it was judged)")
      ->type_name("T")
      ->check(NumberFrom(0, 1));
  command->add_option("-p,--policy", arguments.policy, "One policy of a run of several")
      ->type_name("POLICY");
  AddErrors(command, arguments.errors);
  AddReports(command, arguments.reports);
  AddJson(command, arguments.json, "The report as one JSON object");
  command->footer(kRescoreExamples);
}

void AddCompare(CLI::App* group, EvalCompareArguments& arguments) {
  CLI::App* command = group->add_subcommand("compare", "Compare two runs case by case");
  AddRunFile(command, "run_a", arguments.run_a);
  AddRunFile(command, "run_b", arguments.run_b);
  command->add_option("-p,--policy", arguments.policy, "One policy of runs of several")
      ->type_name("POLICY");
  command->add_option("--seed", arguments.seed, "Of the bootstrap (default: 1)")->type_name("N");
  AddJson(command, arguments.json, "As one JSON object");
  command->footer(kCompareExamples);
}

void AddCascade(CLI::App* group, EvalCascadeArguments& arguments) {
  CLI::App* command =
      group->add_subcommand("cascade", "What a compute budget buys between screen and reasoner");
  AddRunFile(command, "run", arguments.run);
  command
      ->add_option("--reasoner", arguments.reasoner_run,
                   "A run of the reasoner over the same data (default: a synthetic reasoner)")
      ->type_name("RUN");
  const auto share = [command](const std::string& name, double& value, const std::string& help) {
    return command->add_option(name, value, help)->type_name("SHARE")->check(NumberFrom(0, 1));
  };
  eval::SyntheticReasoner& reasoner = arguments.curve.reasoner;
  share("--recall", reasoner.recall,
        "Violations that the synthetic reasoner finds (default: 0.95)");
  share("--specificity", reasoner.specificity, "Safe content that it calls safe (default: 0.95)");
  command->add_option("--tokens", reasoner.tokens, "Of one of its verdicts (default: 600)")
      ->type_name("N")
      ->check(NumberFrom(1, 1e6));
  command->add_option("--seed", reasoner.seed, "Of the synthetic reasoner (default: 1)")
      ->type_name("N");
  command
      ->add_option("--budget", arguments.curve.budgets,
                   "Share of what asking the reasoner everything costs; repeat it for more "
                   "(default: 0.01 to 0.75)")
      ->type_name("SHARE")
      ->expected(1)
      ->take_all()
      ->check(NumberFrom(1e-4, 1));
  share("--false-alarm", arguments.curve.false_alarm,
        "Weight of a false alarm against a missed violation (default: 1, as F1 does)");
  command->add_option("-p,--policy", arguments.policy, "One policy of a run of several")
      ->type_name("POLICY");
  AddList(command, "--report", arguments.reports.files,
          "Also write it to a file: .html, .json, .md; repeat it for more", "FILE");
  AddJson(command, arguments.json, "As one JSON object");
  command->footer(kCascadeExamples);
}

}  // namespace

void CommandTree::AddEval() {
  CLI::App* command = app_->add_subcommand("eval", "Measure a policy against labelled data");
  AddList(command, "-p,--policy", eval_.policies,
          "A policy: a name in the store or of a shipped one, a version (spam@3), or a file; with "
          "several a violation of any counts, unless each answers for its own label",
          "POLICY");
  AddDataFolder(command, eval_.data_dir);
  AddData(command, eval_);
  AddMeasuring(command, eval_);
  AddErrors(command, eval_.errors);
  AddReports(command, eval_.reports);
  AddCalibration(command, eval_.calibration);
  AddJson(command, eval_.json, "The report as one JSON object");
  AddJudge(command, eval_.judge);
  AddRoute(command, eval_route_);
  ExcludeJudge(command);
  command->get_option("--route")->excludes(command->get_option("--prompting"));
  command->footer(std::string(kEvalExamples) + "\n" + ExitCodeHelp());
  command->require_subcommand(0, 1);
  AddRescore(command, rescore_);
  AddCompare(command, compare_);
  AddCascade(command, cascade_);
}

}  // namespace safeguard::apps
