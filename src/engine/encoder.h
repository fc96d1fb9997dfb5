// Small bidirectional text encoders of the BERT family (MiniLM-L6: 6 layers, 384 wide), run in our
// own C++. Token ids in, pooled embeddings out. Knows no policy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"

namespace safeguard::engine {

struct EncoderConfig {
  std::size_t layers = 0;
  std::size_t hidden = 0;
  std::size_t heads = 0;
  std::size_t intermediate = 0;
  std::size_t vocabulary = 0;
  std::size_t positions_max = 0;  // 512 for BERT: the longest sequence, special tokens included
  float layer_norm_epsilon = 1e-12F;
};

// Tokens [begin, end) of a sequence whose hidden states are averaged into one embedding.
struct PoolRange {
  std::uint32_t begin;
  std::uint32_t end;
};

// One sequence, special tokens included. REQUIRES: 1 <= ids.size() <= positions_max, every id in
// the vocabulary, every pool non-empty and inside the sequence.
struct EncoderInput {
  std::span<const std::int32_t> ids;
  std::span<const PoolRange> pools;
};

// Immutable after Load; Embed may be called from several threads at once.
class Encoder {
 public:
  // Maps `folder`/model*.safetensors (F32, F16 or BF16) and reads `folder`/config.json. Every
  // tensor's name, type and shape is checked; errors name the file and the tensor.
  static Result<std::unique_ptr<Encoder>> Load(const std::string& folder);
  // The same with the layers of `tuned_folder`/model.safetensors (encoder.layer.*) over the
  // embeddings of `folder`: an encoder that was trained on with its embeddings left alone.
  static Result<std::unique_ptr<Encoder>> LoadTuned(const std::string& folder,
                                                    const std::string& tuned_folder);
  virtual ~Encoder() = default;

  // Mean-pooled, L2-normalised embeddings: out[(index of the pool over all inputs) * hidden ...].
  // REQUIRES: out.size() == total pools * hidden. The result of a sequence does not depend on what
  // else is in the batch or on the number of threads.
  virtual void Embed(std::span<const EncoderInput> inputs, std::span<float> out,
                     ThreadPool& pool) const = 0;

  [[nodiscard]] virtual const EncoderConfig& config() const = 0;
  // Names the arithmetic, as EncoderArithmetic. Equal weights and equal arithmetic give equal bits.
  [[nodiscard]] virtual const std::string& arithmetic() const = 0;
  // SHA-256 of the weight file; of a tuned encoder that of its layers. Computed on first use (a 45
  // MB file takes some 100 ms).
  [[nodiscard]] virtual const std::string& weights_sha256() const = 0;
  // Of the file that holds the embeddings, computed anew: the same file unless tuned.
  [[nodiscard]] virtual std::string base_sha256() const = 0;
};

// The instruction set and precision in use: "avx512, 8-bit", "avx2, 16-bit", "reference, 32-bit".
// SAFEGUARD_KERNELS forces an instruction set (amx, avx512, avx2, reference) and
// SAFEGUARD_SCREEN_PRECISION a precision (8 or 16); without them the fastest that the processor
// runs.
std::string EncoderKernels();

// What the bits of an embedding depend on besides weights and tokens: "8-bit", which is the same on
// every instruction set, or EncoderKernels.
std::string EncoderArithmetic();

}  // namespace safeguard::engine
