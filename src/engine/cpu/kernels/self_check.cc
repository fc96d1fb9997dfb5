#include "engine/cpu/kernels/self_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/cpu/aligned_floats.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::size_t kColumns = 96;
constexpr std::size_t kOutputs = 7;
constexpr std::size_t kRows = 5;
constexpr std::size_t kRowBytes = kColumns * 4;
constexpr double kTolerance = 1e-5;
constexpr double kBf16Tolerance = 2e-2;  // where queries and weights are rounded to it

// A linear congruential generator (Knuth, MMIX constants).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint8_t Byte() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint8_t>(state_ >> 56);
  }
  std::vector<float> Numbers(std::size_t count) {
    std::vector<float> numbers(count);
    for (float& number : numbers) {
      number = (static_cast<float>(Byte()) - 127.5F) / 128.0F;
    }
    return numbers;
  }

 private:
  std::uint64_t state_;
};

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

// Random bytes that are modest numbers when read as `type`.
std::vector<std::byte> Weights(WeightType type) {
  Random random(1);
  std::vector<std::byte> bytes(kOutputs * kRowBytes);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random.Byte());
  }
  const std::size_t size = type == WeightType::kF32 ? 4 : type == WeightType::kQ8_0 ? 34 : 2;
  const std::size_t top = type == WeightType::kQ8_0 ? 1 : size - 1;  // sign and exponent
  if (type != WeightType::kMxfp4) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (i % kRowBytes % size == top) {
        bytes[i] = (bytes[i] & std::byte{0x80}) | std::byte{0x3C};
      }
    }
  }
  return bytes;
}

std::vector<float> Linear(const KernelTable& table, WeightType type, NibbleOrder order,
                          std::size_t rows) {
  Random random(2);
  const std::vector<std::byte> bytes = Weights(type);
  const std::vector<std::byte> scales = {std::byte{126}, std::byte{127}, std::byte{125}};
  const std::vector<float> x = random.Numbers(kRows * kColumns);
  const std::vector<float> bias = random.Numbers(kOutputs);
  std::array<WeightRow, kOutputs> weights{};
  for (std::size_t o = 0; o < kOutputs; ++o) {
    weights.at(o) = {bytes.data() + o * kRowBytes, scales.data()};
  }
  std::array<const float*, kRows> inputs{};
  for (std::size_t r = 0; r < kRows; ++r) {
    inputs.at(r) = x.data() + r * kColumns;
  }
  std::vector<float> out(rows * kOutputs);
  std::vector<float> scratch(LinearScratchFloats(kColumns));
  table.linear({{type, order, 16, 1, kColumns},
                weights.data(),
                kOutputs,
                bias.data(),
                inputs.data(),
                rows,
                out.data(),
                kOutputs,
                scratch.data()});
  return out;
}

constexpr std::size_t kPackedRows = 29;  // sixteen or eight at once, and some

// The first `count` of kPackedRows rows. Integers must give the reference's bits, bfloat16 what
// sums of binary32 are precise to.
std::vector<float> PackedLinear(const KernelTable& table, PackedType type, ActivationBits bits,
                                std::size_t count = kPackedRows) {
  constexpr std::size_t kBlocks = kColumns / kPackedBlock;
  Random random(5);
  const std::size_t row_floats = PreparedRowBytes(kBlocks) / sizeof(float);
  const std::size_t group_floats = PackedGroupBytes(type, kBlocks) / sizeof(float);
  AlignedFloats weights(group_floats);
  auto* bytes = reinterpret_cast<std::uint8_t*>(weights.data());
  const std::size_t scales = kBlocks * PackedCodeBytes(type);
  for (std::size_t i = 0; i < group_floats * sizeof(float); ++i) {
    const bool top = type == PackedType::kQ8 && i % 2 == 1;  // of a scale: sign and exponent
    bytes[i] = i < scales ? random.Byte()
                          : static_cast<std::uint8_t>(top ? 0x28 : 100 + random.Byte() % 40);
    if (type == PackedType::kBf16 && i % 2 == 1) {  // sign and exponent
      bytes[i] = static_cast<std::uint8_t>((bytes[i] & 0x80U) | 0x3CU);
    }
  }
  const std::vector<float> x = random.Numbers(kPackedRows * kColumns);
  const std::vector<float> bias(kPackedOutputs, 0.5F);
  AlignedFloats prepared(kPackedRows * row_floats);
  std::array<const std::byte*, kPackedRows> rows{};
  for (std::size_t r = 0; r < kPackedRows; ++r) {
    auto* row = reinterpret_cast<std::byte*>(prepared.data() + r * row_floats);
    table.prepare({type, bits, x.data() + r * kColumns, kBlocks, row});
    rows.at(r) = row;
  }
  std::vector<float> out(count * kPackedOutputs);
  AlignedFloats scratch(kPackedScratchFloats);
  table.packed_linear({type, bits, reinterpret_cast<const std::byte*>(weights.data()), kBlocks,
                       kPackedOutputs, bias.data(), rows.data(), count, out.data(), kPackedOutputs,
                       scratch.data()});
  return out;
}

