#include "judges/dedicated_judge.h"

#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "judges/dedicated/load_classifier.h"
#include "judges/screen/content_texts.h"
#include "moderation/views.h"

namespace safeguard::judges {
namespace {

using moderation::Content;
using moderation::Outcome;
using moderation::Policy;
using moderation::UndeterminedReason;
using moderation::Verdict;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kContentsABatch = 64;
constexpr std::size_t kSentenceBytesMax = 600;

class Prepared final : public moderation::PreparedPolicy {
 public:
  Prepared(const Policy& policy, LoadedClassifier loaded, InstalledClassifier installed)
      : policy_(policy),
        loaded_(std::move(loaded)),
        name_(installed.name + "@" + std::to_string(installed.version)),
        hash_(std::move(installed.hash)) {
    const ClassifierCard& card = loaded_.card;
    thresholds_ =
        policy.thresholds.value_or(moderation::Thresholds{card.threshold, card.threshold});
    if (installed.band) {
      thresholds_ = {card.band->violation, card.band->safe};
    }
  }

  [[nodiscard]] const Policy& policy() const override { return policy_; }
  [[nodiscard]] const ClassifierCard& card() const { return loaded_.card; }
  [[nodiscard]] TextScorer& scorer() const { return *loaded_.scorer; }
  [[nodiscard]] const moderation::Thresholds& thresholds() const { return thresholds_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& hash() const { return hash_; }
  [[nodiscard]] bool of_another_text() const { return card().policy.hash != policy_.hash; }

 private:
  Policy policy_;
  LoadedClassifier loaded_;
  std::string name_;
  std::string hash_;
  moderation::Thresholds thresholds_;
};

std::string Rationale(const Prepared& prepared, double probability) {
  const ClassifierCard& card = prepared.card();
  const moderation::Thresholds& thresholds = prepared.thresholds();
  const std::string bounds = thresholds.safe < thresholds.violation
                                 ? fmt::format("safe below {:.2f}, a violation from {:.2f} on",
                                               thresholds.safe, thresholds.violation)
                                 : fmt::format("a violation from {:.2f} on", thresholds.violation);
  return fmt::format(
      "Probability {:.2f}; {}. Classifier {}, trained on {} labelled texts, {} of them violations: "
      "it knows labels, not rules.",
      probability, bounds, prepared.name(), card.positives + card.negatives, card.positives);
}

// The sentence of the text that scores highest, as bytes of it; all of it where it has but one.
std::pair<std::size_t, std::size_t> HeaviestSentence(TextScorer& scorer, std::string_view text) {
  const auto sentences = moderation::Sentences(text, kSentenceBytesMax);
  if (sentences.size() < 2) {
    return {0, text.size()};
  }
  std::vector<std::string_view> pieces;
  for (const auto& [begin, end] : sentences) {
    pieces.push_back(text.substr(begin, end - begin));
  }
  const std::vector<std::optional<double>> scores = scorer.Score(pieces);
  std::size_t best = 0;
  for (std::size_t i = 1; i < scores.size(); ++i) {
    if (scores[i].value_or(-1) > scores[best].value_or(-1)) {
      best = i;
    }
  }
  return sentences[best];
}

void SetOutcome(const Prepared& prepared, double probability, bool foreign_script,
                Verdict& verdict) {
  const moderation::Thresholds& thresholds = prepared.thresholds();
  verdict.reason = UndeterminedReason::kNone;
  if (probability >= thresholds.violation) {
    verdict.outcome = Outcome::kViolation;
    return;
  }
  if (probability < thresholds.safe && (!foreign_script || prepared.card().other_scripts)) {
    verdict.outcome = Outcome::kSafe;
    return;
  }
  verdict.outcome = Outcome::kUndetermined;
  verdict.reason = UndeterminedReason::kUncertain;
  verdict.detail =
      probability < thresholds.safe
          ? "the content is mostly in a script that the classifier was not trained on; "
            "ask the reasoner or a person"
          : "the probability lies inside the classifier's uncertain band; ask the "
            "reasoner or a person";
}

// From the scores of the content's texts, `raw`.
Verdict VerdictOf(const Prepared& prepared, const ContentTexts& texts,
                  std::span<const std::optional<double>> raw) {
  std::size_t best = 0;
  for (std::size_t t = 1; t < raw.size(); ++t) {
    if (raw[t].value_or(-1) > raw[best].value_or(-1)) {
      best = t;
    }
  }
  if (raw.empty() || !raw[best]) {
    return Undetermined(prepared.policy().Reference(), UndeterminedReason::kEmptyContent,
                        "the content holds no readable text; there is nothing to judge");
  }
  const double probability = prepared.card().map.Apply(*raw[best]);
  Verdict verdict;
  verdict.policy = prepared.policy().Reference();
  verdict.score = probability;
  verdict.view = texts.texts()[best].view.name;
  SetOutcome(prepared, probability, texts.foreign_script(), verdict);
  verdict.rationale = Rationale(prepared, probability);
  if (verdict.outcome != Outcome::kSafe) {
    const auto [begin, end] = HeaviestSentence(prepared.scorer(), texts.texts()[best].view.text);
    verdict.evidence = {texts.EvidenceOf(best, begin, end)};
  }
  return verdict;
}

Verdict Refused(const Policy& policy, const Content& content, std::size_t bytes_max) {
  if (TextBytes(content) > bytes_max) {
    return Undetermined(policy.Reference(), UndeterminedReason::kContentTooLong,
                        "the content has " + std::to_string(TextBytes(content)) +
                            " bytes and the limit is " + std::to_string(bytes_max) + "; split it");
  }
  return Undetermined(policy.Reference(), UndeterminedReason::kEmptyContent,
                      "the content is empty; there is nothing to judge");
}

// A content that will be scored, and where its texts stand in the batch.
struct Scorable {
  ContentTexts texts;
  std::size_t first_text;
};

class DedicatedJudge final : public moderation::Judge {
 public:
  explicit DedicatedJudge(DedicatedOptions options) : options_(std::move(options)) {
    CHECK(options_.threads >= 1 && options_.source != nullptr);
  }

