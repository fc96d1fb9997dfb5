#include <mutex>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "moderation/policy_state.h"
#include "storage/sqlite/data_folder.h"
#include "storage/sqlite/policy_rows.h"
#include "storage/sqlite/policy_schema.h"
#include "storage/stores.h"

namespace safeguard::storage {
namespace {

using moderation::Change;
using moderation::LiveVersions;
using moderation::PolicyState;
using moderation::StoreEvent;
using moderation::VersionBytes;
using moderation::VersionInfo;

// Writers wait for each other, also over processes; readers never wait. Hence two connections.
class SqlitePolicyStore final : public moderation::PolicyStore {
 public:
  SqlitePolicyStore(std::unique_ptr<Connection> writer, std::unique_ptr<Connection> reader)
      : writer_(std::move(writer)), reader_(std::move(reader)) {}

  Result<std::vector<StoreEvent>> Apply(std::span<const Change> changes) override;
  Result<std::vector<std::string>> PolicyIds() override;
  Result<std::vector<VersionInfo>> Versions(const std::string& policy_id) override;
  Result<VersionBytes> Read(const std::string& policy_id, int number) override;
  Result<std::vector<StoreEvent>> History(const std::string& policy_id, std::int64_t after,
                                          std::size_t limit) override {
    const std::lock_guard lock(reader_mutex_);
    return SelectEvents(*reader_, policy_id, after, limit);
  }
  Result<bool> TwoPersonRule(const std::string& policy_id) override;
  Result<std::uint64_t> Generation() override;
  Result<LiveVersions> Live() override;
  Status PutAttachment(const std::string& policy_id, int number, const std::string& name,
                       std::string_view bytes) override;
  Result<std::string> GetAttachment(const std::string& policy_id, int number,
                                    const std::string& name) override;
  Result<std::vector<std::string>> ListAttachments(const std::string& policy_id,
                                                   int number) override;

 private:
  Status ApplyAll(std::span<const Change> changes, std::vector<StoreEvent>& events);
  Status PutBlob(const std::string& hash, std::string_view bytes);
  // These need reader_mutex_.
  Result<VersionInfo> VersionOf(const std::string& policy_id, int number);
  Result<std::string> Blob(const std::string& hash, const std::string& whose);
  Result<std::uint64_t> GenerationNow();

  std::mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;
  std::mutex reader_mutex_;
  std::unique_ptr<Connection> reader_;
  std::optional<Statement> generation_;
};

Result<std::vector<StoreEvent>> SqlitePolicyStore::Apply(std::span<const Change> changes) {
  const Status checked = CheckChanges(changes);
  if (!checked) {
    return std::unexpected(checked.error());
  }
  const std::lock_guard lock(writer_mutex_);
  std::vector<StoreEvent> events;
  const Status done = writer_->Write([&] { return ApplyAll(changes, events); });
  if (!done) {
    return std::unexpected(done.error());
  }
  return events;
}

Status SqlitePolicyStore::ApplyAll(std::span<const Change> changes,
                                   std::vector<StoreEvent>& events) {
  const Result<PolicyState> before = SelectState(*writer_, changes.front().event.policy_id);
  if (!before) {
    return std::unexpected(before.error());
  }
  PolicyState state = *before;
  for (const Change& change : changes) {
    Result<moderation::EventEffect> effect =
        ApplyEvent(std::move(state), moderation::WithHashes(change));
    if (!effect) {
      return std::unexpected(effect.error());
    }
    state = std::move(effect->state);
    if (!effect->changed) {
      continue;
    }
    StoreEvent& event = effect->event;
    if (event.kind == moderation::EventKind::kPublish) {
      Status kept = PutBlob(event.hash, change.bytes.policy);
      if (kept && !event.golden_hash.empty()) {
        kept = PutBlob(event.golden_hash, change.bytes.golden);
      }
      if (!kept) {
        return kept;
      }
    }
    events.push_back(std::move(event));
  }
  if (events.empty()) {
    return {};
  }
  Status status = WriteState(*writer_, *before, state);
  for (std::size_t i = 0; status && i < events.size(); ++i) {
    status = WriteEvent(*writer_, events[i]);
  }
  return status ? writer_->Execute("UPDATE setting SET value = value + 1 WHERE name = 'generation'")
                : status;
}

Status SqlitePolicyStore::PutBlob(const std::string& hash, std::string_view bytes) {
  Result<Statement> insert =
      writer_->Prepare("INSERT INTO blob (hash, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING");
  return insert ? insert->Bind(hash).BindBlob(bytes).Run() : std::unexpected(insert.error());
}

Result<std::vector<std::string>> SqlitePolicyStore::PolicyIds() {
  const std::lock_guard lock(reader_mutex_);
  Result<Statement> rows =
      reader_->Prepare("SELECT DISTINCT policy_id FROM version ORDER BY policy_id");
  if (!rows) {
    return std::unexpected(rows.error());
  }
  std::vector<std::string> ids;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      return ids;
    }
    ids.push_back(rows->Text(0));
  }
}

