#include "engine/model/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "engine/model/config_file.h"
#include "engine/model/gguf/gguf_config.h"
#include "engine/model/gguf/gguf_file.h"
#include "engine/model/gguf/gguf_weights.h"
#include "engine/model/hugging_face/config_json.h"
#include "engine/model/hugging_face/folder_weights.h"
#include "engine/model/hugging_face/shards.h"
#include "engine/model/tensor_finder.h"

namespace safeguard::engine {
namespace {

namespace fs = std::filesystem;
using Opened = Result<std::unique_ptr<Checkpoint>>;

class MappedCheckpoint final : public Checkpoint {
 public:
  explicit MappedCheckpoint(CheckpointFormat format) : format_(format) {}

  [[nodiscard]] CheckpointFormat format() const override { return format_; }
  [[nodiscard]] const GptOssConfig& config() const override { return config_; }
  [[nodiscard]] const GptOssWeights& weights() const override { return weights_; }
  [[nodiscard]] const CheckpointTokenizer& tokenizer() const override { return tokenizer_; }
  [[nodiscard]] std::span<const CheckpointTensor> tensors() const override { return tensors_; }
  [[nodiscard]] std::span<const std::string> files() const override { return files_; }

  Status ReadFolder(const std::string& where, const FolderConfig& config, ShardSet shards);
  Status ReadGguf(std::unique_ptr<GgufFile> file);
  void SetTokenizerPath(const fs::path& path);

 private:
  void DescribeTensors(std::span<const StoredTensor> tensors, const TensorFinder& finder);

