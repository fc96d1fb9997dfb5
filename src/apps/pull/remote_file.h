// A file as a repository lists it.
#pragma once

#include <cstdint>
#include <string>

#include "apps/pull/checksum.h"

namespace safeguard::apps::pull {

struct RemoteFile {
  std::string path;  // relative, separated by '/'; checked by CheckRemotePath
  std::uint64_t size = 0;
  Checksum checksum;
  std::string etag;  // of a file that has no checksum; strong, with its quotes

  // What its bytes are known by; empty when by nothing, and then a cut pull cannot go on.
  [[nodiscard]] std::string Identity() const {
    return checksum.kind != ChecksumKind::kNone ? checksum.Text()
           : etag.empty()                       ? ""
                                                : "etag:" + etag;
  }
};

}  // namespace safeguard::apps::pull
