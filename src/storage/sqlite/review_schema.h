// The table of reviews.db.
#pragma once

#include "storage/sqlite/connection.h"

namespace safeguard::storage {

inline constexpr const char* kReviewSchema1 = R"(
CREATE TABLE review (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  route TEXT NOT NULL,
  content TEXT NOT NULL,          -- JSON
  content_id TEXT NOT NULL,
  surface TEXT NOT NULL,
  language TEXT NOT NULL,
  bytes INTEGER NOT NULL,         -- of the content's text
  policy_id TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  policy_hash TEXT NOT NULL,
  verdict TEXT NOT NULL,          -- JSON: the one that sent it here
  why TEXT NOT NULL,
  priority REAL NOT NULL,
  filed INTEGER NOT NULL,         -- milliseconds since 1970 UTC
  decisions INTEGER NOT NULL DEFAULT 0,
  outcome TEXT,                   -- NULL: open
  rule_ids TEXT,                  -- a JSON list
  category TEXT,
  decided_by TEXT,
  decided_why TEXT,
  decided_at INTEGER
) STRICT;
CREATE INDEX review_open ON review (priority DESC, id) WHERE outcome IS NULL;
CREATE INDEX review_of_policy ON review (policy_id, id);
)";

// Who holds an open case for a while.
inline constexpr const char* kReviewSchema2 = R"(
ALTER TABLE review ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE review ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE review ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;
)";

inline constexpr const char* kReviewMigrations[] = {kReviewSchema1, kReviewSchema2};
inline constexpr Schema kReviewSchema{0x73667276, "review queues", kReviewMigrations};  // "sfrv"

}  // namespace safeguard::storage
