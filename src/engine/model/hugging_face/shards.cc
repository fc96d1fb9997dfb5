#include "engine/model/hugging_face/shards.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/file.h"
#include "engine/model/safetensors_header.h"

namespace safeguard::engine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kHint = "download the model again";
constexpr std::size_t kListed = 10;
constexpr std::size_t kFileNameMax = 255;

std::unexpected<Error> Corrupt(const std::string& path, const std::string& why) {
  return Fail(ErrorCode::kCorruptFile, path + ": " + why, kHint);
}

bool Exists(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is not there
  return fs::exists(path, ignored);
}

// A name in the same folder and nothing else.
bool IsPlainFileName(std::string_view name) {
  return !name.empty() && name.size() <= kFileNameMax && name.front() != '.' &&
         name.ends_with(".safetensors") && std::ranges::all_of(name, [](char c) {
           return c > ' ' && c != '/' && c != '\\' && c != 127;
         });
}

// "a, b and 3 more".
std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kListed; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kListed ? text + " and " + std::to_string(names.size() - kListed) + " more"
                                : text;
}

// The document, or an error: not JSON, or a tensor named twice (which the parser would hide).
Result<Json> ParseIndex(const std::string& path, std::string_view text) {
  std::set<std::string, std::less<>> names;
  std::string twice;
  bool in_map = false;
  const Json::parser_callback_t callback = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::key && depth == 1) {
      in_map = value == "weight_map";
    } else if (event == Json::parse_event_t::key && depth == 2 && in_map) {
      auto name = value.get<std::string>();
      if (!names.insert(name).second) {
        twice = std::move(name);
      }
    }
    return true;
  };
  Json document = Json::parse(text, callback, false);
  if (!document.is_object()) {
    return Corrupt(path, "not a JSON object");
  }
  if (!twice.empty()) {
    return Corrupt(path, "tensor " + QuoteName(twice) + " appears twice");
  }
  return document;
}

StoredType TypeOf(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return StoredType::kF32;
    case Dtype::kF16:
      return StoredType::kF16;
    case Dtype::kBF16:
      return StoredType::kBF16;
    case Dtype::kU8:
      return StoredType::kU8;
    default:
      return StoredType::kOther;
  }
}

Status Add(const std::string& path, ShardSet& set) {
  Result<std::unique_ptr<Safetensors>> file = Safetensors::Open(path);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  for (const TensorEntry& entry : (*file)->entries()) {
    set.tensors.push_back({entry.name, TypeOf(entry.dtype), ToString(entry.dtype), entry.shape,
                           (*file)->BytesOf(entry), set.files.size()});
  }
  set.files.push_back(std::move(*file));
  return {};
}

// The shards hold what the index says, no more and no less.
Status CheckAgainstIndex(const std::string& path, const ShardIndex& index, const ShardSet& set) {
  std::vector<std::string> wrong;
  std::set<std::string_view> there;
  for (const StoredTensor& tensor : set.tensors) {
    const auto found = index.shard.find(tensor.name);
    if (found == index.shard.end()) {
      wrong.push_back(QuoteName(tensor.name) + " of " + index.files[tensor.file] +
                      " is not in the index");
    } else if (found->second != tensor.file) {
      wrong.push_back(QuoteName(tensor.name) + " is in " + index.files[tensor.file] + ", not in " +
                      index.files[found->second]);
    }
    there.insert(tensor.name);
  }
  for (const auto& [name, shard] : index.shard) {
    if (!there.contains(name)) {
      wrong.push_back(QuoteName(name) + " is not in " + index.files[shard]);
    }
  }
  return wrong.empty() ? Status() : Corrupt(path, "the shards differ: tensor " + Listed(wrong));
}

