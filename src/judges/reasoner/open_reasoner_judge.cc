#include <memory>
#include <string>
#include <utility>

#include "engine/language_model.h"
#include "judges/open_models.h"
#include "judges/reasoner/open_model.h"
#include "judges/reasoner/reasoner_judge.h"

namespace safeguard::judges {
namespace {

// Keeps the model alive behind the judge that uses it.
class OwningJudge final : public moderation::Judge {
 public:
  OwningJudge(std::shared_ptr<engine::LanguageModel> model, const ReasonerSettings& settings)
      : model_(std::move(model)),
        judge_(MakeReasonerJudge(model_->generator(), model_->bpe(),
                                 {"reasoner", model_->name(), model_->fingerprint()}, settings)) {}

  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override {
    return judge_->Prepare(policy, golden);
  }
  Result<std::shared_ptr<const moderation::PreparedPolicy>> PrepareFor(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden,
      const std::string& owner) override {
    return judge_->PrepareFor(policy, golden, owner);
  }
  std::vector<moderation::Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents) override {
    return judge_->Decide(policies, contents);
  }
  std::vector<moderation::Verdict> DecideUntil(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents, const moderation::StopSignal& stop) override {
    return judge_->DecideUntil(policies, contents, stop);
  }
  std::vector<moderation::Verdict> DecideSample(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const moderation::Content> contents, std::uint64_t sample) override {
    return judge_->DecideSample(policies, contents, sample);
  }
  std::vector<moderation::Verdict> DecideAloud(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      const moderation::Content& content, const moderation::Onlooker& onlooker) override {
    return judge_->DecideAloud(policies, content, onlooker);
  }
  [[nodiscard]] std::vector<std::pair<std::string, double>> Counters() const override {
    auto counters = judge_->Counters();
    const engine::PackedReport& packed = model_->packed();
    counters.emplace_back("packed_file", packed.path.empty() ? 0 : 1);
    counters.emplace_back("packed_bytes", static_cast<double>(packed.bytes));
    counters.emplace_back("packed_seconds", packed.seconds);
    return counters;
  }

 private:
  std::shared_ptr<engine::LanguageModel> model_;
  std::unique_ptr<moderation::Judge> judge_;
};

}  // namespace

Result<std::unique_ptr<engine::LanguageModel>> OpenModel(ReasonerSettings& settings) {
  const ReasonerOptions& options = settings.options;
  engine::LanguageModelOptions how;
  how.threads = options.threads;
  how.precision = settings.precision;
  how.packed_file = options.packed_file;
  how.packed_file.on_note = options.on_note;
  how.rank_file = options.rank_file;
  how.generator.sequences_max = options.parallel_max;
  how.generator.cache_bytes_max = options.cache_bytes_max;
  how.generator.drafts.mode = settings.drafts;
  how.generator.prefix_folder = options.prefix_folder;
  how.generator.on_note = options.on_note;
  Result<std::unique_ptr<engine::LanguageModel>> model =
      engine::LanguageModel::Open(options.model, how);
  if (model) {
    settings.context_max = (*model)->context_max();
  }
  return model;
}

Result<std::unique_ptr<moderation::Judge>> OpenReasonerJudge(const ReasonerOptions& options) {
  Result<ReasonerAndModel> opened = OpenReasonerAndModel(options);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  return std::move(opened->judge);
}

Result<ReasonerAndModel> OpenReasonerAndModel(const ReasonerOptions& options, OpenModels* open) {
  Result<ReasonerSettings> settings = UnderstandOptions(options);
  if (!settings) {
    return std::unexpected(settings.error());
  }
  const auto open_it = [&]() -> Result<OpenModels::Model> {
    Result<std::unique_ptr<engine::LanguageModel>> opened = OpenModel(*settings);
    return opened ? Result<OpenModels::Model>(std::move(*opened)) : std::unexpected(opened.error());
  };
  const std::string how = std::string(engine::ToString(settings->precision)) + "|" +
                          std::to_string(options.threads) + "|" + options.drafts;
  Result<OpenModels::Model> model =
      open == nullptr ? open_it() : open->Get(options.model, how, open_it);
  if (!model) {
    return std::unexpected(model.error());
  }
  settings->context_max = (*model)->context_max();
  return ReasonerAndModel{std::make_unique<OwningJudge>(*model, *settings), *model};
}

Result<std::vector<std::unique_ptr<moderation::Judge>>> OpenReasonerJudges(
    std::span<const ReasonerOptions> all, OpenModels* open) {
  OpenModels own;
  std::vector<std::unique_ptr<moderation::Judge>> judges;
  for (const ReasonerOptions& options : all) {
    Result<ReasonerAndModel> opened = OpenReasonerAndModel(options, open == nullptr ? &own : open);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    judges.push_back(std::move(opened->judge));
  }
  return judges;
}

}  // namespace safeguard::judges
