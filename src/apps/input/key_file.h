// The keys of a data folder: DATA/keys.json, which holds hashes and opens nothing.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "http/keys.h"

namespace safeguard::apps {

std::string KeyFilePath(const std::string& data_folder);

// No file: no keys.
Result<std::vector<http::ApiKey>> LoadKeys(const std::string& data_folder);
// Makes the folder, for its owner alone, where it is not there.
Status SaveKeys(const std::string& data_folder, const std::vector<http::ApiKey>& keys);

}  // namespace safeguard::apps
