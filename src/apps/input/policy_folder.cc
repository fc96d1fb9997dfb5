#include "apps/input/policy_folder.h"

#include <algorithm>
#include <filesystem>

namespace safeguard::apps {

std::string PolicyFolder(const std::string& data_dir, const std::vector<std::string>& names) {
  const bool names_versions = std::ranges::any_of(
      names, [](const std::string& name) { return name.find('@') != std::string::npos; });
  std::error_code ignored;  // what cannot be looked at is reported when it is opened
  return !names_versions && !std::filesystem::exists(data_dir + "/policies.db", ignored) ? ""
                                                                                         : data_dir;
}

}  // namespace safeguard::apps
