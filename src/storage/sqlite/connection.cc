#include "storage/sqlite/connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace safeguard::storage {
namespace {

// SQLite does not tell why a write failed when it was not for want of room; a quota and a limit on
// the size of files look like that.
bool IsFull(int extended_code) {
  return (extended_code & 0xff) == SQLITE_FULL || extended_code == SQLITE_IOERR_WRITE ||
         extended_code == SQLITE_IOERR_SHMSIZE;
}

std::unexpected<Error> ProblemOf(const std::string& path, int extended_code, int system_error,
                                 const char* message) {
  const int code = extended_code & 0xff;
  if (IsFull(extended_code)) {
    return Fail(ErrorCode::kUnavailable,
                path + " cannot be written: the disk is full" +
                    (code == SQLITE_FULL ? "" : " or a limit is reached"),
                "make room (quotas and limits on file sizes count too) and try again; nothing was "
                "changed");
  }
  switch (code) {
    case SQLITE_NOTADB:
      return Fail(ErrorCode::kCorruptFile, path + " is not a database",
                  "name another data folder, or move the file away");
    case SQLITE_CORRUPT:
      return Fail(ErrorCode::kCorruptFile, path + " is damaged",
                  "restore it from a backup or import the policies' folder into a new one");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Fail(ErrorCode::kUnavailable, path + " is locked by another process",
                  "try again when it has finished");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Fail(ErrorCode::kUnavailable, path + " cannot be written",
                  "it or its folder is read-only: mend the permissions");
    case SQLITE_CANTOPEN:
      return Fail(ErrorCode::kUnavailable,
                  path + " cannot be opened" +
                      (system_error == 0 ? "" : std::string(": ") + std::strerror(system_error)),
                  "its folder must be there and writable");
    case SQLITE_TOOBIG:
      return Fail(ErrorCode::kLimit, path + " cannot hold a value that large");
    default:
      break;
  }
  return Fail(ErrorCode::kUnavailable,
              path + ": " + message +
                  (system_error == 0 ? "" : std::string(": ") + std::strerror(system_error)),
              "try again; when it stays so, check the disk");
}

}  // namespace

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      next_(other.next_),
      bind_error_(other.bind_error_) {}

void Statement::Bound(int code) {
  CHECK(code != SQLITE_RANGE && code != SQLITE_MISUSE);
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) {
    bind_error_ = code;
  }
}

Statement& Statement::Bind(std::int64_t value) {
  Bound(sqlite3_bind_int64(statement_, next_++, value));
  return *this;
}

Statement& Statement::Bind(double value) {
  Bound(sqlite3_bind_double(statement_, next_++, value));
  return *this;
}

Statement& Statement::Bind(std::string_view text) {
  // An empty view may have no address, and SQLite takes that for NULL.
  Bound(sqlite3_bind_text64(statement_, next_++, text.empty() ? "" : text.data(), text.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::BindBlob(std::string_view bytes) {
  Bound(sqlite3_bind_blob64(statement_, next_++, bytes.empty() ? "" : bytes.data(), bytes.size(),
                            SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::BindNull() {
  Bound(sqlite3_bind_null(statement_, next_++));
  return *this;
}

Result<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) {
    return ProblemOf(connection_->path(), bind_error_, 0, sqlite3_errstr(bind_error_));
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW || code == SQLITE_DONE) {
    return code == SQLITE_ROW;
  }
  return connection_->Problem();
}

Status Statement::Run() {
  const Result<bool> row = Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  CHECK(!*row);
  return {};
}

void Statement::Reset() {
  sqlite3_reset(statement_);  // gives again the error of the last Step(), which was told
  next_ = 1;
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::Number(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string Statement::Text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr
             ? std::string()
             : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<Connection>> Connection::Open(const std::string& path,
                                                     const Options& options) {
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (options.create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(path, database));
  if (database == nullptr) {
    return Fail(ErrorCode::kUnavailable, path + " cannot be opened: out of memory");
  }
  if (code != SQLITE_OK) {
    return connection->Problem();
  }
  sqlite3_busy_timeout(database, static_cast<int>(options.busy_timeout.count()));
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return connection;
}

Blob::~Blob() {
  sqlite3_blob_close(blob_);
}

Blob::Blob(Blob&& other) noexcept
    : connection_(other.connection_), blob_(std::exchange(other.blob_, nullptr)) {}

std::size_t Blob::size() const {
  return static_cast<std::size_t>(sqlite3_blob_bytes(blob_));
}

Result<std::string> Blob::Read(std::size_t from, std::size_t count) const {
  std::string bytes(from < size() ? std::min(count, size() - from) : 0, '\0');
  if (bytes.empty()) {
    return bytes;
  }
  const int code = sqlite3_blob_read(blob_, bytes.data(), static_cast<int>(bytes.size()),
                                     static_cast<int>(from));
  return code == SQLITE_OK ? Result<std::string>(std::move(bytes)) : connection_->Problem();
}

Status Blob::Write(std::size_t at, std::string_view bytes) {
  CHECK(at + bytes.size() <= size());
  const int code =
      sqlite3_blob_write(blob_, bytes.data(), static_cast<int>(bytes.size()), static_cast<int>(at));
  return code == SQLITE_OK ? Status{} : connection_->Problem();
}

Connection::~Connection() {
  sqlite3_close_v2(database_);
}

std::unexpected<Error> Connection::Problem() const {
  return ProblemOf(path_, sqlite3_extended_errcode(database_), sqlite3_system_errno(database_),
                   sqlite3_errmsg(database_));
}

Result<Statement> Connection::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) {
    return Problem();
  }
  return Statement(this, statement);
}

Result<Blob> Connection::OpenBlob(const char* table, const char* column, std::int64_t row,
                                  bool writes) {
  sqlite3_blob* blob = nullptr;
  const int code = sqlite3_blob_open(database_, "main", table, column, row, writes ? 1 : 0, &blob);
  return code == SQLITE_OK ? Result<Blob>(Blob(this, blob)) : Problem();
}

Status Connection::Execute(const std::string& sql) {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Problem();
  }
  return {};
}

Result<std::int64_t> Connection::Integer(std::string_view sql) {
  Result<Statement> statement = Prepare(sql);
  if (!statement) {
    return std::unexpected(statement.error());
  }
  const Result<bool> row = statement->Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  CHECK(*row);
  return statement->Integer(0);
}

Status Connection::Transaction(const char* begin, const std::function<Status()>& body) {
  const Status begun = Execute(begin);
  if (!begun) {
    return begun;
  }
  Status done = body();
  if (done) {
    done = Execute("COMMIT");
  }
  // Some failures (a full disk) have rolled back already.
  if (!done && sqlite3_get_autocommit(database_) == 0) {
    const Status undone = Execute("ROLLBACK");
    CHECK(undone.has_value() || sqlite3_get_autocommit(database_) != 0);
  }
  return done;
}

Status Connection::Write(const std::function<Status()>& body) {
  return Transaction("BEGIN IMMEDIATE", body);
}

Status Connection::Read(const std::function<Status()>& body) {
  return Transaction("BEGIN", body);
}

}  // namespace safeguard::storage