  CheckpointFormat format_;
  GptOssConfig config_;
  GptOssWeights weights_;
  CheckpointTokenizer tokenizer_;
  std::vector<CheckpointTensor> tensors_;
  std::vector<std::string> files_;
  ShardSet shards_;
  OwnedBytes owned_;
  std::unique_ptr<GgufFile> gguf_;
};

void MappedCheckpoint::DescribeTensors(std::span<const StoredTensor> tensors,
                                       const TensorFinder& finder) {
  for (const StoredTensor& tensor : tensors) {
    tensors_.push_back({tensor.name, tensor.type_name, tensor.shape, tensor.bytes.size(),
                        fs::path(files_[tensor.file]).filename().string(), true});
  }
  for (const std::size_t i : finder.Unused()) {
    tensors_[i].used = false;
  }
}

Status MappedCheckpoint::ReadFolder(const std::string& where, const FolderConfig& config,
                                    ShardSet shards) {
  shards_ = std::move(shards);
  config_ = config.model;
  for (const auto& file : shards_.files) {
    files_.push_back(file->path());
  }
  TensorFinder finder(shards_.tensors);
  weights_ = format_ == CheckpointFormat::kOriginal ? OriginalWeights(config, finder)
                                                    : HuggingFaceWeights(config, finder, owned_);
  DescribeTensors(shards_.tensors, finder);
  return finder.Finish(where);
}

Status MappedCheckpoint::ReadGguf(std::unique_ptr<GgufFile> file) {
  gguf_ = std::move(file);
  Result<GptOssConfig> config = ReadGgufConfig(*gguf_);
  if (!config) {
    return std::unexpected(std::move(config.error()));
  }
  config_ = std::move(*config);
  files_.push_back(gguf_->path());
  TensorFinder finder(gguf_->tensors());
  weights_ = GgufWeights(config_, finder);
  DescribeTensors(gguf_->tensors(), finder);
  if (Status checked = finder.Finish(gguf_->path()); !checked) {
    return checked;
  }
  Result<CheckpointTokenizer> tokenizer = ReadGgufTokenizer(*gguf_, config_.vocabulary);
  if (!tokenizer) {
    return std::unexpected(std::move(tokenizer.error()));
  }
  tokenizer_ = std::move(*tokenizer);
  return {};
}

bool Exists(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is not there
  return fs::exists(path, ignored);
}

bool IsFolder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

void MappedCheckpoint::SetTokenizerPath(const fs::path& path) {
  if (Exists(path)) {
    tokenizer_.tokenizer_json_path = path.string();
  }
}

Opened OpenGguf(const std::string& path) {
  Result<std::unique_ptr<GgufFile>> file = GgufFile::Open(path);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  auto checkpoint = std::make_unique<MappedCheckpoint>(CheckpointFormat::kGguf);
  if (Status read = checkpoint->ReadGguf(std::move(*file)); !read) {
    return std::unexpected(std::move(read.error()));
  }
  return checkpoint;
}

// `weights` is a folder of shards, or one file.
Opened OpenSafetensors(const fs::path& config_path, const fs::path& weights) {
  const Result<ConfigFile> file = ConfigFile::Open(config_path.string());
  if (!file) {
    return std::unexpected(file.error());
  }
  const bool original = IsOriginalConfig(*file);
  Result<FolderConfig> config = original ? ReadOriginalConfig(*file) : ReadHuggingFaceConfig(*file);
  if (!config) {
    return std::unexpected(std::move(config.error()));
  }
  Result<ShardSet> shards =
      IsFolder(weights) ? OpenShards(weights.string()) : OpenShard(weights.string());
  if (!shards) {
    return std::unexpected(std::move(shards.error()));
  }
  auto checkpoint = std::make_unique<MappedCheckpoint>(original ? CheckpointFormat::kOriginal
                                                                : CheckpointFormat::kHuggingFace);
  const Status read = checkpoint->ReadFolder(weights.string(), *config, std::move(*shards));
  if (!read) {
    return std::unexpected(read.error());
  }
  const fs::path folder = config_path.parent_path();
  checkpoint->SetTokenizerPath(folder.parent_path() / "tokenizer.json");
  checkpoint->SetTokenizerPath(folder / "tokenizer.json");
  return checkpoint;
}

std::vector<std::string> GgufFilesIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".gguf") {
      names.push_back(entry->path().filename().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

Opened OpenFolder(const fs::path& folder) {
  if (Exists(folder / "config.json") && HasShards(folder.string())) {
    return OpenSafetensors(folder / "config.json", folder);
  }
  const fs::path original = folder / "original";
  if (Exists(original / "config.json") && HasShards(original.string())) {
    return OpenSafetensors(original / "config.json", original);
  }
  const std::vector<std::string> files = GgufFilesIn(folder);
  if (files.size() == 1) {
    return OpenGguf((folder / files[0]).string());
  }
  if (files.size() > 1) {
    return Fail(ErrorCode::kInvalidInput,
                folder.string() + " holds " + std::to_string(files.size()) + " .gguf files",
                "name one of them, such as " + (folder / files[0]).string());
  }
  const bool config = Exists(folder / "config.json");
  return Fail(ErrorCode::kNotFound,
              folder.string() + " holds no model: " +
                  (config ? "there is a config.json, but no .safetensors beside it"
                          : "there is no config.json and no .gguf file"),
              "finish the download, or name the folder or file of a gpt-oss model");
}

}  // namespace

const char* ToString(CheckpointFormat format) {
  switch (format) {
    case CheckpointFormat::kHuggingFace:
      return "Hugging Face";
    case CheckpointFormat::kOriginal:
      return "original";
    case CheckpointFormat::kGguf:
      return "GGUF";
  }
  return "unknown";
}

Result<std::unique_ptr<Checkpoint>> Checkpoint::Open(const std::string& path) {
  const fs::path file(path);
  if (IsFolder(file)) {
    return OpenFolder(file);
  }
  if (!Exists(file)) {
    return Fail(ErrorCode::kNotFound, path + " does not exist", "check the path");
  }
  const std::string name = file.filename().string();
  if (name.ends_with(".safetensors")) {
    const bool shard = name == kSingleFile || name.find("-of-") != std::string::npos;
    const fs::path folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
    return OpenSafetensors(folder / "config.json", shard ? folder : file);
  }
  if (name == kShardIndex || name == "config.json") {
    return OpenFolder(file.parent_path().empty() ? fs::path(".") : file.parent_path());
  }
  return OpenGguf(path);
}

}  // namespace safeguard::engine
