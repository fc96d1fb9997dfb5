#include "engine/encoder/bert_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <numeric>
#include <thread>
#include <utility>

#include "base/thread_pool.h"
#include "engine/model/safetensors_header.h"

namespace safeguard::engine {
namespace {

// More threads do not help: packing is soon bound by memory.
constexpr std::size_t kLoadThreadsMax = 4;

// No number's exponent bits are all set. Reads everything once, some 10 GB/s: what passes can never
// make an embedding that is not finite out of a damaged half-precision file.
template <typename Bits>
bool AllFinite(std::span<const std::byte> bytes, Bits exponent) {
  std::size_t bad = 0;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Bits)) {
    Bits bits = 0;
    std::memcpy(&bits, bytes.data() + at, sizeof bits);
    bad += (bits & exponent) == exponent ? 1U : 0U;
  }
  return bad == 0;
}

bool AllFinite(const Tensor& tensor) {
  switch (tensor.entry->dtype) {
    case Dtype::kF16:
      return AllFinite<std::uint16_t>(tensor.bytes, 0x7C00);
    case Dtype::kBF16:
      return AllFinite<std::uint16_t>(tensor.bytes, 0x7F80);
    default:
      return AllFinite<std::uint32_t>(tensor.bytes, 0x7F800000);
  }
}

// One piece of packing work: kWidthQuantum rows of one tensor.
struct PackJob {
  Tensor tensor;
  LinearLayer* layer;
  std::size_t source_row;
  std::size_t first_output;
};

class Loader {
 public:
  Loader(const EncoderConfig& config, const KernelTable& kernels)
      : config_(config), kernels_(kernels) {}

  // The embeddings from one file and the layers from the other; may be the same.
  Status Load(const Safetensors& embeddings, const Safetensors& layers);
  // REQUIRES: Load was called with the same `layers`.
  Status ReadClassifier(std::vector<float>& weight, float& bias);
  BertWeights Take() { return std::move(weights_); }

 private:
  // Where Find looks from now on.
  void LookIn(const Safetensors& file);
  Result<Tensor> Find(const std::string& name, std::initializer_list<std::uint64_t> shape);
  Status ReadVector(const std::string& name, std::vector<float>& to);
  Status ReadNorm(const std::string& name, LayerNormWeights& norm);
  Status ReadEmbeddings();
  // Queues `names` (each of `rows` outputs) as one layer.
  Status ReadLinear(std::initializer_list<std::string> names, std::size_t rows, std::size_t inputs,
                    LinearLayer& layer);
  // Chooses the swaps and applies them to everything but the linear layers.
  void SwapChannels();
  Status ReadLayer(std::size_t index, BertLayer& layer);
  void PackAll();

  const EncoderConfig& config_;
  const KernelTable& kernels_;
  BertWeights weights_;
  const Safetensors* file_ = nullptr;
  std::string prefix_;
  std::vector<PackJob> jobs_;
};

Result<Tensor> Loader::Find(const std::string& name, std::initializer_list<std::uint64_t> shape) {
  Result<Tensor> tensor =
      file_->Find(prefix_ + name, {Dtype::kF32, Dtype::kF16, Dtype::kBF16}, shape);
  if (tensor && !AllFinite(*tensor)) {
    return Fail(ErrorCode::kCorruptFile,
                file_->path() + ": tensor " + QuoteName(prefix_ + name) +
                    " holds a number that is not finite",
                "download the model again");
  }
  return tensor;
}

Status Loader::ReadVector(const std::string& name, std::vector<float>& to) {
  const std::size_t size = to.size();
  Result<Tensor> tensor = Find(name, {size});
  if (!tensor) {
    return std::unexpected(std::move(tensor.error()));
  }
  Widen(*tensor, 0, size, kernels_, to.data());
  return {};
}

Status Loader::ReadNorm(const std::string& name, LayerNormWeights& norm) {
  norm.weight.resize(config_.hidden);
  norm.bias.resize(config_.hidden);
  if (Status status = ReadVector(name + ".weight", norm.weight); !status) {
    return status;
  }
  return ReadVector(name + ".bias", norm.bias);
}

