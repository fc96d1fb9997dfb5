#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include "base/cache_folder.h"
#include "base/file.h"
#include "base/hash.h"
#include "judges/screen/embedding_screen.h"
#include "judges/screen/screen_judge.h"
#include "judges/screen_judge.h"

namespace safeguard::judges {
namespace {

constexpr std::size_t kHashDigits = 64;

// Hashing the weights takes longer than a verdict, so the hash is remembered for as long as the
// file's name, size, inode and time of change stay the same (as git's index does).
std::string WeightsHash(const engine::Encoder& encoder, const std::string& folder,
                        const std::string& cache_folder) {
  std::string identity;
  std::error_code ignored;  // without the folder the loop is empty, and Encoder::Load has said so
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
    return encoder.weights_sha256();
  }
  const std::string path = cache_folder + "/hashes/" + Blake2bHex(identity);
  const Result<std::string> known = ReadFile(path, kHashDigits);
  if (known && known->size() == kHashDigits) {
    return *known;
  }
  const std::string& hash = encoder.weights_sha256();
  std::filesystem::create_directories(cache_folder + "/hashes", ignored);
  static_cast<void>(
      WriteFileAtomically(path, hash));  // best effort: next time it is computed again
  return hash;
}

}  // namespace

Result<std::unique_ptr<moderation::Judge>> OpenScreenJudge(const ScreenOptions& options) {
  Result<std::unique_ptr<TextEmbedder>> embedder =
      TextEmbedder::Open(options.model_folder, options.threads);
  if (!embedder) {
    return std::unexpected(embedder.error());
  }
  const std::string cache_folder = DefaultCacheFolder();
  std::string hash = WeightsHash((*embedder)->encoder(), options.model_folder, cache_folder);
  const std::string name =
      std::filesystem::path(options.model_folder).lexically_normal().filename().string();
  const std::string numbers = hash + "/" + (*embedder)->encoder().arithmetic();
  auto screen =
      std::make_unique<EmbeddingScreen>(std::move(*embedder), EmbeddingCache(cache_folder, numbers),
                                        name.empty() ? "encoder" : name, hash);
  return std::make_unique<ScreenJudge>(std::move(screen), options.content_bytes_max);
}

}  // namespace safeguard::judges
