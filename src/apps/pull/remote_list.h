// Reading what a repository lists: hostile input. A list with a path that leads out of the folder,
// a size beyond all models or thousands of files is refused as a whole. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/pull/remote_file.h"
#include "base/result.h"

namespace safeguard::apps::pull {

inline constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 40;
inline constexpr std::size_t kListedFilesMax = 5000;
inline constexpr std::size_t kListBytesMax = std::size_t{8} << 20;  // a page

// One page of GET /api/models/REPO/tree/REVISION?recursive=true, appended to `files`:
//   [{"type": "file", "path": …, "size": …, "oid": SHA1, "lfs": {"oid": SHA256, "size": …}}, …]
// Entries of other types are left out. kCorruptFile: not such a list; kLimit: over a limit above.
Status AppendListPage(std::string_view json, std::vector<RemoteFile>& files);

// The commit in GET /api/models/REPO/revision/REVISION ("sha"); empty when there is none.
std::string CommitOf(std::string_view json);

// kCorruptFile unless `path` is a relative path of plain names: valid UTF-8, no control
// characters, no backslash, no "." or "..", no name that a pull keeps for itself.
Status CheckRemotePath(std::string_view path);

// 40 lower-case hexadecimal digits.
bool IsCommit(std::string_view text);

}  // namespace safeguard::apps::pull
