// A gpt-oss model made ready to answer: the checkpoint of a path, its tokenizer, the network on a
// device and the generator that drives it, owned together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/bpe.h"
#include "engine/generator.h"
#include "engine/model_precision.h"
#include "engine/packed_file.h"

namespace safeguard::engine {

struct LanguageModelOptions {
  std::size_t threads = 1;  // at least 1
  ModelPrecision precision = ModelPrecision::kDefault;
  // The o200k rank file, used when the checkpoint brings no tokenizer of its own.
  std::string rank_file;
  PackedFileOptions packed_file;
  GeneratorSettings generator;  // prefix_model is set by Open
};

class LanguageModel {
 public:
  // `path`: as Checkpoint::Open takes it. Errors name the file, and what to do.
  static Result<std::unique_ptr<LanguageModel>> Open(const std::string& path,
                                                     const LanguageModelOptions& options);
  virtual ~LanguageModel() = default;

  // May be used from any thread.
  virtual Generator& generator() = 0;
  [[nodiscard]] virtual const Bpe& bpe() const = 0;
  [[nodiscard]] virtual std::size_t vocabulary() const = 0;   // rows of logits
  [[nodiscard]] virtual std::size_t context_max() const = 0;  // positions
  // The folder's or file's name.
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Where its packed weights are.
  [[nodiscard]] virtual const PackedReport& packed() const = 0;
  // 64 hexadecimal digits over the config, the names and sizes of the weight files, their headers
  // and samples of their bytes: two checkpoints that differ by more than a few flipped bits differ
  // here. (`model verify` hashes every byte, which takes a minute for the large ones.)
  [[nodiscard]] virtual const std::string& fingerprint() const = 0;
};

// The tokenizer of a checkpoint (a folder or a .gguf), or of a tokenizer.json itself; `rank_file`
// when a checkpoint brings none, empty when there is none.
Result<std::unique_ptr<Bpe>> LoadTokenizer(const std::string& path, const std::string& rank_file);

// The kernels that a model's network runs on: "avx512", "avx2", "reference", ... SAFEGUARD_KERNELS
// forces one.
const char* LanguageModelKernels();

// LanguageModel::fingerprint of the checkpoint at `path`, without making it ready.
Result<std::string> ModelFingerprint(const std::string& path);

}  // namespace safeguard::engine
