#include <mutex>
#include <utility>

#include "base/hash.h"
#include "moderation/content_json.h"
#include "moderation/receipt.h"
#include "storage/sqlite/data_folder.h"
#include "storage/sqlite/verdict_schema.h"
#include "storage/stores.h"

namespace safeguard::storage {
namespace {

using moderation::VerdictPage;
using moderation::VerdictQuery;
using moderation::VerdictRecord;

// The query's conditions as SQL; BindConditions gives their values in the same order.
std::string Conditions(const VerdictQuery& query) {
  std::string sql;
  sql += query.policy_id.empty() ? "" : " AND policy_id = ?";
  sql += query.policy_version.empty() ? "" : " AND policy_version = ?";
  sql += query.channel ? " AND channel = ?" : "";
  sql += query.outcome ? " AND outcome = ?" : "";
  sql += query.from ? " AND at >= ?" : "";
  sql += query.until ? " AND at < ?" : "";
  sql += query.only_with_content ? " AND keeps_content" : "";
  return sql;
}

void BindConditions(const VerdictQuery& query, Statement& statement) {
  if (!query.policy_id.empty()) {
    statement.Bind(query.policy_id);
  }
  if (!query.policy_version.empty()) {
    statement.Bind(query.policy_version);
  }
  if (query.channel) {
    statement.Bind(ToString(*query.channel));
  }
  if (query.outcome) {
    statement.Bind(ToString(*query.outcome));
  }
  if (query.from) {
    statement.Bind(*query.from);
  }
  if (query.until) {
    statement.Bind(*query.until);
  }
}

std::unexpected<Error> Damaged(const Connection& connection) {
  return Fail(ErrorCode::kCorruptFile, connection.path() + " is damaged: a verdict cannot be read",
              "restore it from a backup");
}

Result<VerdictRecord> RecordOf(const Connection& connection, const Statement& row) {
  VerdictRecord record;
  record.sequence = row.Integer(0);
  record.when = row.Integer(1);
  record.content_hash = row.Text(2);
  record.content_id = row.Text(3);
  record.surface = row.Text(4);
  record.language = row.Text(5);
  record.policy = {row.Text(6), row.Text(7), row.Text(8)};
  const auto channel = moderation::ChannelFrom(row.Text(9));
  const auto outcome = moderation::OutcomeFrom(row.Text(10));
  const auto reason = moderation::UndeterminedReasonFrom(row.Text(11));
  Result<std::vector<std::string>> rules = moderation::ListFromJson(row.Text(14));
  if (!channel || !outcome || !reason || !rules) {
    return Damaged(connection);
  }
  record.channel = *channel;
  record.outcome = *outcome;
  record.reason = *reason;
  if (!row.IsNull(12)) {
    record.score = row.Number(12);
  }
  record.category = row.Text(13);
  record.rule_ids = std::move(*rules);
  record.layer = row.Text(15);
  record.model = row.Text(16);
  record.model_hash = row.Text(17);
  if (!row.IsNull(18)) {
    Result<moderation::Content> content = moderation::ContentFromJson(row.Text(18));
    if (!content) {
      return Damaged(connection);
    }
    content->id = record.content_id;
    content->surface = record.surface;
    content->language = record.language;
    record.content = std::move(*content);
  }
  record.key = row.Text(19);
  if (!row.IsNull(20)) {
    Result<moderation::EarlierVerdict> earlier = moderation::EarlierFromJson(row.Text(20));
    if (!earlier) {
      return Damaged(connection);
    }
    record.provisional = std::move(*earlier);
  }
  if (!row.IsNull(21)) {
    Result<moderation::Provenance> provenance = moderation::ProvenanceFromJson(row.Text(21));
    if (!provenance) {
      return Damaged(connection);
    }
    record.provenance = std::move(*provenance);
    record.provenance.setup = row.Text(22);
  }
  return record;
}

class SqliteVerdictLog final : public moderation::VerdictLog {
 public:
  SqliteVerdictLog(std::unique_ptr<Connection> writer, std::unique_ptr<Connection> reader)
      : writer_(std::move(writer)), reader_(std::move(reader)) {}

  Status Append(std::span<const VerdictRecord> records) override {
    if (records.empty()) {
      return {};
    }
    const std::lock_guard lock(writer_mutex_);
    return writer_->Write([&] { return Insert(records); });
  }

  Result<VerdictPage> Scan(const VerdictQuery& query) override;
  Result<std::uint64_t> Count(const VerdictQuery& query) override;

 private:
  Status Insert(std::span<const VerdictRecord> records);

