// What the numbers of a checkpoint are worth, exactly: plain scalar code that defines the meaning
// of every WeightType. Kernels are tested against it; loading and tests use it directly.
//
// MXFP4 (OCP Microscaling Formats v1.0): an E2M1 code (0, .5, 1, 1.5, 2, 3, 4, 6, bit 3 the sign)
// times 2^(s - 127). Every product is exact in float, subnormals included, but those of 2^128 and
// more (s = 253 and 254), which overflow to infinity. s = 255 is NaN by that standard, also for
// code 0; implementations that shift exponents read it as 2^128. No known checkpoint holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/model/weights.h"

namespace safeguard::engine {

float Float16Value(std::uint16_t bits);   // IEEE binary16, subnormals, infinities and NaN included
float Bfloat16Value(std::uint16_t bits);  // the upper half of a float
float E2m1Value(std::uint8_t code);       // REQUIRES: code < 16
float E8m0Value(std::uint8_t scale);      // 2^(scale - 127); 255: NaN

// Writes elements [begin, begin + out.size()) of row `row`.
// REQUIRES: they are inside the matrix.
void DequantizeRow(const MatrixView& matrix, std::size_t row, std::size_t begin,
                   std::span<float> out);

// Writes numbers [begin, begin + out.size()). REQUIRES: they are inside the vector.
void DequantizeVector(const VectorView& vector, std::size_t begin, std::span<float> out);

}  // namespace safeguard::engine
