#include "judges/screen/embedding_screen.h"

#include <utility>

#include "base/check.h"
#include "judges/screen/background.h"
#include "judges/screen/case_text.h"
#include "judges/screen/embedding_policy.h"
#include "judges/screen/plain_text.h"

namespace safeguard::judges {
namespace {

using moderation::GoldenCase;
using moderation::Outcome;
using moderation::Side;

}  // namespace

EmbeddingScreen::EmbeddingScreen(std::unique_ptr<TextEmbedder> embedder, EmbeddingCache cache,
                                 std::string model_name, std::string model_hash,
                                 const EmbeddingScoring& scoring)
    : embedder_(std::move(embedder)),
      cache_(std::move(cache)),
      model_name_(std::move(model_name)),
      model_hash_(std::move(model_hash)),
      scoring_(scoring) {}

Result<std::shared_ptr<const ScreenPolicy>> EmbeddingScreen::Prepare(
    const moderation::Policy& policy, std::span<const GoldenCase> golden) {
  std::vector<Anchor> anchors = AnchorsOf(policy);
  for (Anchor& anchor : anchors) {
    if (scoring_.plain_rules && !anchor.example) {
      anchor.text = PlainText(anchor.text, policy);
    }
  }
  std::vector<std::string> case_texts;
  for (const GoldenCase& c : golden) {
    case_texts.push_back(CaseText(c.content));
  }
  std::vector<std::string_view> texts;
  texts.reserve(anchors.size());
  for (const Anchor& anchor : anchors) {
    texts.emplace_back(anchor.text);
  }
  // The policy's own labelled examples are cases too, not only anchors.
  std::vector<bool> example_sides;
  for (const moderation::Example& example : policy.examples) {
    if (example.side != Side::kNone) {
      texts.emplace_back(example.text);
      example_sides.push_back(example.side == Side::kViolating);
    }
  }
  texts.insert(texts.end(), case_texts.begin(), case_texts.end());
  texts.insert(texts.end(), kBackgroundTexts.begin(), kBackgroundTexts.end());
  const std::size_t hidden = embedder_->hidden();
  const std::vector<EmbeddedText> embedded = memory_.Get(
      "", texts, hidden, cache_,
      [this](std::span<const std::string_view> missing) { return embedder_->Embed(missing); });
  std::vector<float> anchor_embeddings;
  std::vector<Anchor> kept;
  for (std::size_t a = 0; a < anchors.size(); ++a) {
    if (embedded[a].units.empty()) {
      continue;  // punctuation only: nothing to compare with
    }
    kept.push_back(anchors[a]);
    anchor_embeddings.insert(anchor_embeddings.end(), embedded[a].embeddings.begin(),
                             embedded[a].embeddings.begin() + static_cast<std::ptrdiff_t>(hidden));
  }
  std::vector<EmbeddedCase> cases;
  cases.reserve(example_sides.size() + golden.size());
  for (std::size_t e = 0; e < example_sides.size(); ++e) {
    cases.push_back({&embedded[anchors.size() + e], example_sides[e]});
  }
  for (std::size_t g = 0; g < golden.size(); ++g) {
    cases.push_back({&embedded[anchors.size() + example_sides.size() + g],
                     golden[g].expected == Outcome::kViolation});
  }
  for (std::size_t b = 0; b < kBackgroundTexts.size(); ++b) {
    cases.push_back({&embedded[embedded.size() - kBackgroundTexts.size() + b], false, true});
  }
  auto prepared = std::make_shared<EmbeddingPolicy>(policy, std::move(kept),
                                                    std::move(anchor_embeddings), hidden, scoring_);
  prepared->Learn(cases);
  return prepared;
}

std::vector<ScreenScore> EmbeddingScreen::Score(std::span<const ScreenPolicy* const> policies,
                                                std::span<const std::string_view> texts,
                                                const moderation::StopSignal& stop) {
  const std::vector<EmbeddedText> embedded = embedder_->Embed(texts, stop);
  if (embedded.size() != texts.size()) {
    return {};  // stopped
  }
  std::vector<const EmbeddingPolicy*> ours;
  for (const ScreenPolicy* policy : policies) {
    ours.push_back(dynamic_cast<const EmbeddingPolicy*>(policy));
    CHECK(ours.back() != nullptr);
  }
  std::vector<ScreenScore> scores(texts.size() * policies.size());
  pool().ParallelFor(texts.size(), [&](std::size_t t, std::size_t) {
    for (std::size_t p = 0; p < ours.size(); ++p) {
      scores[t * ours.size() + p] = ours[p]->Score(embedded[t]);
    }
  });
  return scores;
}

}  // namespace safeguard::judges
