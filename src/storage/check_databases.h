// Whether the databases of a data folder are whole, without changing anything.
#pragma once

#include <string>
#include <vector>

namespace safeguard::storage {

struct DatabaseCheck {
  std::string file;     // "verdicts.db"
  std::string problem;  // empty: whole
};

// Of those that are there: policies.db, verdicts.db, jobs.db, reviews.db, audits.db. Reads each as
// a whole (SQLite's quick_check).
std::vector<DatabaseCheck> CheckDatabases(const std::string& data_folder);

}  // namespace safeguard::storage
