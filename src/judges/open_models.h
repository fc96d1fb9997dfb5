// OpenModels: the language models that somebody in this process has open, so that whoever asks for
// the same again shares it and its weights are in memory once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "engine/language_model.h"

namespace safeguard::judges {

// Keeps none alive: a model goes with the last who has it. Thread-safe.
class OpenModels {
 public:
  using Model = std::shared_ptr<engine::LanguageModel>;

  // The model of `checkpoint` that was opened as `how` says, or what `open` gives where nobody has
  // one. While one is opened others wait, so that two that ask for the same share it.
  Result<Model> Get(const std::string& checkpoint, const std::string& how,
                    const std::function<Result<Model>()>& open);

  // One of `checkpoint`, however it was opened; null where nobody has any.
  Model Find(const std::string& checkpoint);

 private:
  std::mutex mutex_;
  // By the checkpoint's place on the disk, then by how it was opened.
  std::map<std::string, std::map<std::string, std::weak_ptr<engine::LanguageModel>>> models_;
};

}  // namespace safeguard::judges
