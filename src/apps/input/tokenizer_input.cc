#include "apps/input/tokenizer_input.h"

#include <utility>

#include "apps/input/model_folders.h"
#include "engine/language_model.h"

namespace safeguard::apps {

Result<std::unique_ptr<engine::Bpe>> OpenTokenizer(const std::string& path,
                                                   const std::string& model_flag) {
  Result<std::string> ranks = FindModelPath(kRankFile, ModelFolders(model_flag));
  if (!path.empty()) {
    return engine::LoadTokenizer(path, ranks.value_or(""));
  }
  return ranks ? engine::LoadTokenizer(*ranks, "") : std::unexpected(std::move(ranks.error()));
}

}  // namespace safeguard::apps
