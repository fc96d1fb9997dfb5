#include "judges/recorded_judge.h"

#include <span>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"
#include "judges/reasoner/adherence.h"
#include "judges/reasoner/answer.h"
#include "judges/reasoner/quotations.h"
#include "judges/recorded/answers.h"

namespace safeguard::judges {
namespace {

using moderation::Content;
using moderation::PreparedPolicy;
using moderation::UndeterminedReason;
using moderation::Verdict;

constexpr std::size_t kRankFileBytesMax = std::size_t{32} << 20;

class RecordedPolicy final : public PreparedPolicy {
 public:
  explicit RecordedPolicy(moderation::Policy policy)
      : policy_(std::move(policy)), labels_(policy_) {}
  [[nodiscard]] const moderation::Policy& policy() const override { return policy_; }
  [[nodiscard]] const AnswerLabels& labels() const { return labels_; }

 private:
  moderation::Policy policy_;
  AnswerLabels labels_;
};

class RecordedJudge final : public moderation::Judge {
 public:
  RecordedJudge(RecordedAnswers answers, std::string hash)
      : answers_(std::move(answers)), hash_(std::move(hash)) {}

  Result<std::shared_ptr<const PreparedPolicy>> Prepare(
      const moderation::Policy& policy,
      std::span<const moderation::GoldenCase> /*golden*/) override {
    return std::make_shared<RecordedPolicy>(policy);
  }

  std::vector<Verdict> Decide(std::span<const std::shared_ptr<const PreparedPolicy>> policies,
                              std::span<const Content> contents) override {
    std::vector<Verdict> verdicts;
    verdicts.reserve(policies.size() * contents.size());
    for (const Content& content : contents) {
      for (const auto& policy : policies) {
        const auto* prepared = dynamic_cast<const RecordedPolicy*>(policy.get());
        CHECK(prepared != nullptr);  // of another judge
        verdicts.push_back(DecideOne(*prepared, content));
        verdicts.back().decided_by = {"recorded", "recorded", hash_};
        verdicts.back().timings_ms["total"] = 0;
      }
    }
    return verdicts;
  }

 private:
  [[nodiscard]] Verdict DecideOne(const RecordedPolicy& prepared, const Content& content) const {
    const moderation::Policy& policy = prepared.policy();
    const RecordedAnswer* answer = answers_.Find(content, policy.id);
    if (answer == nullptr) {
      return moderation::Undetermined(policy.Reference(), UndeterminedReason::kModelUnavailable,
                                      "no answer to this content was recorded");
    }
    if (!answer->complete) {
      Verdict verdict = moderation::Undetermined(
          policy.Reference(), UndeterminedReason::kUnfinishedReasoning,
          "the recorded completion ends before an answer in the final channel");
      verdict.reasoning = answer->reasoning;
      return verdict;
    }
    Verdict verdict;
    verdict.policy = policy.Reference();
    AnswerReading reading = ReadAnswer(policy, prepared.labels(), answer->final);
    verdict.adherence = CheckAdherence(policy, prepared.labels(), answer->final, reading);
    Fill(std::move(reading), verdict);
    verdict.reasoning = answer->reasoning;
    verdict.evidence = QuotedEvidence(verdict.rationale, content);
    verdict.view = "original";
    return verdict;
  }

  RecordedAnswers answers_;
  std::string hash_;  // of the file
};

}  // namespace

Result<std::unique_ptr<moderation::Judge>> OpenRecordedJudge(const RecordedOptions& options) {
  const Result<std::string> bytes = ReadFile(options.path, kRecordedBytesMax);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  std::unique_ptr<engine::Bpe> bpe;
  if (!options.rank_file.empty()) {
    const Result<std::string> ranks = ReadFile(options.rank_file, kRankFileBytesMax);
    if (!ranks) {
      return std::unexpected(ranks.error());
    }
    Result<std::unique_ptr<engine::Bpe>> loaded = engine::Bpe::LoadRanks(*ranks);
    if (!loaded) {
      return std::unexpected(loaded.error());
    }
    bpe = std::move(*loaded);
  }
  Result<RecordedAnswers> answers =
      RecordedAnswers::Read(*bytes, options.path, bpe.get(), options.by_line);
  if (!answers) {
    return std::unexpected(answers.error());
  }
  return std::make_unique<RecordedJudge>(std::move(*answers),
                                         Sha256Hex(std::as_bytes(std::span(*bytes))));
}

}  // namespace safeguard::judges
