// The folder that holds the databases.
#pragma once

#include <string>

#include "base/result.h"

namespace safeguard::storage {

// The path of a database in the folder. With `create` the folder is made, for its owner alone,
// where it is missing, and the file too; without, a missing database is kNotFound.
Result<std::string> DatabasePath(const std::string& folder, const std::string& name, bool create);

}  // namespace safeguard::storage
