#include "engine/model/gguf/gguf_config.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "engine/model/safetensors_header.h"

namespace safeguard::engine {
namespace {

constexpr std::int64_t kWholeMax = std::int64_t{1} << 31;
constexpr std::size_t kLayersMax = 1024;
constexpr const char* kHint = "download or convert the file again";

// Reads values one after another and keeps the first error.
class Fields {
 public:
  Fields(const GgufFile& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

  const GgufValue* Find(const std::string& key) const { return file_.Find(prefix_ + key); }

  // Keeps `value` when the key is not there. A list counts where all its elements are equal (some
  // writers give one number a layer).
  void Whole(const std::string& key, std::size_t& value, bool required = false) {
    const GgufValue* found = Find(key);
    if (found == nullptr) {
      if (required) {
        Corrupt(key, "is missing");
      }
      return;
    }
    std::optional<std::int64_t> whole = WholeOf(*found);
    if (const auto list = WholesOf(*found); list && !list->empty()) {
      whole = std::ranges::count(*list, list->front()) == std::ssize(*list)
                  ? std::optional(list->front())
                  : std::nullopt;
    }
    if (!whole || *whole < 1 || *whole > kWholeMax) {
      return Corrupt(key, "is not one whole number from 1 to " + std::to_string(kWholeMax));
    }
    value = static_cast<std::size_t>(*whole);
  }
  template <typename T>
  void Number(const std::string& key, T& value) {
    const GgufValue* found = Find(key);
    if (found == nullptr) {
      return;
    }
    const std::optional<double> number = NumberOf(*found);
    if (!number || !std::isfinite(*number) || *number < 0 || *number > 1e12) {
      return Corrupt(key, "is no number from 0 to 1e12");
    }
    value = static_cast<T>(*number);
  }
  // A setting that must be `expected` where it is given.
  void Expect(const std::string& key, double expected) {
    double value = expected;
    Number(key, value);
    if (std::fabs(value - expected) > 1e-6) {
      Refuse("'" + prefix_ + key + "' is " + std::to_string(value) + ", supported is " +
             std::to_string(expected));
    }
  }
  void Corrupt(const std::string& key, const std::string& why) {
    Keep(ErrorCode::kCorruptFile, "'" + prefix_ + key + "' " + why, kHint);
  }
  void Refuse(const std::string& what) {
    Keep(ErrorCode::kInvalidInput, what, "use a file converted from a gpt-oss model as published");
  }

  Status status;

 private:
  void Keep(ErrorCode code, const std::string& message, const char* hint) {
    if (status) {
      status = Fail(code, file_.path() + ": " + message, hint);
    }
  }

  const GgufFile& file_;
  std::string prefix_;
};

Result<std::string> ReadPrefix(const GgufFile& file) {
  const GgufValue* key = file.Find("general.architecture");
  const std::optional<std::string_view> name = key == nullptr ? std::nullopt : TextOf(*key);
  if (!name || (*name != "gpt-oss" && *name != "gptoss")) {
    return Fail(ErrorCode::kInvalidInput,
                file.path() + ": " +
                    (name ? "this is a " + QuoteName(*name) + " model, not gpt-oss"
                          : "the architecture is not named"),
                "name a gpt-oss or gpt-oss-safeguard model");
  }
  const GgufValue* split = file.Find("split.count");
  const std::optional<std::int64_t> parts = split == nullptr ? std::nullopt : WholeOf(*split);
  if (parts && *parts > 1) {
    return Fail(ErrorCode::kInvalidInput,
                file.path() + ": this is one of " + std::to_string(*parts) + " parts of a model",
                "join them first: llama-gguf-split --merge FIRST-PART.gguf WHOLE.gguf");
  }
  return std::string(*name) + ".";
}

void ReadRope(Fields& fields, GptOssConfig& config) {
  RopeConfig& rope = config.rope;
  fields.Number("rope.freq_base", rope.theta);
  fields.Number("rope.scaling.factor", rope.factor);
  fields.Number("rope.scaling.original_context_length", rope.original_context);
  fields.Number("rope.scaling.yarn_beta_fast", rope.beta_fast);
  fields.Number("rope.scaling.yarn_beta_slow", rope.beta_slow);
  fields.Expect("rope.scaling.yarn_ext_factor", 1);
  fields.Expect("rope.scaling.attn_factor", 1);
  fields.Expect("rope.scaling.yarn_attn_factor", 1);
  fields.Expect("rope.dimension_count", static_cast<double>(config.head_dim));
  if (const GgufValue* type = fields.Find("rope.scaling.type"); type != nullptr) {
    const std::optional<std::string_view> text = TextOf(*type);
    if (text == "none") {
      rope.factor = 1;
    } else if (text != "yarn") {
      fields.Refuse("rope scaling " + QuoteName(text.value_or("")) + " is not supported");
    }
  }
}

// A number n: of every n layers the last is full; or one flag a layer.
void ReadSliding(Fields& fields, GptOssConfig& config) {
  const std::size_t layers = std::min(config.layers, kLayersMax);
  config.sliding = AlternatingLayers(layers);
  const std::string key = "attention.sliding_window_pattern";
  const GgufValue* found = fields.Find(key);
  if (found == nullptr) {
    return;
  }
  if (const std::optional<std::int64_t> period = WholeOf(*found)) {
    if (*period < 0 || *period > static_cast<std::int64_t>(kLayersMax)) {
      return fields.Corrupt(key, "is out of range");
    }
    const auto n = static_cast<std::size_t>(*period);
    for (std::size_t i = 0; i < layers; ++i) {
      config.sliding[i] = n == 0 || i % n + 1 < n;
    }
    return;
  }
  const std::optional<std::vector<std::int64_t>> flags = WholesOf(*found);
  if (!flags || flags->size() != config.layers) {
    return fields.Corrupt(key, "is not one flag a layer");
  }
  for (std::size_t i = 0; i < layers; ++i) {
    config.sliding[i] = (*flags)[i] != 0;
  }
}

void ReadVocabulary(const GgufFile& file, Fields& fields, GptOssConfig& config) {
  const auto found =
      std::ranges::find(file.tensors(), std::string_view("token_embd.weight"), &StoredTensor::name);
  if (found != file.tensors().end() && found->shape.size() == 2) {
    config.vocabulary = static_cast<std::size_t>(found->shape[0]);
  } else {
    fields.Whole("vocab_size", config.vocabulary);
  }
}

}  // namespace

Result<GptOssConfig> ReadGgufConfig(const GgufFile& file) {
  Result<std::string> prefix = ReadPrefix(file);
  if (!prefix) {
    return std::unexpected(std::move(prefix.error()));
  }
  GptOssConfig config;
  Fields fields(file, std::move(*prefix));
  fields.Whole("block_count", config.layers, true);
  fields.Whole("embedding_length", config.hidden, true);
  fields.Whole("feed_forward_length", config.intermediate);
  fields.Whole("expert_feed_forward_length", config.intermediate);
  fields.Whole("attention.head_count", config.heads, true);
  fields.Whole("attention.head_count_kv", config.kv_heads, true);
  fields.Whole("attention.key_length", config.head_dim);
  fields.Expect("attention.value_length", static_cast<double>(config.head_dim));
  fields.Whole("expert_count", config.experts, true);
  fields.Whole("expert_used_count", config.experts_per_token);
  fields.Whole("context_length", config.context_max);
  fields.Whole("attention.sliding_window", config.sliding_window);
  fields.Number("attention.layer_norm_rms_epsilon", config.rms_epsilon);
  ReadRope(fields, config);
  ReadSliding(fields, config);
  ReadVocabulary(file, fields, config);
  if (!fields.status) {
    return std::unexpected(std::move(fields.status.error()));
  }
  if (const std::string problem = ConfigProblem(config); !problem.empty()) {
    return Fail(ErrorCode::kCorruptFile, file.path() + ": " + problem, kHint);
  }
  return config;
}

Result<CheckpointTokenizer> ReadGgufTokenizer(const GgufFile& file, std::size_t vocabulary) {
  const auto corrupt = [&file](const std::string& key, const std::string& why) {
    return Fail(ErrorCode::kCorruptFile, file.path() + ": 'tokenizer.ggml." + key + "' " + why,
                kHint);
  };
  CheckpointTokenizer tokenizer;
  const GgufValue* model = file.Find("tokenizer.ggml.model");
  if (model == nullptr || TextOf(*model) != "gpt2") {
    return tokenizer;
  }
  if (const GgufValue* value = file.Find("tokenizer.ggml.tokens"); value != nullptr) {
    std::optional<std::vector<std::string_view>> tokens = TextsOf(*value);
    if (!tokens || tokens->size() > vocabulary) {
      return corrupt("tokens", "is not a list of at most " + std::to_string(vocabulary) +
                                   " strings, the rows of the embedding");
    }
    tokenizer.tokens = std::move(*tokens);
  }
  if (const GgufValue* value = file.Find("tokenizer.ggml.merges"); value != nullptr) {
    std::optional<std::vector<std::string_view>> merges = TextsOf(*value);
    if (!merges) {
      return corrupt("merges", "is not a list of strings");
    }
    tokenizer.merges = std::move(*merges);
  }
  if (const GgufValue* value = file.Find("tokenizer.ggml.token_type"); value != nullptr) {
    const std::optional<std::vector<std::int64_t>> types = WholesOf(*value);
    if (!types || types->size() != tokenizer.tokens.size()) {
      return corrupt("token_type", "is not one whole number a token");
    }
    for (const std::int64_t type : *types) {
      if (type < 0 || type > std::numeric_limits<std::int32_t>::max()) {
        return corrupt("token_type", "holds " + std::to_string(type));
      }
      tokenizer.token_types.push_back(static_cast<std::int32_t>(type));
    }
  }
  return tokenizer;
}

}  // namespace safeguard::engine
