#include <mutex>
#include <optional>
#include <utility>

#include "moderation/content_json.h"
#include "moderation/review_queue.h"
#include "storage/sqlite/data_folder.h"
#include "storage/sqlite/review_schema.h"
#include "storage/stores.h"

namespace safeguard::storage {
namespace {

using moderation::ReviewCase;
using moderation::ReviewCounts;
using moderation::ReviewDecision;
using moderation::ReviewItem;
using moderation::ReviewLimits;
using moderation::ReviewQuery;
using moderation::TimeMs;

constexpr const char* kColumns =
    "SELECT id, key, route, content, content_id, surface, language, policy_id, policy_version, "
    "policy_hash, verdict, why, priority, filed, decisions, outcome, rule_ids, category, "
    "decided_by, decided_why, decided_at, holder, held_until, lease FROM review ";

std::unexpected<Error> Damaged(const Connection& connection, std::int64_t id) {
  return Fail(ErrorCode::kCorruptFile,
              connection.path() + " is damaged: case " + std::to_string(id) + " cannot be read",
              "restore it from a backup");
}

Result<ReviewCase> CaseOf(const Connection& connection, const Statement& row) {
  ReviewCase found;
  found.id = row.Integer(0);
  found.key = row.Text(1);
  found.route = row.Text(2);
  Result<moderation::Content> content = moderation::ContentFromJson(row.Text(3));
  Result<moderation::EarlierVerdict> verdict = moderation::EarlierFromJson(row.Text(10));
  if (!content || !verdict) {
    return Damaged(connection, found.id);
  }
  found.content = std::move(*content);
  found.content.id = row.Text(4);
  found.content.surface = row.Text(5);
  found.content.language = row.Text(6);
  found.policy = {row.Text(7), row.Text(8), row.Text(9)};
  found.verdict = std::move(*verdict);
  found.why = row.Text(11);
  found.priority = row.Number(12);
  found.filed = row.Integer(13);
  found.decisions = static_cast<std::size_t>(row.Integer(14));
  if (!row.IsNull(15)) {
    const auto outcome = moderation::OutcomeFrom(row.Text(15));
    Result<std::vector<std::string>> rules = moderation::ListFromJson(row.Text(16));
    if (!outcome || !rules) {
      return Damaged(connection, found.id);
    }
    found.decision = ReviewDecision{*outcome,     std::move(*rules), row.Text(17),
                                    row.Text(18), row.Text(19),      row.Integer(20)};
  }
  found.holder = row.Text(21);
  found.held_until = row.Integer(22);
  found.lease = row.Integer(23);
  return found;
}

class SqliteReviewQueue final : public moderation::ReviewQueue {
 public:
  SqliteReviewQueue(std::unique_ptr<Connection> connection, const ReviewLimits& limits)
      : connection_(std::move(connection)), limits_(limits) {}

  Result<std::int64_t> File(const ReviewItem& item, TimeMs now) override;
  Result<ReviewCase> Decide(std::int64_t id, const ReviewDecision& decision, bool again) override;
  Result<ReviewCase> Find(std::int64_t id) override {
    const std::lock_guard lock(mutex_);
    return Select(id);
  }
  Result<std::vector<ReviewCase>> List(const ReviewQuery& query) override;
  Result<ReviewCounts> Counts() override;
  Result<std::optional<ReviewCase>> Take(const std::string& by, TimeMs now, TimeMs until) override;
  Result<ReviewCase> Release(std::int64_t id, std::int64_t lease) override;
  Result<std::size_t> Prune(TimeMs before) override;