Result<std::vector<VersionInfo>> SqlitePolicyStore::Versions(const std::string& policy_id) {
  const std::lock_guard lock(reader_mutex_);
  Result<std::vector<VersionInfo>> versions = SelectVersions(*reader_, policy_id);
  if (versions && versions->empty()) {
    return moderation::NoPolicy(policy_id);
  }
  return versions;
}

Result<VersionInfo> SqlitePolicyStore::VersionOf(const std::string& policy_id, int number) {
  Result<std::vector<VersionInfo>> versions = SelectVersions(*reader_, policy_id);
  if (!versions) {
    return std::unexpected(versions.error());
  }
  if (versions->empty()) {
    return moderation::NoPolicy(policy_id);
  }
  if (number < 1 || static_cast<std::size_t>(number) > versions->size()) {
    return moderation::NoVersion(policy_id, number, versions->size());
  }
  return std::move((*versions)[static_cast<std::size_t>(number) - 1]);
}

Result<std::string> SqlitePolicyStore::Blob(const std::string& hash, const std::string& whose) {
  Result<Statement> rows = reader_->Prepare("SELECT bytes FROM blob WHERE hash = ?");
  if (!rows) {
    return std::unexpected(rows.error());
  }
  const Result<bool> row = rows->Bind(hash).Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  std::string bytes = *row ? rows->Text(0) : std::string();
  if (!*row || Blake2bHex(bytes) != hash) {
    return Fail(ErrorCode::kCorruptFile,
                reader_->path() + " is damaged: the bytes of " + whose + " are not those published",
                "restore it from a backup or import the policies' folder into a new one");
  }
  return bytes;
}

Result<VersionBytes> SqlitePolicyStore::Read(const std::string& policy_id, int number) {
  const std::lock_guard lock(reader_mutex_);
  const Result<VersionInfo> version = VersionOf(policy_id, number);
  if (!version) {
    return std::unexpected(version.error());
  }
  const std::string whose = policy_id + "@" + std::to_string(number);
  Result<std::string> policy = Blob(version->hash, whose);
  if (!policy) {
    return std::unexpected(policy.error());
  }
  VersionBytes bytes{std::move(*policy), ""};
  if (!version->golden_hash.empty()) {
    Result<std::string> golden = Blob(version->golden_hash, whose);
    if (!golden) {
      return std::unexpected(golden.error());
    }
    bytes.golden = std::move(*golden);
  }
  return bytes;
}

Result<bool> SqlitePolicyStore::TwoPersonRule(const std::string& policy_id) {
  const std::lock_guard lock(reader_mutex_);
  const Result<PolicyState> state = SelectState(*reader_, policy_id);
  if (!state) {
    return std::unexpected(state.error());
  }
  return state->two_person.value_or(state->store_two_person);
}

Result<std::uint64_t> SqlitePolicyStore::Generation() {
  const std::lock_guard lock(reader_mutex_);
  return GenerationNow();
}

Result<std::uint64_t> SqlitePolicyStore::GenerationNow() {
  if (!generation_) {
    Result<Statement> statement =
        reader_->Prepare("SELECT value FROM setting WHERE name = 'generation'");
    if (!statement) {
      return std::unexpected(statement.error());
    }
    generation_.emplace(std::move(*statement));
  }
  const Result<bool> row = generation_->Step();
  if (!row) {
    generation_.reset();
    return std::unexpected(row.error());
  }
  const auto generation = static_cast<std::uint64_t>(generation_->Integer(0));
  generation_->Reset();  // else the reading would stay open, and see nothing new
  return generation;
}

Result<LiveVersions> SqlitePolicyStore::Live() {
  const std::lock_guard lock(reader_mutex_);
  LiveVersions live;
  const Status done = reader_->Read([&]() -> Status {
    const Result<std::uint64_t> generation = GenerationNow();
    if (!generation) {
      return std::unexpected(generation.error());
    }
    live.generation = *generation;
    Result<Statement> salt = reader_->Prepare("SELECT value FROM setting WHERE name = 'salt'");
    const Result<bool> row = salt ? salt->Step() : std::unexpected(salt.error());
    if (!row) {
      return std::unexpected(row.error());
    }
    live.salt = salt->Text(0);
    Result<std::vector<VersionInfo>> versions = SelectLive(*reader_);
    if (!versions) {
      return std::unexpected(versions.error());
    }
    live.versions = std::move(*versions);
    return {};
  });
  if (!done) {
    return std::unexpected(done.error());
  }
  return live;
}

