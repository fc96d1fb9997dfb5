// `policy calibrate`.
#include <CLI/CLI.hpp>

#include "apps/command_line/command_tree.h"
#include "apps/command_line/examples.h"
#include "apps/command_line/options.h"

namespace safeguard::apps {

void CommandTree::AddCalibrate(CLI::App* policy) {
  CLI::App* command = policy->add_subcommand(
      "calibrate", "Make scores probabilities, and bound the violations that are missed");
  command
      ->add_option("policy", calibrate_.policy,
                   "A version in the store, the name of a shipped policy, or a file")
      ->type_name("POLICY")
      ->required();
  AddDataFolder(command, calibrate_.data_dir);
  AddFile(command, "--golden", calibrate_.golden,
          "The labelled cases (default: those beside the policy)");
  const auto set_miss_rate = [this](const double& rate) {
    calibrate_.miss_rate = rate;
    calibrate_.bound_wanted = rate > 0;
  };
  command
      ->add_option_function<double>("--miss-rate", set_miss_rate,
                                    "The most violations that may be missed (default: 0.05; 0: no "
                                    "bound)")
      ->type_name("SHARE")
      ->check(NumberFrom(0, 0.999));
  command
      ->add_option("--confidence", calibrate_.confidence,
                   "With which this holds over golden sets (default: 0.9)")
      ->type_name("SHARE")
      ->check(NumberFrom(0.001, 0.9999));
  Choices(command->add_option("--method", calibrate_.method,
                              "The shape of the map (default: platt below 1000 cases, else "
                              "isotonic)"),
          "auto|platt|isotonic");
  command
      ->add_option("--cross-validate", calibrate_.folds,
                   "Folds by which cases are held out (default: 5)")
      ->type_name("K")
      ->check(NumberFrom(2, 1000));
  AddFile(command, "-o,--out", calibrate_.out,
          "Where to write it (default: beside the policy's file, or with the version in the "
          "store)");
  AddJson(command, calibrate_.json, "The figures as one JSON object");
  AddJudge(command, calibrate_.judge);
  command->footer(kCalibrateExamples);
}

}  // namespace safeguard::apps
