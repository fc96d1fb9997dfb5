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
#include "engine/model_precision.h"
#include "engine/packed_file.h"

namespace safeguard::engine {

struct RawModelOptions {
  // kDefault: what the environment names, else kInt16 on every machine, so that numbers can be
  // compared.
  ModelPrecision precision = ModelPrecision::kDefault;
  std::size_t threads = 1;  // at least 1
  PackedFileOptions packed_file;
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

  // Where its packed weights are.
  [[nodiscard]] virtual const PackedReport& packed() const = 0;

  // Appends `ids` (at least one) to the sequence; the logits of the last `rows` of them, a row of
  // vocabulary() after another. An id outside the vocabulary or a full context: an error.
  // REQUIRES: rows <= ids.size().
  virtual Result<std::vector<float>> Append(std::span<const std::uint32_t> ids,
                                            std::size_t rows) = 0;
};

}  // namespace safeguard::engine
