#include "engine/encoder/bert_encoder.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "engine/encoder/bert_config.h"
#include "engine/encoder/bert_forward.h"
#include "engine/encoder/bert_weights.h"

namespace safeguard::engine {
namespace {

// Raise the number whenever 8-bit layers come to give other bits.
constexpr const char* kEightBitArithmetic = "8-bit 1";
constexpr std::string_view kFirstUpBias = "encoder.layer.0.intermediate.dense.bias";

std::string Describe(const KernelTable& kernels) {
  const std::string bits = kernels.precision == Precision::k8Bit    ? "8-bit"
                           : kernels.precision == Precision::k16Bit ? "16-bit"
                                                                    : "32-bit";
  return std::string(kernels.name) + ", " + bits;
}

class BertEncoder : public Encoder {
 public:
  BertEncoder(const EncoderConfig& config, BertWeights weights, const KernelTable& kernels)
      : config_(config),
        weights_(std::move(weights)),
        forward_(config_, weights_, kernels),
        arithmetic_(ArithmeticOf(kernels)) {}

  void Embed(std::span<const EncoderInput> inputs, std::span<float> out,
             ThreadPool& pool) const override {
    for (const EncoderInput& input : inputs) {
      CheckInput(input);
    }
    forward_.Embed(inputs, out, pool);
  }

  [[nodiscard]] const EncoderConfig& config() const override { return config_; }

  [[nodiscard]] const std::string& arithmetic() const override { return arithmetic_; }

  [[nodiscard]] const std::string& weights_sha256() const override {
    std::call_once(hash_once_, [this] {
      hash_ = Sha256Hex((weights_.layer_file ? weights_.layer_file : weights_.file)->bytes());
    });
    return hash_;
  }

  [[nodiscard]] std::string base_sha256() const override {
    return Sha256Hex(weights_.file->bytes());
  }

 private:
  void CheckInput(const EncoderInput& input) const {
    CHECK(!input.ids.empty() && input.ids.size() <= config_.positions_max);
    for (const std::int32_t id : input.ids) {
      CHECK(id >= 0 && static_cast<std::size_t>(id) < config_.vocabulary);
    }
    for (const PoolRange& range : input.pools) {
      CHECK(range.begin < range.end && range.end <= input.ids.size());
    }
  }

  const EncoderConfig config_;
  const BertWeights weights_;
  const BertForward forward_;
  const std::string arithmetic_;
  mutable std::once_flag hash_once_;
  mutable std::string hash_;  // written once, under hash_once_
};

// A tuned encoder's feed-forward parts may be narrower than the base's: neurons that matter little
// were cut off. The layers' tensors say how wide they are; loading checks them all against it.
Status ReadTunedWidth(const std::string& path, EncoderConfig& config) {
  const Result<std::unique_ptr<Safetensors>> file = Safetensors::Open(path);
  if (!file) {
    return std::unexpected(file.error());
  }
  const std::span<const TensorEntry> entries = (*file)->entries();
  const auto bias = std::ranges::find_if(
      entries, [](const TensorEntry& entry) { return entry.name.ends_with(kFirstUpBias); });
  if (bias == entries.end() || bias->shape.size() != 1) {
    return Fail(ErrorCode::kCorruptFile,
                path + ": no tensor " + std::string(kFirstUpBias) + " of one dimension",
                "install the trained screen again");
  }
  const std::uint64_t width = bias->shape[0];
  if (width == 0 || width > config.intermediate || width % kWidthQuantum != 0) {
    return Fail(ErrorCode::kCorruptFile,
                path + ": feed-forward parts of " + std::to_string(width) +
                    " neurons; expected a multiple of " + std::to_string(kWidthQuantum) +
                    " up to the base's " + std::to_string(config.intermediate),
                "install the trained screen again");
  }
  config.intermediate = width;
  return {};
}

}  // namespace

std::string ArithmeticOf(const KernelTable& kernels) {
  return kernels.precision == Precision::k8Bit ? kEightBitArithmetic : Describe(kernels);
}

Result<std::string> FindWeightFile(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> found;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (name.starts_with("model") && name.ends_with(".safetensors")) {
      found.push_back(name);
    }
  }
  if (error) {
    return Fail(ErrorCode::kNotFound, "cannot read the folder " + folder + ": " + error.message(),
                "give the folder that holds config.json and model.safetensors");
  }
  if (found.empty()) {
    return Fail(ErrorCode::kNotFound, folder + " holds no model*.safetensors",
                "give the folder that holds config.json and model.safetensors");
  }
  if (found.size() > 1) {
    std::ranges::sort(found);
    return Fail(ErrorCode::kInvalidInput,
                folder + " holds several weight files, among them " + found[0] + " and " + found[1],
                "leave one of them in the folder");
  }
  return folder + "/" + found[0];
}

Result<std::unique_ptr<Encoder>> LoadBertEncoder(const std::string& folder,
                                                 const KernelTable& kernels) {
  return LoadBertEncoder(folder, "", kernels);
}

Result<std::unique_ptr<Encoder>> LoadBertEncoder(const std::string& folder,
                                                 const std::string& tuned_folder,
                                                 const KernelTable& kernels) {
  Result<EncoderConfig> config = ReadBertConfig(folder + "/config.json");
  if (!config) {
    return std::unexpected(config.error());
  }
  const Result<std::string> path = FindWeightFile(folder);
  if (!path) {
    return std::unexpected(path.error());
  }
  if (!tuned_folder.empty()) {
    if (Status status = ReadTunedWidth(tuned_folder + "/model.safetensors", *config); !status) {
      return std::unexpected(std::move(status.error()));
    }
  }
  Result<BertWeights> weights =
      tuned_folder.empty()
          ? LoadBertWeights(*path, *config, kernels)
          : LoadTunedBertWeights(*path, tuned_folder + "/model.safetensors", *config, kernels);
  if (!weights) {
    return std::unexpected(std::move(weights.error()));
  }
  return std::make_unique<BertEncoder>(*config, std::move(*weights), kernels);
}

Result<std::unique_ptr<Encoder>> Encoder::Load(const std::string& folder) {
  return LoadBertEncoder(folder, BestKernels());
}

Result<std::unique_ptr<Encoder>> Encoder::LoadTuned(const std::string& folder,
                                                    const std::string& tuned_folder) {
  return LoadBertEncoder(folder, tuned_folder, BestKernels());
}

std::string EncoderKernels() {
  return Describe(BestKernels());
}

std::string EncoderArithmetic() {
  return ArithmeticOf(BestKernels());
}

}  // namespace safeguard::engine
