#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/large_file.h"
#include "base/thread_pool.h"
#include "engine/model_synth.h"
#include "engine/synth/file_headers.h"
#include "engine/synth/shapes.h"
#include "engine/synth/tensor_plan.h"
#include "engine/synth/token_tables.h"

namespace safeguard::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kChunkBytes = 4 << 20;
constexpr std::size_t kChunksPerWave = 32;  // between two calls of `progress`
constexpr std::uint64_t kSpareBytes = 64 << 20;

// Consecutive rows of one source and where they go.
struct Chunk {
  const RowSource* source = nullptr;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
};

std::vector<Chunk> ChunksOf(const PlannedFile& file) {
  std::vector<Chunk> chunks;
  for (std::size_t t = 0; t < file.tensors.size(); ++t) {
    std::uint64_t offset = file.offsets[t];
    for (const RowSource& source : file.tensors[t].sources) {
      const std::uint64_t row_bytes = source.RowBytes();
      const std::uint64_t rows = std::max<std::uint64_t>(1, kChunkBytes / row_bytes);
      for (std::uint64_t begin = 0; begin < source.rows; begin += rows) {
        const std::uint64_t end = std::min(begin + rows, source.rows);
        chunks.push_back({&source, begin, end, offset});
        offset += (end - begin) * row_bytes;
      }
    }
  }
  return chunks;
}

class Writer {
 public:
  Writer(const SynthRequest& request, std::uint64_t total)
      : request_(request), total_(total), pool_(request.threads), buffers_(request.threads) {}

  // False: stopped.
  Result<bool> Write(const PlannedFile& planned) {
    Result<std::unique_ptr<LargeFile>> file = LargeFile::Create(planned.path, planned.bytes);
    if (!file) {
      return std::unexpected(std::move(file.error()));
    }
    const auto header = std::as_bytes(std::span(planned.header));
    if (Status written = (*file)->WriteAt(0, header); !written) {
      return std::unexpected(std::move(written.error()));
    }
    const std::vector<Chunk> chunks = ChunksOf(planned);
    for (std::size_t begin = 0; begin < chunks.size(); begin += kChunksPerWave) {
      const std::size_t count = std::min(kChunksPerWave, chunks.size() - begin);
      if (Status written = WriteWave(std::span(chunks).subspan(begin, count), **file); !written) {
        return std::unexpected(std::move(written.error()));
      }
      if (request_.progress && !request_.progress(done_, total_)) {
        return false;
      }
    }
    Status committed = (*file)->Commit();
    return committed ? Result<bool>(true) : std::unexpected(std::move(committed.error()));
  }

 private:
  Status WriteWave(std::span<const Chunk> chunks, LargeFile& file) {
    std::mutex mutex;
    Status status;
    pool_.ParallelFor(chunks.size(), [&](std::size_t i, std::size_t worker) {
      const Chunk& chunk = chunks[i];
      std::vector<std::byte>& buffer = buffers_[worker];
      buffer.resize(static_cast<std::size_t>((chunk.end - chunk.begin) * chunk.source->RowBytes()));
      chunk.source->Fill(chunk.begin, chunk.end, buffer);
      Status written = file.WriteAt(chunk.offset, buffer);
      const std::lock_guard lock(mutex);
      done_ += buffer.size();
      if (!written && status) {
        status = std::move(written);
      }
    });
    return status;
  }

  const SynthRequest& request_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  ThreadPool pool_;
  std::vector<std::vector<std::byte>> buffers_;
};

std::string ShardName(std::size_t i, std::size_t count) {
  const auto digits = [](std::size_t number) {
    const std::string text = std::to_string(number);
    return std::string(5 - std::min<std::size_t>(5, text.size()), '0') + text;
  };
  return "model-" + digits(i) + "-of-" + digits(count) + ".safetensors";
}

std::vector<std::vector<PlannedTensor>> CutIntoShards(std::vector<PlannedTensor> tensors,
                                                      std::uint64_t bytes_max) {
  std::vector<std::vector<PlannedTensor>> shards(1);
  std::uint64_t bytes = 0;
  for (PlannedTensor& tensor : tensors) {
    if (bytes + tensor.bytes() > bytes_max && !shards.back().empty()) {
      shards.emplace_back();
      bytes = 0;
    }
    bytes += tensor.bytes();
    shards.back().push_back(std::move(tensor));
  }
  return shards;
}

struct Plan {
  std::vector<PlannedFile> files;
  std::vector<std::pair<std::string, std::string>> texts;  // path and content, written last
};

