#include "engine/language_model.h"

#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/thread_pool.h"
#include "engine/cpu/cpu_forward.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/model/checkpoint.h"
#include "engine/model/fingerprint.h"
#include "engine/model/forward.h"
#include "engine/vocabulary.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kTokenizerBytesMax = std::size_t{64} << 20;

// From a tokenizer.json, or from a rank file.
Result<std::unique_ptr<Bpe>> LoadFile(const std::string& path, bool json) {
  if (path.empty()) {
    return Fail(ErrorCode::kNotFound, "the model brings no tokenizer, and there is no rank file",
                "put tokenizer.json beside the weights, or set SAFEGUARD_MODELS to the folder that "
                "holds o200k");
  }
  const Result<std::string> bytes = ReadFile(path, kTokenizerBytesMax);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  Result<std::unique_ptr<Bpe>> bpe = json ? Bpe::LoadJson(*bytes) : Bpe::LoadRanks(*bytes);
  if (!bpe) {
    return Fail(bpe.error().code, path + ": " + bpe.error().message, bpe.error().hint);
  }
  return bpe;
}

Result<std::unique_ptr<Bpe>> LoadOwn(const Checkpoint& checkpoint, const std::string& rank_file) {
  const CheckpointTokenizer& own = checkpoint.tokenizer();
  if (!own.tokens.empty()) {
    return Bpe::LoadGguf({own.tokens, own.merges, own.token_types});
  }
  const bool json = !own.tokenizer_json_path.empty();
  return LoadFile(json ? own.tokenizer_json_path : rank_file, json);
}

// Members in the order in which each needs the ones before it.
class LoadedModel final : public LanguageModel {
 public:
  LoadedModel(std::unique_ptr<Checkpoint> checkpoint, std::unique_ptr<Bpe> bpe, std::size_t threads)
      : checkpoint_(std::move(checkpoint)),
        bpe_(std::move(bpe)),
        vocabulary_(MakeVocabulary(*bpe_, checkpoint_->config().vocabulary)),
        pool_(threads) {}

  Status Start(const LanguageModelOptions& options) {
    CpuForwardOptions cpu;
    cpu.precision = CpuPrecisionOf(options.precision);
    cpu.packed_file = options.packed_file;
    const auto files = checkpoint_->files();
    cpu.weight_files.assign(files.begin(), files.end());
    cpu.cache_bytes_max = options.generator.cache_bytes_max;
    cpu.rows_max = options.generator.step_tokens_max;
    Result<std::unique_ptr<Forward>> forward =
        NewCpuForward(checkpoint_->config(), checkpoint_->weights(), cpu, pool_, &packed_);
    if (!forward) {
      return std::unexpected(forward.error());
    }
    forward_ = std::move(*forward);
    GeneratorSettings settings = options.generator;
    settings.prefix_model = fingerprint_ + " " + forward_->Numerics();
    Result<std::unique_ptr<Generator>> generator =
        Generator::Create(*forward_, *vocabulary_, std::move(settings));
    if (!generator) {
      return std::unexpected(generator.error());
    }
    generator_ = std::move(*generator);
    return {};
  }

  Status Name(const std::string& path) {
    std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
    name_ = normal.has_filename() ? normal.filename().string()
                                  : normal.parent_path().filename().string();
    Result<std::string> fingerprint = Fingerprint(checkpoint_->files());
    if (!fingerprint) {
      return std::unexpected(fingerprint.error());
    }
    fingerprint_ = std::move(*fingerprint);
    return {};
  }

  Generator& generator() override { return *generator_; }
  [[nodiscard]] const Bpe& bpe() const override { return *bpe_; }
  [[nodiscard]] std::size_t vocabulary() const override { return checkpoint_->config().vocabulary; }
  [[nodiscard]] std::size_t context_max() const override {
    return checkpoint_->config().context_max;
  }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const PackedReport& packed() const override { return packed_; }
  [[nodiscard]] const std::string& fingerprint() const override { return fingerprint_; }

 private:
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<Bpe> bpe_;
  std::unique_ptr<Vocabulary> vocabulary_;
  ThreadPool pool_;
  std::unique_ptr<Forward> forward_;
  std::unique_ptr<Generator> generator_;
  PackedReport packed_;
  std::string name_;
  std::string fingerprint_;
};

}  // namespace

Result<std::unique_ptr<Bpe>> LoadTokenizer(const std::string& path, const std::string& rank_file) {
  std::error_code ignored;  // what cannot be looked at is reported when it is read
  if (std::filesystem::is_directory(path, ignored)) {
    const std::string json = (std::filesystem::path(path) / "tokenizer.json").string();
    if (std::filesystem::exists(json, ignored)) {
      return LoadFile(json, true);
    }
  } else if (!path.ends_with(".gguf")) {
    return LoadFile(path, !path.ends_with(".tiktoken"));
  }
  const Result<std::unique_ptr<Checkpoint>> checkpoint = Checkpoint::Open(path);
  if (!checkpoint && std::filesystem::is_directory(path, ignored)) {
    return Fail(checkpoint.error().code,
                path + " holds no tokenizer.json and no model: " + checkpoint.error().message,
                "name a model, or a tokenizer.json");
  }
  if (!checkpoint) {
    return std::unexpected(checkpoint.error());
  }
  return LoadOwn(**checkpoint, rank_file);
}

Result<std::string> ModelFingerprint(const std::string& path) {
  const Result<std::unique_ptr<Checkpoint>> checkpoint = Checkpoint::Open(path);
  if (!checkpoint) {
    return std::unexpected(checkpoint.error());
  }
  return Fingerprint((*checkpoint)->files());
}

Result<std::unique_ptr<LanguageModel>> LanguageModel::Open(const std::string& path,
                                                           const LanguageModelOptions& options) {
  Result<std::unique_ptr<Checkpoint>> checkpoint = Checkpoint::Open(path);
  if (!checkpoint) {
    return std::unexpected(checkpoint.error());
  }
  Result<std::unique_ptr<Bpe>> bpe = LoadOwn(**checkpoint, options.rank_file);
  if (!bpe) {
    return std::unexpected(bpe.error());
  }
  if ((*bpe)->size() > (*checkpoint)->config().vocabulary) {
    return Fail(ErrorCode::kInvalidInput,
                path + ": the tokenizer has " + std::to_string((*bpe)->size()) +
                    " tokens and the model only " +
                    std::to_string((*checkpoint)->config().vocabulary) + " rows",
                "the model was made for another tokenizer: it can be run on token ids (`safeguard "
                "model generate`), not on text");
  }
  auto model =
      std::make_unique<LoadedModel>(std::move(*checkpoint), std::move(*bpe), options.threads);
  if (const Status named = model->Name(path); !named) {
    return std::unexpected(named.error());
  }
  if (const Status started = model->Start(options); !started) {
    return std::unexpected(started.error());
  }
  return model;
}

const char* LanguageModelKernels() {
  return cpu::BestKernels().name;
}

}  // namespace safeguard::engine
