// MiniLM-L6 against what PyTorch computes from the same file (tools/goldens/encoder.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/encoder/bert_config.h"
#include "engine/encoder/bert_encoder.h"
#include "engine/encoder/bert_forward.h"
#include "engine/encoder/kernels/emulated/emulated.h"
#include "engine/encoder/kernels/kernel_table.h"

namespace safeguard::engine {
namespace {

struct GoldenLayer {
  std::size_t layer;
  std::size_t token;
  std::vector<float> every_eighth;
};

struct Golden {
  std::string name;
  std::vector<std::int32_t> ids;
  std::vector<PoolRange> pools;
  std::vector<float> embeddings;  // pool after pool
  std::vector<GoldenLayer> layers;
};

std::vector<Golden> ReadGoldens() {
  std::ifstream file(SAFEGUARD_SOURCE_DIR "/src/engine/encoder/testdata/minilm_l6_goldens.txt");
  EXPECT_TRUE(file.good());
  std::vector<Golden> goldens;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string kind;
    fields >> kind;
    if (kind == "sequence") {
      fields >> goldens.emplace_back().name;
    } else if (kind == "ids") {
      for (std::int32_t id = 0; fields >> id;) {
        goldens.back().ids.push_back(id);
      }
    } else if (kind == "pool") {
      PoolRange& range = goldens.back().pools.emplace_back();
      fields >> range.begin >> range.end;
      for (float value = 0; fields >> value;) {
        goldens.back().embeddings.push_back(value * 1e-6F);
      }
    } else if (kind == "layer") {
      GoldenLayer& layer = goldens.back().layers.emplace_back();
      fields >> layer.layer >> layer.token;
      for (float value = 0; fields >> value;) {
        layer.every_eighth.push_back(value * 1e-5F);
      }
    }
  }
  return goldens;
}

std::string ModelFolder() {
  const char* models = std::getenv("SAFEGUARD_MODELS");
  return (models != nullptr ? std::string(models) : SAFEGUARD_SOURCE_DIR "/build/models") +
         "/minilm-l6-v2";
}

// The worst of some embeddings.
struct Errors {
  double difference = 0;
  double cosine = 1;

  void Compare(const float* actual, const float* expected) {
    double dot = 0;
    double square = 0;
    for (std::size_t d = 0; d < 384; ++d) {
      difference = std::max(difference, std::fabs(double{actual[d]} - double{expected[d]}));
      dot += double{actual[d]} * double{expected[d]};
      square += double{expected[d]} * double{expected[d]};
    }
    cosine = std::min(cosine, dot / std::sqrt(square));
  }
};

struct Candidate {
  std::string name;
  const KernelTable* table;
  std::size_t tokens_max;  // longer goldens are left out: they would take minutes
};

std::vector<Candidate> Candidates() {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < AllKernels().count; ++i) {
    const KernelTable* table = AllKernels().tables[i];
    const bool slow = std::string_view(table->name) == "reference";
    const bool bytes = table->precision == Precision::k8Bit;
    candidates.push_back({table->name + std::string(bytes ? "_8bit" : ""), table,
                          slow ? (bytes ? 17U : 65U) : 512U});
  }
  for (const KernelTable* table : EmulatedKernels()) {
    const bool bytes = table->precision == Precision::k8Bit;
    candidates.push_back(
        {std::string("emulated_") + table->name + (bytes ? "_8bit" : ""), table, 7});
  }
  return candidates;
}

class EncoderGolden : public testing::TestWithParam<Candidate> {
 protected:
  void SetUp() override {
    if (!table().supported() && !GetParam().name.starts_with("emulated_")) {
      GTEST_SKIP() << GetParam().name << " is not supported by this CPU";
    }
    if (!std::filesystem::exists(ModelFolder() + "/config.json")) {
      GTEST_SKIP() << "NO MODEL: " << ModelFolder() << " does not exist; set SAFEGUARD_MODELS";
    }
  }
  static const KernelTable& table() { return *GetParam().table; }
  static bool reference() { return GetParam().table == &kReferenceKernels; }
  static bool bytes() { return table().precision == Precision::k8Bit; }
};

