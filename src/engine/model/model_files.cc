#include "engine/model_files.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <utility>

#include "base/hash.h"
#include "base/large_file.h"
#include "base/thread_pool.h"
#include "engine/model/checkpoint.h"

namespace safeguard::engine {
namespace {

// Digests as the model's repository lists them, abridged where our source is.
constexpr PublishedFile kPublished[] = {
    {"openai/gpt-oss-20b", "model-00000-of-00002.safetensors", 4'792'272'488, "16d0f997", "2427"},
    {"openai/gpt-oss-20b", "model-00001-of-00002.safetensors", 4'798'702'184, "4fbe328a", "eaea"},
    {"openai/gpt-oss-20b", "model-00002-of-00002.safetensors", 4'170'342'232, "a18106b2", "b303"},
};

constexpr std::size_t kDigestDigits = 64;

std::vector<ModelSetting> SettingsOf(const GptOssConfig& config) {
  const auto number = [](std::size_t value) { return static_cast<double>(value); };
  return {
      {"layers", "layers", number(config.layers)},
      {"hidden", "hidden size", number(config.hidden)},
      {"intermediate", "expert inner size", number(config.intermediate)},
      {"heads", "attention heads", number(config.heads)},
      {"kv_heads", "key-value heads", number(config.kv_heads)},
      {"head_dim", "head dimension", number(config.head_dim)},
      {"experts", "experts", number(config.experts)},
      {"experts_per_token", "experts per token", number(config.experts_per_token)},
      {"vocabulary", "vocabulary", number(config.vocabulary)},
      {"context_max", "longest context", number(config.context_max)},
      {"sliding_window", "sliding window", number(config.sliding_window)},
      {"rope_theta", "rope theta", config.rope.theta},
      {"rope_factor", "rope factor (YaRN)", config.rope.factor},
      {"rope_original_context", "rope original context", config.rope.original_context},
      {"rope_beta_fast", "rope beta fast", config.rope.beta_fast},
      {"rope_beta_slow", "rope beta slow", config.rope.beta_slow},
      {"rms_epsilon", "norm epsilon", config.rms_epsilon},
      {"swiglu_limit", "SwiGLU limit", config.swiglu_limit},
      {"swiglu_alpha", "SwiGLU alpha", config.swiglu_alpha},
  };
}

// Numbers in the matrices and vectors that the network uses.
std::uint64_t ParametersOf(const GptOssConfig& c) {
  const std::uint64_t query = std::uint64_t{c.heads} * c.head_dim;
  const std::uint64_t key = std::uint64_t{c.kv_heads} * c.head_dim;
  const std::uint64_t qkv = query + 2 * key;
  const std::uint64_t attention =
      qkv * (c.hidden + 1) + query * c.hidden + c.hidden + c.heads + std::uint64_t{2} * c.hidden;
  const std::uint64_t expert = std::uint64_t{2} * c.intermediate * (c.hidden + 1) +
                               std::uint64_t{c.hidden} * (c.intermediate + 1);
  const std::uint64_t router = std::uint64_t{c.experts} * (c.hidden + 1);
  return c.layers * (attention + router + c.experts * expert) +
         std::uint64_t{2} * c.vocabulary * c.hidden + c.hidden;
}

std::string TokenizerText(const CheckpointTokenizer& tokenizer) {
  if (!tokenizer.tokenizer_json_path.empty()) {
    return tokenizer.tokenizer_json_path;
  }
  return tokenizer.tokens.empty()
             ? "none of its own: o200k_harmony is built in"
             : std::to_string(tokenizer.tokens.size()) + " tokens and " +
                   std::to_string(tokenizer.merges.size()) + " merges in the file";
}

bool IsDigest(std::string_view text) {
  return text.size() == kDigestDigits &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

}  // namespace

Result<ModelInfo> ReadModelInfo(const std::string& path) {
  const Result<std::unique_ptr<Checkpoint>> opened = Checkpoint::Open(path);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  const Checkpoint& checkpoint = **opened;
  ModelInfo info;
  info.format = ToString(checkpoint.format());
  info.settings = SettingsOf(checkpoint.config());
  info.sliding = checkpoint.config().sliding;
  info.parameters = ParametersOf(checkpoint.config());
  info.tokenizer = TokenizerText(checkpoint.tokenizer());
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    info.tensors.push_back(
        {tensor.name, tensor.type, tensor.shape, tensor.bytes, tensor.file, tensor.used});
  }
  for (const std::string& file : checkpoint.files()) {
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(file, error);
    if (error) {
      return Fail(ErrorCode::kUnavailable, file + ": " + error.message());
    }
    info.files.push_back({file, bytes});
  }
  return info;
}

Result<std::vector<std::string>> HashFiles(std::span<const std::string> paths, std::size_t threads,
                                           const std::function<bool(std::uint64_t)>& progress) {
  std::vector<std::string> digests(paths.size());
  std::mutex mutex;
  std::uint64_t done = 0;
  bool stopped = false;
  Status status;
  ThreadPool pool(std::max<std::size_t>(1, std::min(threads, paths.size())));
  pool.ParallelFor(paths.size(), [&](std::size_t i, std::size_t) {
    Sha256 hash;
    const Result<bool> read = ReadBlocks(paths[i], [&](std::span<const std::byte> block) {
      hash.Update(block);
      const std::lock_guard lock(mutex);
      done += block.size();
      stopped = stopped || (progress && !progress(done));
      return !stopped && status.has_value();
    });
    const std::lock_guard lock(mutex);
    if (!read && status) {
      status = std::unexpected(read.error());
    } else if (read && *read) {
      digests[i] = hash.Hex();
    }
  });
  if (!status) {
    return std::unexpected(std::move(status.error()));
  }
  return stopped ? std::vector<std::string>() : digests;
}

const PublishedFile* FindPublished(std::string_view name, std::uint64_t bytes) {
  for (const PublishedFile& file : kPublished) {
    if (file.name == name && file.bytes == bytes) {
      return &file;
    }
  }
  return nullptr;
}

Result<std::vector<ExpectedHash>> ReadHashList(std::string_view text) {
  std::vector<ExpectedHash> hashes;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.ends_with('\r')) {
      row.remove_suffix(1);
    }
    if (row.empty() || row.front() == '#') {
      continue;
    }
    const std::size_t space = row.find(' ');
    const std::size_t name =
        space == std::string_view::npos ? space : row.find_first_not_of(" *", space);
    if (name == std::string_view::npos || !IsDigest(row.substr(0, space))) {
      return Fail(ErrorCode::kInvalidInput,
                  "line " + std::to_string(line) + " is not a SHA-256 and a file name",
                  "write lines as sha256sum does: 64 hexadecimal digits, two spaces, the name");
    }
    std::string digest(row.substr(0, space));
    std::ranges::transform(digest, digest.begin(),
                           [](char c) { return c >= 'A' && c <= 'F' ? char(c - 'A' + 'a') : c; });
    const std::string_view file = row.substr(name);
    const std::size_t slash = file.rfind('/');
    hashes.push_back({std::string(slash == std::string_view::npos ? file : file.substr(slash + 1)),
                      std::move(digest)});
  }
  return hashes;
}

}  // namespace safeguard::engine
