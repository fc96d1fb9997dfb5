#include "engine/model/hugging_face/config_json.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>
#include <vector>

namespace safeguard::engine {
namespace {

constexpr std::size_t kLayersMax = 1024;
constexpr std::uint64_t kWholeMax = std::uint64_t{1} << 31;
constexpr const char* kHint = "download the model again, or correct the file";

// Reads values one after another and keeps the first error.
class Fields {
 public:
  explicit Fields(const ConfigFile& file) : file_(file) {}

  // The first of `keys` that is set; the first of all is required when none is.
  void Whole(std::initializer_list<const char*> keys, std::size_t& value) {
    for (const char* key : keys) {
      if (file_.HasValue(key)) {
        return Keep(file_.Whole(key, 1, kWholeMax), value);
      }
    }
    Keep(file_.Whole(*keys.begin(), 1, kWholeMax), value);
  }
  // Keeps `value` when the key is not set.
  void WholeIfSet(const char* key, std::size_t& value) {
    if (file_.HasValue(key)) {
      Keep(file_.Whole(key, 1, kWholeMax), value);
    }
  }
  template <typename T>
  void NumberIfSet(const char* key, T& value) {
    if (file_.HasValue(key)) {
      Keep(file_.Number(key, 0, 1e12), value);
    }
  }
  void FlagIfSet(const char* key, bool& value) {
    if (file_.HasValue(key)) {
      Keep(file_.Flag(key), value);
    }
  }
  void TextIfSet(const char* key, std::string& value) {
    if (file_.HasValue(key)) {
      Keep(file_.Text(key), value);
    }
  }
  void Refuse(std::string message, std::string hint) {
    if (status) {
      status =
          Fail(ErrorCode::kInvalidInput, file_.path() + ": " + std::move(message), std::move(hint));
    }
  }

  Status status;

 private:
  template <typename From, typename To>
  void Keep(Result<From> read, To& value) {
    if (read) {
      value = static_cast<To>(*read);
    } else if (status) {
      status = std::unexpected(std::move(read.error()));
    }
  }

  const ConfigFile& file_;
};

Status CheckArchitecture(const ConfigFile& file) {
  constexpr const char* kOtherModel = "name a gpt-oss or gpt-oss-safeguard model";
  if (file.HasValue("model_type")) {
    const Result<std::string> type = file.Text("model_type");
    if (!type) {
      return std::unexpected(type.error());
    }
    return *type == "gpt_oss"
               ? Status()
               : Fail(ErrorCode::kInvalidInput,
                      file.path() + ": this is a " + *type + " model, not gpt_oss", kOtherModel);
  }
  if (file.HasValue("architectures")) {
    const Result<std::vector<std::string>> names = file.Texts("architectures", 16);
    if (!names) {
      return std::unexpected(names.error());
    }
    if (std::ranges::find(*names, "GptOssForCausalLM") != names->end()) {
      return {};
    }
  }
  return Fail(ErrorCode::kInvalidInput, file.path() + ": this is not the config of a gpt-oss model",
              kOtherModel);
}

// `rope_scaling`, or the newer `rope_parameters`, which also holds the theta.
Status ReadRope(const ConfigFile& object, RopeConfig& rope) {
  Fields fields(object);
  std::string type = "yarn";
  fields.TextIfSet("type", type);
  fields.TextIfSet("rope_type", type);
  fields.NumberIfSet("rope_theta", rope.theta);
  if (type == "default") {
    rope.factor = 1;
    return fields.status;
  }
  fields.NumberIfSet("factor", rope.factor);
  fields.NumberIfSet("original_max_position_embeddings", rope.original_context);
  fields.NumberIfSet("beta_fast", rope.beta_fast);
  fields.NumberIfSet("beta_slow", rope.beta_slow);
  fields.FlagIfSet("truncate", rope.truncate);
  if (type != "yarn") {
    fields.Refuse("rope type '" + type + "' is not supported", "gpt-oss has yarn");
  }
  const double usual = rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1 : 1;
  double attention_factor = usual;
  fields.NumberIfSet("attention_factor", attention_factor);
  if (std::fabs(attention_factor - usual) > 1e-6) {
    fields.Refuse("an attention_factor other than 0.1 ln(factor) + 1 is not supported",
                  "gpt-oss has none");
  }
  return fields.status;
}

Status ReadRopeOf(const ConfigFile& file, RopeConfig& rope) {
  Fields fields(file);
  fields.NumberIfSet("rope_theta", rope.theta);
  if (!fields.status) {
    return fields.status;
  }
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    if (file.HasValue(key)) {
      const Result<ConfigFile> object = file.Object(key);
      return object ? ReadRope(*object, rope) : Status(std::unexpected(object.error()));
    }
  }
  if (file.Has("rope_scaling")) {
    rope.factor = 1;  // written out as null: none
  }
  return {};
}

Result<std::vector<bool>> ReadLayerTypes(const ConfigFile& file, std::size_t layers) {
  if (!file.HasValue("layer_types")) {
    return AlternatingLayers(layers);
  }
  const Result<std::vector<std::string>> types = file.Texts("layer_types", kLayersMax);
  if (!types) {
    return std::unexpected(types.error());
  }
  std::vector<bool> sliding;
  for (const std::string& type : *types) {
    if (type != "sliding_attention" && type != "full_attention") {
      return Fail(ErrorCode::kInvalidInput,
                  file.path() + ": layer type '" + type + "' is not supported",
                  "gpt-oss has sliding_attention and full_attention");
    }
    sliding.push_back(type == "sliding_attention");
  }
  return sliding;
}

Result<ExpertStorage> ReadExpertStorage(const ConfigFile& file) {
  if (!file.HasValue("quantization_config")) {
    return ExpertStorage::kPlain;
  }
  const Result<ConfigFile> object = file.Object("quantization_config");
  if (!object) {
    return std::unexpected(object.error());
  }
  const Result<std::string> method = object->Text("quant_method");
  if (!method) {
    return std::unexpected(method.error());
  }
  if (*method != "mxfp4") {
    return Fail(ErrorCode::kInvalidInput,
                file.path() + ": weights quantised with '" + *method + "' are not supported",
                "use the model as published (mxfp4), a BF16 copy, or a GGUF file");
  }
  return ExpertStorage::kMxfp4;
}

// Settings that the forward pass has in one way only.
Status CheckFixedSettings(const ConfigFile& file) {
  Fields fields(file);
  bool bias = true;
  fields.FlagIfSet("attention_bias", bias);
  std::string activation = "silu";
  fields.TextIfSet("hidden_act", activation);
  if (!bias) {
    fields.Refuse("attention without biases is not supported", "gpt-oss has attention_bias true");
  }
  if (activation != "silu") {
    fields.Refuse("hidden_act '" + activation + "' is not supported", "gpt-oss has silu");
  }
  return fields.status;
}

Result<FolderConfig> Checked(const ConfigFile& file, FolderConfig config) {
  if (const std::string problem = ConfigProblem(config.model); !problem.empty()) {
    return Fail(ErrorCode::kCorruptFile, file.path() + ": " + problem, kHint);
  }
  return config;
}

}  // namespace

