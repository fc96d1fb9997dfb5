// The small file beside a part: which of its chunks are on disk, and of what they are chunks.
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace safeguard::apps::pull {

struct PartState {
  std::string path;      // in the repository
  std::string identity;  // RemoteFile::Identity()
  std::uint64_t size = 0;
  std::uint64_t chunk_bytes = 0;
  std::vector<bool> done;  // one for each chunk; the last chunk may be short

  bool operator==(const PartState&) const = default;
};

std::uint64_t ChunkCount(std::uint64_t size, std::uint64_t chunk_bytes);

// One JSON object.
std::string FormatPartState(const PartState& state);

// Nothing when it is not a whole state.
std::optional<PartState> ParsePartState(std::string_view text);

}  // namespace safeguard::apps::pull