Status Loader::ReadEmbeddings() {
  const std::size_t hidden = config_.hidden;
  Result<Tensor> words = Find("embeddings.word_embeddings.weight", {config_.vocabulary, hidden});
  if (!words) {
    return std::unexpected(std::move(words.error()));
  }
  weights_.words = *words;
  const Result<Tensor> positions =
      Find("embeddings.position_embeddings.weight", {config_.positions_max, hidden});
  if (!positions) {
    return std::unexpected(positions.error());
  }
  // Two token types in BERT; the first is that of single texts.
  const Result<Tensor> types = Find("embeddings.token_type_embeddings.weight", {2, hidden});
  if (!types) {
    return std::unexpected(types.error());
  }
  std::vector<float> type(hidden);
  for (std::size_t t = 0; t < weights_.positions.size(); ++t) {
    Widen(*types, t * hidden, hidden, kernels_, type.data());
    std::vector<float>& sums = weights_.positions[t];
    sums.resize(config_.positions_max * hidden);
    Widen(*positions, 0, sums.size(), kernels_, sums.data());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += type[i % hidden];
    }
  }
  return ReadNorm("embeddings.LayerNorm", weights_.embedding_norm);
}

Status Loader::ReadLinear(std::initializer_list<std::string> names, std::size_t rows,
                          std::size_t inputs, LinearLayer& layer) {
  layer.outputs = names.size() * rows;
  layer.inputs = inputs;
  layer.packed = AlignedBytes(kernels_.packed_bytes(layer.outputs, inputs, layer.kind));
  std::size_t first = 0;
  for (const std::string& name : names) {
    Result<Tensor> tensor = Find(name + ".weight", {rows, inputs});
    if (!tensor) {
      return std::unexpected(std::move(tensor.error()));
    }
    std::vector<float> bias(rows);
    if (Status status = ReadVector(name + ".bias", bias); !status) {
      return status;
    }
    layer.bias.insert(layer.bias.end(), bias.begin(), bias.end());
    for (std::size_t row = 0; row < rows; row += kWidthQuantum) {
      jobs_.push_back({*tensor, &layer, row, first + row});
    }
    first += rows;
  }
  return {};
}

Status Loader::ReadLayer(std::size_t index, BertLayer& layer) {
  const std::string name = "encoder.layer." + std::to_string(index) + ".";
  const std::size_t hidden = config_.hidden;
  const std::string self = name + "attention.self.";
  Status status = ReadLinear({self + "query", self + "key", self + "value"}, hidden, hidden,
                             layer.query_key_value);
  layer.attention_output.kind = InputKind::kContext;
  layer.output.kind = InputKind::kInner;
  if (status) {
    status = ReadLinear({name + "attention.output.dense"}, hidden, hidden, layer.attention_output);
  }
  if (status) {
    status = ReadNorm(name + "attention.output.LayerNorm", layer.attention_norm);
  }
  if (status) {
    status =
        ReadLinear({name + "intermediate.dense"}, config_.intermediate, hidden, layer.intermediate);
  }
  if (status) {
    status = ReadLinear({name + "output.dense"}, hidden, config_.intermediate, layer.output);
  }
  if (status) {
    status = ReadNorm(name + "output.LayerNorm", layer.output_norm);
  }
  return status;
}

void Loader::SwapChannels() {
  // A channel's size behind a norm is at most some three times its weight, give or take its bias.
  // Only the norms in front of the inner layer make it large; the largest over all layers counts.
  std::vector<float> sizes(config_.hidden);
  for (const BertLayer& layer : weights_.layers) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      sizes[i] = std::max(sizes[i], 3 * std::fabs(layer.attention_norm.weight[i]) +
                                        std::fabs(layer.attention_norm.bias[i]));
    }
  }
  weights_.swaps = ChannelSwaps(sizes);
  const auto swap = [this](LayerNormWeights& norm) {
    weights_.swaps.Apply(norm.weight.data());
    weights_.swaps.Apply(norm.bias.data());
  };
  swap(weights_.embedding_norm);
  for (std::vector<float>& positions : weights_.positions) {
    for (std::size_t i = 0; i < config_.positions_max; ++i) {
      weights_.swaps.Apply(positions.data() + i * config_.hidden);
    }
  }
  for (BertLayer& layer : weights_.layers) {
    swap(layer.attention_norm);
    swap(layer.output_norm);
    weights_.swaps.Apply(layer.attention_output.bias.data());
    weights_.swaps.Apply(layer.output.bias.data());
  }
}

