// 8-bit layers in plain C++: the same sources as AVX2 and AVX-512, over an array of sixteen lanes.
// Gives their very bits, and is what they are tested against where there is no such processor.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/encoder/kernels/int8_attention.h"
#include "engine/encoder/kernels/int8_layout.h"
#include "engine/encoder/kernels/int8_linear.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/encoder/kernels/vector_math.h"

namespace safeguard::engine {
namespace {

struct Array16 {
  static constexpr std::size_t kWidth = 16;
  using Float = std::array<float, kWidth>;
  using Int = std::array<std::int32_t, kWidth>;
  using Weights = std::array<std::int8_t, 4 * kWidth>;
  using Quad = std::array<std::uint8_t, 4>;

  template <class Out, class F>
  static Out Each(F f) {
    Out out;
    for (std::size_t i = 0; i < kWidth; ++i) {
      out[i] = f(i);
    }
    return out;
  }
  // Halves, quarters, and so on, as the others' registers are summed.
  template <class Lanes, class F>
  static auto Fold(Lanes x, F f) {
    for (std::size_t width = kWidth / 2; width > 0; width /= 2) {
      for (std::size_t i = 0; i < width; ++i) {
        x[i] = f(x[i], x[i + width]);
      }
    }
    return x[0];
  }
  template <class Lanes>
  static Lanes Read(const void* from) {
    Lanes out;
    std::memcpy(out.data(), from, sizeof out);
    return out;
  }

  static Float Load(const float* from) { return Read<Float>(from); }
  static void Store(float* to, const Float& x) { std::memcpy(to, x.data(), sizeof x); }
  static Float Set(float x) {
    return Each<Float>([&](std::size_t) { return x; });
  }
  static Float Zero() { return Set(0); }
  static Float Add(const Float& a, const Float& b) {
    return Each<Float>([&](std::size_t i) { return a[i] + b[i]; });
  }
  static Float Sub(const Float& a, const Float& b) {
    return Each<Float>([&](std::size_t i) { return a[i] - b[i]; });
  }
  static Float Mul(const Float& a, const Float& b) {
    return Each<Float>([&](std::size_t i) { return a[i] * b[i]; });
  }
  static Float Div(const Float& a, const Float& b) {
    return Each<Float>([&](std::size_t i) { return a[i] / b[i]; });
  }
  static Float Max(const Float& a, const Float& b) {
    return Each<Float>([&](std::size_t i) { return a[i] > b[i] ? a[i] : b[i]; });
  }
  static Float Min(const Float& a, const Float& b) {
    return Each<Float>([&](std::size_t i) { return a[i] < b[i] ? a[i] : b[i]; });
  }
  static Float Abs(const Float& x) {
    return Each<Float>([&](std::size_t i) { return std::fabs(x[i]); });
  }
  static Float MulAdd(const Float& a, const Float& b, const Float& c) {
    return Each<Float>([&](std::size_t i) { return std::fma(a[i], b[i], c[i]); });
  }
  static float Total(const Float& x) {
    return Fold(x, [](float a, float b) { return a + b; });
  }
  static float Largest(const Float& x) {
    return Fold(x, [](float a, float b) { return std::max(a, b); });
  }

