// The composition root: the only place where commands meet models.
#include "apps/services.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "apps/input/data_folder.h"
#include "apps/input/installed_classifiers.h"
#include "apps/input/model_folders.h"
#include "apps/input/packed_files.h"
#include "apps/output/display_text.h"
#include "apps/route/reloadable_lists.h"
#include "apps/serve/shared_judge.h"
#include "base/cache_folder.h"
#include "base/file.h"
#include "base/hash.h"
#include "engine/bpe.h"
#include "engine/encoder.h"
#include "engine/language_model.h"
#include "engine/word_piece.h"
#include "judges/dedicated_judge.h"
#include "judges/open_models.h"
#include "judges/reasoner_judge.h"
#include "judges/recorded_judge.h"
#include "judges/screen_judge.h"
#include "moderation/lists.h"
#include "storage/list_files.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kRankFileBytesMax = std::size_t{32} << 20;
constexpr std::size_t kTokenizerBytesMax = std::size_t{32} << 20;

class ProcessServices final : public Services {
 public:
  Result<std::unique_ptr<moderation::Judge>> OpenJudge(const JudgeChoice& choice) override {
    if (choice.judge == "reasoner") {
      Result<judges::ReasonerAndModel> opened =
          judges::OpenReasonerAndModel(OptionsOf(choice), &models_);
      return opened ? Result<std::unique_ptr<moderation::Judge>>(std::move(opened->judge))
                    : std::unexpected(opened.error());
    }
    if (choice.judge == "recorded") {
      return judges::OpenRecordedJudge({choice.recorded, BuiltInRanks(), choice.recorded_by_line});
    }
    if (choice.judge == "dedicated") {
      return OpenDedicated(choice);
    }
    Result<ScreenFolders> folders = FindScreen(choice.model, choice.screen);
    if (!folders) {
      return std::unexpected(folders.error());
    }
    judges::ScreenOptions options;
    options.model_folder = std::move(folders->base);
    options.trained_folder = std::move(folders->trained);
    options.threads = choice.threads;
    return ShareScreen(options);
  }

  std::shared_ptr<engine::LanguageModel> OpenedModel(const std::string& checkpoint) override {
    return models_.Find(checkpoint);
  }

  Result<JudgeAndModel> OpenJudgeAndModel(const JudgeChoice& choice) override {
    if (choice.judge != "reasoner") {
      return Services::OpenJudgeAndModel(choice);
    }
    Result<judges::ReasonerAndModel> opened =
        judges::OpenReasonerAndModel(OptionsOf(choice), &models_);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    return JudgeAndModel{std::move(opened->judge), std::move(opened->model)};
  }

  Result<std::vector<std::unique_ptr<moderation::Judge>>> OpenReasoners(
      std::span<const JudgeChoice> choices) override {
    std::vector<judges::ReasonerOptions> options;
    for (const JudgeChoice& choice : choices) {
      if (choice.judge == "reasoner") {
        options.push_back(OptionsOf(choice));
      }
    }
    auto reasoners = judges::OpenReasonerJudges(options, &models_);
    if (!reasoners) {
      return std::unexpected(reasoners.error());
    }
    std::vector<std::unique_ptr<moderation::Judge>> opened;
    auto next = reasoners->begin();
    for (const JudgeChoice& choice : choices) {
      if (choice.judge == "reasoner") {
        opened.push_back(std::move(*next++));
        continue;
      }
      Result<std::unique_ptr<moderation::Judge>> judge = OpenJudge(choice);
      if (!judge) {
        return std::unexpected(judge.error());
      }
      opened.push_back(std::move(*judge));
    }
    return opened;
  }

