// A gpt-oss model without text around it: token ids in, logits out, one sequence. For comparing
// engines and for looking at a model; a service runs many sequences at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

// Logits: kF32 exact in binary32; kInt16 some 3e-5 off; kInt8 some 1e-2 off, as llama.cpp computes,
// and faster. kDefault: the environment's SAFEGUARD_PRECISION ("f32", "int16", "int8"), else
// kInt16.
enum class RawPrecision : std::uint8_t { kDefault, kF32, kInt16, kInt8 };

struct RawModelOptions {
  RawPrecision precision = RawPrecision::kDefault;
  std::size_t threads = 1;  // at least 1
};

// Used by one thread.
class RawModel {
 public:
  // Any checkpoint: a Hugging Face folder, the original layout or a GGUF file.
  static Result<std::unique_ptr<RawModel>> Open(const std::string& path,
                                                const RawModelOptions& options);
  virtual ~RawModel() = default;

  [[nodiscard]] virtual std::size_t vocabulary() const = 0;
  [[nodiscard]] virtual std::size_t context_max() const = 0;

  // Appends `ids` (at least one) to the sequence; the logits of the last `rows` of them, a row of
  // vocabulary() after another. An id outside the vocabulary or a full context: an error.
  // REQUIRES: rows <= ids.size().
  virtual Result<std::vector<float>> Append(std::span<const std::uint32_t> ids,
                                            std::size_t rows) = 0;
};

}  // namespace safeguard::engine