bool PackedAgrees(const KernelTable& table) {
  for (const PackedType type : {PackedType::kMxfp4, PackedType::kQ8}) {
    for (const ActivationBits bits : {ActivationBits::k16, ActivationBits::k8}) {
      for (const std::size_t rows : {std::size_t{1}, std::size_t{3}, kPackedRows}) {
        if (PackedLinear(table, type, bits, rows) !=
            PackedLinear(kReferenceKernels, type, bits, rows)) {
          return false;
        }
      }
    }
  }
  for (const PackedType type : {PackedType::kMxfp4, PackedType::kQ8, PackedType::kBf16}) {
    const auto actual = PackedLinear(table, type, ActivationBits::kBf16);
    const auto expected = PackedLinear(kReferenceKernels, type, ActivationBits::kBf16);
    if (!(RelativeDifference(actual, expected) < kTolerance)) {
      return false;
    }
  }
  return true;
}

std::vector<float> Attention(const KernelTable& table, KvType type) {
  constexpr std::size_t kTokens = 3;
  constexpr std::size_t kGroup = 5;
  constexpr std::size_t kHead = 6;
  Random random(3);
  const std::vector<float> query = random.Numbers(kTokens * kGroup * kHead);
  const std::vector<float> sinks = random.Numbers(kGroup);
  // Read as binary16 or bfloat16 these are numbers too, if odd ones: the lower halves are zero.
  const std::vector<float> numbers = random.Numbers(KvHeadBytes(kHead, type) / 2);
  const auto* first = reinterpret_cast<const std::byte*>(numbers.data());
  const std::array<const std::byte*, 2> pages = {first, first + KvHeadBytes(kHead, type)};
  std::vector<float> out(query.size());
  std::vector<AttentionRow> rows;
  for (std::size_t row = 0; row < kTokens * kGroup; ++row) {
    rows.push_back({query.data() + row * kHead, out.data() + row * kHead, 62 + row / kGroup,
                    sinks[row % kGroup]});
  }
  const std::array<PageVisit, 2> visits = {
      {{pages[0], 0, 0, rows.size()}, {pages[1], 1, 2 * kGroup, kGroup}}};
  std::vector<float> scratch(AttentionScratchFloats(rows.size(), kHead));
  table.attention(
      {rows.data(), rows.size(), visits.data(), visits.size(), kHead, 40, type, scratch.data()});
  return out;
}

std::vector<float> NormAndSwiglu(const KernelTable& table) {
  constexpr std::size_t kWidth = 102;
  Random random(4);
  const std::vector<float> x = random.Numbers(kWidth);
  const std::vector<float> weight = random.Numbers(kWidth);
  std::vector<float> pairs(kWidth);
  table.rms_norm({x.data(), weight.data(), 1e-5F, kWidth, pairs.data()});
  std::vector<float> out(kWidth / 2);
  table.swiglu({pairs.data(), out.size(), 1.702F, 1.5F, out.data()});
  return out;
}

}  // namespace

bool AgreesWithReference(const KernelTable& table) {
  const auto agrees = [&](const auto& run) {
    return RelativeDifference(run(table), run(kReferenceKernels)) < kTolerance;
  };
  for (const WeightType type : {WeightType::kF32, WeightType::kF16, WeightType::kBF16,
                                WeightType::kQ8_0, WeightType::kMxfp4}) {
    for (const NibbleOrder order : {NibbleOrder::kAdjacent, NibbleOrder::kHalves}) {
      for (const std::size_t rows : {std::size_t{1}, kRows}) {
        if (!agrees([&](const KernelTable& t) { return Linear(t, type, order, rows); })) {
          return false;
        }
      }
    }
  }
  return agrees([](const KernelTable& t) { return Attention(t, KvType::kF32); }) &&
         agrees([](const KernelTable& t) { return Attention(t, KvType::kF16); }) &&
         RelativeDifference(Attention(table, KvType::kBf16),
                            Attention(kReferenceKernels, KvType::kBf16)) < kBf16Tolerance &&
         agrees(NormAndSwiglu) && PackedAgrees(table);
}

}  // namespace safeguard::engine::cpu
