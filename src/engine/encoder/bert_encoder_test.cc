// The encoder on a small random model: every kernel table against the reference, batching, threads,
// pools, damaged files.
#include "engine/encoder/bert_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "engine/encoder/kernels/emulated/emulated.h"
#include "engine/encoder/tiny_model.h"

namespace safeguard::engine {
namespace {

using testing::HasSubstr;

struct Sequence {
  std::vector<std::int32_t> ids;
  std::vector<PoolRange> pools;
};

// Lengths 1 to 40 in a mixed order, with one to three pools.
std::vector<Sequence> MixedSequences() {
  std::mt19937 random(3);
  std::vector<Sequence> sequences;
  for (std::uint32_t i = 0; i < 23; ++i) {
    const std::uint32_t length = i * 17 % 40 + 1;
    Sequence sequence;
    for (std::uint32_t t = 0; t < length; ++t) {
      sequence.ids.push_back(static_cast<std::int32_t>(random() % 50));
    }
    sequence.pools.push_back({0, length});
    if (length > 5) {
      sequence.pools.push_back({1, 4});
      sequence.pools.push_back({length - 1, length});
    }
    sequences.push_back(sequence);
  }
  return sequences;
}

std::vector<float> Embed(const Encoder& encoder, std::span<const Sequence> sequences,
                         std::size_t threads) {
  std::vector<EncoderInput> inputs;
  std::size_t pools = 0;
  for (const Sequence& sequence : sequences) {
    inputs.push_back({sequence.ids, sequence.pools});
    pools += sequence.pools.size();
  }
  std::vector<float> out(pools * encoder.config().hidden, 777.0F);
  ThreadPool pool(threads);
  encoder.Embed(inputs, out, pool);
  return out;
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

std::unique_ptr<Encoder> LoadTiny(const std::string& folder, const KernelTable& kernels) {
  auto encoder = LoadBertEncoder(folder, kernels);
  EXPECT_TRUE(encoder) << encoder.error().message;
  return std::move(encoder.value());
}

double Dot(const float* a, const float* b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += double{a[i]} * double{b[i]};
  }
  return sum;
}

TEST(BertEncoder, EveryTableAgreesWithTheReference) {
  TinyModel models[3];
  models[1] = {.layers = 1, .hidden = 32, .heads = 1, .intermediate = 32};
  models[2] = {.layers = 1, .hidden = 416, .heads = 13, .intermediate = 448};
  for (const TinyModel& model : models) {
    TemporaryFolder folder;
    WriteTinyModel(model, folder.path());
    const std::vector<Sequence> sequences = MixedSequences();
    const std::vector<float> expected =
        Embed(*LoadTiny(folder.path(), kReferenceKernels), sequences, 1);
    for (const KernelTable* table : RunnableTables()) {
      const std::vector<float> actual = Embed(*LoadTiny(folder.path(), *table), sequences, 2);
      ASSERT_EQ(actual.size(), expected.size());
      for (std::size_t at = 0; at < actual.size(); at += model.hidden) {
        EXPECT_NEAR(Dot(&actual[at], &actual[at], model.hidden), 1.0, 1e-5);
        EXPECT_GT(Dot(&actual[at], &expected[at], model.hidden),
                  table->precision == Precision::k8Bit     ? 0.998
                  : std::string_view(table->name) == "amx" ? 0.9995
                                                           : 0.99999)
            << table->name << " at " << at;
      }
    }
  }
}

TEST(BertEncoder, ASequenceIsTheSameBitsInAnyBatchAndAtAnyThreadCount) {
  TemporaryFolder folder;
  WriteTinyModel({}, folder.path());
  const std::vector<Sequence> sequences = MixedSequences();
  for (const KernelTable* table : RunnableTables()) {
    const auto encoder = LoadTiny(folder.path(), *table);
    const std::vector<float> together = Embed(*encoder, sequences, 1);
    for (const std::size_t threads : {2, 3, 5}) {
      const std::vector<float> again = Embed(*encoder, sequences, threads);
      EXPECT_EQ(std::memcmp(again.data(), together.data(), together.size() * sizeof(float)), 0)
          << table->name << ", " << threads << " threads";
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      const std::vector<float> alone = Embed(*encoder, std::span(sequences).subspan(i, 1), 2);
      ASSERT_EQ(std::memcmp(alone.data(), together.data() + at, alone.size() * sizeof(float)), 0)
          << table->name << ", sequence " << i;
      at += alone.size();
    }
  }
}

TEST(BertEncoder, PoolsAreMeansOfTheirTokens) {
  TemporaryFolder folder;
  WriteTinyModel({}, folder.path());
  const auto encoder = LoadTiny(folder.path(), kReferenceKernels);
  Sequence sequence{{1, 2, 3, 4, 5}, {{0, 5}, {0, 2}, {2, 5}, {3, 4}, {0, 2}}};
  const std::vector<float> out = Embed(*encoder, {&sequence, 1}, 1);
  const float* whole = out.data();
  const float* left = out.data() + 64;
  const float* right = out.data() + 128;
  EXPECT_EQ(std::memcmp(left, out.data() + 4 * 64, 64 * sizeof(float)), 0);
  // The whole is a positive combination of its two parts.
  const double l = Dot(whole, left, 64);
  const double r = Dot(whole, right, 64);
  const double lr = Dot(left, right, 64);
  const double a = (l - r * lr) / (1 - lr * lr);
  const double b = (r - l * lr) / (1 - lr * lr);
  EXPECT_GT(a, 0);
  EXPECT_GT(b, 0);
  for (std::size_t d = 0; d < 64; ++d) {
    EXPECT_NEAR(double{whole[d]}, a * double{left[d]} + b * double{right[d]}, 1e-5);
  }
}

TEST(BertEncoder, OrderAndPositionMatter) {
  TemporaryFolder folder;
  WriteTinyModel({}, folder.path());
  const auto encoder = LoadTiny(folder.path(), kReferenceKernels);
  const Sequence sequences[] = {{{1, 2, 3}, {{0, 3}}}, {{3, 2, 1}, {{0, 3}}}};
  const std::vector<float> out = Embed(*encoder, sequences, 1);
  EXPECT_LT(Dot(out.data(), out.data() + 64, 64), 0.9999);
}

TEST(BertEncoder, NothingInNothingOut) {
  TemporaryFolder folder;
  WriteTinyModel({}, folder.path());
  const auto encoder = LoadTiny(folder.path(), BestKernels());
  EXPECT_TRUE(Embed(*encoder, {}, 2).empty());
  const Sequence no_pools{{1, 2, 3}, {}};
  EXPECT_TRUE(Embed(*encoder, {&no_pools, 1}, 2).empty());
}

TEST(BertEncoder, ReadsAllThreeTypesAndThePrefix) {
  std::vector<std::vector<float>> results;
  const Sequence sequence{{1, 2, 3, 4}, {{0, 4}}};
  for (const Dtype dtype : {Dtype::kF32, Dtype::kF16, Dtype::kBF16}) {
    TemporaryFolder folder;
    WriteTinyModel({.dtype = dtype, .prefix = dtype == Dtype::kBF16 ? "bert." : ""}, folder.path());
    results.push_back(Embed(*LoadTiny(folder.path(), kReferenceKernels), {&sequence, 1}, 1));
  }
  EXPECT_GT(Dot(results[0].data(), results[1].data(), 64), 0.99999);
  EXPECT_GT(Dot(results[0].data(), results[2].data(), 64), 0.999);
}

// Cut-off neurons: the layers' own file says how wide their feed-forward parts are.
TEST(BertEncoder, TunedLayersMayBeNarrowerThanTheBase) {
  TinyModel narrow;
  narrow.intermediate = 224;
  const TemporaryFolder base;
  const TemporaryFolder tuned;
  WriteTinyModel(TinyModel{}, base.path());
  WriteTinyModel(narrow, tuned.path());  // its embeddings are the base's
  auto over_base = LoadBertEncoder(base.path(), tuned.path(), kReferenceKernels);
  auto alone = LoadBertEncoder(tuned.path(), kReferenceKernels);
  ASSERT_TRUE(over_base) << over_base.error().message;
  ASSERT_TRUE(alone) << alone.error().message;
  EXPECT_EQ((*over_base)->config().intermediate, 224U);
  const std::vector<Sequence> sequences = MixedSequences();
  EXPECT_EQ(Embed(**over_base, sequences, 1), Embed(**alone, sequences, 1));
}

TEST(BertEncoder, TunedLayersOfAWidthThatCannotBeAreRefused) {
  const TemporaryFolder base;
  WriteTinyModel(TinyModel{}, base.path());
  for (const std::size_t width : {std::size_t{448}, std::size_t{40}}) {
    TinyModel odd;
    odd.intermediate = width;
    const TemporaryFolder tuned;
    WriteTinyModel(odd, tuned.path());
    const auto encoder = LoadBertEncoder(base.path(), tuned.path(), kReferenceKernels);
    ASSERT_FALSE(encoder) << width;
    EXPECT_THAT(encoder.error().message, HasSubstr(std::to_string(width) + " neurons"));
  }
}

TEST(BertEncoder, ArithmeticNamesWhatTheBitsDependOn) {
  TemporaryFolder folder;
  WriteTinyModel({}, folder.path());
  const std::vector<Sequence> sequences = MixedSequences();
  std::map<std::string, std::vector<float>> by_arithmetic;
  for (std::size_t i = 0; i < AllKernels().count; ++i) {
    const KernelTable& table = *AllKernels().tables[i];
    if (!table.supported()) {
      continue;
    }
    const auto encoder = LoadTiny(folder.path(), table);
    const std::vector<float> own = Embed(*encoder, sequences, 1);
    const auto [known, added] = by_arithmetic.emplace(encoder->arithmetic(), own);
    EXPECT_EQ(known->second, own) << table.name << ", " << encoder->arithmetic();
  }
  EXPECT_GE(by_arithmetic.size(), 2U);  // plain C++ has two: binary32 and bytes
}

TEST(BertEncoder, HashIsThatOfTheFile) {
  TemporaryFolder folder;
  WriteTinyModel({}, folder.path());
  const auto encoder = LoadTiny(folder.path(), kReferenceKernels);
  std::ifstream file(folder.path() + "/model.safetensors", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(encoder->weights_sha256(), Sha256Hex(std::as_bytes(std::span(bytes))));
  EXPECT_EQ(&encoder->weights_sha256(), &encoder->weights_sha256());
}

class BadModel : public testing::Test {
 protected:
  void SetUp() override {
    WriteTinyModel({.layers = 1, .hidden = 32, .heads = 1, .intermediate = 32, .vocabulary = 3},
                   folder_.path());
    std::ifstream file(weights_, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }
  // Empty when it loads.
  std::string LoadError() {
    const auto encoder = Encoder::Load(folder_.path());
    return encoder ? "" : encoder.error().message;
  }
  void Replace(const std::string& from, const std::string& to) {
    std::string bytes = bytes_;
    const std::size_t at = bytes.find(from);
    ASSERT_NE(at, std::string::npos);
    ASSERT_EQ(from.size(), to.size());
    WriteText(weights_, bytes.replace(at, from.size(), to));
  }

  TemporaryFolder folder_;
  const std::string weights_ = folder_.path() + "/model.safetensors";
  std::string bytes_;
};

TEST_F(BadModel, ErrorsNameTheFileAndTheTensor) {
  EXPECT_EQ(LoadError(), "");
  Replace("layer.0.output.dense.bias", "layer.0.output.dense.bais");
  EXPECT_THAT(LoadError(), HasSubstr(weights_ + ": tensor 'encoder.layer.0.output.dense.bias' is "
                                                "missing"));
  Replace(R"("F16","shape":[3,32])", R"("I16","shape":[3,32])");
  EXPECT_THAT(LoadError(), HasSubstr("'embeddings.word_embeddings.weight' is I16, wanted F32"));
  Replace("[3,32]", "[32,3]");
  EXPECT_THAT(LoadError(), HasSubstr("has shape [32, 3], wanted [3, 32]"));
}

TEST_F(BadModel, MissingAndSeveralFiles) {
  EXPECT_THAT(Encoder::Load("/nonexistent").error().message, HasSubstr("/nonexistent"));
  WriteText(folder_.path() + "/model2.safetensors", bytes_);
  EXPECT_THAT(LoadError(), HasSubstr("several weight files"));
  std::filesystem::remove(folder_.path() + "/model2.safetensors");
  std::filesystem::rename(weights_, folder_.path() + "/model_fp16.safetensors");
  EXPECT_EQ(LoadError(), "");
  std::filesystem::remove(folder_.path() + "/model_fp16.safetensors");
  EXPECT_THAT(LoadError(), HasSubstr("holds no model*.safetensors"));
  std::filesystem::remove(folder_.path() + "/config.json");
  EXPECT_THAT(LoadError(), HasSubstr("config.json does not exist"));
}

TEST_F(BadModel, EveryTruncationIsAnErrorThatNamesTheFile) {
  for (std::size_t bytes = 0; bytes < bytes_.size(); bytes += bytes < 64 ? 1 : 97) {
    WriteText(weights_, std::string_view(bytes_).substr(0, bytes));
    EXPECT_THAT(LoadError(), HasSubstr(weights_)) << bytes;
  }
}

TEST_F(BadModel, FlippedBitsGiveAnErrorOrFiniteEmbeddings) {
  std::mt19937 random(1);
  const Sequence sequence{{0, 1, 2}, {{0, 3}}};
  int loaded = 0;
  for (int i = 0; i < 300; ++i) {
    std::string bytes = bytes_;
    bytes[random() % bytes.size()] ^= static_cast<char>(1U << (random() % 8));
    WriteText(weights_, bytes);
    const auto encoder = Encoder::Load(folder_.path());
    if (!encoder) {
      EXPECT_THAT(encoder.error().message, HasSubstr(weights_));
      continue;
    }
    ++loaded;
    for (const float value : Embed(**encoder, {&sequence, 1}, 1)) {
      ASSERT_TRUE(std::isfinite(value)) << i;
    }
  }
  EXPECT_GT(loaded, 0);
}

TEST_F(BadModel, AWeightThatIsNotFiniteIsNamed) {
  std::string bytes = bytes_;
  bytes[bytes.size() - 1] = '\x7C';  // the last number of the last tensor: infinity or NaN
  WriteText(weights_, bytes);
  EXPECT_THAT(LoadError(), HasSubstr("'encoder.layer.0.output.LayerNorm.bias' holds a number"));
}

}  // namespace
}  // namespace safeguard::engine
