// The weights of a task as bfloat16 tiles, two groups side by side, in steps of some blocks. A
// step is unpacked part by part while the one before is multiplied, and what it reads was
// asked for a step earlier: arithmetic, unpacking and memory go on at once. In an unnamed
// namespace: for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/cpu/kernels/amx/tile_memory.h"
#include "engine/cpu/kernels/avx512/lanes.h"
#include "engine/cpu/kernels/avx512_bf16/bf16_weights.h"
#include "engine/cpu/kernels/packed_linear.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

constexpr std::size_t kPairOutputs = 2 * kPackedOutputs;

// Where the bytes of a vector go: of pair p of outputs 8 * h to 8 * h + 7, in at[2 * p + h].
struct Q8Turns {
  constexpr Q8Turns() {
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t lane = 0; lane < kPackedOutputs; ++lane) {
        const std::size_t output = 8 * (i % 2) + lane / 2;
        at[i][4 * lane + 1] = static_cast<std::uint8_t>(4 * output + i / 2 + 2 * (lane % 2));
      }
    }
  }
  alignas(64) std::uint8_t at[4][64] = {};
};

// As UnpackQ8, to the same bits: a byte u in the second place of 2^15 makes 2^15 + u, and
// (2^15 + u) * scale - (2^15 + 128) * scale is exact in binary32. Bytes go where pairs want them.
class Q8Unpacker {
 public:
  [[gnu::always_inline]] explicit Q8Unpacker(const std::byte* scales) {
    const __m512 all = Lanes16::LoadF16(scales);
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    scale_[0] = _mm512_permutexvar_ps(twice, all);
    scale_[1] = _mm512_permutexvar_ps(_mm512_add_epi32(twice, _mm512_set1_epi32(8)), all);
    less_[0] = _mm512_mul_ps(scale_[0], _mm512_set1_ps(-32896.0F));
    less_[1] = _mm512_mul_ps(scale_[1], _mm512_set1_ps(-32896.0F));
  }
  // Vector v of a block.
  [[gnu::always_inline]] void Vector(const std::byte* codes, std::size_t v, std::byte* to) const {
    alignas(64) static constexpr Q8Turns kTurns;
    const __m512i base = _mm512_set1_epi32(0x47000000);
    const __m512i bytes = _mm512_load_si512(codes + 64 * v);
#pragma GCC unroll 2
    for (std::size_t pair = 0; pair < 2; ++pair) {
      __m512 weights[2];
#pragma GCC unroll 2
      for (std::size_t half = 0; half < 2; ++half) {
        const __m512i turns = _mm512_load_si512(kTurns.at[2 * pair + half]);
        const __m512i numbers =
            _mm512_mask_permutexvar_epi8(base, 0x2222222222222222U, turns, bytes);
        weights[half] = _mm512_fmadd_ps(_mm512_castsi512_ps(numbers), scale_[half], less_[half]);
      }
      const auto both = __builtin_bit_cast(__m512i, _mm512_cvtne2ps_pbh(weights[1], weights[0]));
      _mm512_store_si512(to + 128 * v + 64 * pair, both);
    }
  }

 private:
  __m512 scale_[2];
  __m512 less_[2];
};

class Mxfp4Unpacker {
 public:
  [[gnu::always_inline]] explicit Mxfp4Unpacker(const std::byte* scales)
      : less_(Mxfp4Less(scales)) {}
  [[gnu::always_inline]] void Vector(const std::byte* codes, std::size_t v, std::byte* to) const {
    UnpackMxfp4Vector(codes + 64 * v, Bf16Values(), less_, to + 256 * v);
  }

 private:
  __m512i less_;
};

struct NoUnpacker {  // bfloat16 weights stay in place
  explicit NoUnpacker(const std::byte* /*scales*/) {}
  void Vector(const std::byte* /*codes*/, std::size_t /*v*/, std::byte* /*to*/) const {}
};

template <PackedType type>
using UnpackerOf =
    std::conditional_t<type == PackedType::kMxfp4, Mxfp4Unpacker,
                       std::conditional_t<type == PackedType::kQ8, Q8Unpacker, NoUnpacker>>;

// Steps between what is unpacked and what memory is asked for.
constexpr std::size_t kAskSteps = 2;

template <PackedType type>
[[gnu::always_inline]] inline void AskForBlock(const std::byte* codes, const std::byte* scales) {
  for (std::size_t at = 0; at < PackedCodeBytes(type); at += 64) {
    Lanes16::Prefetch(codes + at);
  }
  if constexpr (type != PackedType::kBf16) {
    Lanes16::Prefetch(scales);
  }
}

// A step that is to be unpacked. Half h of it is block h / 2 of group h % 2.
template <PackedType type>
struct TileStep {
  std::size_t count = 0;            // blocks
  const std::byte* codes[2] = {};   // of the two groups, at the step's first block
  const std::byte* scales[2] = {};  // likewise
  std::byte* tiles[2] = {};         // where they go
  std::ptrdiff_t later[2] = {};     // from these to those that memory is asked for meanwhile
  std::ptrdiff_t later_scales[2] = {};