Result<ShardSet> OpenIndexed(const fs::path& folder) {
  const std::string path = (folder / kShardIndex).string();
  const Result<std::string> text = ReadFile(path, kShardIndexBytesMax);
  if (!text) {
    return std::unexpected(text.error());
  }
  const Result<ShardIndex> index = ReadShardIndex(path, *text);
  if (!index) {
    return std::unexpected(index.error());
  }
  std::vector<std::string> missing;
  for (const std::string& file : index->files) {
    if (!Exists(folder / file)) {
      missing.push_back(file);
    }
  }
  if (!missing.empty()) {
    return Fail(ErrorCode::kNotFound,
                folder.string() + ": " + std::to_string(missing.size()) + " of " +
                    std::to_string(index->files.size()) + " shards are missing: " + Listed(missing),
                "finish the download");
  }
  ShardSet set;
  for (const std::string& file : index->files) {
    if (Status added = Add((folder / file).string(), set); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  if (Status checked = CheckAgainstIndex(path, *index, set); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  return set;
}

// model-00001-of-00003.safetensors and its like, sorted.
std::vector<std::string> NumberedShards(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("model-") && name.find("-of-") != std::string::npos &&
        IsPlainFileName(name) && names.size() < kShardsMax) {
      names.push_back(name);
    }
  }
  std::ranges::sort(names);
  return names;
}

// The N of "-of-N.safetensors"; 0 where it is no number.
std::size_t TotalOf(const std::string& name) {
  std::size_t total = 0;
  const std::size_t begin = name.find("-of-") + 4;
  for (std::size_t i = begin; i < name.size() && name[i] != '.'; ++i) {
    if (name[i] < '0' || name[i] > '9' || total > kShardsMax) {
      return 0;
    }
    total = total * 10 + static_cast<std::size_t>(name[i] - '0');
  }
  return total;
}

// Without an index a missing shard shows only in the "-of-N" of the others' names. OpenAI counts
// from 00000 to N, others from 00001 to N.
Result<ShardSet> OpenNumbered(const fs::path& folder, const std::vector<std::string>& names) {
  const std::size_t total =
      TotalOf(names.back()) + (names.front().starts_with("model-00000-of-") ? 1 : 0);
  if (names.size() != total) {
    return Fail(ErrorCode::kNotFound,
                folder.string() + ": there are " + std::to_string(names.size()) + " of " +
                    std::to_string(total) + " shards, and no " + kShardIndex,
                "finish the download");
  }
  ShardSet set;
  for (const std::string& name : names) {
    if (Status added = Add((folder / name).string(), set); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  return set;
}

}  // namespace

Result<ShardIndex> ReadShardIndex(const std::string& path, std::string_view json) {
  const Result<Json> document = ParseIndex(path, json);
  if (!document) {
    return std::unexpected(document.error());
  }
  const auto map = document->find("weight_map");
  if (map == document->end() || !map->is_object() || map->empty()) {
    return Corrupt(path, "'weight_map' is missing or empty");
  }
  std::set<std::string> files;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string() || !IsPlainFileName(file.get_ref<const std::string&>())) {
      const std::string name = file.is_string() ? file.get<std::string>() : "(no string)";
      return Corrupt(path, "tensor " + QuoteName(tensor) + " is in " + QuoteName(name) +
                               ", which is no plain .safetensors file name");
    }
    files.insert(file.get<std::string>());
    if (files.size() > kShardsMax) {
      return Corrupt(path, "more than " + std::to_string(kShardsMax) + " shards");
    }
  }
  ShardIndex index;
  index.files.assign(files.begin(), files.end());
  for (const auto& [tensor, file] : map->items()) {
    const auto at = std::ranges::lower_bound(index.files, file.get_ref<const std::string&>());
    index.shard[tensor] = static_cast<std::size_t>(at - index.files.begin());
  }
  return index;
}

bool HasShards(const std::string& folder) {
  return Exists(fs::path(folder) / kSingleFile) || Exists(fs::path(folder) / kShardIndex) ||
         !NumberedShards(folder).empty();
}

Result<ShardSet> OpenShards(const std::string& folder) {
  if (Exists(fs::path(folder) / kSingleFile)) {
    return OpenShard((fs::path(folder) / kSingleFile).string());
  }
  if (Exists(fs::path(folder) / kShardIndex)) {
    return OpenIndexed(folder);
  }
  const std::vector<std::string> names = NumberedShards(folder);
  if (names.empty()) {
    return Fail(ErrorCode::kNotFound,
                folder + ": there is no " + kSingleFile + " and no " + kShardIndex,
                "name a folder that holds a model in safetensors, or a .gguf file");
  }
  return OpenNumbered(folder, names);
}

Result<ShardSet> OpenShard(const std::string& path) {
  ShardSet set;
  if (Status added = Add(path, set); !added) {
    return std::unexpected(std::move(added.error()));
  }
  return set;
}

}  // namespace safeguard::engine
