// Rows of the table of files, for the two stores that write them.
#pragma once

#include <string>

#include "moderation/file_store.h"
#include "storage/sqlite/connection.h"

namespace safeguard::storage {

// A file whose bytes are written afterwards, as they are made. Within a transaction that writes, as
// the next.
struct EmptyFile {
  moderation::FileInfo info;
  Blob bytes;  // as many as were asked for
};
Result<EmptyFile> InsertEmptyFile(Connection& connection, const moderation::NewFile& file,
                                  std::size_t bytes, moderation::TimeMs now);
Result<moderation::FileInfo> InsertFile(Connection& connection, const moderation::NewFile& file,
                                        const moderation::ByteSource& bytes,
                                        moderation::TimeMs now);

}  // namespace safeguard::storage
