// What the command line said of `screen ...`, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/command_line/arguments.h"

namespace safeguard::apps {

struct ScreenTrainArguments {
  std::string policy;
  EvalArguments source{};  // data, format, map, fields and labels alone
  bool from_log = false;
  std::string layer = "reasoner";  // of --from-log: whose verdicts; "any"
  bool any_version = false;        // of --from-log: under any text of the policy
  std::string since;               // of --from-log
  std::string test;                // empty: a fifth is held out
  std::string name;                // empty: the policy's id
  std::string kind = "auto";       // auto, words, head
  std::string model;               // the folder with the models
  std::size_t threads = DefaultThreads();
  std::uint64_t seed = 1;
  double miss_rate = 0.05;
  double alarm_rate = 0.01;
  bool band = false;
  bool no_use = false;
  bool no_curve = false;
  bool no_baseline = false;
  std::string data_dir;
  bool json = false;
};

enum class ScreenVerb { kList, kShow, kUse, kRemove, kRollback };

struct ScreenManageArguments {
  ScreenVerb verb = ScreenVerb::kList;
  std::string policy;      // id or file; of list empty: all
  std::string classifier;  // "NAME" or "NAME@VERSION"
  bool band = false;
  bool force = false;
  std::string data_dir;
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

}  // namespace safeguard::apps
