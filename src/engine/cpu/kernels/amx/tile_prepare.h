// Rows of bfloat16 for the tiles, as PrepareBf16 makes them (prepare_rows.h), in vectors. In an
// unnamed namespace: for amx.cc.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernels/bf16_rounding.h"
#include "engine/cpu/kernels/packed_linear.h"

namespace safeguard::engine::cpu {
namespace {  // NOLINT(google-build-namespaces): see above

struct Bf16Columns {
  constexpr Bf16Columns() {
    for (std::uint32_t i = 0; i < kPackedBlock; ++i) {
      at[i] = static_cast<std::uint16_t>(Bf16Column(i));
    }
  }
  alignas(64) std::uint16_t at[kPackedBlock] = {};
};

// VCVTNE2PS2BF16 rounds as RoundToBf16 does: to nearest, ties to even, subnormal numbers to zero.
inline void TilePrepareBf16(const PrepareTask& task) {
  alignas(64) static constexpr Bf16Columns kColumns;
  const __m512i columns = _mm512_load_si512(kColumns.at);
  for (std::size_t block = 0; block < task.blocks; ++block) {
    const float* x = task.x + block * kPackedBlock;
    const auto numbers = __builtin_bit_cast(
        __m512i, _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + 16), _mm512_loadu_ps(x)));
    _mm512_store_si512(task.row + 64 * block, _mm512_permutexvar_epi16(columns, numbers));
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu
