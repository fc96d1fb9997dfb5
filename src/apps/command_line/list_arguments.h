// What the command line said to `safeguard lists ...`.
#pragma once

#include <string>
#include <vector>

#include "apps/input/content_input.h"
#include "apps/output/console.h"

namespace safeguard::apps {

struct ListsCheckArguments {
  ContentRequest content;
  std::vector<std::string> lists;  // files and folders
  std::string policy = "*";        // an id; "*": as under a policy that no entry names
  std::string at;                  // a time; empty: now
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct ListsAddArguments {
  std::string list;  // a file; made when it is not there
  ContentRequest content;
  std::string term;
  std::string allow;
  bool exact = false;
  bool near = false;
  std::string id;  // empty: made from the value
  std::string match = "word";
  std::string action;
  double similarity = 0;  // 0: the usual
  std::string policy = "*";
  std::vector<std::string> rules;
  std::string category;
  std::string reason;
  std::string who;
  std::string expires;
};

struct ListsShowArguments {
  std::vector<std::string> lists;
  bool expired = false;  // those alone
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct ListsLintArguments {
  std::vector<std::string> lists;
  std::vector<std::string> policies;  // whose rules must exist
  std::string data_dir;
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

}  // namespace safeguard::apps
