// The composition root: the only place where commands meet models.
#include "apps/services.h"

#include <utility>

#include "apps/input/model_folders.h"
#include "base/file.h"
#include "base/hash.h"
#include "engine/bpe.h"
#include "engine/encoder.h"
#include "judges/screen_judge.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kRankFileBytesMax = std::size_t{32} << 20;

class ProcessServices final : public Services {
 public:
  Result<std::unique_ptr<moderation::Judge>> OpenJudge(const std::string& model_flag,
                                                       std::size_t threads) override {
    Result<std::string> folder = FindModelPath(kScreenModel, ModelFolders(model_flag));
    if (!folder) {
      return std::unexpected(folder.error());
    }
    judges::ScreenOptions options;
    options.model_folder = std::move(*folder);
    options.threads = threads;
    return judges::OpenScreenJudge(options);
  }

  Result<moderation::TokenCounter> OpenTokenCounter(const std::string& model_flag) override {
    const Result<std::string> path = FindModelPath(kRankFile, ModelFolders(model_flag));
    if (!path) {
      return std::unexpected(path.error());
    }
    const Result<std::string> ranks = ReadFile(*path, kRankFileBytesMax);
    if (!ranks) {
      return std::unexpected(ranks.error());
    }
    Result<std::unique_ptr<engine::Bpe>> bpe = engine::Bpe::LoadRanks(*ranks);
    if (!bpe) {
      return std::unexpected(bpe.error());
    }
    return [shared = std::shared_ptr<const engine::Bpe>(std::move(*bpe))](std::string_view text) {
      return shared->CountTokens(text);
    };
  }

  Result<ModelFile> FindModel(const std::string& model_flag) override {
    const Result<std::string> folder = FindModelPath(kScreenModel, ModelFolders(model_flag));
    if (!folder) {
      return std::unexpected(folder.error());
    }
    const auto weights = MappedFile::Open(*folder + "/model.safetensors");
    if (!weights) {
      return std::unexpected(weights.error());
    }
    return ModelFile{*folder, Sha256Hex((*weights)->bytes())};
  }

  std::string KernelName() override { return engine::KernelName(); }

  std::span<const EmbeddedFile> shipped_policies() override { return EmbeddedPolicyFiles(); }
};

}  // namespace

std::unique_ptr<Services> RealServices() {
  return std::make_unique<ProcessServices>();
}

}  // namespace safeguard::apps