  Result<RouteGuards> OpenGuards(const std::vector<std::string>& lists) override {
    RouteGuards guards;
    guards.languages = moderation::MakeLanguageDetector();
    Result<std::unique_ptr<moderation::TamperDetector>> tamper = moderation::MakeTamperDetector();
    if (!tamper) {
      return std::unexpected(tamper.error());
    }
    guards.tamper = std::move(*tamper);
    if (lists.empty()) {
      return guards;
    }
    auto opened = storage::ListFiles::Open(lists, [] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(
                 std::chrono::system_clock::now().time_since_epoch())
          .count();
    });
    if (!opened) {
      return std::unexpected(opened.error());
    }
    const std::shared_ptr<storage::ListFiles> files = std::move(*opened);
    guards.lists = std::make_shared<ReloadableLists>(files->layer(),
                                                     [files] { return files->ReloadIfChanged(); });
    return guards;
  }

  Result<std::vector<WarmReport>> WarmPolicies(
      const JudgeChoice& choice, std::span<const moderation::Policy* const> policies) override {
    const judges::ReasonerOptions options = OptionsOf(choice);
    if (options.prefix_folder.empty()) {
      return Fail(ErrorCode::kInvalidInput, "there is no folder to keep policies in",
                  "set SAFEGUARD_CACHE to a folder");
    }
    const auto warmed = judges::WarmPolicies(options, policies);
    if (!warmed) {
      return std::unexpected(warmed.error());
    }
    std::vector<WarmReport> reports;
    for (const judges::WarmedPolicy& one : *warmed) {
      reports.push_back({one.name, one.tokens, one.was_there, one.seconds});
    }
    return reports;
  }

  Result<moderation::TokenCounter> OpenTokenCounter(const std::string& model_flag) override {
    const Result<std::string> path = FindModelPath(kRankFile, ModelFolders(model_flag));
    if (!path) {
      return std::unexpected(path.error());
    }
    const Result<std::string> ranks = ReadFile(*path, kRankFileBytesMax);
    if (!ranks) {
      return std::unexpected(ranks.error());
    }
    Result<std::unique_ptr<engine::Bpe>> bpe = engine::Bpe::LoadRanks(*ranks);
    if (!bpe) {
      return std::unexpected(bpe.error());
    }
    return [shared = std::shared_ptr<const engine::Bpe>(std::move(*bpe))](std::string_view text) {
      return shared->CountTokens(text);
    };
  }

  Result<moderation::TokenCounter> OpenScreenTokenCounter(const std::string& model_flag) override {
    const Result<std::string> folder = FindModelPath(kScreenModel, ModelFolders(model_flag));
    if (!folder) {
      return std::unexpected(folder.error());
    }
    const Result<std::string> json = ReadFile(*folder + "/tokenizer.json", kTokenizerBytesMax);
    if (!json) {
      return std::unexpected(json.error());
    }
    Result<std::unique_ptr<engine::WordPiece>> tokenizer = engine::WordPiece::Load(*json);
    if (!tokenizer) {
      return std::unexpected(tokenizer.error());
    }
    return [shared = std::shared_ptr<const engine::WordPiece>(std::move(*tokenizer))](
               std::string_view text) { return shared->Encode(text).size(); };
  }

  Result<ModelFile> FindModel(const std::string& model_flag) override {
    return HashScreen(model_flag, "auto");
  }

  Result<std::string> JudgeIdentity(const JudgeChoice& choice) override {
    if (choice.judge == "recorded") {
      const auto file = MappedFile::Open(choice.recorded);
      return file ? Result<std::string>("recorded " + Sha256Hex((*file)->bytes()))
                  : std::unexpected(file.error());
    }
    if (choice.judge == "screen") {
      const Result<ModelFile> model = HashScreen(choice.model, choice.screen);
      if (!model) {
        return std::unexpected(model.error());
      }
      const std::string trained =
          model->trained_sha256.empty() ? "" : " trained " + model->trained_sha256;
      return model->sha256 + trained + " " + engine::EncoderArithmetic();
    }
    if (choice.judge == "dedicated") {
      const Result<std::string> folder = DataFolder(choice.model);
      return folder ? ClassifiersIdentity(*folder) : std::unexpected(folder.error());
    }
    const Result<std::string> model = engine::ModelFingerprint(choice.model);
    if (!model) {
      return std::unexpected(model.error());
    }
    const Result<engine::ModelPrecision> precision = engine::DefinitePrecision(
        engine::ModelPrecisionOf(choice.precision).value_or(engine::ModelPrecision::kDefault));
    if (!precision) {
      return std::unexpected(precision.error());
    }
    std::string identity = "reasoner " + *model;
    for (const std::string& setting :
         {choice.effort, choice.answer, choice.placement, choice.date,
          std::string(choice.instant ? "instant" : ""), std::string(choice.joint ? "joint" : ""),
          std::to_string(choice.reasoning_tokens), std::to_string(choice.answer_tokens),
          std::to_string(choice.temperature), std::to_string(choice.seed),
          std::string(engine::ToString(*precision))}) {
      identity += "|" + setting;
    }
    return identity;
  }

  std::string ScreenKernels() override { return engine::EncoderKernels(); }
  std::string ReasonerKernels() override { return engine::LanguageModelKernels(); }

  std::span<const EmbeddedFile> shipped_policies() override { return EmbeddedPolicyFiles(); }

 private:
  // A server has the same screen for its requests and for its routes.
  Result<std::unique_ptr<moderation::Judge>> ShareScreen(const judges::ScreenOptions& options) {
    const std::lock_guard lock(screens_mutex_);
    std::weak_ptr<moderation::Judge>& kept =
        screens_[{options.model_folder, options.trained_folder, options.threads}];
    std::shared_ptr<moderation::Judge> screen = kept.lock();
    if (screen == nullptr) {
      Result<std::unique_ptr<moderation::Judge>> opened = judges::OpenScreenJudge(options);
      if (!opened) {
        return opened;
      }
      screen = std::move(*opened);
      kept = screen;
    }
    return std::make_unique<SharedJudge>(std::move(screen));
  }

  static Result<std::unique_ptr<moderation::Judge>> OpenDedicated(const JudgeChoice& choice) {
    const Result<std::string> folder = DataFolder(choice.model);
    if (!folder) {
      return std::unexpected(folder.error());
    }
    judges::DedicatedOptions options;
    options.source = InstalledClassifiers(*folder);
    options.model_folder = [] { return FindModelPath(kScreenModel, ModelFolders("")); };
    options.threads = choice.threads;
    options.on_note = Note;
    return judges::OpenDedicatedJudge(std::move(options));
  }

  static void Note(const std::string& note) {
    static_cast<void>(std::fputs(("safeguard: " + Printable(note) + "\n").c_str(), stderr));
  }

  static Result<ModelFile> HashScreen(const std::string& model_flag, const std::string& screen) {
    const Result<ScreenFolders> folders = FindScreen(model_flag, screen);
    if (!folders) {
      return std::unexpected(folders.error());
    }
    ModelFile model{folders->base, "", folders->trained, ""};
    for (const auto& [folder, hash] : {std::pair(&model.folder, &model.sha256),
                                       std::pair(&model.trained_folder, &model.trained_sha256)}) {
      if (folder->empty()) {
        continue;
      }
      const auto weights = MappedFile::Open(*folder + "/model.safetensors");
      if (!weights) {
        return std::unexpected(weights.error());
      }
      *hash = Sha256Hex((*weights)->bytes());
    }
    return model;
  }

  // Empty when there is none: whoever needs it says so.
  static std::string BuiltInRanks() {
    return FindModelPath(kRankFile, ModelFolders("")).value_or("");
  }

  static judges::ReasonerOptions OptionsOf(const JudgeChoice& choice) {
    judges::ReasonerOptions options;
    options.model = choice.model;
    options.rank_file = BuiltInRanks();
    options.threads = choice.threads;
    options.effort = choice.effort;
    options.answer = choice.answer;
    options.placement = choice.placement;
    if (!choice.date.empty()) {
      options.date = choice.date;
    }
    options.instant = choice.instant;
    options.joint = choice.joint;
    options.reasoning_tokens_max = choice.reasoning_tokens;
    options.answer_tokens_max = choice.answer_tokens;
    if (choice.time_limit_s > 0) {
      options.time_max = std::chrono::milliseconds(std::llround(choice.time_limit_s * 1000));
    }
    options.temperature = choice.temperature;
    options.seed = choice.seed;
    options.drafts = choice.drafts;
    options.precision = choice.precision;
    if (const std::string cache = DefaultCacheFolder(); !cache.empty()) {
      options.prefix_folder = cache + "/prefixes";
    }
    options.packed_file = PackedFiles(choice.packed_file);
    options.on_note = Note;
    return options;
  }

  judges::OpenModels models_;
  std::mutex screens_mutex_;
  std::map<std::tuple<std::string, std::string, std::size_t>, std::weak_ptr<moderation::Judge>>
      screens_;  // by folders and threads
};

}  // namespace

std::unique_ptr<Services> RealServices() {
  return std::make_unique<ProcessServices>();
}

}  // namespace safeguard::apps
