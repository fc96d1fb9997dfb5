#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "base/cache_folder.h"
#include "base/file.h"
#include "base/hash.h"
#include "judges/screen/cross_screen.h"
#include "judges/screen/embedding_screen.h"
#include "judges/screen/screen_judge.h"
#include "judges/screen/tuned_config.h"
#include "judges/screen_judge.h"

namespace safeguard::judges {
namespace {

constexpr std::size_t kHashDigits = 64;

// Hashing the weights takes longer than a verdict, so the hash is remembered for as long as the
// file's name, size, inode and time of change stay the same (as git's index does).
std::string WeightsHash(const std::function<std::string()>& compute, const std::string& folder,
                        const std::string& cache_folder) {
  std::string identity;
  std::error_code ignored;  // without the folder the loop is empty, and loading it has said so
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    struct stat status{};
    const std::string path = entry.path().string();
    if (path.ends_with(".safetensors") && ::stat(path.c_str(), &status) == 0) {
      identity += std::filesystem::absolute(path, ignored).string() + "|" +
                  std::to_string(status.st_size) + "|" + std::to_string(status.st_ino) + "|" +
                  std::to_string(status.st_mtim.tv_sec) + "." +
                  std::to_string(status.st_mtim.tv_nsec) + "\n";
    }
  }
  if (cache_folder.empty()) {
    return compute();
  }
  const std::string path = cache_folder + "/hashes/" + Blake2bHex(identity);
  const Result<std::string> known = ReadFile(path, kHashDigits);
  if (known && known->size() == kHashDigits) {
    return *known;
  }
  const std::string hash = compute();
  std::filesystem::create_directories(cache_folder + "/hashes", ignored);
  static_cast<void>(
      WriteFileAtomically(path, hash));  // best effort: next time it is computed again
  return hash;
}

std::string NameOf(const std::string& folder) {
  std::string name = std::filesystem::path(folder).lexically_normal().filename().string();
  return name.empty() ? "encoder" : name;
}

Result<std::unique_ptr<Screen>> OpenEmbeddingScreen(const ScreenOptions& options,
                                                    const std::string& cache_folder) {
  Result<std::unique_ptr<TextEmbedder>> embedder =
      TextEmbedder::Open(options.model_folder, options.threads);
  if (!embedder) {
    return std::unexpected(embedder.error());
  }
  const engine::Encoder& encoder = (*embedder)->encoder();
  std::string hash =
      WeightsHash([&] { return encoder.weights_sha256(); }, options.model_folder, cache_folder);
  EmbeddingCache cache(cache_folder, hash + "/" + encoder.arithmetic());
  return std::make_unique<EmbeddingScreen>(std::move(*embedder), std::move(cache),
                                           NameOf(options.model_folder), std::move(hash));
}

Status CheckBase(const ScreenOptions& options, const std::string& base, const std::string& wanted) {
  if (base == wanted) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              options.trained_folder + " was trained on another model than " +
                  options.model_folder + " (SHA-256 of its weights " + base + ", wanted " + wanted +
                  ")",
              "install the model and the trained screen that belong together, or choose "
              "--screen embedding");
}

Result<std::unique_ptr<Screen>> OpenTunedScreen(const ScreenOptions& options,
                                                const TunedConfig& config,
                                                const std::string& cache_folder) {
  Result<std::unique_ptr<TextEmbedder>> embedder =
      TextEmbedder::Open(options.model_folder, options.threads, options.trained_folder);
  if (!embedder) {
    return std::unexpected(embedder.error());
  }
  const engine::Encoder& encoder = (*embedder)->encoder();
  const std::string base =
      WeightsHash([&] { return encoder.base_sha256(); }, options.model_folder, cache_folder);
  if (Status status = CheckBase(options, base, config.base_sha256); !status) {
    return std::unexpected(status.error());
  }
  std::string hash =
      WeightsHash([&] { return encoder.weights_sha256(); }, options.trained_folder, cache_folder);
  EmbeddingCache cache(cache_folder, hash + "/" + encoder.arithmetic());
  return std::make_unique<EmbeddingScreen>(std::move(*embedder), std::move(cache),
                                           "tuned-" + config.base, std::move(hash), config.scoring);
}

Result<std::unique_ptr<Screen>> OpenCrossScreen(const ScreenOptions& options,
                                                const std::string& cache_folder) {
  Result<std::unique_ptr<PairReader>> reader =
      PairReader::Open(options.model_folder, options.trained_folder, options.threads);
  if (!reader) {
    return std::unexpected(reader.error());
  }
  const engine::PairEncoder& encoder = (*reader)->encoder();
  const std::string base =
      WeightsHash([&] { return encoder.base_sha256(); }, options.model_folder, cache_folder);
  if (Status status = CheckBase(options, base, encoder.config().base_sha256); !status) {
    return std::unexpected(status.error());
  }
  std::string hash =
      WeightsHash([&] { return encoder.weights_sha256(); }, options.trained_folder, cache_folder);
  return std::make_unique<CrossScreen>(std::move(*reader), cache_folder,
                                       "trained-" + encoder.config().base, std::move(hash));
}

Result<std::unique_ptr<Screen>> OpenTrainedScreen(const ScreenOptions& options,
                                                  const std::string& cache_folder) {
  const Result<TunedConfig> config = ReadTunedConfig(options.trained_folder + "/config.json");
  if (!config) {
    return std::unexpected(config.error());
  }
  return config->tuned_encoder ? OpenTunedScreen(options, *config, cache_folder)
                               : OpenCrossScreen(options, cache_folder);
}

}  // namespace

Result<std::unique_ptr<moderation::Judge>> OpenScreenJudge(const ScreenOptions& options) {
  const std::string cache_folder = DefaultCacheFolder();
  Result<std::unique_ptr<Screen>> screen = options.trained_folder.empty()
                                               ? OpenEmbeddingScreen(options, cache_folder)
                                               : OpenTrainedScreen(options, cache_folder);
  if (!screen) {
    return std::unexpected(screen.error());
  }
  return std::make_unique<ScreenJudge>(std::move(*screen), options.content_bytes_max);
}

}  // namespace safeguard::judges
