// The two checksums that repositories publish: SHA-256 of large files, git's blob id of the others.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::apps::pull {

enum class ChecksumKind {
  kNone,     // nothing was published
  kSha256,   // 64 hexadecimal digits
  kGitSha1,  // 40: SHA-1 of "blob SIZE\0" and the bytes
};

struct Checksum {
  ChecksumKind kind = ChecksumKind::kNone;
  std::string hex;  // lower case

  // "sha256:…", "git-sha1:…" or "".
  [[nodiscard]] std::string Text() const;
  bool operator==(const Checksum&) const = default;
};

// A checksum of the given kind, when `hex` has its length and is lower-case hexadecimal.
Result<Checksum> ParseChecksum(ChecksumKind kind, std::string_view hex);

// The checksum of that kind of the file at `path`. `hashed` counts the bytes read; `stop` ends it
// with kUnavailable. Thread-safe. REQUIRES: kind is not kNone.
Result<Checksum> ChecksumOfFile(const std::string& path, ChecksumKind kind,
                                std::atomic<std::uint64_t>& hashed, const std::atomic<bool>& stop);

}  // namespace safeguard::apps::pull
