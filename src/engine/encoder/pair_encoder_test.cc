// Models of pairs on small random weights: every kernel table against the reference, batching,
// threads, what depends on what, damaged files.
#include "engine/encoder/pair_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/encoder/bert_weights.h"
#include "engine/encoder/kernels/emulated/emulated.h"
#include "engine/encoder/tiny_model.h"
#include "engine/model/safetensors.h"

namespace safeguard::engine {
namespace {

using testing::HasSubstr;
using Ids = std::vector<std::int32_t>;

struct Texts {
  std::vector<Ids> contents;
  std::vector<Ids> policies;
};

// Contents of 1 to 30 tokens and policies of 1 to 24.
Texts MixedTexts() {
  std::mt19937 random(3);
  const auto ids = [&](std::size_t count) {
    Ids text(count);
    for (std::int32_t& id : text) {
      id = static_cast<std::int32_t>(random() % 50);
    }
    return text;
  };
  Texts texts;
  for (std::size_t i = 0; i < 11; ++i) {
    texts.contents.push_back(ids(i * 17 % 30 + 1));
  }
  for (const std::size_t count : {24, 1, 13}) {
    texts.policies.push_back(ids(count));
  }
  return texts;
}

struct Scores {
  std::vector<float> logits;
  std::vector<float> states;
  friend bool operator==(const Scores&, const Scores&) = default;
};

Scores Score(const PairEncoder& encoder, const Texts& texts, std::size_t threads) {
  ThreadPool pool(threads);
  std::vector<std::shared_ptr<const PolicyBlock>> blocks;
  std::vector<const PolicyBlock*> policies;
  for (const Ids& policy : texts.policies) {
    blocks.push_back(encoder.EncodePolicy(policy, pool));
    policies.push_back(blocks.back().get());
  }
  const std::vector<TokenIds> contents(texts.contents.begin(), texts.contents.end());
  Scores scores;
  scores.logits.resize(contents.size() * policies.size(), 777.0F);
  scores.states.resize(scores.logits.size() * encoder.base_config().hidden, 777.0F);
  encoder.Score(contents, policies, scores.logits, scores.states, pool);
  return scores;
}

std::vector<const KernelTable*> RunnableTables() {
  std::vector<const KernelTable*> tables;
  for (std::size_t i = 0; i < AllKernels().count; ++i) {
    if (AllKernels().tables[i]->supported()) {
      tables.push_back(AllKernels().tables[i]);
    }
  }
  const auto emulated = EmulatedKernels();
  tables.insert(tables.end(), emulated.begin(), emulated.end());
  return tables;
}

class PairEncoderTest : public testing::Test {
 protected:
  void SetUp() override { Write({}, {}); }
  void Write(const TinyModel& model, const TinyPair& pair) {
    WriteTinyModel(model, base_.path());
    WriteTinyPair(model, pair, trained_.path());
  }
  std::unique_ptr<PairEncoder> Load(const KernelTable& kernels = kReferenceKernels) {
    auto encoder = LoadPairEncoder(base_.path(), trained_.path(), kernels);
    EXPECT_TRUE(encoder) << encoder.error().message;
    return std::move(encoder.value());
  }
  // Empty when it loads.
  std::string LoadError() {
    const auto encoder = PairEncoder::Load(base_.path(), trained_.path());
    return encoder ? "" : encoder.error().message;
  }