void Loader::PackAll() {
  const std::size_t threads =
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kLoadThreadsMax);
  ThreadPool pool(threads);
  const std::size_t inputs_max = std::max(config_.hidden, config_.intermediate);
  std::vector<AlignedBytes> scratch(pool.size());
  for (AlignedBytes& rows : scratch) {
    rows = AlignedBytes(kWidthQuantum * inputs_max * sizeof(float));
  }
  pool.ParallelFor(jobs_.size(), [&](std::size_t i, std::size_t worker) {
    const PackJob& job = jobs_[i];
    LinearLayer& layer = *job.layer;
    float* rows = scratch[worker].floats();
    const bool hidden_out = layer.kind != InputKind::kHidden;
    for (std::size_t r = 0; r < kWidthQuantum; ++r) {
      const std::size_t place = job.source_row + r;
      const std::size_t row = hidden_out ? weights_.swaps.ChannelAt(place) : place;
      Widen(job.tensor, row * layer.inputs, layer.inputs, kernels_, rows + r * layer.inputs);
      if (layer.kind == InputKind::kHidden) {
        weights_.swaps.Apply(rows + r * layer.inputs);
      }
    }
    kernels_.pack_weights({rows, layer.bias.data() + job.first_output, job.first_output,
                           kWidthQuantum, layer.outputs, layer.inputs, layer.kind,
                           layer.packed.data()});
  });
}

void Loader::LookIn(const Safetensors& file) {
  file_ = &file;
  const bool prefixed = std::ranges::any_of(file.entries(), [](const TensorEntry& entry) {
    return entry.name.starts_with("bert.encoder.layer.0.");
  });
  prefix_ = prefixed ? "bert." : "";
}

Status Loader::Load(const Safetensors& embeddings, const Safetensors& layers) {
  LookIn(embeddings);
  if (Status status = ReadEmbeddings(); !status) {
    return status;
  }
  LookIn(layers);
  weights_.layers.resize(config_.layers);
  for (std::size_t i = 0; i < config_.layers; ++i) {
    if (Status status = ReadLayer(i, weights_.layers[i]); !status) {
      return status;
    }
  }
  if (kernels_.sorts_channels) {
    SwapChannels();
  }
  PackAll();
  return {};
}

Status Loader::ReadClassifier(std::vector<float>& weight, float& bias) {
  prefix_ = "";  // it stands beside the encoder
  const Result<Tensor> row = Find("classifier.weight", {1, config_.hidden});
  if (!row) {
    return std::unexpected(row.error());
  }
  const Result<Tensor> offset = Find("classifier.bias", {1});
  if (!offset) {
    return std::unexpected(offset.error());
  }
  weight.resize(config_.hidden);
  Widen(*row, 0, config_.hidden, kernels_, weight.data());
  std::array<std::byte, kWidthQuantum * sizeof(float)> padded{};
  std::ranges::copy(offset->bytes, padded.begin());
  std::array<float, kWidthQuantum> numbers{};
  Widen({offset->entry, padded}, 0, kWidthQuantum, kernels_, numbers.data());
  bias = numbers[0];
  return {};
}

}  // namespace

