#include <bit>
#include <string_view>
#include <utility>

#include "engine/model/gguf/gguf_types.h"
#include "engine/synth/file_headers.h"
#include "engine/synth/shapes.h"

namespace safeguard::engine {
namespace {

constexpr std::uint64_t kAlignment = 32;
constexpr std::uint32_t kFileTypeMxfp4Moe = 38;  // llama.cpp's LLAMA_FTYPE_MOSTLY_MXFP4_MOE
constexpr std::uint32_t kQuantizationVersion = 2;

std::uint64_t Aligned(std::uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::uint32_t GgmlIdOf(SourceType type) {
  switch (type) {
    case SourceType::kF32:
      return 0;
    case SourceType::kF16:
      return 1;
    case SourceType::kQ8_0:
      return 8;
    case SourceType::kBF16:
      return 30;
    case SourceType::kMxfp4Gguf:
    case SourceType::kMxfp4Codes:
    case SourceType::kMxfp4Scales:
      break;
  }
  return 39;
}

class HeaderText {
 public:
  void U32(std::uint32_t value) { LittleEndian(value, 4); }
  void U64(std::uint64_t value) { LittleEndian(value, 8); }
  void Text(std::string_view value) {
    U64(value.size());
    bytes += value;
  }

  void Key(std::string_view key, GgufType type) {
    Text(key);
    U32(static_cast<std::uint32_t>(type));
    ++keys;
  }
  void Set(std::string_view key, std::string_view value) {
    Key(key, GgufType::kString);
    Text(value);
  }
  void SetWhole(std::string_view key, std::size_t value) {
    Key(key, GgufType::kU32);
    U32(static_cast<std::uint32_t>(value));
  }
  void SetNumber(std::string_view key, double value) {
    Key(key, GgufType::kF32);
    U32(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  }
  void SetFlag(std::string_view key, bool value) {
    Key(key, GgufType::kBool);
    bytes += static_cast<char>(value ? 1 : 0);
  }
  void SetTexts(std::string_view key, const std::vector<std::string>& values) {
    Array(key, GgufType::kString, values.size());
    for (const std::string& value : values) {
      Text(value);
    }
  }
  void SetWholes(std::string_view key, const std::vector<std::int32_t>& values) {
    Array(key, GgufType::kI32, values.size());
    for (const std::int32_t value : values) {
      U32(static_cast<std::uint32_t>(value));
    }
  }

  std::string bytes;
  std::uint64_t keys = 0;

 private:
  void Array(std::string_view key, GgufType element, std::size_t count) {
    Key(key, GgufType::kArray);
    U32(static_cast<std::uint32_t>(element));
    U64(count);
  }
  void LittleEndian(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) {
      bytes += static_cast<char>(value >> (8 * i) & 0xFF);
    }
  }
};

void WriteModelKeys(const GptOssConfig& config, HeaderText& text) {
  const std::string p = "gpt-oss.";
  text.SetWhole(p + "block_count", config.layers);
  text.SetWhole(p + "context_length", config.context_max);
  text.SetWhole(p + "embedding_length", config.hidden);
  text.SetWhole(p + "feed_forward_length", config.intermediate);
  text.SetWhole(p + "expert_feed_forward_length", config.intermediate);
  text.SetWhole(p + "attention.head_count", config.heads);
  text.SetWhole(p + "attention.head_count_kv", config.kv_heads);
  text.SetWhole(p + "attention.key_length", config.head_dim);
  text.SetWhole(p + "attention.value_length", config.head_dim);
  text.SetNumber(p + "attention.layer_norm_rms_epsilon", config.rms_epsilon);
  text.SetWhole(p + "attention.sliding_window", config.sliding_window);
  text.SetWhole(p + "expert_count", config.experts);
  text.SetWhole(p + "expert_used_count", config.experts_per_token);
  text.SetWhole(p + "vocab_size", config.vocabulary);
  text.SetNumber(p + "rope.freq_base", config.rope.theta);
  text.Set(p + "rope.scaling.type", config.rope.factor > 1 ? "yarn" : "none");
  text.SetNumber(p + "rope.scaling.factor", config.rope.factor);
  text.SetWhole(p + "rope.scaling.original_context_length",
                static_cast<std::size_t>(config.rope.original_context));
}

void WriteTokenizer(const GptOssConfig& config, const TokenTables& tables, HeaderText& text) {
  const std::string p = "tokenizer.ggml.";
  text.Set(p + "model", "gpt2");
  text.Set(p + "pre", "gpt-4o");
  text.SetTexts(p + "tokens", tables.tokens);
  text.SetWholes(p + "token_type", tables.types);
  text.SetTexts(p + "merges", tables.merges);
  text.SetWhole(p + "bos_token_id", ControlToken(config, 199'998));
  text.SetWhole(p + "eos_token_id", ControlToken(config, 200'002));
  text.SetWhole(p + "padding_token_id", ControlToken(config, 199'999));
  text.SetFlag(p + "add_bos_token", false);
}

}  // namespace

PlannedFile PlanGgufFile(std::string path, const GptOssConfig& config, const TokenTables& tables,
                         const std::string& name, std::vector<PlannedTensor> tensors) {
  HeaderText text;
  text.Set("general.architecture", "gpt-oss");
  text.Set("general.type", "model");
  text.Set("general.name", name);
  text.SetWhole("general.file_type", kFileTypeMxfp4Moe);
  text.SetWhole("general.quantization_version", kQuantizationVersion);
  text.SetWhole("general.alignment", kAlignment);
  WriteModelKeys(config, text);
  WriteTokenizer(config, tables, text);
  PlannedFile file;
  file.path = std::move(path);
  std::uint64_t offset = 0;
  for (const PlannedTensor& tensor : tensors) {
    text.Text(tensor.name);
    text.U32(static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto dimension = tensor.shape.rbegin(); dimension != tensor.shape.rend(); ++dimension) {
      text.U64(*dimension);
    }
    text.U32(GgmlIdOf(tensor.sources[0].type));
    text.U64(offset);
    file.offsets.push_back(offset);
    offset = Aligned(offset + tensor.bytes());
  }
  HeaderText start;
  start.bytes = "GGUF";
  start.U32(3);
  start.U64(tensors.size());
  start.U64(text.keys);
  file.header = start.bytes + text.bytes;
  file.header.resize(static_cast<std::size_t>(Aligned(file.header.size())), '\0');
  for (std::uint64_t& begin : file.offsets) {
    begin += file.header.size();
  }
  file.bytes = file.header.size() + offset;
  file.tensors = std::move(tensors);
  return file;
}

}  // namespace safeguard::engine
