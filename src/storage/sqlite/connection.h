// One connection to an SQLite database. SQLite's error codes become errors that name the file and
// say what to do. Used by one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

// NOLINTBEGIN(readability-identifier-naming): SQLite names them
struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_blob;
// NOLINTEND(readability-identifier-naming)

namespace safeguard::storage {

class Connection;

// A prepared statement with its bound values. Reset when it goes.
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Values in order, the first first. The bytes are copied.
  Statement& Bind(std::int64_t value);
  Statement& Bind(double value);
  Statement& Bind(std::string_view text);
  Statement& BindBlob(std::string_view bytes);
  Statement& BindNull();

  // True: a row is there. False: no more. Errors as Connection says.
  Result<bool> Step();
  // For statements that give no row.
  Status Run();
  // Ready to be bound and stepped again; ends the reading that Step() began.
  void Reset();

  // Of the row; columns from 0.
  [[nodiscard]] std::int64_t Integer(int column) const;
  [[nodiscard]] double Number(int column) const;
  [[nodiscard]] std::string Text(int column) const;  // also of blobs
  [[nodiscard]] bool IsNull(int column) const;

 private:
  friend class Connection;
  Statement(Connection* connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement) {}
  void Bound(int code);

  Connection* connection_;
  sqlite3_stmt* statement_;
  int next_ = 1;
  int bind_error_ = 0;
};

// A value of a table, read and written in place, without all of it in memory.
class Blob {
 public:
  ~Blob();
  Blob(Blob&& other) noexcept;
  Blob& operator=(Blob&&) = delete;
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  [[nodiscard]] std::size_t size() const;
  // At most `count` bytes; empty past the end.
  Result<std::string> Read(std::size_t from, std::size_t count) const;
  // REQUIRES: opened for writing, and it does not grow.
  Status Write(std::size_t at, std::string_view bytes);

 private:
  friend class Connection;
  Blob(const Connection* connection, sqlite3_blob* blob) : connection_(connection), blob_(blob) {}

  const Connection* connection_;
  sqlite3_blob* blob_;
};

class Connection {
 public:
  struct Options {
    bool create = false;
    std::chrono::milliseconds busy_timeout{5000};
  };

  // Touches nothing of a file that is there: it may be another program's. OpenDatabase() looks.
  static Result<std::unique_ptr<Connection>> Open(const std::string& path, const Options& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<Statement> Prepare(std::string_view sql);
  // Of the row with that rowid, within a transaction.
  Result<Blob> OpenBlob(const char* table, const char* column, std::int64_t row, bool writes);
  // Statements without results, separated by semicolons.
  Status Execute(const std::string& sql);
  // The one integer that `sql` gives.
  Result<std::int64_t> Integer(std::string_view sql);

  // Runs `body` in a transaction that writes: all of it or nothing. Waits for other writers.
  Status Write(const std::function<Status()>& body);
  // Runs `body` with one consistent reading.
  Status Read(const std::function<Status()>& body);

  [[nodiscard]] const std::string& path() const { return path_; }
  // What went wrong last, as an error of ours.
  [[nodiscard]] std::unexpected<Error> Problem() const;

 private:
  friend class Statement;
  Connection(std::string path, sqlite3* database) : path_(std::move(path)), database_(database) {}
  Status Transaction(const char* begin, const std::function<Status()>& body);

  std::string path_;
  sqlite3* database_;
};

// What a database of ours says of itself.
struct Schema {
  std::int64_t application_id;              // "PRAGMA application_id"
  const char* holds;                        // "policies", for messages
  std::span<const char* const> migrations;  // migrations[i] brings version i to i + 1
};

// Opens a database of ours, in WAL mode with full synchronisation, and brings it to the newest
// version in one transaction. Fails when it is another program's or was written by a newer
// safeguard; then nothing is touched.
Result<std::unique_ptr<Connection>> OpenDatabase(const std::string& path, const Schema& schema,
                                                 const Connection::Options& options);

}  // namespace safeguard::storage
