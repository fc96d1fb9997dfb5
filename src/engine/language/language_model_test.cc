#include "engine/language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "engine/model/fingerprint.h"
#include "engine/model_synth.h"

namespace safeguard::engine {
namespace {

using ::testing::HasSubstr;

// The full vocabulary on a network of two narrow layers.
class SmallModel : public testing::Test {
 protected:
  void SetUp() override {
    const char* models = std::getenv("SAFEGUARD_MODELS");
    ranks_ = std::string(models != nullptr ? models : SAFEGUARD_SOURCE_DIR "/build/models") +
             "/o200k/o200k_base.tiktoken";
    if (!std::filesystem::exists(ranks_)) {
      GTEST_SKIP() << "NOT TESTED: no o200k ranks under $SAFEGUARD_MODELS or build/models";
    }
    folder_ = testing::TempDir() + "/language-" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) {
      std::filesystem::remove_all(folder_);
    }
  }

  std::string Synthesize(SynthFormat format, const std::string& name) {
    const Result<std::string> ranks = ReadFile(ranks_, std::size_t{64} << 20);
    EXPECT_TRUE(ranks.has_value());
    SynthRequest request;
    request.shape = "tiny";
    request.format = format;
    request.rank_file = *ranks;
    request.out = folder_ + "/" + name;
    const Result<SynthResult> written = SynthesizeModel(request);
    EXPECT_TRUE(written.has_value()) << (written ? "" : Describe(written.error()));
    return request.out;
  }
  [[nodiscard]] LanguageModelOptions Options() const {
    LanguageModelOptions options;
    options.rank_file = ranks_;
    return options;
  }

  std::string ranks_;
  std::string folder_;
};

TEST_F(SmallModel, AnswersFromAFolderAndFromAGguf) {
  for (const auto& [format, name] :
       {std::pair{SynthFormat::kSafetensors, "folder"}, std::pair{SynthFormat::kGguf, "m.gguf"}}) {
    const Result<std::unique_ptr<LanguageModel>> model =
        LanguageModel::Open(Synthesize(format, name), Options());
    ASSERT_TRUE(model.has_value()) << Describe(model.error());
    EXPECT_EQ((*model)->name(), name);
    EXPECT_EQ((*model)->fingerprint().size(), 64U);
    GenerationRequest request;
    request.prompt = (*model)->bpe().Encode("Is this spam?");
    request.tokens_max = 4;
    request.stop_tokens.clear();
    const GenerationResult result = (*model)->generator().Run(std::move(request));
    EXPECT_EQ(result.finish, FinishReason::kTokenLimit);
    EXPECT_EQ(result.tokens.size(), 4U);
  }
}

TEST_F(SmallModel, WithoutATokenizerItSaysWhatToDo) {
  LanguageModelOptions options = Options();
  options.rank_file.clear();
  const auto model = LanguageModel::Open(Synthesize(SynthFormat::kSafetensors, "bare"), options);
  ASSERT_FALSE(model.has_value());
  EXPECT_THAT(Describe(model.error()), HasSubstr("tokenizer.json"));
}

TEST_F(SmallModel, AnotherByteIsAnotherFingerprint) {
  const std::string path = folder_ + "/file";
  std::ofstream(path) << std::string(5000, 'a');
  const std::string paths[] = {path};
  const Result<std::string> first = Fingerprint(paths);
  std::ofstream(path) << std::string(4999, 'a') << 'b';
  const Result<std::string> second = Fingerprint(paths);
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  const std::string missing[] = {folder_ + "/nothing"};
  EXPECT_FALSE(Fingerprint(missing).has_value());
}

}  // namespace
}  // namespace safeguard::engine
