#include "judges/open_models.h"

#include <filesystem>
#include <system_error>

namespace safeguard::judges {
namespace {

// Two names of one folder are one checkpoint.
std::string PlaceOf(const std::string& checkpoint) {
  std::error_code failed;  // opening it says what is wrong
  const std::filesystem::path place = std::filesystem::weakly_canonical(checkpoint, failed);
  return failed ? checkpoint : place.string();
}

}  // namespace

Result<OpenModels::Model> OpenModels::Get(const std::string& checkpoint, const std::string& how,
                                          const std::function<Result<Model>()>& open) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<engine::LanguageModel>& kept = models_[PlaceOf(checkpoint)][how];
  if (Model model = kept.lock()) {
    return model;
  }
  Result<Model> opened = open();
  if (opened) {
    kept = *opened;
  }
  return opened;
}

OpenModels::Model OpenModels::Find(const std::string& checkpoint) {
  const std::lock_guard lock(mutex_);
  const auto found = models_.find(PlaceOf(checkpoint));
  if (found == models_.end()) {
    return nullptr;
  }
  for (const auto& [how, kept] : found->second) {
    if (Model model = kept.lock()) {
      return model;
    }
  }
  return nullptr;
}

}  // namespace safeguard::judges
