// The tables of jobs.db.
#pragma once

#include "storage/sqlite/connection.h"

namespace safeguard::storage {

// How many jobs and bytes there are is kept by triggers, so that a full queue is known at once.
inline constexpr const char* kJobSchema1 = R"(
CREATE TABLE job (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  key TEXT,                       -- NULL: none
  fingerprint TEXT NOT NULL,
  parent TEXT NOT NULL,
  priority REAL NOT NULL,
  not_before INTEGER NOT NULL,    -- milliseconds since 1970 UTC, as all times here
  deadline INTEGER NOT NULL,      -- 0: none
  attempts_max INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'done', 'dead')),
  attempts INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  due INTEGER NOT NULL,           -- waiting: not before; leased: when the lease ends
  worker TEXT NOT NULL,
  problem TEXT NOT NULL,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  payload BLOB NOT NULL,
  progress BLOB NOT NULL,
  result BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX job_key ON job (kind, key) WHERE key IS NOT NULL;
CREATE INDEX job_next ON job (kind, priority DESC, due, sequence)
  WHERE state IN ('waiting', 'leased');
CREATE INDEX job_state ON job (state, changed);
CREATE INDEX job_parent ON job (parent) WHERE parent != '';

CREATE TABLE tally (
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  jobs INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (kind, state)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER job_put AFTER INSERT ON job BEGIN
  INSERT INTO tally VALUES (new.kind, new.state, 1, length(new.payload))
    ON CONFLICT DO UPDATE SET jobs = jobs + 1, bytes = bytes + length(new.payload);
END;
CREATE TRIGGER job_gone AFTER DELETE ON job BEGIN
  UPDATE tally SET jobs = jobs - 1, bytes = bytes - length(old.payload)
    WHERE kind = old.kind AND state = old.state;
END;
CREATE TRIGGER job_moved AFTER UPDATE OF state, payload ON job BEGIN
  UPDATE tally SET jobs = jobs - 1, bytes = bytes - length(old.payload)
    WHERE kind = old.kind AND state = old.state;
  INSERT INTO tally VALUES (new.kind, new.state, 1, length(new.payload))
    ON CONFLICT DO UPDATE SET jobs = jobs + 1, bytes = bytes + length(new.payload);
END;
)";

inline constexpr const char* kJobMigrations[] = {kJobSchema1};
inline constexpr Schema kJobSchema{0x73666a62, "job queues", kJobMigrations};  // "sfjb"

}  // namespace safeguard::storage