 private:
  // REQUIRES: mutex_ is held, for all of these.
  Result<ReviewCase> Select(std::int64_t id);
  Result<std::optional<std::int64_t>> IdOf(const std::string& key);
  Status CheckRoom();
  Status Insert(const ReviewItem& item, TimeMs now);
  Status Update(std::int64_t id, const ReviewDecision& decision);

  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
  ReviewLimits limits_;
};

Result<std::optional<std::int64_t>> SqliteReviewQueue::IdOf(const std::string& key) {
  Result<Statement> select = connection_->Prepare("SELECT id FROM review WHERE key = ?");
  if (!select) {
    return std::unexpected(select.error());
  }
  const Result<bool> row = select->Bind(key).Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  return *row ? std::optional(select->Integer(0)) : std::nullopt;
}

Status SqliteReviewQueue::CheckRoom() {
  const Result<std::int64_t> open =
      connection_->Integer("SELECT count(*) FROM review WHERE outcome IS NULL");
  const Result<std::int64_t> bytes =
      connection_->Integer("SELECT ifnull(sum(bytes), 0) FROM review");
  if (!open || !bytes) {
    return std::unexpected(open ? bytes.error() : open.error());
  }
  return moderation::CheckReviewRoom(limits_, static_cast<std::size_t>(*open),
                                     static_cast<std::size_t>(*bytes));
}

Status SqliteReviewQueue::Insert(const ReviewItem& item, TimeMs now) {
  Result<Statement> insert = connection_->Prepare(
      "INSERT INTO review (key, route, content, content_id, surface, language, bytes, policy_id, "
      "policy_version, policy_hash, verdict, why, priority, filed) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) {
    return std::unexpected(insert.error());
  }
  return insert->Bind(item.key)
      .Bind(item.route)
      .Bind(moderation::ContentJson(item.content))
      .Bind(item.content.id)
      .Bind(item.content.surface)
      .Bind(item.content.language)
      .Bind(static_cast<std::int64_t>(TextBytes(item.content)))
      .Bind(item.verdict.policy.id)
      .Bind(item.verdict.policy.version)
      .Bind(item.verdict.policy.hash)
      .Bind(moderation::EarlierJson(moderation::EarlierOf(item.verdict)))
      .Bind(item.why)
      .Bind(item.priority)
      .Bind(now)
      .Run();
}

Result<std::int64_t> SqliteReviewQueue::File(const ReviewItem& item, TimeMs now) {
  if (const Status good = CheckReviewItem(item); !good) {
    return std::unexpected(good.error());
  }
  const std::lock_guard lock(mutex_);
  std::int64_t id = 0;
  const Status written = connection_->Write([&]() -> Status {
    const Result<std::optional<std::int64_t>> there = IdOf(item.key);
    if (!there) {
      return std::unexpected(there.error());
    }
    if (*there) {
      id = **there;
      return {};
    }
    Status status = CheckRoom();
    status = status ? Insert(item, now) : status;
    const Result<std::int64_t> made = connection_->Integer("SELECT last_insert_rowid()");
    id = made.value_or(0);
    return status && !made ? std::unexpected(made.error()) : status;
  });
  return written ? Result<std::int64_t>(id) : std::unexpected(written.error());
}

Result<ReviewCase> SqliteReviewQueue::Select(std::int64_t id) {
  Result<Statement> select = connection_->Prepare(std::string(kColumns) + "WHERE id = ?");
  if (!select) {
    return std::unexpected(select.error());
  }
  const Result<bool> row = select->Bind(id).Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  return *row ? CaseOf(*connection_, *select) : moderation::NoSuchReview(id);
}

Status SqliteReviewQueue::Update(std::int64_t id, const ReviewDecision& decision) {
  Result<Statement> update = connection_->Prepare(
      "UPDATE review SET outcome = ?, rule_ids = ?, category = ?, decided_by = ?, "
      "decided_why = ?, decided_at = ?, decisions = decisions + 1 WHERE id = ?");
  if (!update) {
    return std::unexpected(update.error());
  }
  return update->Bind(ToString(decision.outcome))
      .Bind(moderation::ListJson(decision.rule_ids))
      .Bind(decision.category)
      .Bind(decision.by)
      .Bind(decision.why)
      .Bind(decision.when)
      .Bind(id)
      .Run();
}

Result<ReviewCase> SqliteReviewQueue::Decide(std::int64_t id, const ReviewDecision& decision,
                                             bool again) {
  if (const Status good = CheckReviewDecision(decision); !good) {
    return std::unexpected(good.error());
  }
  const std::lock_guard lock(mutex_);
  Result<ReviewCase> found = moderation::NoSuchReview(id);
  const Status written = connection_->Write([&]() -> Status {
    found = Select(id);
    if (!found) {
      return std::unexpected(found.error());
    }
    if (found->decision && !again) {
      return moderation::DecidedAlready(*found);
    }
    if (Status updated = Update(id, decision); !updated) {
      return updated;
    }
    found = Select(id);
    return found ? Status{} : std::unexpected(found.error());
  });
  return written ? found : std::unexpected(written.error());
}

Result<std::vector<ReviewCase>> SqliteReviewQueue::List(const ReviewQuery& query) {
  if (const Status good = CheckReviewQuery(query); !good) {
    return std::unexpected(good.error());
  }
  std::string sql = std::string(kColumns) + "WHERE id > ?";
  sql += query.policy_id.empty() ? "" : " AND policy_id = ?";
  sql += query.route.empty() ? "" : " AND route = ?";
  if (query.decided) {
    sql += *query.decided ? " AND outcome IS NOT NULL" : " AND outcome IS NULL";
  }
  sql += query.by_id ? " ORDER BY id" : " ORDER BY priority DESC, id";
  sql += " LIMIT ?";
  const std::lock_guard lock(mutex_);
  Result<Statement> rows = connection_->Prepare(sql);
  if (!rows) {
    return std::unexpected(rows.error());
  }
  rows->Bind(query.after);
  for (const std::string* text : {&query.policy_id, &query.route}) {
    if (!text->empty()) {
      rows->Bind(*text);
    }
  }
  rows->Bind(static_cast<std::int64_t>(query.limit));
  std::vector<ReviewCase> cases;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      return cases;
    }
    Result<ReviewCase> found = CaseOf(*connection_, *rows);
    if (!found) {
      return std::unexpected(found.error());
    }
    cases.push_back(std::move(*found));
  }
}

