#include "engine/encoder/kernels/self_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/encoder/aligned_bytes.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kRows = 7;
constexpr std::size_t kInputs = kInputBlock + kWidthQuantum;
constexpr std::size_t kOutputs = 2 * kWidthQuantum;
constexpr std::size_t kTokens = 11;

// Numbers in [-1, 1) from a linear congruential generator (Knuth, MMIX constants).
std::vector<float> Numbers(std::size_t count, std::uint64_t seed) {
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    number = static_cast<float>(static_cast<double>(seed >> 40) / (1 << 23) - 1.0);
  }
  return numbers;
}

// Largest difference over largest magnitude. Infinite when anything is not a number.
double RelativeDifference(const std::vector<float>& actual, const std::vector<float>& expected) {
  double difference = 0;
  double magnitude = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!std::isfinite(actual[i])) {
      return HUGE_VAL;
    }
    difference = std::max(difference, std::fabs(double{actual[i]} - double{expected[i]}));
    magnitude = std::max(magnitude, std::fabs(double{expected[i]}));
  }
  return difference / magnitude;
}

std::vector<float> Linear(const KernelTable& table, InputKind kind) {
  const std::vector<float> weights = Numbers(kOutputs * kInputs, 1);
  std::vector<float> x = Numbers(kRows * kInputs, 2);
  std::vector<float> bias = Numbers(kOutputs, 3);
  AlignedBytes packed(table.packed_bytes(kOutputs, kInputs, kind));
  AlignedBytes prepared(table.prepared_bytes(kRows, kInputs, kind));
  table.pack_weights(
      {weights.data(), bias.data(), 0, kOutputs, kOutputs, kInputs, kind, packed.data()});
  if (kind == InputKind::kInner) {
    for (std::size_t begin = 0; begin < kInputs; begin += table.inner_block) {
      table.prepare_gelu({x.data() + begin, kInputs, kRows, kInputs, kind, begin,
                          std::min(table.inner_block, kInputs - begin), prepared.data()});
    }
  } else {
    table.prepare_rows({x.data(), kInputs, kRows, kInputs, kind, 0, kInputs, prepared.data()});
  }
  std::vector<float> out(kRows * kOutputs);
  table.multiply({packed.data(), bias.data(), kOutputs, kInputs, kind, 0, kOutputs, prepared.data(),
                  kRows, out.data(), kOutputs});
  return out;
}

std::vector<float> Attention(const KernelTable& table) {
  const std::vector<float> qkv = Numbers(kTokens * 3 * kWidthQuantum, 4);
  std::vector<float> scratch(AttentionScratchFloats(kTokens, kWidthQuantum));
  std::vector<float> out(kTokens * kWidthQuantum);
  table.attention({qkv.data(), qkv.data() + kWidthQuantum, qkv.data() + 2 * kWidthQuantum,
                   3 * kWidthQuantum, kTokens, kTokens, kWidthQuantum, out.data(), kWidthQuantum,
                   scratch.data()});
  return out;
}

std::vector<float> NormAndGelu(const KernelTable& table) {
  const std::vector<float> a = Numbers(kRows * kInputs, 5);
  const std::vector<float> b = Numbers(kRows * kInputs, 6);
  const std::vector<float> weight = Numbers(kInputs, 7);
  const std::vector<float> bias = Numbers(kInputs, 8);
  std::vector<float> out(a.size());
  table.add_layer_norm(
      {a.data(), b.data(), weight.data(), bias.data(), 1e-12F, kInputs, kRows, out.data()});
  table.gelu(out.data(), out.size());
  return out;
}

}  // namespace

bool AgreesWithReference(const KernelTable& table) {
  // bf16 products of a few hundred terms differ by some 0.3 %, bytes by some 1 %; a wrong kernel
  // differs by 100 %.
  const bool bytes = table.precision == Precision::k8Bit;
  const double linear = bytes ? 0.04 : 0.02;
  const double attention = bytes ? 0.04 : 1e-5;
  const double row = bytes ? 5e-4 : 1e-5;
  for (const InputKind kind : {InputKind::kHidden, InputKind::kContext, InputKind::kInner}) {
    if (!(RelativeDifference(Linear(table, kind), Linear(kReferenceKernels, kind)) < linear)) {
      return false;
    }
  }
  return RelativeDifference(Attention(table), Attention(kReferenceKernels)) < attention &&
         RelativeDifference(NormAndGelu(table), NormAndGelu(kReferenceKernels)) < row;
}

}  // namespace safeguard::engine
