// A model of pairs of MiniLM-L6's size against what PyTorch computes
// (tools/goldens/pair_encoder.py) with the base's own layers and a made-up classifier.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/encoder/bert_encoder.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/encoder/pair_encoder.h"
#include "engine/encoder/tiny_model.h"
#include "engine/model/safetensors.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kHidden = 384;

struct Golden {
  std::string name;
  std::size_t split = 0;
  std::vector<std::int32_t> content;
  std::vector<std::int32_t> policy;
  double logit = 0;
  std::vector<double> every_eighth;
};

std::vector<Golden> ReadGoldens() {
  std::ifstream file(SAFEGUARD_SOURCE_DIR "/src/engine/encoder/testdata/pair_goldens.txt");
  EXPECT_TRUE(file.good());
  std::vector<Golden> goldens;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string kind;
    fields >> kind;
    if (kind == "pair") {
      Golden& golden = goldens.emplace_back();
      fields >> golden.name >> golden.split;
      continue;
    }
    for (double value = 0; fields >> value;) {
      if (kind == "content" || kind == "policy") {
        auto& ids = kind == "content" ? goldens.back().content : goldens.back().policy;
        ids.push_back(static_cast<std::int32_t>(value));
      } else if (kind == "logit") {
        goldens.back().logit = value * 1e-6;
      } else {
        goldens.back().every_eighth.push_back(value * 1e-5);
      }
    }
  }
  return goldens;
}

std::string BaseFolder() {
  const char* models = std::getenv("SAFEGUARD_MODELS");
  return (models != nullptr ? std::string(models) : SAFEGUARD_SOURCE_DIR "/build/models") +
         "/minilm-l6-v2";
}

// Writes the base's layers and the goldens' classifier as a trained model.
class SafetensorsWriter {
 public:
  void Add(const std::string& name, const char* dtype, const std::vector<std::uint64_t>& shape,
           std::span<const std::byte> bytes) {
    std::string dimensions;
    for (const std::uint64_t size : shape) {
      dimensions += (dimensions.empty() ? "" : ",") + std::to_string(size);
    }
    header_ += (header_.empty() ? "{\"" : ",\"") + name + R"(":{"dtype":")" + dtype +
               R"(","shape":[)" + dimensions + R"(],"data_offsets":[)" +
               std::to_string(data_.size()) + "," + std::to_string(data_.size() + bytes.size()) +
               "]}";
    data_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void Write(const std::string& path) {
    header_ += "}";
    std::string length(8, '\0');
    const std::uint64_t size = header_.size();
    std::memcpy(length.data(), &size, 8);
    WriteText(path, length + header_ + data_);
  }

 private:
  std::string header_;
  std::string data_;
};

void WriteTrained(const std::string& base, std::size_t split, const std::string& folder) {
  WriteText(folder + "/config.json",
            TinyPairConfig({.split = split, .policy_tokens = 128, .content_tokens = 160}));
  const auto file = Safetensors::Open(FindWeightFile(base).value());
  ASSERT_TRUE(file);
  SafetensorsWriter writer;
  for (const TensorEntry& entry : (*file)->entries()) {
    if (entry.name.starts_with("encoder.layer.")) {
      writer.Add(entry.name, ToString(entry.dtype), entry.shape, (*file)->BytesOf(entry));
    }
  }
  std::vector<float> weight(kHidden);
  for (std::size_t i = 0; i < kHidden; ++i) {
    weight[i] = (static_cast<float>(37 * i % 101) - 50) / 500;
  }
  const float bias = 0.25F;
  writer.Add("classifier.weight", "F32", {1, kHidden}, std::as_bytes(std::span(weight)));
  writer.Add("classifier.bias", "F32", {1}, std::as_bytes(std::span(&bias, 1)));
  writer.Write(folder + "/model.safetensors");
}

struct Candidate {
  std::string name;
  const KernelTable* table;
  std::size_t tokens_max;  // longer pairs are left out: they would take minutes
};

std::vector<Candidate> Candidates() {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < AllKernels().count; ++i) {
    const KernelTable* table = AllKernels().tables[i];
    const bool slow = std::string_view(table->name) == "reference";
    const bool bytes = table->precision == Precision::k8Bit;
    candidates.push_back({table->name + std::string(bytes ? "_8bit" : ""), table,
                          slow ? (bytes ? 40U : 60U) : 512U});
  }
  return candidates;
}

class PairGolden : public testing::TestWithParam<Candidate> {};

TEST_P(PairGolden, LogitsAndStatesAreThoseOfPyTorch) {
  const KernelTable& table = *GetParam().table;
  if (!table.supported()) {
    GTEST_SKIP() << GetParam().name << " is not supported by this CPU";
  }
  if (!std::filesystem::exists(BaseFolder() + "/config.json")) {
    GTEST_SKIP() << "NO MODEL: " << BaseFolder() << " does not exist; set SAFEGUARD_MODELS";
  }
  std::map<std::size_t, std::unique_ptr<PairEncoder>> encoders;
  ThreadPool pool(2);
  double worst_logit = 0;
  double worst_state = 0;
  double squares = 0;
  std::size_t compared = 0;
  for (const Golden& golden : ReadGoldens()) {
    if (golden.content.size() + golden.policy.size() > GetParam().tokens_max) {
      continue;
    }
    auto& encoder = encoders[golden.split];
    if (encoder == nullptr) {
      const TemporaryFolder folder;
      WriteTrained(BaseFolder(), golden.split, folder.path());
      auto loaded = LoadPairEncoder(BaseFolder(), folder.path(), table);
      ASSERT_TRUE(loaded) << loaded.error().message;
      encoder = std::move(*loaded);
    }
    const auto block = encoder->EncodePolicy(golden.policy, pool);
    const TokenIds content(golden.content);
    const PolicyBlock* policy = block.get();
    float logit = 0;
    std::vector<float> state(kHidden);
    encoder->Score({&content, 1}, {&policy, 1}, {&logit, 1}, state, pool);
    ASSERT_EQ(golden.every_eighth.size(), kHidden / 8);
    const double error = std::fabs(double{logit} - golden.logit);
    worst_logit = std::max(worst_logit, error);
    squares += error * error;
    for (std::size_t i = 0; i < kHidden / 8; ++i) {
      worst_state = std::max(worst_state, std::fabs(double{state[8 * i]} - golden.every_eighth[i]));
    }
    ++compared;
  }
  const double typical = std::sqrt(squares / static_cast<double>(compared));
  std::cout << GetParam().name << ": " << compared << " pairs, logit off by " << typical
            << " (root mean square), " << worst_logit << " at most; state by " << worst_state
            << " at most\n";
  EXPECT_GE(compared, 15U);
  // States are of order 0.5 and the classifier makes logits of order 1 of 384 of them: 8-bit layers
  // are off by some 1 % of that.
  const bool reference = &table == &kReferenceKernels;
  const bool bytes = table.precision == Precision::k8Bit;
  EXPECT_LT(worst_logit, reference ? 1e-5 : bytes ? 0.08 : 0.01);
  EXPECT_LT(typical, reference ? 1e-5 : bytes ? 0.025 : 0.003);
  EXPECT_LT(worst_state, reference ? 1e-4 : bytes ? 0.1 : 0.02);
}

INSTANTIATE_TEST_SUITE_P(, PairGolden, testing::ValuesIn(Candidates()),
                         [](const auto& candidate) { return candidate.param.name; });

}  // namespace
}  // namespace safeguard::engine
