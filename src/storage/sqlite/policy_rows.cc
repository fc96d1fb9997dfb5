#include "storage/sqlite/policy_rows.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace safeguard::storage {
namespace {

using moderation::EventKind;
using moderation::PolicyState;
using moderation::StoreEvent;
using moderation::VersionInfo;
using moderation::VersionState;

constexpr const char* kVersionColumns =
    "SELECT policy_id, number, hash, golden_hash, state, canary_percent, author, note, created, "
    "approved_by, approved, state_since FROM version ";

std::unexpected<Error> Damaged(const Connection& connection, const std::string& what) {
  return Fail(ErrorCode::kCorruptFile, connection.path() + " is damaged: " + what,
              "restore it from a backup or import the policies' folder into a new one");
}

Result<VersionInfo> VersionOf(const Connection& connection, const Statement& row) {
  VersionInfo version;
  version.policy_id = row.Text(0);
  version.number = static_cast<int>(row.Integer(1));
  version.hash = row.Text(2);
  version.golden_hash = row.Text(3);
  const auto state = moderation::VersionStateFrom(row.Text(4));
  if (!state) {
    return Damaged(connection, "a version has no state");
  }
  version.state = *state;
  version.canary_percent = row.Number(5);
  version.author = row.Text(6);
  version.note = row.Text(7);
  version.created = row.Integer(8);
  version.approved_by = row.Text(9);
  version.approved = row.Integer(10);
  version.state_since = row.Integer(11);
  return version;
}

Result<std::vector<VersionInfo>> Versions(const Connection& connection, Statement& rows) {
  std::vector<VersionInfo> versions;
  while (true) {
    const Result<bool> row = rows.Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      return versions;
    }
    Result<VersionInfo> version = VersionOf(connection, rows);
    if (!version) {
      return std::unexpected(version.error());
    }
    versions.push_back(std::move(*version));
  }
}

// "1,2,3"
std::string ActivationsText(const std::vector<int>& activations) {
  std::string text;
  for (const int number : activations) {
    text += (text.empty() ? "" : ",") + std::to_string(number);
  }
  return text;
}

// Every number names a version; false when one does not.
bool ReadActivations(std::string_view text, std::size_t versions, std::vector<int>& activations) {
  while (!text.empty()) {
    int number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || number < 1 || static_cast<std::size_t>(number) > versions) {
      return false;
    }
    activations.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (!text.empty() && text[0] != ',') {
      return false;
    }
    text.remove_prefix(text.empty() ? 0 : 1);
  }
  return true;
}

Status WriteVersion(Connection& connection, const VersionInfo& version, bool is_new) {
  Result<Statement> statement = connection.Prepare(
      is_new ? "INSERT INTO version (state, canary_percent, approved_by, approved, state_since, "
               "policy_id, number, hash, golden_hash, author, note, created) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
             : "UPDATE version SET state = ?, canary_percent = ?, approved_by = ?, approved = ?, "
               "state_since = ? WHERE policy_id = ? AND number = ?");
  if (!statement) {
    return std::unexpected(statement.error());
  }
  statement->Bind(ToString(version.state))
      .Bind(version.canary_percent)
      .Bind(version.approved_by)
      .Bind(version.approved)
      .Bind(version.state_since)
      .Bind(version.policy_id)
      .Bind(std::int64_t{version.number});
  if (is_new) {
    statement->Bind(version.hash);
    version.golden_hash.empty() ? statement->BindNull() : statement->Bind(version.golden_hash);
    statement->Bind(version.author).Bind(version.note).Bind(version.created);
  }
  return statement->Run();
}

Status WritePolicy(Connection& connection, const PolicyState& state) {
  Result<Statement> statement = connection.Prepare(
      "INSERT INTO policy (id, two_person, activations) VALUES (?, ?, ?) ON CONFLICT (id) DO "
      "UPDATE "
      "SET two_person = excluded.two_person, activations = excluded.activations");
  if (!statement) {
    return std::unexpected(statement.error());
  }
  statement->Bind(state.policy_id);
  state.two_person ? statement->Bind(std::int64_t{*state.two_person}) : statement->BindNull();
  return statement->Bind(ActivationsText(state.activations)).Run();
}

}  // namespace

Result<std::vector<VersionInfo>> SelectVersions(Connection& connection,
                                                const std::string& policy_id) {
  Result<Statement> statement =
      connection.Prepare(std::string(kVersionColumns) + "WHERE policy_id = ? ORDER BY number");
  if (!statement) {
    return std::unexpected(statement.error());
  }
  statement->Bind(policy_id);
  Result<std::vector<VersionInfo>> versions = Versions(connection, *statement);
  for (std::size_t i = 0; versions && i < versions->size(); ++i) {
    if ((*versions)[i].number != static_cast<int>(i) + 1) {
      return Damaged(connection, "a version of " + policy_id + " is missing");
    }
  }
  return versions;
}

Result<std::vector<VersionInfo>> SelectLive(Connection& connection) {
  Result<Statement> statement =
      connection.Prepare(std::string(kVersionColumns) +
                         "WHERE state IN ('shadow', 'canary', 'active') ORDER BY policy_id, "
                         "number");
  if (!statement) {
    return std::unexpected(statement.error());
  }
  return Versions(connection, *statement);
}

