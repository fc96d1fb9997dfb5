#include "apps/input/model_folders.h"

#include <cstdlib>
#include <filesystem>

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

}  // namespace safeguard::apps