  Result<std::shared_ptr<const moderation::PreparedPolicy>> Prepare(
      const Policy& policy, std::span<const moderation::GoldenCase>) override {
    Result<InstalledClassifier> installed = options_.source(policy);
    if (!installed) {
      return std::unexpected(installed.error());
    }
    const std::string name = installed->name + "@" + std::to_string(installed->version);
    Result<LoadedClassifier> loaded =
        LoadClassifier(installed->bytes, "the classifier " + name, [this] { return Embedder(); });
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    if (installed->band && !loaded->card.band) {
      return Fail(ErrorCode::kInvalidInput,
                  "the classifier " + name + " has no uncertain band: " + loaded->card.why_no_band,
                  "train it with more labels, or use it without its band: safeguard screen use");
    }
    installed->bytes.clear();
    auto prepared =
        std::make_shared<const Prepared>(policy, std::move(*loaded), std::move(*installed));
    if (prepared->of_another_text() && options_.on_note) {
      options_.on_note(TextNote(*prepared));
    }
    return prepared;
  }

  std::vector<Verdict> Decide(
      std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
      std::span<const Content> contents) override {
    std::vector<Verdict> verdicts;
    verdicts.reserve(contents.size() * policies.size());
    for (std::size_t first = 0; first < contents.size(); first += kContentsABatch) {
      const std::size_t count = std::min(kContentsABatch, contents.size() - first);
      DecideBatch(policies, contents.subspan(first, count), verdicts);
    }
    return verdicts;
  }

 private:
  static std::string TextNote(const Prepared& prepared) {
    return "the labels of " + prepared.name() + " were given under another text of the policy " +
           prepared.policy().id + ": they may no longer fit; label anew where the rules changed";
  }

  Result<std::shared_ptr<TextEmbedder>> Embedder() {
    const std::scoped_lock lock(mutex_);
    if (embedder_ == nullptr) {
      const Result<std::string> folder = options_.model_folder();
      if (!folder) {
        return std::unexpected(folder.error());
      }
      Result<std::unique_ptr<TextEmbedder>> opened = TextEmbedder::Open(*folder, options_.threads);
      if (!opened) {
        return std::unexpected(opened.error());
      }
      embedder_ = std::move(*opened);
    }
    return embedder_;
  }

  // Appends the verdicts of some contents, scored together.
  void DecideBatch(std::span<const std::shared_ptr<const moderation::PreparedPolicy>> policies,
                   std::span<const Content> contents, std::vector<Verdict>& verdicts) const {
    const Clock::time_point start = Clock::now();
    std::vector<std::optional<Scorable>> scorables(contents.size());
    std::vector<std::string_view> texts;
    for (std::size_t c = 0; c < contents.size(); ++c) {
      if (TextBytes(contents[c]) > options_.content_bytes_max || IsBlank(contents[c])) {
        continue;
      }
      scorables[c].emplace(Scorable{ContentTexts(contents[c]), texts.size()});
      for (const ContentText& text : scorables[c]->texts.texts()) {
        texts.push_back(text.view.text);
      }
    }
    const std::size_t before = verdicts.size();
    verdicts.resize(before + contents.size() * policies.size());
    for (std::size_t p = 0; p < policies.size(); ++p) {
      const auto* prepared = dynamic_cast<const Prepared*>(policies[p].get());
      CHECK(prepared != nullptr);
      const std::vector<std::optional<double>> raw = prepared->scorer().Score(texts);
      for (std::size_t c = 0; c < contents.size(); ++c) {
        Verdict& verdict = verdicts[before + c * policies.size() + p];
        if (!scorables[c]) {
          verdict = Refused(prepared->policy(), contents[c], options_.content_bytes_max);
        } else {
          const ContentTexts& own = scorables[c]->texts;
          verdict = VerdictOf(*prepared, own,
                              std::span(raw).subspan(scorables[c]->first_text, own.texts().size()));
          verdict.notes = own.notes();
        }
        if (prepared->of_another_text()) {
          verdict.notes.push_back(TextNote(*prepared));
        }
        verdict.decided_by = {"screen", "dedicated:" + prepared->name(), prepared->hash()};
      }
    }
    // A batch shares its passes: each content's share of the time.
    const double milliseconds =
        std::chrono::duration<double, std::milli>(Clock::now() - start).count() /
        static_cast<double>(contents.size());
    for (std::size_t i = before; i < verdicts.size(); ++i) {
      verdicts[i].timings_ms["total"] = milliseconds;
    }
  }

  DedicatedOptions options_;
  std::mutex mutex_;
  std::shared_ptr<TextEmbedder> embedder_;
};

}  // namespace

std::unique_ptr<moderation::Judge> OpenDedicatedJudge(DedicatedOptions options) {
  return std::make_unique<DedicatedJudge>(std::move(options));
}

}  // namespace safeguard::judges
