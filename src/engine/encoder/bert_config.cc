#include "engine/encoder/bert_config.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "engine/encoder/kernels/kernel_table.h"
#include "engine/model/config_file.h"

namespace safeguard::engine {
namespace {

struct Field {
  const char* key;
  std::uint64_t min;
  std::uint64_t max;
  std::size_t* to;
};

Status CheckText(const ConfigFile& file, const char* key, std::string_view wanted) {
  if (!file.Has(key)) {
    return {};
  }
  const Result<std::string> text = file.Text(key);
  if (!text) {
    return std::unexpected(text.error());
  }
  if (*text != wanted) {
    return Fail(ErrorCode::kInvalidInput,
                file.path() + ": '" + key + "' is '" + *text + "', this engine computes '" +
                    std::string(wanted) + "'",
                "use an encoder of the BERT family");
  }
  return {};
}

Status CheckWidths(const std::string& path, const EncoderConfig& config) {
  const bool fits = config.hidden % config.heads == 0 &&
                    (config.hidden / config.heads) % kWidthQuantum == 0 &&
                    config.intermediate % kWidthQuantum == 0;
  if (!fits) {
    return Fail(ErrorCode::kInvalidInput,
                path + ": hidden_size " + std::to_string(config.hidden) + " over " +
                    std::to_string(config.heads) + " heads and intermediate_size " +
                    std::to_string(config.intermediate) +
                    ": the head size and the widths must be multiples of 32",
                "use an encoder of such widths, for example MiniLM or BERT base");
  }
  return {};
}

}  // namespace

Result<EncoderConfig> ReadBertConfig(const std::string& path) {
  const Result<ConfigFile> file = ConfigFile::Open(path);
  if (!file) {
    return std::unexpected(file.error());
  }
  EncoderConfig config;
  const Field fields[] = {
      {"num_hidden_layers", 1, 64, &config.layers},
      {"hidden_size", kWidthQuantum, 4096, &config.hidden},
      {"num_attention_heads", 1, 128, &config.heads},
      {"intermediate_size", kWidthQuantum, 16384, &config.intermediate},
      {"vocab_size", 1, 1'000'000, &config.vocabulary},
      {"max_position_embeddings", 1, 8192, &config.positions_max},
  };
  for (const Field& field : fields) {
    const Result<std::uint64_t> value = file->Whole(field.key, field.min, field.max);
    if (!value) {
      return std::unexpected(value.error());
    }
    *field.to = *value;
  }
  if (file->Has("layer_norm_eps")) {
    const Result<double> epsilon = file->Number("layer_norm_eps", 0, 0.1);
    if (!epsilon) {
      return std::unexpected(epsilon.error());
    }
    config.layer_norm_epsilon = static_cast<float>(*epsilon);
  }
  for (const auto& [key, wanted] :
       {std::pair{"hidden_act", "gelu"}, std::pair{"position_embedding_type", "absolute"},
        std::pair{"model_type", "bert"}}) {
    if (Status status = CheckText(*file, key, wanted); !status) {
      return std::unexpected(std::move(status.error()));
    }
  }
  if (Status status = CheckWidths(path, config); !status) {
    return std::unexpected(std::move(status.error()));
  }
  return config;
}

}  // namespace safeguard::engine
