#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#include "moderation/file_store.h"
#include "storage/sqlite/data_folder.h"
#include "storage/sqlite/file_rows.h"
#include "storage/sqlite/file_schema.h"
#include "storage/stores.h"

namespace safeguard::storage {
namespace {

using moderation::FileInfo;
using moderation::FileLimits;
using moderation::FileQuery;
using moderation::NewFile;
using moderation::TimeMs;

constexpr const char* kColumns =
    "SELECT number, id, owner, purpose, name, bytes, created, notes FROM file ";

FileInfo InfoOf(const Statement& row) {
  return {row.Text(1),
          row.Text(2),
          row.Text(3),
          row.Text(4),
          static_cast<std::size_t>(row.Integer(5)),
          row.Integer(6),
          row.Text(7),
          row.Integer(0)};
}

class SqliteFileStore final : public moderation::FileStore {
 public:
  SqliteFileStore(std::unique_ptr<Connection> connection, const FileLimits& limits)
      : connection_(std::move(connection)), limits_(limits) {}

  Result<FileInfo> AddFrom(const NewFile& file, const moderation::ByteSource& bytes,
                           TimeMs now) override {
    if (const Status good = CheckNewFile(file); !good) {
      return std::unexpected(good.error());
    }
    const std::lock_guard lock(mutex_);
    Result<FileInfo> added = moderation::NoSuchFile("");
    const Status written = connection_->Write([&]() -> Status {
      if (const Status room = CheckFits(bytes.size); !room) {
        return room;
      }
      added = InsertFile(*connection_, file, bytes, now);
      return added ? Status{} : std::unexpected(added.error());
    });
    return written ? added : std::unexpected(written.error());
  }

  Result<FileInfo> Find(const std::string& owner, const std::string& id) override {
    const std::lock_guard lock(mutex_);
    return Select(owner, id);
  }

  Result<std::string> Read(const std::string& owner, const std::string& id) override {
    return ReadPart(owner, id, 0, SIZE_MAX);
  }

  Result<std::string> ReadPart(const std::string& owner, const std::string& id, std::size_t from,
                               std::size_t count) override {
    const std::lock_guard lock(mutex_);
    std::string part;
    const Status read = connection_->Read([&]() -> Status {
      const Result<FileInfo> row = Select(owner, id);
      if (!row) {
        return std::unexpected(row.error());
      }
      const Result<std::int64_t> there = connection_->Integer(
          "SELECT count(*) FROM file_bytes WHERE number = " + std::to_string(row->number));
      if (!there || *there == 0) {
        return there ? Fail(ErrorCode::kCorruptFile,
                            connection_->path() + " is damaged: the bytes of " + id +
                                " are not there",
                            "restore it from a backup")
                     : std::unexpected(there.error());
      }
      const Result<Blob> blob = connection_->OpenBlob("file_bytes", "bytes", row->number, false);
      Result<std::string> bytes = blob ? blob->Read(from, count) : std::unexpected(blob.error());
      part = bytes ? std::move(*bytes) : "";
      return bytes ? Status{} : std::unexpected(bytes.error());
    });
    return read ? Result<std::string>(std::move(part)) : std::unexpected(read.error());
  }

  Result<std::vector<FileInfo>> List(const FileQuery& query) override;
  Status Remove(const std::string& owner, const std::string& id) override;

 private:
  // REQUIRES: mutex_ is held, for all of these.
  Status CheckFits(std::size_t more) {
    const Result<std::int64_t> files = connection_->Integer("SELECT count(*) FROM file");
    const Result<std::int64_t> bytes =
        connection_->Integer("SELECT ifnull(sum(bytes), 0) FROM file");
    if (!files || !bytes) {
      return std::unexpected(files ? bytes.error() : files.error());
    }
    return moderation::CheckRoom(limits_, static_cast<std::size_t>(*files),
                                 static_cast<std::size_t>(*bytes), more);
  }

