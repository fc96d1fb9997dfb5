// The commands that test policies, compare them and run them over history.
#include "apps/command_line/command_tree.h"
#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {

void CommandTree::AddPolicyTest(CLI::App* policy) {
  CLI::App* test =
      policy->add_subcommand("test", "Run a policy's examples and golden cases as tests");
  test->add_option("policy", test_.policies, "Names of shipped policies, or files")
      ->type_name("POLICY")
      ->required();
  AddFile(test, "--golden", test_.golden,
          "The golden cases, for a single policy (default: golden.jsonl beside policy.md, or "
          "NAME.golden.jsonl)");
  test->add_option("--min-pass", test_.min_pass,
                   "The share of tests that must pass, 0 to 1 (default: 1)")
      ->type_name("SHARE")
      ->check(NumberFrom(0, 1));
  test->add_flag("--strict-rules", test_.strict_rules,
                 "A violation must cite one of the rules that its case names");
  test->add_flag("--text-only", test_.text_only,
                 "The screen learns from the policy's text alone, from no golden case");
  test->add_option("--folds", test_.folds, "Folds for a judge that learns (default: 5)")
      ->type_name("N")
      ->check(NumberFrom(2, 1000));
  test->add_flag("--mutation", test_.mutation,
                 "Take each clause out in turn, and report those that no test misses");
  test->add_flag("--ablation", test_.ablation,
                 "Ask again without the rule that a verdict cites, and report empty citations");
  test->add_option("--moves", test_.moves,
                   "With --ablation: a score that moves by less has not moved (default: 0.05)")
      ->type_name("AMOUNT")
      ->check(NumberFrom(0, 1));
  test->add_flag("--dry-run", test_.dry_run, "Say what it would cost, and stop");
  test->add_option("--failures", test_.failures, "How many failing tests to show (default: 20)")
      ->type_name("N")
      ->check(NumberFrom(0, 100'000));
  AddFile(test, "--junit", test_.junit, "Also write the results as JUnit XML");
  AddJson(test, test_.json, "One JSON object a policy, a line each");
  AddJudge(test, test_.judge);
  AddColor(test, test_.color);
  test->footer(std::string(kPolicyTestExamples) + "\n" + ExitCodeHelp());
}

void CommandTree::AddPolicyDiff(CLI::App* policy) {
  CLI::App* diff =
      policy->add_subcommand("diff", "Compare two versions of a policy, and what they do");
  diff->add_option("before", diff_.before,
                   "The old version: the name of a shipped policy, or a file")
      ->type_name("POLICY")
      ->required();
  diff->add_option("after", diff_.after, "The new version")->type_name("POLICY")->required();
  AddFile(diff, "--over", diff_.over,
          "Judge these contents under both: JSONL or CSV, or `log`, what the verdict log keeps "
          "with its text");
  AddFile(diff, "--golden", diff_.golden,
          "Labelled cases to learn from, for both (default: those beside each)");
  Choices(diff->add_option("--format", diff_.format, "What --over is"), "auto|jsonl|csv");
  diff->add_option("--text-field", diff_.text_field, "The field or column with the content")
      ->type_name("NAME");
  diff->add_option("--id-field", diff_.id_field, "The field or column with the id")
      ->type_name("NAME");
  AddFile(diff, "--scores", diff_.scores,
          "Earlier verdicts of the old version (the output of batch): strata by score");
  diff->add_option("--sample", diff_.sample, "Judge this many contents")
      ->type_name("N")
      ->check(NumberFrom(1, 1e9));
  diff->add_option("--budget", diff_.budget_s, "Judge as many as this time allows")
      ->type_name("SECONDS")
      ->check(NumberFrom(0.001, 1e9));
  diff->add_flag("--all", diff_.all, "Judge all, however long it takes");
  diff->add_option("--confidence", diff_.confidence, "Of the limits (default: 0.95)")
      ->type_name("SHARE")
      ->check(NumberFrom(0.5, 0.9999));
  diff->add_option("--sample-seed", diff_.seed, "Which sample (default: 1)")->type_name("N");
  diff->add_option("--flips", diff_.flips, "How many flips to show (default: 20)")
      ->type_name("N")
      ->check(NumberFrom(0, 100'000));
  diff->add_flag("--dry-run", diff_.dry_run, "Say what it would cost, and stop");
  diff->add_flag("--markdown", diff_.markdown, "As Markdown, for a review");
  AddJson(diff, diff_.json, "As one JSON object");
  AddJudge(diff, diff_.judge);
  AddColor(diff, diff_.color);
  diff->footer(std::string(kPolicyDiffExamples) + "\n" + ExitCodeHelp());
}

void CommandTree::AddBacktest() {
  CLI::App* command = app_->add_subcommand(
      "backtest", "Run a policy over history, as a job that goes on where it stopped");
  command->add_option("policy", backtest_.policy, "The name of a shipped policy, or a file")
      ->type_name("POLICY");
  AddFile(
      command, "--over", backtest_.over,
      "The contents: JSONL, CSV, or text, one a line; or `log`, what the verdict log keeps with "
      "its text");
  AddFile(command, "--out", backtest_.out, "JSONL, a verdict a line");
  AddFile(command, "--then", backtest_.then,
          "Verdicts given before (the output of batch or backtest), to compare with");
  AddFile(command, "--golden", backtest_.golden,
          "Labelled cases to learn from (default: those beside the policy)");
  Choices(command->add_option("--format", backtest_.format, "What --over is"),
          "auto|jsonl|csv|txt");
  command->add_option("--text-field", backtest_.text_field, "The field or column with the content")
      ->type_name("NAME");
  command->add_option("--id-field", backtest_.id_field, "The field or column with the id")
      ->type_name("NAME");
  command->add_option("--rate", backtest_.rate, "At most this many contents a second")
      ->type_name("N")
      ->check(NumberFrom(0.001, 1e9));
  command->add_flag("--detach", backtest_.detach, "Run in the background; see status and stop");
  command->add_option("--batch-size", backtest_.batch_size, "Contents judged at once (default: 64)")
      ->type_name("N")
      ->check(NumberFrom(1, static_cast<double>(kBatchSizeMax)));
  command->add_flag("--restart", backtest_.restart, "Begin again and overwrite what is there");
  AddJson(command, backtest_.json, "The summary as one JSON object");
  AddJudge(command, backtest_.judge);
  command->footer(std::string(kBacktestExamples) + "\n" + ExitCodeHelp());
  command->require_subcommand(0, 1);

  CLI::App* status = command->add_subcommand("status", "How far a backtest is");
  AddFile(status, "out", backtest_status_.out, "The --out of the backtest")->required();
  AddJson(status, backtest_status_.json, "As one JSON object");
  CLI::App* stop = command->add_subcommand("stop", "Stop a backtest; what is judged is kept");
  AddFile(stop, "out", backtest_stop_.out, "The --out of the backtest")->required();
}

}  // namespace safeguard::apps
