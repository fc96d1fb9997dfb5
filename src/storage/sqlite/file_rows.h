// Rows of the table of files, for the two stores that write them.
#pragma once

#include <string>

#include "moderation/file_store.h"
#include "storage/sqlite/connection.h"

namespace safeguard::storage {

// Within a transaction that writes.
Result<moderation::FileInfo> InsertFile(Connection& connection, const moderation::NewFile& file,
                                        moderation::TimeMs now);

}  // namespace safeguard::storage
