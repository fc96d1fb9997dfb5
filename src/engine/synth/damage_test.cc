// Damaged checkpoints of every format: cut at every byte and with every bit of the headers flipped,
// they open cleanly or end in one error that names the file. Nothing hangs or takes memory.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/file.h"
#include "engine/model/checkpoint.h"
#include "engine/synth/small_model.h"

namespace safeguard::engine {
namespace {

GptOssConfig SmallestConfig() {
  GptOssConfig config = SmallConfig();
  config.layers = 1;
  config.hidden = 32;
  config.intermediate = 32;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 16;
  config.experts = 4;
  config.vocabulary = 16;  // the last tensor ends aligned: a GGUF then has no padding behind it
  config.sliding = AlternatingLayers(1);
  return config;
}

// Opens; an error must say which file it means. True: opened.
bool OpensOrExplains(const std::string& path) {
  const auto opened = Checkpoint::Open(path);
  if (opened) {
    return true;
  }
  EXPECT_FALSE(opened.error().message.empty());
  EXPECT_NE(opened.error().message.find("safeguard_synth"), std::string::npos)
      << opened.error().message;
  EXPECT_LT(opened.error().message.size(), 20'000U);
  return false;
}

void CutEverywhere(const std::string& file, const std::string& path) {
  const std::string whole = *ReadFile(file, 1 << 20);
  for (std::size_t size = whole.size(); size-- > 0;) {
    std::filesystem::resize_file(file, size);
    EXPECT_FALSE(OpensOrExplains(path)) << size;
  }
  std::ofstream(file, std::ios::binary) << whole;
  EXPECT_TRUE(OpensOrExplains(path));
}

// Flips each bit of the first `bytes`.
void FlipEverywhere(const std::string& file, const std::string& path, std::size_t bytes) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  std::size_t errors = 0;
  for (std::size_t at = 0; at < bytes; ++at) {
    stream.seekg(static_cast<std::streamoff>(at));
    const char original = static_cast<char>(stream.get());
    for (int bit = 0; bit < 8; ++bit) {
      const auto put = [&](char c) {
        stream.seekp(static_cast<std::streamoff>(at));
        stream.put(c);
        stream.flush();
      };
      put(static_cast<char>(original ^ (1 << bit)));
      errors += OpensOrExplains(path) ? 0 : 1;
      put(original);
    }
  }
  EXPECT_TRUE(OpensOrExplains(path));
  EXPECT_GT(errors, bytes * 2);
}

class DamageTest : public testing::Test {
 protected:
  std::string Make(SynthFormat format, const std::string& name) {
    const SynthRequest request = folder_.Request(SmallestConfig(), format, name);
    const auto written = SynthesizeModel(request);
    EXPECT_TRUE(written) << Describe(written.error());
    return request.out;
  }

  SynthFolder folder_;
};

TEST_F(DamageTest, Gguf) {
  const std::string file = Make(SynthFormat::kGguf, "a.gguf");
  CutEverywhere(file, file);
  FlipEverywhere(file, file, 3000);
}

TEST_F(DamageTest, HuggingFace) {
  const std::string folder = Make(SynthFormat::kSafetensors, "hf");
  CutEverywhere(folder + "/model.safetensors", folder);
  FlipEverywhere(folder + "/model.safetensors", folder, 2000);
  FlipEverywhere(folder + "/config.json", folder, 1000);
}

TEST_F(DamageTest, Original) {
  const std::string folder = Make(SynthFormat::kOriginal, "original");
  CutEverywhere(folder + "/model.safetensors", folder);
  FlipEverywhere(folder + "/model.safetensors", folder, 2000);
}

}  // namespace
}  // namespace safeguard::engine
