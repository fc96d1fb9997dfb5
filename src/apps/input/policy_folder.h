// Whether policies are looked up in the data folder.
#pragma once

#include <string>
#include <vector>

namespace safeguard::apps {

// `data_dir`, or empty when it holds no store of policies and none of `names` asks for a version of
// one: a folder that holds jobs alone is no reason to refuse.
std::string PolicyFolder(const std::string& data_dir, const std::vector<std::string>& names);

}  // namespace safeguard::apps
