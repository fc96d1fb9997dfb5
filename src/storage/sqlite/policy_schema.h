// The tables of policies.db.
#pragma once

#include "storage/sqlite/connection.h"

namespace safeguard::storage {

// The history and what versions are made of cannot be changed even by mistake: triggers refuse it.
inline constexpr const char* kPolicySchema1 = R"(
CREATE TABLE setting (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO setting VALUES
  ('generation', 0), ('two_person', 0), ('salt', lower(hex(randomblob(16))));

CREATE TABLE blob (hash TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT;

CREATE TABLE policy (
  id TEXT PRIMARY KEY,
  two_person INTEGER,             -- NULL: as the store says
  activations TEXT NOT NULL       -- numbers, joined by ','
) STRICT, WITHOUT ROWID;

CREATE TABLE version (
  policy_id TEXT NOT NULL REFERENCES policy (id),
  number INTEGER NOT NULL,
  hash TEXT NOT NULL REFERENCES blob (hash),
  golden_hash TEXT REFERENCES blob (hash),
  author TEXT NOT NULL,
  note TEXT NOT NULL,
  created INTEGER NOT NULL,       -- milliseconds since 1970 UTC, as all times here
  state TEXT NOT NULL CHECK (state IN ('draft', 'shadow', 'canary', 'active', 'retired')),
  canary_percent REAL NOT NULL,
  approved_by TEXT NOT NULL,
  approved INTEGER NOT NULL,
  state_since INTEGER NOT NULL,
  PRIMARY KEY (policy_id, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_active ON version (policy_id) WHERE state = 'active';
CREATE UNIQUE INDEX one_canary ON version (policy_id) WHERE state = 'canary';
CREATE UNIQUE INDEX same_bytes ON version (policy_id, hash, ifnull(golden_hash, ''));

CREATE TABLE event (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  policy_id TEXT NOT NULL,        -- '': the store
  number INTEGER NOT NULL,
  hash TEXT NOT NULL,
  golden_hash TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  canary_percent REAL NOT NULL,
  two_person INTEGER,
  who TEXT NOT NULL,
  why TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX event_of_policy ON event (policy_id, sequence);

CREATE TABLE attachment (
  policy_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (policy_id, number, name),
  FOREIGN KEY (policy_id, number) REFERENCES version (policy_id, number)
) STRICT;

CREATE TRIGGER event_stays BEFORE UPDATE ON event
  BEGIN SELECT raise(ABORT, 'the history is append-only'); END;
CREATE TRIGGER event_is_kept BEFORE DELETE ON event
  BEGIN SELECT raise(ABORT, 'the history is append-only'); END;
CREATE TRIGGER version_stays BEFORE UPDATE OF policy_id, number, hash, golden_hash, author, note,
    created ON version
  BEGIN SELECT raise(ABORT, 'a version never changes'); END;
CREATE TRIGGER version_is_kept BEFORE DELETE ON version
  BEGIN SELECT raise(ABORT, 'a version is never deleted'); END;
CREATE TRIGGER blob_stays BEFORE UPDATE ON blob
  BEGIN SELECT raise(ABORT, 'a version never changes'); END;
CREATE TRIGGER blob_is_kept BEFORE DELETE ON blob
  BEGIN SELECT raise(ABORT, 'a version is never deleted'); END;
)";

inline constexpr const char* kPolicyMigrations[] = {kPolicySchema1};
inline constexpr Schema kPolicySchema{0x73666770, "policy stores", kPolicyMigrations};  // "sfgp"

}  // namespace safeguard::storage