  [[nodiscard]] std::size_t halves() const { return 2 * count; }
  [[nodiscard, gnu::always_inline]] const std::byte* Codes(std::size_t h) const {
    return codes[h % 2] + h / 2 * PackedCodeBytes(type);
  }
  [[nodiscard, gnu::always_inline]] const std::byte* Scales(std::size_t h) const {
    return scales[h % 2] + h / 2 * PackedScaleBytes(type);
  }
  // Asks memory for a half, some steps ahead; bfloat16 weights, which stay in place, one step.
  [[gnu::always_inline]] void Ask(std::size_t h) const {
    if constexpr (type == PackedType::kBf16) {
      AskForBlock<type>(Codes(h), Scales(h));
    } else {
      AskForBlock<type>(Codes(h) + later[h % 2], Scales(h) + later_scales[h % 2]);
    }
  }
};

// Unpacks a half in four parts, between which others may be at work.
template <PackedType type>
class HalfMaker {
 public:
  [[gnu::always_inline]] HalfMaker(const TileStep<type>& step, std::size_t h)
      : unpacker_(step.Scales(h)),
        codes_(step.Codes(h)),
        to_(step.tiles[h % 2] + h / 2 * kBf16BlockBytes) {}

  template <std::size_t part>
  [[gnu::always_inline]] void Make() const {
    constexpr std::size_t kVectors = PackedCodeBytes(type) / 256;
#pragma GCC unroll 2
    for (std::size_t v = kVectors * part; v < kVectors * (part + 1); ++v) {
      unpacker_.Vector(codes_, v, to_);
    }
  }
  [[gnu::always_inline]] void MakeAll() const {
    Make<0>();
    Make<1>();
    Make<2>();
    Make<3>();
  }

 private:
  UnpackerOf<type> unpacker_;
  const std::byte* codes_;
  std::byte* to_;
};

template <PackedType type>
class TileWalk {
 public:
  // In steps of `chunk` blocks; `room` of 4 * chunk * kBf16BlockBytes: a step is made while the one
  // before is in use. REQUIRES: the task has outputs.
  TileWalk(const PackedTask& task, std::byte* room, std::size_t chunk)
      : task_(task), room_(room), chunk_(chunk) {
    for (std::size_t i = 0; i < Least(kAskSteps * chunk, task.blocks); ++i) {
      for (std::size_t half = 0; half < 2; ++half) {
        AskForBlock<type>(Codes({0, i}, half), Scales({0, i}, half));
      }
    }
    const TileStep<type> first = Next();
    for (std::size_t h = 0; h < first.halves(); ++h) {
      HalfMaker<type>(first, h).MakeAll();
    }
    Advance();
  }

  // Of the step at hand: its blocks' tiles, kBf16BlockBytes apart, for the first and the second 16
  // outputs. Where there is no second group, the first's.
  [[nodiscard]] const std::byte* first() const { return tiles_[0]; }
  [[nodiscard]] const std::byte* second() const { return tiles_[1]; }

  // The step behind it; of no blocks after the last.
  [[nodiscard]] TileStep<type> Next() const {
    TileStep<type> step;
    step.count = CountAt(next_);
    Place later = next_;
    for (std::size_t i = 0; i < kAskSteps; ++i) {
      later = Behind(later);
    }
    const bool ends = CountAt(later) == 0;
    for (std::size_t half = 0; half < 2; ++half) {
      step.codes[half] = Codes(next_, half);
      step.scales[half] = Scales(next_, half);
      step.tiles[half] = Room(half);
      step.later[half] = ends ? 0 : Codes(later, half) - step.codes[half];
      step.later_scales[half] = ends ? 0 : Scales(later, half) - step.scales[half];
    }
    return step;
  }
  // The next step is the one at hand. REQUIRES: all of its blocks were made.
  void Advance() {
    for (std::size_t half = 0; half < 2; ++half) {
      tiles_[half] = type == PackedType::kBf16 ? Codes(next_, half) : Room(half);
    }
    next_ = Behind(next_);
    odd_ = !odd_;
  }

 private:
  // A step begins with this output and block.
  struct Place {
    std::size_t output;
    std::size_t block;
  };

  [[nodiscard]] std::size_t CountAt(Place place) const {
    return place.output < task_.outputs ? Least(chunk_, task_.blocks - place.block) : 0;
  }
  [[nodiscard]] Place Behind(Place place) const {
    const std::size_t block = place.block + chunk_;
    return block < task_.blocks ? Place{place.output, block}
                                : Place{place.output + kPairOutputs, 0};
  }
  [[nodiscard]] const std::byte* Group(Place place, std::size_t half) const {
    const std::size_t first = place.output / kPackedOutputs;
    const bool second = half == 1 && place.output + kPackedOutputs < task_.outputs;
    return task_.weights + (first + (second ? 1 : 0)) * PackedGroupBytes(type, task_.blocks);
  }
  [[nodiscard]] const std::byte* Codes(Place place, std::size_t half) const {
    return Group(place, half) + place.block * PackedCodeBytes(type);
  }
  [[nodiscard]] const std::byte* Scales(Place place, std::size_t half) const {
    return Group(place, half) + task_.blocks * PackedCodeBytes(type) +
           place.block * PackedScaleBytes(type);
  }
  [[nodiscard]] std::byte* Room(std::size_t half) const {
    return room_ + (2 * (odd_ ? 1U : 0U) + half) * chunk_ * kBf16BlockBytes;
  }

  const PackedTask& task_;
  std::byte* room_;
  std::size_t chunk_;
  const std::byte* tiles_[2] = {};
  Place next_ = {0, 0};
  bool odd_ = false;
};

}  // namespace
}  // namespace safeguard::engine::cpu
