#include "judges/screen/embedding_policy.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "judges/screen/fit_cases.h"

namespace safeguard::judges {
namespace {

using moderation::Side;

// The bias costs as much as some cases weigh: a handful of examples beside the everyday texts must
// not move a policy's scores as a whole, or those of several policies stop being comparable.
constexpr LogisticOptions kFit = {
    .weight_penalty = 0.15, .slope_penalty = 4.0, .bias_penalty = 2.0};

// In partial sums that vector registers can hold: one sum would wait for each of its additions.
double Similarity(std::span<const float> a, const float* b) {
  std::array<float, 16> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= a.size(); i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) {
      sums[lane] += a[i + lane] * b[i + lane];
    }
  }
  float sum = 0;
  for (; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  for (const float partial : sums) {
    sum += partial;
  }
  return double{sum};
}

}  // namespace

EmbeddingPolicy::EmbeddingPolicy(moderation::Policy policy, std::vector<Anchor> anchors,
                                 std::vector<float> anchor_embeddings, std::size_t hidden,
                                 const EmbeddingScoring& scoring)
    : policy_(std::move(policy)),
      anchors_(std::move(anchors)),
      anchor_embeddings_(std::move(anchor_embeddings)),
      hidden_(hidden),
      scoring_(scoring) {
  bool safe = false;
  for (const Anchor& anchor : anchors_) {
    any_violating_ = any_violating_ || anchor.side == Side::kViolating;
    safe =
        safe || (anchor.side == Side::kSafe && (!anchor.rule || !policy_.rules[*anchor.rule].rest));
  }
  for (std::size_t r = 0; safe && !rest_ && r < policy_.rules.size(); ++r) {
    if (policy_.rules[r].rest && policy_.rules[r].side == Side::kViolating) {
      rest_ = r;
    }
  }
  for (const Side side : {Side::kViolating, Side::kSafe}) {
    std::vector<float>& mean = mean_rules_[side == Side::kSafe ? 1 : 0];
    const auto counts = [&](const Anchor& anchor) {
      return anchor.side == side && !anchor.example;
    };
    const auto count = std::ranges::count_if(anchors_, counts);
    mean.resize(count > 0 ? hidden_ : 0);
    for (std::size_t a = 0; a < anchors_.size(); ++a) {
      for (std::size_t i = 0; counts(anchors_[a]) && i < hidden_; ++i) {
        mean[i] += anchor_embeddings_[a * hidden_ + i] / static_cast<float>(count);
      }
    }
  }
}

EmbeddingPolicy::Nearest EmbeddingPolicy::NearestAnchor(std::span<const float> embedding,
                                                        Side side) const {
  // Without an anchor on a side the similarity is 0: as unlike as two random texts.
  Nearest nearest;
  double best_of_rules = -2;
  double best = -2;
  for (std::size_t a = 0; a < anchors_.size(); ++a) {
    if (anchors_[a].side != side) {
      continue;
    }
    const double similarity = Similarity(embedding, &anchor_embeddings_[a * hidden_]);
    best = std::max(best, similarity);
    if (anchors_[a].rule && similarity > best_of_rules) {
      best_of_rules = similarity;
      nearest.rule = anchors_[a].rule;
    }
  }
  nearest.similarity = best > -2 ? best : 0;
  return nearest;
}

double EmbeddingPolicy::SideSimilarity(std::span<const float> embedding, Side side) const {
  const double nearest = NearestAnchor(embedding, side).similarity;
  const std::vector<float>& mean = mean_rules_[side == Side::kSafe ? 1 : 0];
  if (mean.empty() || scoring_.nearest_share == 1) {
    return nearest;
  }
  return scoring_.nearest_share * nearest +
         (1 - scoring_.nearest_share) * Similarity(embedding, mean.data());
}

double EmbeddingPolicy::Prior(std::span<const float> embedding, bool whole) const {
  const double safe = SideSimilarity(embedding, Side::kSafe);
  const double like = scoring_.slope * (SideSimilarity(embedding, Side::kViolating) -
                                        scoring_.safe_share * safe - scoring_.margin);
  if (!rest_ || !whole) {
    return like;
  }
  const double unlike = scoring_.slope * (scoring_.rest_margin - safe);
  return any_violating_ ? std::max(like, unlike) : unlike;
}

double EmbeddingPolicy::UnitLogit(std::span<const float> embedding, bool whole) const {
  const double prior = Prior(embedding, whole);
  return learned_ ? Logit(*learned_, embedding, prior) : prior;
}

std::optional<std::size_t> EmbeddingPolicy::ViolatingRule(std::span<const float> embedding,
                                                          bool whole) const {
  const bool rest = rest_ && whole && Prior(embedding, true) > Prior(embedding, false);
  return rest || !any_violating_ ? rest_ : NearestAnchor(embedding, Side::kViolating).rule;
}

std::pair<std::size_t, double> EmbeddingPolicy::BestUnit(const EmbeddedText& text,
                                                         std::size_t first) const {
  std::pair<std::size_t, double> best{first, -1e9};
  for (std::size_t u = first; u < text.units.size(); ++u) {
    const double logit = UnitLogit(UnitOf(text, u), u == 0);
    if (logit > best.second) {
      best = {u, logit};
    }
  }
  return best;
}

void EmbeddingPolicy::Learn(std::span<const EmbeddedCase> cases) {
  std::vector<UnitCase> units;
  for (const EmbeddedCase& c : cases) {
    UnitCase& unit_case = units.emplace_back();
    unit_case.side = c.violating    ? CaseSide::kViolating
                     : c.background ? CaseSide::kBackground
                                    : CaseSide::kSafe;
    for (std::size_t u = 0; u < c.text->units.size(); ++u) {
      const std::span<const float> embedding = UnitOf(*c.text, u);
      unit_case.units.push_back({embedding, Prior(embedding, u == 0)});
    }
  }
  learned_ = FitCases(units, hidden_, kFit);
}

ScreenScore EmbeddingPolicy::Score(const EmbeddedText& text) const {
  ScreenScore score;
  if (text.units.empty()) {
    return score;  // not a single token
  }
  score.read = true;
  const auto [unit, logit] = BestUnit(text, 0);
  score.probability = 1 / (1 + std::exp(-logit));
  score.violating_rule = ViolatingRule(UnitOf(text, unit), unit == 0);
  score.safe_rule = NearestAnchor(UnitOf(text, unit), Side::kSafe).rule;
  // Evidence is a sentence even where the whole text scored highest.
  const std::size_t shown = unit == 0 && text.units.size() > 1 ? BestUnit(text, 1).first : unit;
  score.begin = text.units[shown].begin;
  score.end = text.units[shown].end;
  return score;
}

}  // namespace safeguard::judges
