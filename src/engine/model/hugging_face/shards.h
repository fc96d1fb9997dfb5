// The safetensors files of one model: a single file, or shards under an index
// ("weight_map": tensor -> file).
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model/safetensors.h"
#include "engine/model/stored_tensor.h"

namespace safeguard::engine {

inline constexpr std::size_t kShardIndexBytesMax = 64 << 20;
inline constexpr std::size_t kShardsMax = 1000;
inline constexpr const char* kSingleFile = "model.safetensors";
inline constexpr const char* kShardIndex = "model.safetensors.index.json";

struct ShardIndex {
  std::vector<std::string> files;                         // plain names, sorted, each once
  std::map<std::string, std::size_t, std::less<>> shard;  // of each tensor, into `files`
};

// `path` is only for messages. A file name that could leave the folder is kCorruptFile.
Result<ShardIndex> ReadShardIndex(const std::string& path, std::string_view json);

struct ShardSet {
  std::vector<std::unique_ptr<Safetensors>> files;
  std::vector<StoredTensor> tensors;  // StoredTensor::file indexes `files`
};

// Whether the folder holds what OpenShards opens.
bool HasShards(const std::string& folder);

// model.safetensors, else the shards of the index, else model-*-of-*.safetensors without one. Each
// tensor must lie in the shard that the index names, and the index must name each; shards that are
// missing are listed.
Result<ShardSet> OpenShards(const std::string& folder);
// One file alone.
Result<ShardSet> OpenShard(const std::string& path);

}  // namespace safeguard::engine
