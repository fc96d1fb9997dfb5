// What the command line said to the commands that test, compare, replay and promote policies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/command_line/arguments.h"

namespace safeguard::apps {

struct PolicyPromoteArguments {
  PolicyChangeArguments change;  // its verb is kPromote
  bool force = false;            // even where the policy has errors
};

struct PolicyTestArguments {
  std::vector<std::string> policies;  // at least one
  std::string golden;                 // for a single policy
  bool text_only = false;             // the screen learns nothing from golden cases
  std::size_t folds = 5;
  bool strict_rules = false;
  double min_pass = 1;  // the share of tests that must pass
  bool mutation = false;
  bool ablation = false;
  double moves = 0.05;  // a score that moves by less has not moved
  bool dry_run = false;
  std::size_t failures = 20;  // shown
  std::string junit;          // a file; empty: none
  bool json = false;
  JudgeChoice judge{.threads = DefaultThreads()};
  ColorMode color = ColorMode::kAuto;
};

struct PolicyDiffArguments {
  std::string before;
  std::string after;
  std::string golden;  // for both
  std::string over;    // empty: the texts alone
  std::string format = "auto";
  std::string text_field;
  std::string id_field;
  std::string scores;  // earlier verdicts of the old version, for the strata
  std::size_t sample = 0;
  double budget_s = 0;
  bool all = false;
  double confidence = 0.95;
  std::uint64_t seed = 1;
  std::size_t flips = 20;
  bool dry_run = false;
  bool markdown = false;
  bool json = false;
  JudgeChoice judge{.threads = DefaultThreads()};
  ColorMode color = ColorMode::kAuto;
};

struct BacktestArguments {
  std::string policy;
  std::string golden;
  std::string over;
  std::string out;
  std::string then;  // earlier verdicts to compare with
  std::string format = "auto";
  std::string text_field;
  std::string id_field;
  double rate = 0;  // contents a second; 0: as fast as it goes
  bool detach = false;
  bool restart = false;
  std::size_t batch_size = 64;
  bool json = false;
  JudgeChoice judge{.threads = DefaultThreads()};
};

struct BacktestStatusArguments {
  std::string out;
  bool json = false;
};

struct BacktestStopArguments {
  std::string out;
};

}  // namespace safeguard::apps
