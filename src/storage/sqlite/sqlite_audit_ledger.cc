#include <map>
#include <mutex>
#include <utility>

#include "moderation/audit_ledger.h"
#include "storage/sqlite/audit_schema.h"
#include "storage/sqlite/data_folder.h"
#include "storage/stores.h"

namespace safeguard::storage {
namespace {

using moderation::AuditDraws;
using moderation::AuditEntry;
using moderation::AuditTally;
using moderation::LateAudit;
using moderation::ScreenSide;

// What is older than the newest window by this goes.
constexpr std::int64_t kKeptMicroseconds = std::int64_t{90} * 86'400 * 1'000'000;

std::int64_t Integer(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

class SqliteAuditLedger final : public moderation::AuditLedger {
 public:
  SqliteAuditLedger(std::unique_ptr<Connection> connection, std::string route)
      : connection_(std::move(connection)), route_(std::move(route)) {}

  Status Add(std::span<const AuditEntry> entries, std::span<const LateAudit> late) override {
    const std::lock_guard lock(mutex_);
    return connection_->Write([&]() -> Status {
      std::int64_t newest = 0;
      for (const AuditEntry& entry : entries) {
        newest = std::max(newest, entry.start);
        if (const Status added = AddEntry(entry); !added) {
          return added;
        }
      }
      for (const LateAudit& audit : late) {
        if (const Status added = AddLate(audit); !added) {
          return added;
        }
      }
      return newest == 0 ? Status{} : Forget(newest - kKeptMicroseconds);
    });
  }

  Result<std::vector<AuditEntry>> Read(std::int64_t oldest) override {
    const std::lock_guard lock(mutex_);
    Sums sums;
    const Status read = connection_->Read([&]() -> Status {
      Status status = ReadTallies(oldest, sums);
      status = status ? ReadDraws(oldest, sums) : status;
      return status ? ReadLate(oldest, sums) : status;
    });
    if (!read) {
      return std::unexpected(read.error());
    }
    std::vector<AuditEntry> entries;
    for (auto& [of, tally] : sums) {
      entries.push_back({of.first, of.second, tally});
    }
    return entries;
  }

  Result<bool> SetAlarmed(const std::string& policy, bool alarmed) override {
    const std::lock_guard lock(mutex_);
    // Looking is cheap, and most answers change nothing.
    Result<Statement> held =
        connection_->Prepare("SELECT 1 FROM alarm WHERE route = ? AND policy = ?");
    if (!held) {
      return std::unexpected(held.error());
    }
    const Result<bool> there = held->Bind(route_).Bind(policy).Step();
    if (!there || *there == alarmed) {
      return there ? Result<bool>(false) : std::unexpected(there.error());
    }
    held->Reset();
    bool changed = false;
    const Status written = connection_->Write([&]() -> Status {
      const Status run = Run(alarmed ? "INSERT OR IGNORE INTO alarm (route, policy) VALUES (?, ?)"
                                     : "DELETE FROM alarm WHERE route = ? AND policy = ?",
                             route_, policy);
      const Result<std::int64_t> rows =
          run ? connection_->Integer("SELECT changes()") : std::unexpected(run.error());
      changed = rows && *rows > 0;
      return rows ? Status{} : std::unexpected(rows.error());
    });
    return written ? Result<bool>(changed) : std::unexpected(written.error());
  }

 private:
  using Sums = std::map<std::pair<std::string, std::int64_t>, AuditTally>;

  template <typename... Values>
  Status Run(const char* sql, const Values&... values) {
    Result<Statement> statement = connection_->Prepare(sql);
    if (!statement) {
      return std::unexpected(statement.error());
    }
    (statement->Bind(values), ...);
    return statement->Run();
  }

  Status AddEntry(const AuditEntry& entry) {
    const AuditTally& tally = entry.tally;
    Status status =
        Run("INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "screened = screened + excluded.screened, safe = safe + excluded.safe, "
            "violation = violation + excluded.violation, "
            "unanswered = unanswered + excluded.unanswered, open = open + excluded.open",
            route_, entry.policy, entry.start, Integer(tally.screened), Integer(tally.safe),
            Integer(tally.violation), Integer(tally.unanswered), tally.open);
    const std::pair<ScreenSide, const AuditDraws*> sides[] = {
        {ScreenSide::kSafe, &tally.audited_safe},
        {ScreenSide::kViolation, &tally.audited_violation},
        {ScreenSide::kBand, &tally.band}};
    for (const auto& [side, draws] : sides) {
      if (status && draws->count > 0) {
        status = Run(
            "INSERT INTO draws VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "weight = weight + excluded.weight, squares = squares + excluded.squares, "
            "violations = violations + excluded.violations, count = count + excluded.count, "
            "violating = violating + excluded.violating",
            route_, entry.policy, entry.start, static_cast<std::int64_t>(side), draws->weight,
            draws->squares, draws->violations, Integer(draws->count), Integer(draws->violating));
      }
    }
    return status;
  }

  Status AddLate(const LateAudit& audit) {
    Result<Statement> insert = connection_->Prepare(
        "INSERT INTO late VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "violation = coalesce(violation, excluded.violation)");
    if (!insert) {
      return std::unexpected(insert.error());
    }
    insert->Bind(route_)
        .Bind(audit.policy)
        .Bind(audit.start)
        .Bind(audit.key)
        .Bind(static_cast<std::int64_t>(audit.side))
        .Bind(audit.weight);
    if (audit.violation) {
      insert->Bind(static_cast<std::int64_t>(*audit.violation ? 1 : 0));
    } else {
      insert->BindNull();
    }
    return insert->Run();
  }

  Status Forget(std::int64_t before) {
    for (const char* sql : {"DELETE FROM tally WHERE route = ? AND start < ?",
                            "DELETE FROM draws WHERE route = ? AND start < ?",
                            "DELETE FROM late WHERE route = ? AND start < ?"}) {
      if (const Status gone = Run(sql, route_, before); !gone) {
        return gone;
      }
    }
    return {};
  }

  // Calls `row` with each row of `sql`, which takes the route and the oldest start.
  template <typename Row>
  Status Each(const char* sql, std::int64_t oldest, const Row& row) {
    Result<Statement> rows = connection_->Prepare(sql);
    if (!rows) {
      return std::unexpected(rows.error());
    }
    rows->Bind(route_).Bind(oldest);
    for (;;) {
      const Result<bool> there = rows->Step();
      if (!there || !*there) {
        return there ? Status{} : std::unexpected(there.error());
      }
      row(*rows);
    }
  }

  Status ReadTallies(std::int64_t oldest, Sums& sums) {
    return Each(
        "SELECT policy, start, screened, safe, violation, unanswered, open FROM tally "
        "WHERE route = ? AND start >= ?",
        oldest, [&](const Statement& row) {
          AuditTally& tally = sums[{row.Text(0), row.Integer(1)}];
          tally.screened = static_cast<std::size_t>(row.Integer(2));
          tally.safe = static_cast<std::size_t>(row.Integer(3));
          tally.violation = static_cast<std::size_t>(row.Integer(4));
          tally.unanswered = static_cast<std::size_t>(row.Integer(5));
          tally.open = row.Number(6);
        });
  }

  Status ReadDraws(std::int64_t oldest, Sums& sums) {
    return Each(
        "SELECT policy, start, side, weight, squares, violations, count, violating FROM draws "
        "WHERE route = ? AND start >= ?",
        oldest, [&](const Statement& row) {
          const AuditDraws draws{row.Number(3), row.Number(4), row.Number(5),
                                 static_cast<std::size_t>(row.Integer(6)),
                                 static_cast<std::size_t>(row.Integer(7))};
          AuditTally& tally = sums[{row.Text(0), row.Integer(1)}];
          const std::int64_t side = row.Integer(2);
          (side == 0   ? tally.audited_safe
           : side == 1 ? tally.audited_violation
                       : tally.band)
              .Add(draws);
        });
  }

  Status ReadLate(std::int64_t oldest, Sums& sums) {
    return Each(
        "SELECT policy, start, side, weight, violation FROM late WHERE route = ? AND start >= ?",
        oldest, [&](const Statement& row) {
          sums[{row.Text(0), row.Integer(1)}].Add(
              row.Integer(2) == 0 ? ScreenSide::kSafe : ScreenSide::kViolation, row.Number(3),
              row.IsNull(4) ? std::nullopt : std::optional(row.Integer(4) != 0));
        });
  }

  std::unique_ptr<Connection> connection_;
  std::string route_;
  std::mutex mutex_;
};

}  // namespace

Result<std::unique_ptr<moderation::AuditLedger>> OpenAuditLedger(const std::string& data_folder,
                                                                 const std::string& route,
                                                                 const OpenOptions& options) {
  Result<std::string> path = DatabasePath(data_folder, "audits.db", options.create);
  if (!path) {
    return std::unexpected(path.error());
  }
  Result<std::unique_ptr<Connection>> connection =
      OpenDatabase(*path, kAuditSchema, {options.create, options.busy_timeout});
  if (!connection) {
    return std::unexpected(connection.error());
  }
  return std::make_unique<SqliteAuditLedger>(std::move(*connection), route);
}

}  // namespace safeguard::storage