Result<ReviewCounts> SqliteReviewQueue::Counts() {
  const std::lock_guard lock(mutex_);
  const Result<std::int64_t> all = connection_->Integer("SELECT count(*) FROM review");
  const Result<std::int64_t> open =
      connection_->Integer("SELECT count(*) FROM review WHERE outcome IS NULL");
  if (!all || !open) {
    return std::unexpected(all ? open.error() : all.error());
  }
  return ReviewCounts{static_cast<std::size_t>(*open), static_cast<std::size_t>(*all - *open)};
}

Result<std::optional<ReviewCase>> SqliteReviewQueue::Take(const std::string& by, TimeMs now,
                                                          TimeMs until) {
  const std::lock_guard lock(mutex_);
  std::optional<ReviewCase> taken;
  const Status written = connection_->Write([&]() -> Status {
    Result<Statement> select = connection_->Prepare(
        std::string(kColumns) +
        "WHERE outcome IS NULL AND held_until <= ? ORDER BY priority DESC, id LIMIT 1");
    if (!select) {
      return std::unexpected(select.error());
    }
    const Result<bool> row = select->Bind(now).Step();
    if (!row || !*row) {
      return row ? Status{} : std::unexpected(row.error());
    }
    Result<ReviewCase> found = CaseOf(*connection_, *select);
    Result<Statement> update = connection_->Prepare(
        "UPDATE review SET holder = ?, held_until = ?, lease = lease + 1 WHERE id = ?");
    if (!found || !update) {
      return std::unexpected(found ? update.error() : found.error());
    }
    found->holder = by;
    found->held_until = until;
    ++found->lease;
    taken = std::move(*found);
    return update->Bind(by).Bind(until).Bind(taken->id).Run();
  });
  return written ? Result<std::optional<ReviewCase>>(std::move(taken))
                 : std::unexpected(written.error());
}

Result<ReviewCase> SqliteReviewQueue::Release(std::int64_t id, std::int64_t lease) {
  const std::lock_guard lock(mutex_);
  Result<ReviewCase> found = moderation::NoSuchReview(id);
  const Status written = connection_->Write([&]() -> Status {
    found = Select(id);
    if (!found) {
      return std::unexpected(found.error());
    }
    if (found->lease != lease || found->decision) {
      return moderation::ReviewLeaseLost(id);
    }
    Result<Statement> update =
        connection_->Prepare("UPDATE review SET held_until = 0, holder = '' WHERE id = ?");
    found->held_until = 0;
    found->holder.clear();
    return update ? update->Bind(id).Run() : std::unexpected(update.error());
  });
  return written ? found : std::unexpected(written.error());
}

Result<std::size_t> SqliteReviewQueue::Prune(TimeMs before) {
  const std::lock_guard lock(mutex_);
  std::int64_t pruned = 0;
  const Status written = connection_->Write([&]() -> Status {
    Result<Statement> erase =
        connection_->Prepare("DELETE FROM review WHERE outcome IS NOT NULL AND decided_at < ?");
    if (!erase) {
      return std::unexpected(erase.error());
    }
    if (Status erased = erase->Bind(before).Run(); !erased) {
      return erased;
    }
    const Result<std::int64_t> changes = connection_->Integer("SELECT changes()");
    pruned = changes.value_or(0);
    return changes ? Status{} : std::unexpected(changes.error());
  });
  return written ? Result<std::size_t>(static_cast<std::size_t>(pruned))
                 : std::unexpected(written.error());
}

}  // namespace

Result<std::unique_ptr<moderation::ReviewQueue>> OpenReviewQueue(const std::string& data_folder,
                                                                 const ReviewLimits& limits,
                                                                 const OpenOptions& options) {
  Result<std::string> path = DatabasePath(data_folder, "reviews.db", options.create);
  if (!path) {
    return std::unexpected(path.error());
  }
  Result<std::unique_ptr<Connection>> connection =
      OpenDatabase(*path, kReviewSchema, {options.create, options.busy_timeout});
  if (!connection) {
    return std::unexpected(connection.error());
  }
  return std::make_unique<SqliteReviewQueue>(std::move(*connection), limits);
}

}  // namespace safeguard::storage
