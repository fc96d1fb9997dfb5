// The weights of a BERT encoder, checked and laid out for one kernel table. The word embeddings
// (half of the file) stay in the mapping and are widened token by token.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/encoder.h"
#include "engine/encoder/aligned_bytes.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/model/safetensors.h"

namespace safeguard::engine {

struct LinearLayer {
  std::size_t outputs = 0;
  std::size_t inputs = 0;
  InputKind kind = InputKind::kHidden;
  AlignedBytes packed;  // the kernel table's layout
  std::vector<float> bias;
};

struct LayerNormWeights {
  std::vector<float> weight;
  std::vector<float> bias;
};

struct BertLayer {
  LinearLayer query_key_value;  // the three, one after the other
  LinearLayer attention_output;
  LayerNormWeights attention_norm;
  LinearLayer intermediate;
  LinearLayer output;
  LayerNormWeights output_norm;
};

// Channels of the hidden states that change places: each channel at most once, so that doing it
// twice undoes it.
class ChannelSwaps {
 public:
  ChannelSwaps() = default;
  // Moves the kOutlierChannels channels of the largest `sizes` behind all others.
  explicit ChannelSwaps(std::span<const float> sizes);

  void Apply(float* channels) const;
  // The channel that stands at `place`.
  [[nodiscard]] std::size_t ChannelAt(std::size_t place) const;

 private:
  std::vector<std::pair<std::size_t, std::size_t>> pairs_;
};

struct BertWeights {
  std::unique_ptr<Safetensors> file;
  std::unique_ptr<Safetensors> layer_file;  // where the layers have one of their own
  ChannelSwaps swaps;  // of everything below but `words`; none unless the kernels sort
  Tensor words;        // [vocabulary, hidden], as in the file
  // [positions_max, hidden], with the token type added by which it is indexed.
  std::array<std::vector<float>, 2> positions;
  LayerNormWeights embedding_norm;
  std::vector<BertLayer> layers;
};

// Maps `path` and lays out the weights for `kernels`. Tensor names with or without the prefix
// "bert.". Missing tensor, other type or shape, not-finite weight: an error that names file and
// tensor.
Result<BertWeights> LoadBertWeights(const std::string& path, const EncoderConfig& config,
                                    const KernelTable& kernels);

// The same with the embeddings of one file and the layers of another.
Result<BertWeights> LoadTunedBertWeights(const std::string& embeddings_path,
                                         const std::string& layers_path,
                                         const EncoderConfig& config, const KernelTable& kernels);

// A model of pairs (pair_encoder.h): the embeddings of one file, layers and classifier of another.
struct PairWeights {
  BertWeights bert;
  std::unique_ptr<Safetensors> file;  // of the layers
  std::vector<float> classifier;      // [hidden], in the file's order
  float classifier_bias = 0;
};
Result<PairWeights> LoadPairWeights(const std::string& embeddings_path,
                                    const std::string& layers_path, const EncoderConfig& config,
                                    const KernelTable& kernels);

// `count` numbers of `tensor` from element `first` as binary32. REQUIRES: F32, F16 or BF16 and
// count a multiple of kWidthQuantum.
void Widen(const Tensor& tensor, std::size_t first, std::size_t count, const KernelTable& kernels,
           float* to);

}  // namespace safeguard::engine