  static Int ZeroInt() { return Int{}; }
  static Int SetInt(std::int32_t x) {
    return Each<Int>([&](std::size_t) { return x; });
  }
  static Int LoadInt(const void* from) { return Read<Int>(from); }
  static void StoreInt(void* to, const Int& x) { std::memcpy(to, x.data(), sizeof x); }
  static Int AddInt(const Int& a, const Int& b) {
    return Each<Int>([&](std::size_t i) { return a[i] + b[i]; });
  }
  static Int SubInt(const Int& a, const Int& b) {
    return Each<Int>([&](std::size_t i) { return a[i] - b[i]; });
  }
  static Int MaxInt(const Int& a, const Int& b) {
    return Each<Int>([&](std::size_t i) { return std::max(a[i], b[i]); });
  }
  static std::int32_t TotalInt(const Int& x) {
    return Fold(x, [](std::int32_t a, std::int32_t b) { return a + b; });
  }
  static std::int32_t LargestInt(const Int& x) {
    return Fold(x, [](std::int32_t a, std::int32_t b) { return std::max(a, b); });
  }
  // To nearest, ties to even; what does not fit gives the smallest number, as on x86.
  static Int RoundToInt(const Float& x) {
    return Each<Int>([&](std::size_t i) {
      return std::fabs(x[i]) < 0x1p31F ? static_cast<std::int32_t>(std::nearbyintf(x[i]))
                                       : std::numeric_limits<std::int32_t>::min();
    });
  }
  static Float ToFloat(const Int& x) {
    return Each<Float>([&](std::size_t i) { return static_cast<float>(x[i]); });
  }
  static Float TimesPowerOfTwo(const Float& x, const Int& n) {
    return Each<Float>([&](std::size_t i) {
      return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x[i]) +
                                  (static_cast<std::uint32_t>(n[i]) << 23));
    });
  }
  static Int HighByte(const Int& x) {
    return Each<Int>([&](std::size_t i) { return x[i] >> 8; });
  }
  static void StoreBytes(std::uint8_t* to, const Int& x) {
    for (std::size_t i = 0; i < kWidth; ++i) {
      to[i] = static_cast<std::uint8_t>(x[i]);
    }
  }
  static Int JoinBytes(const Int& x0, const Int& x1, const Int& x2, const Int& x3) {
    return Each<Int>([&](std::size_t i) {
      const std::uint8_t bytes[4] = {
          static_cast<std::uint8_t>(x0[i]), static_cast<std::uint8_t>(x1[i]),
          static_cast<std::uint8_t>(x2[i]), static_cast<std::uint8_t>(x3[i])};
      std::int32_t joined = 0;
      std::memcpy(&joined, bytes, sizeof joined);
      return joined;
    });
  }
  static Weights LoadWeights(const std::int8_t* from) { return Read<Weights>(from); }
  static Quad RepeatQuad(const void* from) { return Read<Quad>(from); }
  static Int Dot(const Int& sum, const Quad& x, const Weights& w) {
    return Each<Int>([&](std::size_t i) {
      return sum[i] + x[0] * w[4 * i] + x[1] * w[4 * i + 1] + x[2] * w[4 * i + 2] +
             x[3] * w[4 * i + 3];
    });
  }
};

bool Supported() {
  return true;
}

std::size_t PackedSize(std::size_t outputs, std::size_t inputs, InputKind kind) {
  return Int8PackedBytes(outputs, inputs, kind);
}

std::size_t PreparedSize(std::size_t rows, std::size_t inputs, InputKind kind) {
  return rows * Int8RowBytes(inputs, kind);
}

void WidenF16(const std::byte* from, std::size_t count, float* to) {
  kReferenceKernels.widen_f16(from, count, to);
}

}  // namespace

const KernelTable kPortableInt8Kernels = {
    .name = "reference",
    .precision = Precision::k8Bit,
    .supported = Supported,
    .row_quantum = 4,
    .inner_block = kInt8InnerBlock,
    .sorts_channels = true,
    .packed_bytes = PackedSize,
    .pack_weights = Int8PackWeights<Array16, 1>,
    .prepared_bytes = PreparedSize,
    .prepare_rows = Int8PrepareRows<Array16>,
    .prepare_gelu = Int8PrepareGelu<Array16>,
    .multiply = Int8Multiply<Array16, 4, 1>,
    .attention = Int8Attention<Array16, 4, 1>,
    .add_layer_norm = AddLayerNorm<Array16>,
    .gelu = Int8Gelu<Array16>,
    .widen_f16 = WidenF16,
};

}  // namespace safeguard::engine