ChannelSwaps::ChannelSwaps(std::span<const float> sizes) {
  if (sizes.size() <= kOutlierChannels) {
    return;
  }
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::less(), [&](std::size_t i) { return sizes[i]; });
  const std::size_t first = sizes.size() - kOutlierChannels;
  std::vector<std::size_t> to_move;   // outliers that do not stand at the end
  std::vector<std::size_t> to_leave;  // places at the end that hold none
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const bool outlier = i >= first;
    const std::size_t channel = order[i];
    if (outlier && channel < first) {
      to_move.push_back(channel);
    } else if (!outlier && channel >= first) {
      to_leave.push_back(channel);
    }
  }
  std::ranges::sort(to_move);
  std::ranges::sort(to_leave);
  for (std::size_t i = 0; i < to_move.size(); ++i) {
    pairs_.emplace_back(to_move[i], to_leave[i]);
  }
}

void ChannelSwaps::Apply(float* channels) const {
  for (const auto& [a, b] : pairs_) {
    std::swap(channels[a], channels[b]);
  }
}

std::size_t ChannelSwaps::ChannelAt(std::size_t place) const {
  for (const auto& [a, b] : pairs_) {
    if (place == a || place == b) {
      return place == a ? b : a;
    }
  }
  return place;
}

void Widen(const Tensor& tensor, std::size_t first, std::size_t count, const KernelTable& kernels,
           float* to) {
  switch (tensor.entry->dtype) {
    case Dtype::kF16:
      kernels.widen_f16(tensor.bytes.data() + 2 * first, count, to);
      return;
    case Dtype::kBF16:
      for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t high = 0;
        std::memcpy(&high, tensor.bytes.data() + 2 * (first + i), sizeof high);
        to[i] = std::bit_cast<float>(std::uint32_t{high} << 16);
      }
      return;
    default:
      std::memcpy(to, tensor.bytes.data() + sizeof(float) * first, sizeof(float) * count);
      return;
  }
}

Result<BertWeights> LoadBertWeights(const std::string& path, const EncoderConfig& config,
                                    const KernelTable& kernels) {
  Result<std::unique_ptr<Safetensors>> file = Safetensors::Open(path);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  Loader loader(config, kernels);
  if (Status status = loader.Load(**file, **file); !status) {
    return std::unexpected(std::move(status.error()));
  }
  BertWeights weights = loader.Take();
  weights.file = std::move(*file);
  return weights;
}

Result<BertWeights> LoadTunedBertWeights(const std::string& embeddings_path,
                                         const std::string& layers_path,
                                         const EncoderConfig& config, const KernelTable& kernels) {
  Result<std::unique_ptr<Safetensors>> embeddings = Safetensors::Open(embeddings_path);
  if (!embeddings) {
    return std::unexpected(std::move(embeddings.error()));
  }
  Result<std::unique_ptr<Safetensors>> layers = Safetensors::Open(layers_path);
  if (!layers) {
    return std::unexpected(std::move(layers.error()));
  }
  Loader loader(config, kernels);
  if (Status status = loader.Load(**embeddings, **layers); !status) {
    return std::unexpected(std::move(status.error()));
  }
  BertWeights weights = loader.Take();
  weights.file = std::move(*embeddings);
  weights.layer_file = std::move(*layers);
  return weights;
}

Result<PairWeights> LoadPairWeights(const std::string& embeddings_path,
                                    const std::string& layers_path, const EncoderConfig& config,
                                    const KernelTable& kernels) {
  Result<std::unique_ptr<Safetensors>> embeddings = Safetensors::Open(embeddings_path);
  if (!embeddings) {
    return std::unexpected(std::move(embeddings.error()));
  }
  Result<std::unique_ptr<Safetensors>> layers = Safetensors::Open(layers_path);
  if (!layers) {
    return std::unexpected(std::move(layers.error()));
  }
  Loader loader(config, kernels);
  PairWeights pair;
  Status status = loader.Load(**embeddings, **layers);
  if (status) {
    status = loader.ReadClassifier(pair.classifier, pair.classifier_bias);
  }
  if (!status) {
    return std::unexpected(std::move(status.error()));
  }
  pair.bert = loader.Take();
  pair.bert.file = std::move(*embeddings);
  pair.file = std::move(*layers);
  return pair;
}

}  // namespace safeguard::engine
