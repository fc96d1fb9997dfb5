#include "storage/check_databases.h"

#include <filesystem>

#include "base/result.h"
#include "storage/sqlite/connection.h"

namespace safeguard::storage {
namespace {

// "" where it is whole.
std::string ProblemOf(const std::string& path) {
  const Result<std::unique_ptr<Connection>> connection = Connection::Open(path, {});
  if (!connection) {
    return Describe(connection.error());
  }
  Result<Statement> check = (*connection)->Prepare("PRAGMA quick_check(3)");
  const Result<bool> row = check ? check->Step() : std::unexpected(check.error());
  if (!row) {
    return Describe(row.error());
  }
  const std::string said = *row ? check->Text(0) : "no answer";
  return said == "ok" ? "" : said;
}

}  // namespace

std::vector<DatabaseCheck> CheckDatabases(const std::string& data_folder) {
  std::vector<DatabaseCheck> checks;
  for (const char* file : {"policies.db", "verdicts.db", "jobs.db", "reviews.db", "audits.db"}) {
    const std::string path = data_folder + "/" + file;
    std::error_code ignored;  // what cannot be looked at is not there
    if (std::filesystem::exists(path, ignored)) {
      checks.push_back({file, ProblemOf(path)});
    }
  }
  return checks;
}

}  // namespace safeguard::storage