  std::mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;
  std::mutex reader_mutex_;
  std::unique_ptr<Connection> reader_;
};

Status SqliteVerdictLog::Insert(std::span<const VerdictRecord> records) {
  Result<Statement> verdict = writer_->Prepare(
      "INSERT INTO verdict (at, content_hash, keeps_content, content_id, surface, language, "
      "policy_id, policy_version, policy_hash, channel, outcome, reason, category, rule_ids, "
      "layer, model, model_hash, score, key, provisional, provenance, setup_hash) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING");
  if (!verdict) {
    return std::unexpected(verdict.error());
  }
  Result<Statement> content =
      writer_->Prepare("INSERT INTO content (hash, json) VALUES (?, ?) ON CONFLICT DO NOTHING");
  if (!content) {
    return std::unexpected(content.error());
  }
  Result<Statement> setups =
      writer_->Prepare("INSERT INTO setup (hash, json) VALUES (?, ?) ON CONFLICT DO NOTHING");
  if (!setups) {
    return std::unexpected(setups.error());
  }
  Status status;
  for (const VerdictRecord& record : records) {
    verdict->Reset();
    verdict->Bind(record.when)
        .Bind(record.content_hash)
        .Bind(std::int64_t{record.content.has_value()})
        .Bind(record.content_id)
        .Bind(record.surface)
        .Bind(record.language)
        .Bind(record.policy.id)
        .Bind(record.policy.version)
        .Bind(record.policy.hash)
        .Bind(ToString(record.channel))
        .Bind(ToString(record.outcome))
        .Bind(ToString(record.reason))
        .Bind(record.category)
        .Bind(moderation::ListJson(record.rule_ids))
        .Bind(record.layer)
        .Bind(record.model)
        .Bind(record.model_hash);
    record.score ? verdict->Bind(*record.score) : verdict->BindNull();
    record.key.empty() ? verdict->BindNull() : verdict->Bind(record.key);
    record.provisional ? verdict->Bind(moderation::EarlierJson(*record.provisional))
                       : verdict->BindNull();
    verdict->Bind(moderation::ProvenanceJson(record.provenance));
    const std::string& setup = record.provenance.setup;
    const std::string setup_hash = setup.empty() ? "" : Blake2bHex(setup);
    setup.empty() ? verdict->BindNull() : verdict->Bind(setup_hash);
    status = verdict->Run();
    if (status && !setup.empty()) {
      setups->Reset();
      status = setups->Bind(setup_hash).Bind(setup).Run();
    }
    if (status && record.content) {
      content->Reset();
      status =
          content->Bind(record.content_hash).Bind(moderation::ContentJson(*record.content)).Run();
    }
    if (!status) {
      break;
    }
  }
  return status;
}

Result<VerdictPage> SqliteVerdictLog::Scan(const VerdictQuery& query) {
  const Status checked = CheckQuery(query);
  if (!checked) {
    return std::unexpected(checked.error());
  }
  const std::lock_guard lock(reader_mutex_);
  Result<Statement> rows = reader_->Prepare(
      "SELECT sequence, at, content_hash, content_id, surface, language, policy_id, "
      "policy_version, policy_hash, channel, outcome, reason, score, category, rule_ids, layer, "
      "model, model_hash, content.json, ifnull(key, ''), provisional, provenance, "
      "ifnull(setup.json, '') FROM verdict LEFT JOIN content ON keeps_content AND content.hash = "
      "content_hash LEFT JOIN setup ON setup.hash = setup_hash WHERE sequence > ?" +
      Conditions(query) + " ORDER BY sequence LIMIT ?");
  if (!rows) {
    return std::unexpected(rows.error());
  }
  rows->Bind(query.after);
  BindConditions(query, *rows);
  rows->Bind(static_cast<std::int64_t>(query.limit) + 1);
  VerdictPage page;
  page.next = query.after;
  std::size_t bytes = 0;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      return page;
    }
    if (page.records.size() == query.limit || bytes > moderation::kVerdictPageBytesMax) {
      page.end = false;
      return page;
    }
    Result<VerdictRecord> record = RecordOf(*reader_, *rows);
    if (!record) {
      return std::unexpected(record.error());
    }
    bytes += record->content ? TextBytes(*record->content) : 0;
    page.next = record->sequence;
    page.records.push_back(std::move(*record));
  }
}

Result<std::uint64_t> SqliteVerdictLog::Count(const VerdictQuery& query) {
  const std::lock_guard lock(reader_mutex_);
  Result<Statement> count =
      reader_->Prepare("SELECT count(*) FROM verdict WHERE 1" + Conditions(query));
  if (!count) {
    return std::unexpected(count.error());
  }
  BindConditions(query, *count);
  const Result<bool> row = count->Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  return static_cast<std::uint64_t>(count->Integer(0));
}

}  // namespace

Result<std::unique_ptr<moderation::VerdictLog>> OpenVerdictLog(const std::string& data_folder,
                                                               const OpenOptions& options) {
  Result<std::string> path = DatabasePath(data_folder, "verdicts.db", options.create);
  if (!path) {
    return std::unexpected(path.error());
  }
  const Connection::Options open{options.create, options.busy_timeout};
  Result<std::unique_ptr<Connection>> writer = OpenDatabase(*path, kVerdictSchema, open);
  if (!writer) {
    return std::unexpected(writer.error());
  }
  Result<std::unique_ptr<Connection>> reader = OpenDatabase(*path, kVerdictSchema, open);
  if (!reader) {
    return std::unexpected(reader.error());
  }
  return std::make_unique<SqliteVerdictLog>(std::move(*writer), std::move(*reader));
}

}  // namespace safeguard::storage
