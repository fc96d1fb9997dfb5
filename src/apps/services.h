// What the commands need of the rest of the house. The one implementation that builds the real
// object graph is RealServices (services.cc); tests give fakes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/input/embedded_file.h"
#include "apps/judge_choice.h"
#include "base/result.h"
#include "engine/language_model.h"
#include "moderation/judge.h"
#include "moderation/language_detector.h"
#include "moderation/list_layer.h"
#include "moderation/policy.h"
#include "moderation/tamper_detector.h"

namespace safeguard::apps {

struct ModelFile {
  std::string folder;
  std::string sha256;  // of its weights
  // Of the trained screen on it; empty where none is installed.
  std::string trained_folder{};
  std::string trained_sha256{};
};

// What a route has beside its judges. Null: this build has none.
struct RouteGuards {
  std::shared_ptr<moderation::ListLayer> lists;
  std::shared_ptr<moderation::LanguageDetector> languages;
  std::shared_ptr<moderation::TamperDetector> tamper;
};

// A policy that was read ahead of time.
struct WarmReport {
  std::string policy;
  std::size_t tokens = 0;
  bool was_there = false;
  double seconds = 0;
};

class Services {
 public:
  virtual ~Services() = default;

  // An empty model: look in the usual places (model_folders.h).
  virtual Result<std::unique_ptr<moderation::Judge>> OpenJudge(const JudgeChoice& choice) = 0;
  // The same, with the reasoner's model for whoever talks with that checkpoint too; null where the
  // judge has none.
  struct JudgeAndModel {
    std::unique_ptr<moderation::Judge> judge;
    std::shared_ptr<engine::LanguageModel> model;
  };
  virtual Result<JudgeAndModel> OpenJudgeAndModel(const JudgeChoice& choice) {
    Result<std::unique_ptr<moderation::Judge>> judge = OpenJudge(choice);
    if (!judge) {
      return std::unexpected(judge.error());
    }
    return JudgeAndModel{std::move(*judge), nullptr};
  }
  // A model of that checkpoint that some judge of these services runs on now; null: none does.
  virtual std::shared_ptr<engine::LanguageModel> OpenedModel(const std::string& /*checkpoint*/) {
    return nullptr;
  }
  // Reads policies ahead of time for the reasoner, and keeps what was computed (see
  // judges/reasoner_judge.h).
  virtual Result<std::vector<WarmReport>> WarmPolicies(
      const JudgeChoice& choice, std::span<const moderation::Policy* const> policies) = 0;
  // Counts o200k tokens. Fails when the rank file is not there.
  virtual Result<moderation::TokenCounter> OpenTokenCounter(const std::string& model_flag) = 0;
  // Counts the tokens of the screen's encoder (judges/screen_text.h). Fails when its tokenizer is
  // not there.
  virtual Result<moderation::TokenCounter> OpenScreenTokenCounter(
      const std::string& model_flag) = 0;
  // What the judge's answers depend on besides policy and content: its model and settings, as one
  // string. Cheap; opens no judge.
  virtual Result<std::string> JudgeIdentity(const JudgeChoice& choice) = 0;
  // The screen's model and what is trained on it; hashes the weights.
  virtual Result<ModelFile> FindModel(const std::string& model_flag) = 0;
  // What the screen's encoder and the reasoner compute with: "avx512, 8-bit", "avx512".
  virtual std::string ScreenKernels() = 0;
  virtual std::string ReasonerKernels() = 0;
  virtual std::span<const EmbeddedFile> shipped_policies() = 0;
  // Of a route, in order; those of the same checkpoint share one model.
  virtual Result<std::vector<std::unique_ptr<moderation::Judge>>> OpenReasoners(
      std::span<const JudgeChoice> choices) = 0;
  // `lists`: files of lists, all in use or an error.
  virtual Result<RouteGuards> OpenGuards(const std::vector<std::string>& lists) = 0;
};

std::unique_ptr<Services> RealServices();

}  // namespace safeguard::apps