  Result<FileInfo> Select(const std::string& owner, const std::string& id) {
    Result<Statement> select =
        connection_->Prepare(std::string(kColumns) + "WHERE id = ? AND owner = ?");
    if (!select) {
      return std::unexpected(select.error());
    }
    const Result<bool> row = select->Bind(id).Bind(owner).Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    return *row ? Result<FileInfo>(InfoOf(*select)) : moderation::NoSuchFile(id);
  }

  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
  FileLimits limits_;
};

Result<std::vector<FileInfo>> SqliteFileStore::List(const FileQuery& query) {
  const std::lock_guard lock(mutex_);
  std::int64_t before = query.before == 0 ? INT64_MAX : query.before;
  if (!query.after.empty()) {
    const Result<FileInfo> last = Select(query.owner, query.after);
    if (!last) {
      return std::unexpected(last.error());
    }
    before = std::min(before, last->number);
  }
  Result<Statement> rows = connection_->Prepare(
      std::string(kColumns) + "WHERE owner = ? AND number < ?" +
      (query.purpose.empty() ? "" : " AND purpose = ?") + " ORDER BY number DESC LIMIT ?");
  if (!rows) {
    return std::unexpected(rows.error());
  }
  rows->Bind(query.owner).Bind(before);
  if (!query.purpose.empty()) {
    rows->Bind(query.purpose);
  }
  rows->Bind(static_cast<std::int64_t>(query.limit));
  std::vector<FileInfo> page;
  for (;;) {
    const Result<bool> row = rows->Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      return page;
    }
    page.push_back(InfoOf(*rows));
  }
}

Status SqliteFileStore::Remove(const std::string& owner, const std::string& id) {
  const std::lock_guard lock(mutex_);
  return connection_->Write([&]() -> Status {
    const Result<FileInfo> row = Select(owner, id);
    if (!row) {
      return std::unexpected(row.error());
    }
    for (const char* sql :
         {"DELETE FROM file WHERE number = ?", "DELETE FROM file_bytes WHERE number = ?"}) {
      Result<Statement> erase = connection_->Prepare(sql);
      Status erased = erase ? erase->Bind(row->number).Run() : std::unexpected(erase.error());
      if (!erased) {
        return erased;
      }
    }
    return {};
  });
}

}  // namespace

Result<EmptyFile> InsertEmptyFile(Connection& connection, const NewFile& file, std::size_t size,
                                  TimeMs now) {
  FileInfo info{
      moderation::NewId("file-"), file.owner, file.purpose, file.name, size, now, file.notes, 0};
  Result<Statement> insert = connection.Prepare(
      "INSERT INTO file (id, owner, purpose, name, bytes, created, notes) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  if (!insert) {
    return std::unexpected(insert.error());
  }
  Status status = insert->Bind(info.id)
                      .Bind(info.owner)
                      .Bind(info.purpose)
                      .Bind(info.name)
                      .Bind(static_cast<std::int64_t>(info.bytes))
                      .Bind(now)
                      .Bind(info.notes)
                      .Run();
  Result<Statement> bytes = connection.Prepare(
      "INSERT INTO file_bytes (number, bytes) VALUES (last_insert_rowid(), zeroblob(?))");
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  status = status ? bytes->Bind(static_cast<std::int64_t>(size)).Run() : status;
  const Result<std::int64_t> row =
      status ? connection.Integer("SELECT last_insert_rowid()") : std::unexpected(status.error());
  info.number = row.value_or(0);
  Result<Blob> blob =
      row ? connection.OpenBlob("file_bytes", "bytes", *row, true) : std::unexpected(row.error());
  return blob ? Result<EmptyFile>(EmptyFile{std::move(info), std::move(*blob)})
              : std::unexpected(blob.error());
}

Result<FileInfo> InsertFile(Connection& connection, const NewFile& file,
                            const moderation::ByteSource& bytes, TimeMs now) {
  Result<EmptyFile> empty = InsertEmptyFile(connection, file, bytes.size, now);
  if (!empty) {
    return std::unexpected(empty.error());
  }
  const Status written = moderation::ForEachPiece(
      bytes, [&](std::size_t at, std::string_view piece) { return empty->bytes.Write(at, piece); });
  return written ? Result<FileInfo>(std::move(empty->info)) : std::unexpected(written.error());
}

Result<std::unique_ptr<moderation::FileStore>> OpenFileStore(const std::string& data_folder,
                                                             const FileLimits& limits,
                                                             const OpenOptions& options) {
  Result<std::string> path = DatabasePath(data_folder, "files.db", options.create);
  if (!path) {
    return std::unexpected(path.error());
  }
  Result<std::unique_ptr<Connection>> connection =
      OpenDatabase(*path, kFileSchema, {options.create, options.busy_timeout});
  if (!connection) {
    return std::unexpected(connection.error());
  }
  return std::make_unique<SqliteFileStore>(std::move(*connection), limits);
}

}  // namespace safeguard::storage
