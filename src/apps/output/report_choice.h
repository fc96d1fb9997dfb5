// Which reports the command line asks for.
#pragma once

#include <string>
#include <vector>

namespace safeguard::apps {

struct ReportChoice {
  std::vector<std::string> files;   // .html, .json or .md
  std::vector<std::string> beside;  // earlier reports, .json, for the plot of cost against quality
};

}  // namespace safeguard::apps
