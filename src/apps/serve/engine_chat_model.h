// The model that is talked to, on engine/: messages to a Harmony prompt, tokens to pieces.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/bpe.h"
#include "engine/generator.h"
#include "engine/language_model.h"
#include "engine/packed_file.h"
#include "http/chat_model.h"

namespace safeguard::apps {

// `generator` and `bpe` outlive the result; the generator's requests end before it does.
// `context_max`: positions of the model.
std::unique_ptr<http::ChatModel> MakeChatModel(engine::Generator& generator, const engine::Bpe& bpe,
                                               std::string name, std::size_t context_max);

// One that is stopped while those who wait for its answers are still there.
class OwnedChatModel : public http::ChatModel {
 public:
  // Ends what is asked, as cancelled, and returns when every `on_end` has been called. From then on
  // Ask() is refused. From no thread of the model.
  virtual void Stop() = 0;
};

// On a model that somebody else uses too. The model is called as its folder.
std::unique_ptr<OwnedChatModel> ShareChatModel(std::shared_ptr<engine::LanguageModel> model);

// Opens the checkpoint at `path`, and owns it; the model is called as its folder. `threads`: at
// least 1.
Result<std::unique_ptr<OwnedChatModel>> OpenChatModel(const std::string& path, std::size_t threads,
                                                      const engine::PackedFileOptions& packed_file);

}  // namespace safeguard::apps
