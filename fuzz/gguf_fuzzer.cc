// The GGUF reader and everything that looks at what it accepts: config, tokenizer, weights.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "engine/model/gguf/gguf_config.h"
#include "engine/model/gguf/gguf_file.h"
#include "engine/model/gguf/gguf_weights.h"
#include "engine/model/tensor_finder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace safeguard::engine;  // NOLINT(google-build-using-namespace): one function
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  const auto file = GgufFile::Read("fuzz.gguf", bytes);
  if (!file) {
    CHECK(!file.error().message.empty());
    return 0;
  }
  for (const GgufValue& value : (*file)->metadata()) {
    CHECK((*file)->Find(value.key) == &value);
    const auto texts = TextsOf(value);
    CHECK(!texts || texts->size() == value.count);
    const auto wholes = WholesOf(value);
    CHECK(!wholes || wholes->size() == value.count);
    CHECK(!TextOf(value) || !NumberOf(value));
  }
  for (const StoredTensor& tensor : (*file)->tensors()) {
    if (!tensor.bytes.empty()) {
      CHECK(tensor.bytes.data() >= bytes.data());
      CHECK(tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + bytes.size());
    }
  }
  const auto config = ReadGgufConfig(**file);
  if (!config) {
    CHECK(!config.error().message.empty());
    return 0;
  }
  CHECK(ConfigProblem(*config).empty());
  TensorFinder finder((*file)->tensors());
  const GptOssWeights weights = GgufWeights(*config, finder);
  CHECK(weights.layers.size() == config->layers);
  CHECK(finder.Finish("fuzz").has_value() == (finder.problems() == 0));
  const auto tokenizer = ReadGgufTokenizer(**file, config->vocabulary);
  CHECK(!tokenizer || tokenizer->tokens.size() <= config->vocabulary);
  return 0;
}