Plan PlanHuggingFaceFolder(const GptOssConfig& config, const SynthRequest& request) {
  const fs::path folder(request.out);
  Plan plan;
  std::vector<std::vector<PlannedTensor>> shards =
      CutIntoShards(PlanHuggingFace(config, request.seed), request.shard_bytes_max);
  nlohmann::ordered_json index = {{"metadata", {{"total_size", 0}}},
                                  {"weight_map", nlohmann::ordered_json::object()}};
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string name =
        shards.size() == 1 ? "model.safetensors" : ShardName(i + 1, shards.size());
    for (const PlannedTensor& tensor : shards[i]) {
      index["weight_map"][tensor.name] = name;
      total += tensor.bytes();
    }
    plan.files.push_back(PlanSafetensorsFile((folder / name).string(), std::move(shards[i])));
  }
  if (plan.files.size() > 1) {
    index["metadata"]["total_size"] = total;
    plan.texts.emplace_back((folder / "model.safetensors.index.json").string(),
                            index.dump(2) + "\n");
  }
  plan.texts.emplace_back((folder / "generation_config.json").string(),
                          GenerationConfigText(config));
  plan.texts.emplace_back((folder / "config.json").string(), HuggingFaceConfigText(config));
  return plan;
}

Result<Plan> MakePlan(const GptOssConfig& config, const SynthRequest& request) {
  if (request.format == SynthFormat::kSafetensors) {
    return PlanHuggingFaceFolder(config, request);
  }
  Plan plan;
  if (request.format == SynthFormat::kOriginal) {
    const fs::path folder(request.out);
    plan.files.push_back(PlanSafetensorsFile((folder / "model.safetensors").string(),
                                             PlanOriginal(config, request.seed)));
    plan.texts.emplace_back((folder / "config.json").string(), OriginalConfigText(config));
    return plan;
  }
  const Result<TokenTables> tables = MakeTokenTables(request.rank_file, config.vocabulary);
  if (!tables) {
    return std::unexpected(tables.error());
  }
  plan.files.push_back(PlanGgufFile(request.out, config, *tables,
                                    "gpt-oss random " + std::to_string(request.seed),
                                    PlanGguf(config, request.seed, request.dense)));
  return plan;
}

// Everything that can be refused before a byte is written.
Status CheckRoom(const Plan& plan, const SynthRequest& request, std::uint64_t total) {
  const bool folder = request.format != SynthFormat::kGguf;
  fs::path target = folder ? fs::path(request.out) : fs::path(request.out).parent_path();
  target = target.empty() ? fs::path(".") : target;
  std::error_code error;
  fs::create_directories(target, error);
  if (error) {
    return Fail(ErrorCode::kUnavailable,
                "cannot create the folder " + target.string() + ": " + error.message(),
                "choose another place");
  }
  for (const PlannedFile& file : plan.files) {
    if (fs::is_directory(file.path, error)) {
      return Fail(ErrorCode::kInvalidInput, file.path + " is a folder", "name a file in it");
    }
    if (fs::exists(file.path, error) && !request.overwrite) {
      return Fail(ErrorCode::kInvalidInput, file.path + " already exists",
                  "choose another place, or say to overwrite it");
    }
  }
  const Result<std::uint64_t> free = FreeDiskBytes(target.string());
  if (!free) {
    return std::unexpected(free.error());
  }
  if (total + kSpareBytes > *free) {
    return Fail(ErrorCode::kUnavailable,
                "the model takes " + std::to_string(total >> 20) + " MiB, and " + target.string() +
                    " has room for " + std::to_string(*free >> 20) + " MiB",
                "free some disk space, or choose another place");
  }
  return {};
}

}  // namespace

Result<SynthResult> SynthesizeModel(const SynthRequest& request) {
  const Result<GptOssConfig> config = ReadShape(request.shape);
  if (!config) {
    return std::unexpected(config.error());
  }
  Result<Plan> plan = MakePlan(*config, request);
  if (!plan) {
    return std::unexpected(std::move(plan.error()));
  }
  SynthResult result;
  for (const PlannedFile& file : plan->files) {
    result.bytes += file.bytes;
    result.files.push_back(file.path);
  }
  if (Status room = CheckRoom(*plan, request, result.bytes); !room) {
    return std::unexpected(std::move(room.error()));
  }
  Writer writer(request, result.bytes);
  for (const PlannedFile& file : plan->files) {
    const Result<bool> written = writer.Write(file);
    if (!written) {
      return std::unexpected(written.error());
    }
    if (!*written) {
      result.stopped = true;
      return result;
    }
  }
  for (const auto& [path, text] : plan->texts) {
    if (Status written = WriteFileAtomically(path, text); !written) {
      return std::unexpected(std::move(written.error()));
    }
    result.files.push_back(path);
    result.bytes += text.size();
  }
  return result;
}

}  // namespace safeguard::engine
