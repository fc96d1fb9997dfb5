// The tables of audits.db: what random audits of screens came to.
#pragma once

#include "storage/sqlite/connection.h"

namespace safeguard::storage {

inline constexpr const char* kAuditSchema1 = R"(
CREATE TABLE tally (
  route TEXT NOT NULL,
  policy TEXT NOT NULL,
  start INTEGER NOT NULL,         -- of the window: microseconds since 1970 UTC
  screened INTEGER NOT NULL,
  safe INTEGER NOT NULL,
  violation INTEGER NOT NULL,
  unanswered INTEGER NOT NULL,
  open REAL NOT NULL,
  PRIMARY KEY (route, policy, start)
) STRICT, WITHOUT ROWID;
-- Weighted draws of one side of a window.
CREATE TABLE draws (
  route TEXT NOT NULL,
  policy TEXT NOT NULL,
  start INTEGER NOT NULL,
  side INTEGER NOT NULL,          -- 0 called safe, 1 called a violation, 2 the band
  weight REAL NOT NULL,
  squares REAL NOT NULL,
  violations REAL NOT NULL,
  count INTEGER NOT NULL,
  violating INTEGER NOT NULL,
  PRIMARY KEY (route, policy, start, side)
) STRICT, WITHOUT ROWID;
-- Each audit that was finished later, so that none counts twice.
CREATE TABLE late (
  route TEXT NOT NULL,
  policy TEXT NOT NULL,
  start INTEGER NOT NULL,
  key TEXT NOT NULL,
  side INTEGER NOT NULL,
  weight REAL NOT NULL,
  violation INTEGER,              -- NULL: nobody decided
  PRIMARY KEY (route, policy, start, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE alarm (
  route TEXT NOT NULL,
  policy TEXT NOT NULL,
  PRIMARY KEY (route, policy)
) STRICT, WITHOUT ROWID;
)";

inline constexpr const char* kAuditMigrations[] = {kAuditSchema1};
inline constexpr Schema kAuditSchema{0x73666175, "audits of screens", kAuditMigrations};  // "sfau"

}  // namespace safeguard::storage
