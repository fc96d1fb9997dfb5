// The trained screen: one cross-encoder for all policies, which reads a policy's text
// (judges/screen_text.h) beside the content and follows it, also where it has never seen the
// policy.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "judges/screen/cross_policy.h"
#include "judges/screen/pair_reader.h"
#include "judges/screen/screen.h"
#include "judges/screen/text_memory.h"

namespace safeguard::judges {

// How it scores: a text is read in windows that overlap and together hold every token, each under
// the policy's block.
//   prior = logit_scale * logit + logit_offset, moved so that the line that training chose is 0
//   logit = prior, or where the policy has labelled cases of both sides a regularised logistic
//           layer over [state, prior] fitted on them (logistic.h)
// and the text's probability is the largest over its windows. Which rule is broken (each violating
// rule asked alone) and by which sentence of that window is asked only where the policy does not
// call it safe, so that harmless texts cost one pair a policy.
class CrossScreen : public Screen {
 public:
  // What is computed of labelled cases is kept in `cache_folder`; empty: not kept.
  CrossScreen(std::unique_ptr<PairReader> reader, std::string cache_folder, std::string model_name,
              std::string model_hash);

  Result<std::shared_ptr<const ScreenPolicy>> Prepare(
      const moderation::Policy& policy, std::span<const moderation::GoldenCase> golden) override;
  std::vector<ScreenScore> Score(std::span<const ScreenPolicy* const> policies,
                                 std::span<const std::string_view> texts,
                                 const moderation::StopSignal& stop) override;
  [[nodiscard]] std::string model_name() const override { return model_name_; }
  [[nodiscard]] std::string model_hash() const override { return model_hash_; }
  [[nodiscard]] ThreadPool& pool() override { return reader_->pool(); }
  [[nodiscard]] std::string method() const override { return "trained on many policies"; }

 private:
  // A text that needs a rule and evidence under one policy, and its window that scored highest.
  struct Flagged {
    Passage window;
    std::string_view text;
    ScreenScore* score;
  };

  // States and priors of every window, [hidden + 1] floats a unit.
  std::vector<EmbeddedText> ReadCases(const engine::PolicyBlock& block,
                                      std::span<const std::string_view> texts);
  void NameRules(const CrossPolicy& policy, std::span<Flagged> flagged);
  void PointAtSentences(const CrossPolicy& policy, std::span<Flagged> flagged);

  std::unique_ptr<PairReader> reader_;
  std::string cache_folder_;
  std::string model_name_;
  std::string model_hash_;
  TextMemory memory_;
};

}  // namespace safeguard::judges
