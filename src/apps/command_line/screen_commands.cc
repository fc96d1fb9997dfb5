// `safeguard screen ...`: classifiers trained for one policy each.
#include <CLI/CLI.hpp>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {
namespace {

constexpr const char* kTrainExamples = R"(Examples:
  safeguard screen train --policy spam --data labelled.csv
  safeguard screen train -p my_policy.md -d posts.jsonl --map text=body,label=is_bad --name posts
  safeguard screen train --policy spam --from-log --test labelled.csv
  safeguard classify --policy spam --judge dedicated "Cheap followers! DM me to buy"

Labels are read as `eval` reads them. Each text counts once; a text with both labels is left out and
named. Two kinds are trained (words and pieces of words; the encoder's embedding), the better by
validation is calibrated, measured on texts that nothing was chosen by, and installed as the next
version of its name. Stopped by Ctrl-C nothing is installed. See docs/dedicated.md.
)";

constexpr const char* kManageExamples = R"(Examples:
  safeguard screen list
  safeguard screen show spam@1 --policy spam
  safeguard screen use spam@1 --policy spam --band
  safeguard screen rollback --policy spam
)";

void AddLabels(CLI::App* train, ScreenTrainArguments& a) {
  AddFile(train, "-d,--data", a.source.data, "Labelled texts: CSV or JSONL");
  train
      ->add_option("--map", a.source.map,
                   "Which field holds what, as in text=body,label=is_bad (see eval --help)")
      ->type_name("KEY=FIELD,...")
      ->expected(1)
      ->take_all();
  train->add_option("--positive", a.source.positive, "Labels that mean violation")
      ->type_name("LABEL,...");
  train->add_option("--negative", a.source.negative, "Labels that mean safe")
      ->type_name("LABEL,...");
  train->add_option("--text-field", a.source.text_field, "As --map text=NAME")->type_name("NAME");
  train->add_option("--label-field", a.source.label_field, "As --map label=NAME")
      ->type_name("NAME");
  train->add_flag("--from-log", a.from_log,
                  "Verdicts of the log are labels too, where their text was recorded; labels of "
                  "--data go before");
  train
      ->add_option("--layer", a.layer,
                   "With --from-log: whose verdicts, or any (default: reasoner)")
      ->type_name("LAYER");
  train->add_flag("--any-version", a.any_version,
                  "With --from-log: verdicts under earlier texts of the policy too");
  train->add_option("--since", a.since, "With --from-log: at or after this time, as in 2026-11-28")
      ->type_name("TIME");
  AddFile(train, "--test", a.test,
          "Labelled texts to measure on (default: a fifth of the texts, which is not learned)");
}

}  // namespace

void CommandTree::AddScreen() {
  CLI::App* screen = app_->add_subcommand(
      "screen", "Train classifiers on your own labels, and say which one answers");
  screen->require_subcommand(1);
  CLI::App* train =
      screen->add_subcommand("train", "Train, measure and install a classifier for one policy");
  ScreenTrainArguments& a = screen_train_;
  train->add_option("-p,--policy", a.policy, "The policy that the labels were given under")
      ->type_name("POLICY")
      ->required();
  AddLabels(train, a);
  train->add_option("--name", a.name, "Of the classifier (default: the policy's id)")
      ->type_name("NAME");
  Choices(train->add_option("--kind", a.kind, "Train this kind alone (default: auto, the better)"),
          "auto|words|head");
  train
      ->add_option("--miss-rate", a.miss_rate,
                   "Of the uncertain band: the most violations below it (default: 0.05)")
      ->type_name("SHARE")
      ->check(NumberFrom(0.0001, 0.9999));
  train
      ->add_option("--alarm-rate", a.alarm_rate,
                   "Of the uncertain band: the most safe texts above it (default: 0.01)")
      ->type_name("SHARE")
      ->check(NumberFrom(0.0001, 0.9999));
  train->add_flag("--band", a.band, "Leave the uncertain band undecided (default: decide)");
  train->add_flag("--no-use", a.no_use, "Install it, but let the present one go on answering");
  train->add_flag("--no-curve", a.no_curve, "Do not measure how F1 grows with the labels");
  train->add_flag("--no-baseline", a.no_baseline, "Do not measure the screen as it is");
  train->add_option("--seed", a.seed, "Of splits, training and intervals (default: 1)")
      ->type_name("N");
  AddModel(train, a.model);
  AddThreads(train, a.threads);
  AddDataFolder(train, a.data_dir);
  AddJson(train, a.json, "As one JSON object");
  train->footer(kTrainExamples);

  const auto add = [&](const char* name, const char* help, ScreenVerb verb) {
    CLI::App* command = screen->add_subcommand(name, help);
    command->callback([this, verb] { screen_manage_.verb = verb; });
    CLI::Option* policy = command->add_option("-p,--policy", screen_manage_.policy, "The policy")
                              ->type_name("POLICY");
    if (verb != ScreenVerb::kList) {
      policy->required();
    }
    if (verb == ScreenVerb::kShow || verb == ScreenVerb::kUse || verb == ScreenVerb::kRemove) {
      command
          ->add_option("classifier", screen_manage_.classifier,
                       "Its name, or name@version (default: the newest)")
          ->type_name("NAME[@VERSION]")
          ->required();
    }
    AddDataFolder(command, screen_manage_.data_dir);
    AddJson(command, screen_manage_.json, "One JSON object a line");
    AddColor(command, screen_manage_.color);
    command->footer(kManageExamples);
    return command;
  };
  add("list", "List classifiers; * answers for its policy", ScreenVerb::kList);
  add("show", "Show what is known of a classifier", ScreenVerb::kShow);
  add("use", "Let a classifier answer for its policy", ScreenVerb::kUse)
      ->add_flag("--band", screen_manage_.band,
                 "Leave its uncertain band undecided (default: decide)");
  add("remove", "Remove a version", ScreenVerb::kRemove)
      ->add_flag("--force", screen_manage_.force, "Even the one that answers");
  add("rollback", "Go back to what answered before", ScreenVerb::kRollback);
}

std::optional<Invocation> CommandTree::SelectedOfScreen(const std::string& name) const {
  if (name == "train") {
    return screen_train_;
  }
  return screen_manage_;
}

}  // namespace safeguard::apps
