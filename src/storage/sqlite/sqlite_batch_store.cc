#include <mutex>
#include <utility>

#include "moderation/batch_store.h"
#include "storage/sqlite/data_folder.h"
#include "storage/sqlite/file_rows.h"
#include "storage/sqlite/file_schema.h"
#include "storage/stores.h"

namespace safeguard::storage {
namespace {

using moderation::Batch;
using moderation::BatchEnd;
using moderation::BatchLine;
using moderation::BatchQuery;
using moderation::BatchState;
using moderation::NewBatch;
using moderation::TimeMs;

constexpr const char* kColumns =
    "SELECT number, id, owner, endpoint, input_file, metadata, expires, state, created, begun, "
    "cancelled, ended, total, done, failed, errors, output_file, error_file, lease FROM batch ";

struct Row {
  std::int64_t number = 0;
  Batch batch;
};

Result<Row> RowOf(const Connection& connection, const Statement& row) {
  const auto size = [&](int column) { return static_cast<std::size_t>(row.Integer(column)); };
  const std::optional<BatchState> state = moderation::BatchStateFrom(row.Text(7));
  if (!state) {
    return Fail(ErrorCode::kCorruptFile,
                connection.path() + " is damaged: " + row.Text(1) + " cannot be read",
                "restore it from a backup");
  }
  Row read;
  read.number = row.Integer(0);
  Batch& batch = read.batch;
  batch.id = row.Text(1);
  batch.what = {row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.Integer(6)};
  batch.state = *state;
  batch.created = row.Integer(8);
  batch.begun = row.Integer(9);
  batch.cancelled = row.Integer(10);
  batch.ended = row.Integer(11);
  batch.total = size(12);
  batch.done = size(13);
  batch.failed = size(14);
  batch.errors = row.Text(15);
  batch.output_file = row.Text(16);
  batch.error_file = row.Text(17);
  batch.lease = row.Integer(18);
  return read;
}

class SqliteBatchStore final : public moderation::BatchStore {
 public:
  explicit SqliteBatchStore(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  Result<Batch> Begin(const NewBatch& batch, TimeMs now) override;
  Result<Batch> Find(const std::string& owner, const std::string& id) override {
    const std::lock_guard lock(mutex_);
    const Result<Row> row = OfOwner(owner, id);
    return row ? Result<Batch>(row->batch) : std::unexpected(row.error());
  }
  Result<std::vector<Batch>> List(const BatchQuery& query) override;
  Result<Batch> Cancel(const std::string& owner, const std::string& id, TimeMs now) override;
  Result<std::optional<Batch>> Take(TimeMs now, TimeMs until) override;
  Result<Batch> Start(const Batch& held, std::size_t lines, TimeMs now) override;
  Result<Batch> Keep(const Batch& held, std::span<const BatchLine> lines, TimeMs until) override;
  Result<std::vector<std::size_t>> Kept(const Batch& held) override;
  Result<Batch> End(const Batch& held, const BatchEnd& end, TimeMs now) override;

 private:
  // REQUIRES: mutex_ is held, for all of these.
  Result<Row> Select(const std::string& id);
  Result<Row> OfOwner(const std::string& owner, const std::string& id) {
    Result<Row> row = Select(id);
    return row && row->batch.what.owner != owner ? moderation::NoSuchBatch(id) : std::move(row);
  }
  // Runs `body` with the row of the batch that is held, in one transaction; it as it is then.
  Result<Batch> Change(const Batch& held, const std::function<Status(const Row&)>& body);
  Status KeepLine(const Row& row, const BatchLine& line);
  Result<std::string> MakeFile(const Row& row, bool failed, TimeMs now);

  // UPDATE batch SET `assignments` WHERE number = ...: the values in order.
  template <typename... Values>
  Status Update(std::int64_t number, const std::string& assignments, const Values&... values) {
    return Run("UPDATE batch SET " + assignments + " WHERE number = ?", values..., number);
  }
  template <typename... Values>
  Status Run(const std::string& sql, const Values&... values) {
    Result<Statement> statement = connection_->Prepare(sql);
    if (!statement) {
      return std::unexpected(statement.error());
    }
    (statement->Bind(values), ...);
    return statement->Run();
  }

  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
};

Result<Row> SqliteBatchStore::Select(const std::string& id) {
  Result<Statement> select = connection_->Prepare(std::string(kColumns) + "WHERE id = ?");
  if (!select) {
    return std::unexpected(select.error());
  }
  const Result<bool> row = select->Bind(id).Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  return *row ? RowOf(*connection_, *select) : moderation::NoSuchBatch(id);
}

Result<Batch> SqliteBatchStore::Change(const Batch& held,
                                       const std::function<Status(const Row&)>& body) {
  const std::lock_guard lock(mutex_);
  Result<Row> row = moderation::NoSuchBatch(held.id);
  const Status written = connection_->Write([&]() -> Status {
    row = Select(held.id);
    if (!row) {
      return std::unexpected(row.error());
    }
    if (row->batch.lease != held.lease || moderation::IsOver(row->batch.state)) {
      return moderation::BatchLeaseLost(held);
    }
    const Status changed = body(*row);
    if (!changed) {
      return changed;
    }
    row = Select(held.id);
    return row ? Status{} : std::unexpected(row.error());
  });
  return written ? Result<Batch>(row->batch) : std::unexpected(written.error());
}

Result<Batch> SqliteBatchStore::Begin(const NewBatch& what, TimeMs now) {
  if (const Status good = CheckNewBatch(what); !good) {
    return std::unexpected(good.error());
  }
  const std::lock_guard lock(mutex_);
  Batch batch;
  batch.id = moderation::NewId("batch_");
  batch.what = what;
  batch.created = now;
  const Status written = connection_->Write([&]() -> Status {
    const Result<std::int64_t> open =
        connection_->Integer("SELECT count(*) FROM batch WHERE open = 1");
    const Status room = open ? moderation::CheckOpen(static_cast<std::size_t>(*open))
                             : std::unexpected(open.error());
    return room ? Run("INSERT INTO batch (id, owner, endpoint, input_file, metadata, expires, "
                      "state, open, created) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)",
                      batch.id, what.owner, what.endpoint, what.input_file, what.metadata,
                      what.expires, ToString(batch.state), now)
                : room;
  });
  return written ? Result<Batch>(std::move(batch)) : std::unexpected(written.error());
}

Result<std::vector<Batch>> SqliteBatchStore::List(const BatchQuery& query) {
  const std::lock_guard lock(mutex_);
  std::int64_t before = INT64_MAX;
  if (!query.after.empty()) {
    const Result<Row> last = OfOwner(query.owner, query.after);
    if (!last) {
      return std::unexpected(last.error());
    }
    before = last->number;
  }
  Result<Statement> rows = connection_->Prepare(
      std::string(kColumns) + "WHERE owner = ? AND number < ? ORDER BY number DESC LIMIT ?");
  if (!rows) {
    return std::unexpected(rows.error());
  }
  rows->Bind(query.owner).Bind(before).Bind(static_cast<std::int64_t>(query.limit));
  std::vector<Batch> page;
  for (;;) {
    const Result<bool> there = rows->Step();
    if (!there) {
      return std::unexpected(there.error());
    }
    if (!*there) {
      return page;
    }
    Result<Row> row = RowOf(*connection_, *rows);
    if (!row) {
      return std::unexpected(row.error());
    }
    page.push_back(std::move(row->batch));
  }
}

Result<Batch> SqliteBatchStore::Cancel(const std::string& owner, const std::string& id,
                                       TimeMs now) {
  const std::lock_guard lock(mutex_);
  Result<Row> row = moderation::NoSuchBatch(id);
  const Status written = connection_->Write([&]() -> Status {
    row = OfOwner(owner, id);
    if (!row) {
      return std::unexpected(row.error());
    }
    if (moderation::IsOver(row->batch.state)) {
      return moderation::BatchOver(row->batch);
    }
    if (row->batch.state == BatchState::kCancelling) {
      return {};
    }
    row->batch.state = BatchState::kCancelling;
    row->batch.cancelled = now;
    return Update(row->number, "state = ?, cancelled = ?", ToString(row->batch.state), now);
  });
  return written ? Result<Batch>(row->batch) : std::unexpected(written.error());
}

Result<std::optional<Batch>> SqliteBatchStore::Take(TimeMs now, TimeMs until) {
  const std::lock_guard lock(mutex_);
  std::optional<Batch> taken;
  const Status written = connection_->Write([&]() -> Status {
    Result<Statement> select = connection_->Prepare(
        std::string(kColumns) + "WHERE open = 1 AND held_until <= ? ORDER BY number LIMIT 1");
    if (!select) {
      return std::unexpected(select.error());
    }
    const Result<bool> there = select->Bind(now).Step();
    if (!there || !*there) {
      return there ? Status{} : std::unexpected(there.error());
    }
    Result<Row> row = RowOf(*connection_, *select);
    if (!row) {
      return std::unexpected(row.error());
    }
    taken = std::move(row->batch);
    ++taken->lease;
    return Update(row->number, "lease = ?, held_until = ?", taken->lease, until);
  });
  return written ? Result<std::optional<Batch>>(std::move(taken))
                 : std::unexpected(written.error());
}

Result<Batch> SqliteBatchStore::Start(const Batch& held, std::size_t lines, TimeMs now) {
  return Change(held, [&](const Row& row) {
    const Batch& batch = row.batch;
    const BatchState state =
        batch.state == BatchState::kValidating ? BatchState::kInProgress : batch.state;
    return Update(row.number, "total = ?, begun = ?, state = ?", static_cast<std::int64_t>(lines),
                  batch.begun == 0 ? now : batch.begun, ToString(state));
  });
}

Status SqliteBatchStore::KeepLine(const Row& row, const BatchLine& line) {
  const Status inserted =
      Run("INSERT OR IGNORE INTO batch_line (batch, number, failed, output) VALUES (?, ?, ?, ?)",
          row.number, static_cast<std::int64_t>(line.number),
          static_cast<std::int64_t>(line.failed ? 1 : 0), line.output);
  const Result<std::int64_t> is_new =
      inserted ? connection_->Integer("SELECT changes()") : std::unexpected(inserted.error());
  if (!is_new || *is_new == 0) {
    return is_new ? Status{} : std::unexpected(is_new.error());
  }
  return Update(row.number, "done = done + 1, failed = failed + ?",
                static_cast<std::int64_t>(line.failed ? 1 : 0));
}

Result<Batch> SqliteBatchStore::Keep(const Batch& held, std::span<const BatchLine> lines,
                                     TimeMs until) {
  return Change(held, [&](const Row& row) -> Status {
    for (const BatchLine& line : lines) {
      if (const Status kept = KeepLine(row, line); !kept) {
        return kept;
      }
    }
    return Update(row.number, "held_until = ?", until);
  });
}

Result<std::vector<std::size_t>> SqliteBatchStore::Kept(const Batch& held) {
  const std::lock_guard lock(mutex_);
  const Result<Row> row = Select(held.id);
  if (!row) {
    return std::unexpected(row.error());
  }
  Result<Statement> lines =
      connection_->Prepare("SELECT number FROM batch_line WHERE batch = ? ORDER BY number");
  if (!lines) {
    return std::unexpected(lines.error());
  }
  lines->Bind(row->number);
  std::vector<std::size_t> numbers;
  for (;;) {
    const Result<bool> there = lines->Step();
    if (!there) {
      return std::unexpected(there.error());
    }
    if (!*there) {
      return numbers;
    }
    numbers.push_back(static_cast<std::size_t>(lines->Integer(0)));
  }
}

// The id of a file of the lines that failed, or of the others; empty when there are none. One line
// is in memory at a time.
Result<std::string> SqliteBatchStore::MakeFile(const Row& row, bool failed, TimeMs now) {
  const std::string which = " FROM batch_line WHERE batch = " + std::to_string(row.number) +
                            " AND failed = " + (failed ? "1" : "0");
  const Result<std::int64_t> size =
      connection_->Integer("SELECT ifnull(sum(length(CAST(output AS BLOB)) + 1), 0)" + which);
  if (!size || *size == 0) {
    return size ? Result<std::string>("") : std::unexpected(size.error());
  }
  // Whatever the limits: what was taken in is seen through.
  Result<EmptyFile> file = InsertEmptyFile(
      *connection_,
      {row.batch.what.owner, "batch_output", moderation::BatchFileName(row.batch, failed), {}},
      static_cast<std::size_t>(*size), now);
  Result<Statement> lines = connection_->Prepare("SELECT output" + which + " ORDER BY number");
  if (!file || !lines) {
    return std::unexpected(file ? lines.error() : file.error());
  }
  std::size_t written = 0;
  for (;;) {
    const Result<bool> there = lines->Step();
    if (!there) {
      return std::unexpected(there.error());
    }
    if (!*there) {
      return file->info.id;
    }
    const std::string line = lines->Text(0) + "\n";
    if (const Status put = file->bytes.Write(written, line); !put) {
      return std::unexpected(put.error());
    }
    written += line.size();
  }
}

Result<Batch> SqliteBatchStore::End(const Batch& held, const BatchEnd& end, TimeMs now) {
  return Change(held, [&](const Row& row) -> Status {
    const Result<std::string> output = MakeFile(row, false, now);
    const Result<std::string> errors = output ? MakeFile(row, true, now) : output;
    if (!errors) {
      return std::unexpected(errors.error());
    }
    const Status dropped = Run("DELETE FROM batch_line WHERE batch = ?", row.number);
    return dropped ? Update(row.number,
                            "state = ?, open = 0, ended = ?, errors = ?, output_file = ?, "
                            "error_file = ?, held_until = 0",
                            ToString(end.state), now, end.errors, *output, *errors)
                   : dropped;
  });
}

}  // namespace

Result<std::unique_ptr<moderation::BatchStore>> OpenBatchStore(const std::string& data_folder,
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
  return std::make_unique<SqliteBatchStore>(std::move(*connection));
}

}  // namespace safeguard::storage