Status SqlitePolicyStore::PutAttachment(const std::string& policy_id, int number,
                                        const std::string& name, std::string_view bytes) {
  const Status checked = moderation::CheckAttachment(name, bytes);
  if (!checked) {
    return checked;
  }
  {
    const std::lock_guard lock(reader_mutex_);
    const Result<VersionInfo> version = VersionOf(policy_id, number);
    if (!version) {
      return std::unexpected(version.error());
    }
  }
  const std::lock_guard lock(writer_mutex_);
  return writer_->Write([&]() -> Status {
    Result<Statement> insert = writer_->Prepare(
        "INSERT INTO attachment (policy_id, number, name, hash, bytes) VALUES (?, ?, ?, ?, ?) ON "
        "CONFLICT DO UPDATE SET hash = excluded.hash, bytes = excluded.bytes");
    if (!insert) {
      return std::unexpected(insert.error());
    }
    return insert->Bind(policy_id)
        .Bind(std::int64_t{number})
        .Bind(name)
        .Bind(Blake2bHex(bytes))
        .BindBlob(bytes)
        .Run();
  });
}

Result<std::string> SqlitePolicyStore::GetAttachment(const std::string& policy_id, int number,
                                                     const std::string& name) {
  const std::lock_guard lock(reader_mutex_);
  const Result<VersionInfo> version = VersionOf(policy_id, number);
  if (!version) {
    return std::unexpected(version.error());
  }
  const std::string whose = policy_id + "@" + std::to_string(number);
  if (name == moderation::kGoldenAttachment && !version->golden_hash.empty()) {
    return Blob(version->golden_hash, whose);
  }
  Result<Statement> rows = reader_->Prepare(
      "SELECT bytes, hash FROM attachment WHERE policy_id = ? AND number = ? AND name = ?");
  if (!rows) {
    return std::unexpected(rows.error());
  }
  const Result<bool> row = rows->Bind(policy_id).Bind(std::int64_t{number}).Bind(name).Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  if (!*row) {
    return moderation::NoAttachment(policy_id, number, name);
  }
  std::string bytes = rows->Text(0);
  if (Blake2bHex(bytes) != rows->Text(1)) {
    return Fail(ErrorCode::kCorruptFile,
                reader_->path() + " is damaged: the bytes of " + name + " of " + whose +
                    " are not those put there",
                "make it again");
  }
  return bytes;
}

Result<std::vector<std::string>> SqlitePolicyStore::ListAttachments(const std::string& policy_id,
                                                                    int number) {
  const std::lock_guard lock(reader_mutex_);
  const Result<VersionInfo> version = VersionOf(policy_id, number);
  if (!version) {
    return std::unexpected(version.error());
  }
  Result<Statement> rows = reader_->Prepare(
      "SELECT name FROM attachment WHERE policy_id = ? AND number = ? UNION SELECT ? WHERE ? "
      "ORDER BY 1");
  if (!rows) {
    return std::unexpected(rows.error());
  }
  rows->Bind(policy_id)
      .Bind(std::int64_t{number})
      .Bind(moderation::kGoldenAttachment)
      .Bind(std::int64_t{!version->golden_hash.empty()});
  std::vector<std::string> names;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      return names;
    }
    names.push_back(rows->Text(0));
  }
}

}  // namespace

Result<std::unique_ptr<moderation::PolicyStore>> OpenPolicyStore(const std::string& data_folder,
                                                                 const OpenOptions& options) {
  Result<std::string> path = DatabasePath(data_folder, "policies.db", options.create);
  if (!path) {
    return std::unexpected(path.error());
  }
  const Connection::Options open{options.create, options.busy_timeout};
  Result<std::unique_ptr<Connection>> writer = OpenDatabase(*path, kPolicySchema, open);
  if (!writer) {
    return std::unexpected(writer.error());
  }
  Result<std::unique_ptr<Connection>> reader = OpenDatabase(*path, kPolicySchema, open);
  if (!reader) {
    return std::unexpected(reader.error());
  }
  return std::make_unique<SqlitePolicyStore>(std::move(*writer), std::move(*reader));
}

}  // namespace safeguard::storage
