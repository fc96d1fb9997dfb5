#include <chrono>
#include <thread>

#include "storage/sqlite/connection.h"

namespace safeguard::storage {
namespace {

Status CheckOwner(Connection& connection, const Schema& schema, std::int64_t version) {
  const Result<std::int64_t> application = connection.Integer("PRAGMA application_id");
  if (!application) {
    return std::unexpected(application.error());
  }
  const Result<std::int64_t> tables = connection.Integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) {
    return std::unexpected(tables.error());
  }
  const bool empty = *application == 0 && version == 0 && *tables == 0;
  if (!empty && *application != schema.application_id) {
    return Fail(ErrorCode::kCorruptFile,
                connection.path() + " is a database, but not one of safeguard's " + schema.holds,
                "name another data folder");
  }
  const auto newest = static_cast<std::int64_t>(schema.migrations.size());
  if (version > newest) {
    return Fail(ErrorCode::kUnavailable,
                connection.path() + " has schema " + std::to_string(version) +
                    " and this safeguard knows up to " + std::to_string(newest),
                "it was written by a newer safeguard: use that one");
  }
  return {};
}

Status Migrate(Connection& connection, const Schema& schema) {
  const auto newest = static_cast<std::int64_t>(schema.migrations.size());
  return connection.Write([&]() -> Status {
    const Result<std::int64_t> version = connection.Integer("PRAGMA user_version");
    if (!version) {
      return std::unexpected(version.error());
    }
    Status status = CheckOwner(connection, schema, *version);
    if (!status || *version == newest) {
      return status;  // another process was faster
    }
    for (std::int64_t step = *version; status && step < newest; ++step) {
      status = connection.Execute(schema.migrations[static_cast<std::size_t>(step)]);
    }
    if (!status) {
      return status;
    }
    return connection.Execute("PRAGMA application_id = " + std::to_string(schema.application_id) +
                              "; PRAGMA user_version = " + std::to_string(newest));
  });
}

// Several processes that make a database together: the change to WAL does not wait for the others
// by itself.
Status SetModes(Connection& connection, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    Status status = connection.Execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
        "PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON");
    const bool locked = !status && status.error().message.find("is locked") != std::string::npos;
    if (!locked || std::chrono::steady_clock::now() >= end) {
      return status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

Result<std::unique_ptr<Connection>> OpenDatabase(const std::string& path, const Schema& schema,
                                                 const Connection::Options& options) {
  Result<std::unique_ptr<Connection>> connection = Connection::Open(path, options);
  if (!connection) {
    return connection;
  }
  // At one moment: another process may be making it just now.
  std::int64_t version = 0;
  Status status = (*connection)->Read([&]() -> Status {
    const Result<std::int64_t> read = (*connection)->Integer("PRAGMA user_version");
    if (!read) {
      return std::unexpected(read.error());
    }
    version = *read;
    return CheckOwner(**connection, schema, version);
  });
  if (status) {
    status = SetModes(**connection, options.busy_timeout);
  }
  if (status && version < static_cast<std::int64_t>(schema.migrations.size())) {
    status = Migrate(**connection, schema);
  }
  if (!status) {
    return std::unexpected(status.error());
  }
  return connection;
}

}  // namespace safeguard::storage