bool IsOriginalConfig(const ConfigFile& file) {
  return file.HasValue("num_experts") && !file.HasValue("model_type") &&
         !file.HasValue("architectures");
}

Result<FolderConfig> ReadHuggingFaceConfig(const ConfigFile& file) {
  Status status = CheckArchitecture(file);
  if (status) {
    status = CheckFixedSettings(file);
  }
  FolderConfig config;
  GptOssConfig& model = config.model;
  Fields fields(file);
  fields.Whole({"num_hidden_layers"}, model.layers);
  fields.Whole({"hidden_size"}, model.hidden);
  fields.Whole({"intermediate_size"}, model.intermediate);
  fields.Whole({"num_attention_heads"}, model.heads);
  fields.Whole({"num_key_value_heads"}, model.kv_heads);
  fields.Whole({"num_local_experts", "num_experts"}, model.experts);
  fields.Whole({"vocab_size"}, model.vocabulary);
  for (const char* key : {"experts_per_token", "num_experts_per_tok"}) {
    fields.WholeIfSet(key, model.experts_per_token);
  }
  fields.WholeIfSet("head_dim", model.head_dim);
  fields.WholeIfSet("max_position_embeddings", model.context_max);
  fields.WholeIfSet("sliding_window", model.sliding_window);
  fields.NumberIfSet("initial_context_length", model.rope.original_context);
  fields.NumberIfSet("rms_norm_eps", model.rms_epsilon);
  fields.NumberIfSet("swiglu_limit", model.swiglu_limit);
  fields.NumberIfSet("swiglu_alpha", model.swiglu_alpha);
  fields.FlagIfSet("tie_word_embeddings", config.tied);
  if (status) {
    status = fields.status;
  }
  if (status) {
    status = ReadRopeOf(file, model.rope);
  }
  if (!status) {
    return std::unexpected(std::move(status.error()));
  }
  Result<std::vector<bool>> sliding =
      ReadLayerTypes(file, std::min<std::size_t>(model.layers, kLayersMax));
  if (!sliding) {
    return std::unexpected(std::move(sliding.error()));
  }
  model.sliding = std::move(*sliding);
  Result<ExpertStorage> experts = ReadExpertStorage(file);
  if (!experts) {
    return std::unexpected(std::move(experts.error()));
  }
  config.experts = *experts;
  return Checked(file, std::move(config));
}

Result<FolderConfig> ReadOriginalConfig(const ConfigFile& file) {
  FolderConfig config;
  GptOssConfig& model = config.model;
  Fields fields(file);
  fields.Whole({"num_hidden_layers"}, model.layers);
  fields.Whole({"hidden_size"}, model.hidden);
  fields.Whole({"intermediate_size"}, model.intermediate);
  fields.Whole({"num_attention_heads"}, model.heads);
  fields.Whole({"num_key_value_heads"}, model.kv_heads);
  fields.Whole({"num_experts"}, model.experts);
  fields.Whole({"vocab_size"}, model.vocabulary);
  fields.WholeIfSet("experts_per_token", model.experts_per_token);
  fields.WholeIfSet("head_dim", model.head_dim);
  fields.WholeIfSet("sliding_window", model.sliding_window);
  fields.NumberIfSet("initial_context_length", model.rope.original_context);
  fields.NumberIfSet("rope_theta", model.rope.theta);
  fields.NumberIfSet("rope_scaling_factor", model.rope.factor);
  fields.NumberIfSet("rope_ntk_alpha", model.rope.beta_slow);
  fields.NumberIfSet("rope_ntk_beta", model.rope.beta_fast);
  fields.NumberIfSet("swiglu_limit", model.swiglu_limit);
  if (!fields.status) {
    return std::unexpected(std::move(fields.status.error()));
  }
  model.context_max = static_cast<std::size_t>(
      std::clamp(model.rope.original_context * model.rope.factor, 1.0, double{1 << 30}));
  model.sliding = AlternatingLayers(std::min<std::size_t>(model.layers, kLayersMax));
  return Checked(file, std::move(config));
}

}  // namespace safeguard::engine
