// Which calibrations the command line asks for.
#pragma once

#include <string>
#include <vector>

namespace safeguard::apps {

struct CalibrationChoice {
  std::vector<std::string> files;  // empty: what lies beside the policies
  bool none = false;               // scores as the judge gives them
};

}  // namespace safeguard::apps
