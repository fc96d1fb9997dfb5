// What the command line said of `safeguard jobs`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apps/command_line/arguments.h"

namespace safeguard::apps {

struct JobsSubmitArguments {
  ContentRequest content;
  std::vector<std::string> policies;
  std::string golden;
  CalibrationChoice calibration;
  std::string data_dir;
  std::string account;
  JudgeChoice judge{.threads = DefaultThreads()};
  std::string id;  // the content's
  std::string key;
  std::string webhook;
  double priority = 0;
  double deadline_s = 0;  // 0: none
  int attempts = 5;
  std::size_t queue_max = 100'000;
  bool keep_content = false;
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct JobsListArguments {
  std::string data_dir;
  std::string state;  // empty: all
  std::string kind;   // empty: all
  std::size_t limit = 100;
  std::string discard;  // of `jobs dead`: give up this one
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct JobsShowArguments {
  std::string id;
  std::string data_dir;
  bool json = false;
};

struct JobsRunArguments {
  std::string data_dir;
  JudgeChoice judge{.judge = "reasoner", .threads = DefaultThreads()};
  std::vector<std::string> routes;  // files of routes whose jobs are finished
  CalibrationChoice calibration;
  std::string webhook;  // of jobs that name none
  std::string secret_file;
  std::vector<std::string> allowed;  // private addresses that webhooks may have
  std::string certificates;
  bool daemon = false;
  std::size_t batch = 8;
  std::size_t senders = 4;
  double lease_s = 60;
  double retry_s = 5;
  bool json = false;
};

struct JobsRetryArguments {
  std::vector<std::string> ids;
  bool all = false;
  std::string data_dir;
  bool json = false;
};

}  // namespace safeguard::apps