Result<PolicyState> SelectState(Connection& connection, const std::string& policy_id) {
  PolicyState state;
  state.policy_id = policy_id;
  const Result<std::int64_t> rule =
      connection.Integer("SELECT value FROM setting WHERE name = 'two_person'");
  if (!rule) {
    return std::unexpected(rule.error());
  }
  state.store_two_person = *rule != 0;
  Result<std::vector<VersionInfo>> versions = SelectVersions(connection, policy_id);
  if (!versions) {
    return std::unexpected(versions.error());
  }
  state.versions = std::move(*versions);
  Result<Statement> policy =
      connection.Prepare("SELECT two_person, activations FROM policy WHERE id = ?");
  if (!policy) {
    return std::unexpected(policy.error());
  }
  const Result<bool> row = policy->Bind(policy_id).Step();
  if (!row) {
    return std::unexpected(row.error());
  }
  if (*row) {
    if (!policy->IsNull(0)) {
      state.two_person = policy->Integer(0) != 0;
    }
    if (!ReadActivations(policy->Text(1), state.versions.size(), state.activations)) {
      return Damaged(connection, "the activations of " + policy_id + " name no versions");
    }
  }
  return state;
}

Result<std::vector<StoreEvent>> SelectEvents(Connection& connection, const std::string& policy_id,
                                             std::int64_t after, std::size_t limit) {
  Result<Statement> rows = connection.Prepare(
      std::string("SELECT sequence, kind, policy_id, number, hash, golden_hash, from_state, "
                  "to_state, canary_percent, two_person, who, why, at FROM event WHERE sequence > "
                  "?1 AND ") +
      (policy_id.empty() ? "?2 = ''" : "policy_id = ?2") + " ORDER BY sequence LIMIT ?3");
  if (!rows) {
    return std::unexpected(rows.error());
  }
  rows->Bind(after).Bind(policy_id).Bind(static_cast<std::int64_t>(limit));
  std::vector<StoreEvent> events;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row) {
      return std::unexpected(row.error());
    }
    if (!*row) {
      return events;
    }
    StoreEvent& event = events.emplace_back();
    const auto kind = moderation::EventKindFrom(rows->Text(1));
    const auto from = moderation::VersionStateFrom(rows->Text(6));
    const auto to = moderation::VersionStateFrom(rows->Text(7));
    if (!kind || !from || !to) {
      return Damaged(connection, "an event cannot be read");
    }
    event.sequence = rows->Integer(0);
    event.kind = *kind;
    event.policy_id = rows->Text(2);
    event.number = static_cast<int>(rows->Integer(3));
    event.hash = rows->Text(4);
    event.golden_hash = rows->Text(5);
    event.from = *from;
    event.to = *to;
    event.canary_percent = rows->Number(8);
    if (!rows->IsNull(9)) {
      event.two_person = rows->Integer(9) != 0;
    }
    event.who = rows->Text(10);
    event.why = rows->Text(11);
    event.when = rows->Integer(12);
  }
}

Status WriteState(Connection& connection, const PolicyState& before, const PolicyState& after) {
  if (after.store_two_person != before.store_two_person) {
    Result<Statement> rule =
        connection.Prepare("UPDATE setting SET value = ? WHERE name = 'two_person'");
    if (!rule) {
      return std::unexpected(rule.error());
    }
    const Status done = rule->Bind(std::int64_t{after.store_two_person}).Run();
    if (!done) {
      return done;
    }
  }
  Status status = after.policy_id.empty() ? Status{} : WritePolicy(connection, after);
  // Who leaves a state goes before who enters it: at no step are two versions active.
  for (const bool answers : {false, true}) {
    for (std::size_t i = 0; status && i < after.versions.size(); ++i) {
      const VersionInfo& version = after.versions[i];
      const bool is_new = i >= before.versions.size();
      const bool in_turn = (version.state == VersionState::kActive ||
                            version.state == VersionState::kCanary) == answers;
      if (in_turn && (is_new || before.versions[i] != version)) {
        status = WriteVersion(connection, version, is_new);
      }
    }
  }
  return status;
}

Status WriteEvent(Connection& connection, StoreEvent& event) {
  Result<Statement> statement = connection.Prepare(
      "INSERT INTO event (kind, policy_id, number, hash, golden_hash, from_state, to_state, "
      "canary_percent, two_person, who, why, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!statement) {
    return std::unexpected(statement.error());
  }
  statement->Bind(ToString(event.kind))
      .Bind(event.policy_id)
      .Bind(std::int64_t{event.number})
      .Bind(event.hash)
      .Bind(event.golden_hash)
      .Bind(ToString(event.from))
      .Bind(ToString(event.to))
      .Bind(event.canary_percent);
  event.two_person ? statement->Bind(std::int64_t{*event.two_person}) : statement->BindNull();
  const Status done = statement->Bind(event.who).Bind(event.why).Bind(event.when).Run();
  if (!done) {
    return done;
  }
  const Result<std::int64_t> sequence = connection.Integer("SELECT last_insert_rowid()");
  if (!sequence) {
    return std::unexpected(sequence.error());
  }
  event.sequence = *sequence;
  return {};
}

}  // namespace safeguard::storage
