// The tables of verdicts.db.
#pragma once

#include "storage/sqlite/connection.h"

namespace safeguard::storage {

// The same content is kept once, however often it is judged.
inline constexpr const char* kVerdictSchema1 = R"(
CREATE TABLE verdict (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,            -- milliseconds since 1970 UTC
  content_hash TEXT NOT NULL,
  keeps_content INTEGER NOT NULL,
  content_id TEXT NOT NULL,
  surface TEXT NOT NULL,
  language TEXT NOT NULL,
  policy_id TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  policy_hash TEXT NOT NULL,
  channel TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  score REAL,
  category TEXT NOT NULL,
  rule_ids TEXT NOT NULL,         -- a JSON list
  layer TEXT NOT NULL,
  model TEXT NOT NULL,
  model_hash TEXT NOT NULL
) STRICT;
CREATE INDEX verdict_of_policy ON verdict (policy_id, sequence);

CREATE TABLE content (hash TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;

CREATE TRIGGER verdict_stays BEFORE UPDATE ON verdict
  BEGIN SELECT raise(ABORT, 'the verdict log is append-only'); END;
)";

// Verdicts that came later than an answer, recorded once however often the work was begun.
inline constexpr const char* kVerdictSchema2 = R"(
ALTER TABLE verdict ADD COLUMN key TEXT;            -- NULL: none
ALTER TABLE verdict ADD COLUMN provisional TEXT;    -- JSON; NULL: there was none
CREATE UNIQUE INDEX verdict_key ON verdict (key) WHERE key IS NOT NULL;
)";

// What receipts tell. Most verdicts share one setup, which is kept once.
inline constexpr const char* kVerdictSchema3 = R"(
ALTER TABLE verdict ADD COLUMN provenance TEXT;     -- JSON; NULL: recorded before there was any
ALTER TABLE verdict ADD COLUMN setup_hash TEXT;     -- NULL: not told
CREATE TABLE setup (hash TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
)";

inline constexpr const char* kVerdictMigrations[] = {kVerdictSchema1, kVerdictSchema2,
                                                     kVerdictSchema3};
inline constexpr Schema kVerdictSchema{0x73667664, "verdict logs", kVerdictMigrations};  // "sfvd"

}  // namespace safeguard::storage
