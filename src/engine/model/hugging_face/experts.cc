#include "engine/model/hugging_face/experts.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace safeguard::engine {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kCodeBytes = 16;

ExpertMatrices Slices(const std::byte* data, WeightType type, std::size_t experts, std::size_t rows,
                      std::size_t columns) {
  const std::size_t row_bytes = columns * (type == WeightType::kF32 ? 4U : 2U);
  ExpertMatrices matrices;
  for (std::size_t e = 0; e < experts; ++e) {
    matrices.push_back({type, rows, columns, data + e * rows * row_bytes, row_bytes, {}});
  }
  return matrices;
}

// `from` is [rows, columns], `to` becomes [columns, rows]; in squares that stay in the cache.
template <std::size_t kBytes>
void Transpose(const std::byte* from, std::size_t rows, std::size_t columns, std::byte* to) {
  constexpr std::size_t kSquare = 32;
  for (std::size_t r0 = 0; r0 < rows; r0 += kSquare) {
    for (std::size_t c0 = 0; c0 < columns; c0 += kSquare) {
      for (std::size_t c = c0; c < std::min(c0 + kSquare, columns); ++c) {
        for (std::size_t r = r0; r < std::min(r0 + kSquare, rows); ++r) {
          std::memcpy(to + (c * rows + r) * kBytes, from + (r * columns + c) * kBytes, kBytes);
        }
      }
    }
  }
}

}  // namespace

ExpertMatrices Mxfp4Experts(TensorFinder& finder, const std::string& blocks,
                            const std::string& scales, std::size_t experts, std::size_t rows,
                            std::size_t columns) {
  const std::size_t groups = columns / kBlock;
  const StoredTensor* codes =
      finder.Find(blocks, {StoredType::kU8}, {experts, rows, groups, kCodeBytes});
  const StoredTensor* exponents = finder.Find(scales, {StoredType::kU8}, {experts, rows, groups});
  ExpertMatrices matrices;
  if (codes == nullptr || exponents == nullptr) {
    return matrices;
  }
  for (std::size_t e = 0; e < experts; ++e) {
    MatrixView matrix{WeightType::kMxfp4, rows, columns, nullptr, 0, {}};
    matrix.mxfp4.codes = codes->bytes.data() + e * rows * groups * kCodeBytes;
    matrix.mxfp4.scales = exponents->bytes.data() + e * rows * groups;
    matrix.mxfp4.code_row_stride = groups * kCodeBytes;
    matrix.mxfp4.scale_row_stride = groups;
    matrices.push_back(matrix);
  }
  return matrices;
}

ExpertMatrices PlainExperts(TensorFinder& finder, const std::string& name, std::size_t experts,
                            std::size_t rows, std::size_t columns) {
  const StoredTensor* tensor = finder.Find(
      name, {StoredType::kBF16, StoredType::kF32, StoredType::kF16}, {experts, rows, columns});
  return tensor == nullptr
             ? ExpertMatrices()
             : Slices(tensor->bytes.data(), WeightTypeOf(tensor->type), experts, rows, columns);
}

ExpertMatrices TransposedExperts(TensorFinder& finder, const std::string& name, std::size_t experts,
                                 std::size_t rows, std::size_t columns, OwnedBytes& owned) {
  const StoredTensor* tensor = finder.Find(
      name, {StoredType::kBF16, StoredType::kF32, StoredType::kF16}, {experts, columns, rows});
  if (tensor == nullptr) {
    return {};
  }
  const std::size_t size = tensor->bytes.size();
  std::unique_ptr<std::byte[]> copy(new (std::nothrow) std::byte[size]);
  if (copy == nullptr) {
    finder.Note("there is no memory for the " + std::to_string(size) + " bytes of '" + name +
                "', which must be transposed");
    return {};
  }
  const std::size_t expert_bytes = size / experts;
  for (std::size_t e = 0; e < experts; ++e) {
    const std::byte* from = tensor->bytes.data() + e * expert_bytes;
    if (tensor->type == StoredType::kF32) {
      Transpose<4>(from, columns, rows, copy.get() + e * expert_bytes);
    } else {
      Transpose<2>(from, columns, rows, copy.get() + e * expert_bytes);
    }
  }
  owned.push_back(std::move(copy));
  return Slices(owned.back().get(), WeightTypeOf(tensor->type), experts, rows, columns);
}

std::vector<ExpertWeights> InterleavedExperts(const GptOssConfig& config, TensorFinder& finder,
                                              const ExpertMatrices& gate_up,
                                              const std::string& gate_up_bias,
                                              const ExpertMatrices& down,
                                              const std::string& down_bias) {
  const std::size_t inner = config.intermediate;
  const auto bias = [&](const std::string& name, std::size_t size) -> VectorView {
    const StoredTensor* tensor = finder.Find(
        name, {StoredType::kBF16, StoredType::kF32, StoredType::kF16}, {config.experts, size});
    if (tensor == nullptr) {
      return {};
    }
    const WeightType type = WeightTypeOf(tensor->type);
    return {type, config.experts * size, tensor->bytes.data(), type == WeightType::kF32 ? 4U : 2U};
  };
  const VectorView gate_up_biases = bias(gate_up_bias, 2 * inner);
  const VectorView down_biases = bias(down_bias, config.hidden);
  std::vector<ExpertWeights> experts;
  if (gate_up.empty() || down.empty() || gate_up_biases.size == 0 || down_biases.size == 0) {
    return experts;
  }
  for (std::size_t e = 0; e < config.experts; ++e) {
    const VectorView both = PartOf(gate_up_biases, e * 2 * inner, 2 * inner);
    experts.push_back({EverySecondRow(gate_up[e], 0), EverySecondRow(gate_up[e], 1), down[e],
                       EverySecond(both, 0), EverySecond(both, 1),
                       PartOf(down_biases, e * config.hidden, config.hidden)});
  }
  return experts;
}

}  // namespace safeguard::engine
