// Typed views of a checkpoint's weights, the same for every file format: a kernel reads through
// them and never asks where they came from. A view owns nothing; the checkpoint that gave it keeps
// the mapping alive. Bytes are little-endian and may lie at any address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace safeguard::engine {

enum class WeightType : std::uint8_t {
  kF32,
  kF16,
  kBF16,
  kQ8_0,   // ggml: blocks of 32: one f16 scale, then 32 int8
  kMxfp4,  // OCP MX: blocks of 32 E2M1 codes with one E8M0 scale
};

// Which element of an MXFP4 block a nibble holds. Byte j of the 16: low nibble, high nibble.
enum class NibbleOrder : std::uint8_t {
  kAdjacent,  // 2j, 2j + 1: safetensors
  kHalves,    // j, j + 16: GGUF
};

// Where the blocks of an MXFP4 matrix lie: block b of row r has its codes at
// codes + r * code_row_stride + b * code_stride (16 bytes) and its scale at
// scales + r * scale_row_stride + b * scale_stride (1 byte: 2^(s - 127)).
struct Mxfp4Blocks {
  const std::byte* codes = nullptr;
  const std::byte* scales = nullptr;
  std::size_t code_stride = 16;  // 17 in GGUF, where the scale stands before its codes
  std::size_t scale_stride = 1;
  std::size_t code_row_stride = 0;
  std::size_t scale_row_stride = 0;
  NibbleOrder order = NibbleOrder::kAdjacent;
};

// `rows` outputs of `columns` inputs each. Row r starts at data + r * row_stride; the rows of one
// expert's gate and up projections are interleaved in safetensors (stride of two rows) and apart
// in GGUF.
struct MatrixView {
  WeightType type = WeightType::kF32;
  std::size_t rows = 0;
  std::size_t columns = 0;          // a multiple of 32 for kQ8_0 and kMxfp4
  const std::byte* data = nullptr;  // unused for kMxfp4
  std::size_t row_stride = 0;       // bytes
  Mxfp4Blocks mxfp4;                // for kMxfp4 only
};

// `size` numbers (kF32, kF16 or kBF16), `stride` bytes apart.
struct VectorView {
  WeightType type = WeightType::kF32;
  std::size_t size = 0;
  const std::byte* data = nullptr;
  std::size_t stride = 0;
};

struct ExpertWeights {
  MatrixView gate;  // [intermediate, hidden]
  MatrixView up;    // [intermediate, hidden]
  MatrixView down;  // [hidden, intermediate]
  VectorView gate_bias;
  VectorView up_bias;
  VectorView down_bias;
};

struct LayerWeights {
  VectorView attention_norm;  // [hidden]
  MatrixView query;           // [heads * head_dim, hidden]
  MatrixView key;             // [kv_heads * head_dim, hidden]
  MatrixView value;           // [kv_heads * head_dim, hidden]
  VectorView query_bias;
  VectorView key_bias;
  VectorView value_bias;
  VectorView sinks;   // [heads]
  MatrixView output;  // [hidden, heads * head_dim]
  VectorView output_bias;
  VectorView expert_norm;  // [hidden]
  MatrixView router;       // [experts, hidden]
  VectorView router_bias;
  std::vector<ExpertWeights> experts;
};

struct GptOssWeights {
  MatrixView embedding;  // [vocabulary, hidden]
  std::vector<LayerWeights> layers;
  VectorView final_norm;   // [hidden]
  MatrixView unembedding;  // [vocabulary, hidden]
};

}  // namespace safeguard::engine
