// What the command line said of `safeguard review`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/output/console.h"

namespace safeguard::apps {

struct ReviewListArguments {
  std::string state = "open";  // open, decided, all
  std::string policy;          // an id; empty: all
  std::string route;           // empty: all
  std::size_t limit = 50;
  std::string data_dir;
  bool json = false;
  ColorMode color = ColorMode::kAuto;
};

struct ReviewShowArguments {
  std::int64_t id = 0;
  std::string data_dir;
  bool json = false;
};

struct ReviewDecideArguments {
  std::int64_t id = 0;
  std::string outcome;  // violation, safe
  std::vector<std::string> rules;
  std::string category;
  std::string why;
  std::string who;  // empty: as the system knows
  bool again = false;
  bool keep_content = false;  // in the verdict log
  std::string data_dir;
  bool json = false;
};

struct ReviewExportArguments {
  std::string policy;  // an id; empty: all
  std::string out = "-";
  std::string data_dir;
};

struct ReviewPruneArguments {
  double older_than_days = 90;
  std::string data_dir;
};

}  // namespace safeguard::apps
