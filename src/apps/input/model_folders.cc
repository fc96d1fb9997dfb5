#include "apps/input/model_folders.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace safeguard::apps {

std::vector<std::string> ModelFolders(const std::string& model_flag) {
  if (!model_flag.empty()) {
    return {model_flag};
  }
  const char* variable = std::getenv("SAFEGUARD_MODELS");
  if (variable != nullptr && *variable != '\0') {
    return {variable};
  }
  std::error_code error;
  const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return {"models"};
  }
  const std::filesystem::path folder = executable.parent_path();
  return {(folder / "models").string(),
          (folder.parent_path() / "share" / "safeguard" / "models").string()};
}

Result<std::string> FindModelPath(std::string_view name, const std::vector<std::string>& folders) {
  std::string looked;
  for (const std::string& folder : folders) {
    const std::filesystem::path path(folder);
    std::error_code ignored;  // what cannot be looked at is not there
    if (std::filesystem::exists(path / name, ignored)) {
      return (path / name).string();
    }
    const bool is_itself = path.filename() == name || path.parent_path().filename() == name;
    if (is_itself && std::filesystem::is_directory(path, ignored)) {
      return path.string();
    }
    looked += (looked.empty() ? "" : " and ") + folder;
  }
  return Fail(ErrorCode::kNotFound, "the model " + std::string(name) + " is not in " + looked,
              "run ./demo.sh, which fetches it, or name its folder with --model");
}

Result<ScreenFolders> FindScreen(const std::string& model_flag, std::string_view screen) {
  Result<std::string> base = FindModelPath(kScreenModel, ModelFolders(model_flag));
  if (!base) {
    return std::unexpected(base.error());
  }
  ScreenFolders folders{std::move(*base), ""};
  if (screen == "embedding") {
    return folders;
  }
  std::filesystem::path path(folders.base);
  if (!path.has_filename()) {  // "models/minilm-l6-v2/"
    path = path.parent_path();
  }
  const std::filesystem::path trained = path.parent_path() / kTrainedScreen;
  std::error_code ignored;  // what cannot be looked at is not there
  if (std::filesystem::is_directory(trained, ignored)) {
    folders.trained = trained.string();
  } else if (screen == "trained") {
    return Fail(ErrorCode::kNotFound, "no trained screen stands beside " + folders.base,
                "run ./demo.sh, which installs it, or choose --screen embedding");
  }
  return folders;
}

}  // namespace safeguard::apps
