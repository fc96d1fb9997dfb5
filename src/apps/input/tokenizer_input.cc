#include "apps/input/tokenizer_input.h"

#include <filesystem>
#include <utility>

#include "apps/input/model_folders.h"
#include "base/file.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kTokenizerBytesMax = std::size_t{64} << 20;

}  // namespace

Result<std::unique_ptr<engine::Bpe>> OpenTokenizer(const std::string& path,
                                                   const std::string& model_flag) {
  std::string file = path;
  std::error_code ignored;  // what cannot be looked at is reported when it is read
  if (path.empty()) {
    Result<std::string> ranks = FindModelPath(kRankFile, ModelFolders(model_flag));
    if (!ranks) {
      return std::unexpected(std::move(ranks.error()));
    }
    file = std::move(*ranks);
  } else if (std::filesystem::is_directory(path, ignored)) {
    file = (std::filesystem::path(path) / "tokenizer.json").string();
  }
  const Result<std::string> bytes = ReadFile(file, kTokenizerBytesMax);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  return path.empty() ? engine::Bpe::LoadRanks(*bytes) : engine::Bpe::LoadJson(*bytes);
}

}  // namespace safeguard::apps