  TemporaryFolder base_;
  TemporaryFolder trained_;
};

TEST_F(PairEncoderTest, EveryTableAgreesWithTheReference) {
  const Texts texts = MixedTexts();
  for (const auto& [model, pair] :
       {std::pair(TinyModel{.layers = 3}, TinyPair{.split = 1}),
        std::pair(TinyModel{.layers = 1, .hidden = 32, .heads = 1, .intermediate = 32},
                  TinyPair{.split = 0}),
        std::pair(TinyModel{.layers = 2, .hidden = 416, .heads = 13, .intermediate = 448},
                  TinyPair{.split = 1})}) {
    Write(model, pair);
    const Scores expected = Score(*Load(), texts, 1);
    for (const KernelTable* table : RunnableTables()) {
      const Scores actual = Score(*Load(*table), texts, 2);
      // A state of a layer norm has components of order 1; the classifier's weights make a
      // logit of order 1 of them.
      const float tolerance = table->precision == Precision::k8Bit     ? 0.15F
                              : std::string_view(table->name) == "amx" ? 0.05F
                                                                       : 5e-3F;
      for (std::size_t i = 0; i < expected.logits.size(); ++i) {
        EXPECT_NEAR(actual.logits[i], expected.logits[i], tolerance) << table->name << ", " << i;
      }
    }
  }
}

TEST_F(PairEncoderTest, APairIsTheSameBitsInAnyBatchAndAtAnyThreadCount) {
  const Texts texts = MixedTexts();
  for (const KernelTable* table : RunnableTables()) {
    const auto encoder = Load(*table);
    const Scores together = Score(*encoder, texts, 1);
    EXPECT_EQ(Score(*encoder, texts, 2), together) << table->name;
    EXPECT_EQ(Score(*encoder, texts, 16), together) << table->name;  // more threads than contents
    for (std::size_t c = 0; c < texts.contents.size(); ++c) {
      for (std::size_t p = 0; p < texts.policies.size(); ++p) {
        const Scores alone =
            Score(*encoder, {{texts.contents[c]}, {texts.policies[p]}}, c % 2 == 0 ? 1 : 2);
        const std::size_t pair = c * texts.policies.size() + p;
        ASSERT_EQ(alone.logits[0], together.logits[pair]) << table->name << ", " << pair;
        ASSERT_EQ(std::memcmp(alone.states.data(), &together.states[pair * 64], 256), 0);
      }
    }
  }
}

TEST_F(PairEncoderTest, BytesGiveTheSameBitsOnEveryInstructionSet) {
  const Texts texts = MixedTexts();
  const Scores expected = Score(*Load(kPortableInt8Kernels), texts, 1);
  for (std::size_t i = 0; i < AllKernels().count; ++i) {
    const KernelTable& table = *AllKernels().tables[i];
    if (table.supported() && table.precision == Precision::k8Bit) {
      EXPECT_EQ(Score(*Load(table), texts, 2), expected) << table.name;
      EXPECT_EQ(Load(table)->arithmetic(), Load(kPortableInt8Kernels)->arithmetic());
    }
  }
}

TEST_F(PairEncoderTest, BothSidesTheirOrderAndTheSplitMatter) {
  const auto encoder = Load();
  const Ids a = {1, 2, 3};
  const Ids b = {4, 5};
  const auto logit = [&](const PairEncoder& model, const Ids& content, const Ids& policy) {
    return Score(model, {{content}, {policy}}, 1).logits[0];
  };
  const float ab = logit(*encoder, a, b);
  EXPECT_GT(std::fabs(ab - logit(*encoder, b, a)), 1e-3F);
  EXPECT_GT(std::fabs(ab - logit(*encoder, a, {4, 6})), 1e-3F);
  EXPECT_GT(std::fabs(ab - logit(*encoder, a, {5, 4})), 1e-4F);
  EXPECT_GT(std::fabs(ab - logit(*encoder, {1, 3, 2}, b)), 1e-4F);
  Write({}, {.split = 0});
  EXPECT_GT(std::fabs(ab - logit(*Load(), a, b)), 1e-4F);
}

TEST_F(PairEncoderTest, TheLogitIsTheClassifierOfTheState) {
  const auto encoder = Load();
  const Scores scores = Score(*encoder, MixedTexts(), 1);
  const auto file = Safetensors::Open(trained_.path() + "/model.safetensors");
  ASSERT_TRUE(file);
  const Tensor row = (*file)->Find("classifier.weight", {Dtype::kF16}, {1, 64}).value();
  std::vector<float> weight(64);
  Widen(row, 0, 64, kReferenceKernels, weight.data());
  std::vector<double> offsets;
  for (std::size_t pair = 0; pair < scores.logits.size(); ++pair) {
    double sum = 0;
    for (std::size_t i = 0; i < 64; ++i) {
      sum += double{weight[i]} * double{scores.states[pair * 64 + i]};
    }
    offsets.push_back(double{scores.logits[pair]} - sum);
    EXPECT_NEAR(offsets[pair], offsets[0], 1e-5);  // the bias
  }
  EXPECT_NE(offsets[0], 0.0);
}

TEST_F(PairEncoderTest, NothingInNothingOutAndStatesOnlyWhereWanted) {
  const auto encoder = Load();
  ThreadPool pool(2);
  const Ids ids = {1, 2, 3};
  const auto block = encoder->EncodePolicy(ids, pool);
  EXPECT_EQ(block->tokens(), 3U);
  const TokenIds content(ids);
  const PolicyBlock* policy = block.get();
  float logit = 777.0F;
  encoder->Score({&content, 1}, {&policy, 1}, {&logit, 1}, {}, pool);
  EXPECT_EQ(logit, Score(*encoder, {{ids}, {ids}}, 1).logits[0]);
  encoder->Score({}, {&policy, 1}, {}, {}, pool);
  encoder->Score({&content, 1}, {}, {}, {}, pool);
}

TEST_F(PairEncoderTest, DamagedFilesAreNamed) {
  EXPECT_EQ(LoadError(), "");
  const std::string weights = trained_.path() + "/model.safetensors";
  std::ifstream file(weights, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string damaged = bytes;
    WriteText(weights, damaged.replace(damaged.find(from), from.size(), to));
    return LoadError();
  };
  EXPECT_THAT(replaced("classifier.weight", "classifier.wright"),
              HasSubstr(weights + ": tensor 'classifier.weight' is missing"));
  EXPECT_THAT(replaced(R"("shape":[1,64])", R"("shape":[64,1])"),
              HasSubstr("has shape [64, 1], wanted [1, 64]"));
  EXPECT_THAT(replaced("layer.1.output.dense.bias", "layer.9.output.dense.bias"),
              HasSubstr("'encoder.layer.1.output.dense.bias' is missing"));
  for (std::size_t size = 0; size < bytes.size(); size += size < 64 ? 1 : 9973) {
    WriteText(weights, std::string_view(bytes).substr(0, size));
    EXPECT_THAT(LoadError(), HasSubstr(weights)) << size;
  }
  std::filesystem::remove(weights);
  EXPECT_THAT(LoadError(), HasSubstr(weights));
  // A base of another width.
  WriteText(weights, bytes);
  WriteTinyModel({.hidden = 32, .heads = 1}, base_.path());
  EXPECT_THAT(LoadError(), HasSubstr("wanted [32, 32]"));
}

TEST_F(PairEncoderTest, FlippedBitsGiveAnErrorOrFiniteLogits) {
  const TinyModel small{.layers = 1, .hidden = 32, .heads = 1, .intermediate = 32, .vocabulary = 3};
  Write(small, {.split = 0});
  const std::string weights = trained_.path() + "/model.safetensors";
  std::ifstream file(weights, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::mt19937 random(1);
  int loaded = 0;
  for (int i = 0; i < 200; ++i) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1U << (random() % 8));
    WriteText(weights, damaged);
    const auto encoder = PairEncoder::Load(base_.path(), trained_.path());
    if (!encoder) {
      EXPECT_THAT(encoder.error().message, HasSubstr(weights));
      continue;
    }
    ++loaded;
    EXPECT_TRUE(std::isfinite(Score(**encoder, {{{0, 1, 2}}, {{1, 2}}}, 1).logits[0])) << i;
  }
  EXPECT_GT(loaded, 0);
}

}  // namespace
}  // namespace safeguard::engine
