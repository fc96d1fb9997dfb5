// The tables of files.db: files, and the batches that read and write them.
#pragma once

#include "storage/sqlite/connection.h"

namespace safeguard::storage {

inline constexpr const char* kFileSchema1 = R"(
CREATE TABLE file (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  purpose TEXT NOT NULL,
  name TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created INTEGER NOT NULL        -- milliseconds since 1970 UTC
) STRICT;
CREATE INDEX file_of_owner ON file (owner, number);
-- Apart from what is listed, so that a list reads no contents.
CREATE TABLE file_bytes (
  number INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;
CREATE TABLE batch (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  input_file TEXT NOT NULL,
  metadata TEXT NOT NULL,
  expires INTEGER NOT NULL,
  state TEXT NOT NULL,
  open INTEGER NOT NULL,          -- 1 until it is over
  created INTEGER NOT NULL,
  begun INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  ended INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  done INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  errors TEXT NOT NULL DEFAULT '',
  output_file TEXT NOT NULL DEFAULT '',
  error_file TEXT NOT NULL DEFAULT '',
  lease INTEGER NOT NULL DEFAULT 0,
  held_until INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX batch_open ON batch (number) WHERE open = 1;
CREATE INDEX batch_of_owner ON batch (owner, number);
CREATE TABLE batch_line (
  batch INTEGER NOT NULL,
  number INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  output TEXT NOT NULL,
  PRIMARY KEY (batch, number)
) STRICT, WITHOUT ROWID;
)";

// How the bytes are to be read.
inline constexpr const char* kFileSchema2 =
    "ALTER TABLE file ADD COLUMN notes TEXT NOT NULL DEFAULT '';";

inline constexpr const char* kFileMigrations[] = {kFileSchema1, kFileSchema2};
inline constexpr Schema kFileSchema{0x73666669, "files", kFileMigrations};  // "sffi"

}  // namespace safeguard::storage