TEST_P(EncoderGolden, EmbeddingsAreThoseOfPyTorch) {
  const auto encoder = LoadBertEncoder(ModelFolder(), table());
  ASSERT_TRUE(encoder) << encoder.error().message;
  const std::vector<Golden> goldens = ReadGoldens();
  ASSERT_EQ(goldens.size(), 43U);
  std::vector<EncoderInput> inputs;
  std::vector<float> expected;
  std::vector<bool> texts;  // whether an embedding is that of a text, not of random tokens
  for (const Golden& golden : goldens) {
    if (golden.ids.size() <= GetParam().tokens_max) {
      inputs.push_back({golden.ids, golden.pools});
      expected.insert(expected.end(), golden.embeddings.begin(), golden.embeddings.end());
      texts.insert(texts.end(), golden.pools.size(), golden.name.find("text") != std::string::npos);
    }
  }
  std::vector<float> actual(expected.size());
  ThreadPool pool(2);
  (*encoder)->Embed(inputs, actual, pool);
  Errors random;
  Errors text;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    (texts[i] ? text : random).Compare(&actual[384 * i], &expected[384 * i]);
  }
  std::cout << GetParam().name << ": " << texts.size() << " embeddings, largest difference "
            << random.difference << " (texts " << text.difference << "), 1 - smallest cosine "
            << 1 - random.cosine << " (texts " << 1 - text.cosine << ")\n";
  if (bytes()) {
    // Every row that enters a layer is off by some 0.7 % of its size, independently, through six
    // layers: a cosine near 1 - 5e-4 for texts. Random tokens have larger outliers, and a pool of
    // one or two tokens has nothing to average over.
    EXPECT_LT(text.difference, 0.01);
    EXPECT_GT(text.cosine, 0.9985);
    EXPECT_LT(random.difference, 0.04);
    EXPECT_GT(random.cosine, 0.99);
    return;
  }
  const bool bf16 = std::string_view(table().name) == "amx";
  EXPECT_LT(std::max(text.difference, random.difference), reference() ? 1e-4 : 2e-3);
  EXPECT_GT(std::min(text.cosine, random.cosine), bf16 ? 0.9995 : 0.9999);
}

TEST_P(EncoderGolden, EveryLayerIsThatOfPyTorch) {
  const auto config = ReadBertConfig(ModelFolder() + "/config.json");
  ASSERT_TRUE(config);
  const auto weights = LoadBertWeights(FindWeightFile(ModelFolder()).value(), *config, table());
  ASSERT_TRUE(weights) << weights.error().message;
  const BertForward forward(*config, *weights, table());
  ThreadPool pool(1);
  std::size_t compared = 0;
  for (const Golden& golden : ReadGoldens()) {
    for (const GoldenLayer& layer : golden.layers) {
      std::vector<float> states(golden.ids.size() * 384);
      forward.HiddenStates(golden.ids, layer.layer, states, pool);
      ASSERT_EQ(layer.every_eighth.size(), 48U);
      for (std::size_t i = 0; i < 48; ++i) {
        // Hidden states are of order 1.
        ASSERT_NEAR(states[layer.token * 384 + 8 * i], layer.every_eighth[i],
                    reference() ? 1e-4F
                    : bytes()   ? 0.3F
                                : 0.05F)
            << "layer " << layer.layer << ", token " << layer.token << ", component " << 8 * i;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 7U * 3U * 48U);
}

INSTANTIATE_TEST_SUITE_P(, EncoderGolden, testing::ValuesIn(Candidates()),
                         [](const auto& candidate) { return candidate.param.name; });

}  // namespace
}  // namespace safeguard::engine
