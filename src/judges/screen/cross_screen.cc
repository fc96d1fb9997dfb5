#include "judges/screen/cross_screen.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "judges/screen/background.h"
#include "judges/screen/case_text.h"
#include "judges/screen_text.h"

namespace safeguard::judges {
namespace {

using moderation::GoldenCase;
using moderation::Outcome;
using moderation::Side;

// Below what the policy calls safe nobody asks for a rule or evidence.
double ExplainFrom(const moderation::Policy& policy) {
  return policy.thresholds.value_or(moderation::Thresholds{}).safe;
}

// The labelled texts of a policy, each with its side.
struct Cases {
  std::vector<std::string> texts;
  std::vector<CaseSide> sides;

  Cases(const moderation::Policy& policy, std::span<const GoldenCase> golden) {
    const auto add = [this](std::string text, bool violating) {
      texts.push_back(std::move(text));
      sides.push_back(violating ? CaseSide::kViolating : CaseSide::kSafe);
    };
    for (const moderation::Example& example : policy.examples) {
      if (example.side != Side::kNone) {
        add(example.text, example.side == Side::kViolating);
      }
    }
    for (const GoldenCase& c : golden) {
      add(CaseText(c.content), c.expected == Outcome::kViolation);
    }
  }
  [[nodiscard]] bool HasBothSides() const {
    return std::ranges::find(sides, CaseSide::kViolating) != sides.end() &&
           std::ranges::find(sides, CaseSide::kSafe) != sides.end();
  }
  void AddBackground() {
    texts.insert(texts.end(), kBackgroundTexts.begin(), kBackgroundTexts.end());
    sides.resize(texts.size(), CaseSide::kBackground);
  }
};

// One case from what was read of it: [hidden] of state and the prior a window.
UnitCase UnitCaseOf(const EmbeddedText& read, std::size_t hidden, CaseSide side) {
  UnitCase unit_case;
  unit_case.side = side;
  for (std::size_t u = 0; u < read.units.size(); ++u) {
    const auto numbers = std::span(read.embeddings).subspan(u * (hidden + 1), hidden + 1);
    unit_case.units.push_back({numbers.first(hidden), double{numbers[hidden]}});
    if (unit_case.units[u].prior > unit_case.units[unit_case.first_choice].prior) {
      unit_case.first_choice = u;
    }
  }
  return unit_case;
}

}  // namespace

CrossScreen::CrossScreen(std::unique_ptr<PairReader> reader, std::string cache_folder,
                         std::string model_name, std::string model_hash)
    : reader_(std::move(reader)),
      cache_folder_(std::move(cache_folder)),
      model_name_(std::move(model_name)),
      model_hash_(std::move(model_hash)) {}

std::vector<EmbeddedText> CrossScreen::ReadCases(const engine::PolicyBlock& block,
                                                 std::span<const std::string_view> texts) {
  const std::vector<WindowedText> read = reader_->Read(texts);
  std::vector<EmbeddedText> cases(texts.size());
  std::vector<Passage> passages;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    for (const TokenSpan& window : read[t].windows) {
      passages.push_back({&read[t], window});
      cases[t].units.push_back(
          {read[t].tokens[window.begin].begin, read[t].tokens[window.end - 1].end});
    }
  }
  const engine::PolicyBlock* const blocks[] = {&block};
  const PairScores scores = reader_->Score(passages, blocks, true);
  const std::size_t hidden = reader_->hidden();
  std::size_t passage = 0;
  for (EmbeddedText& one : cases) {
    for (std::size_t u = 0; u < one.units.size(); ++u, ++passage) {
      const auto state = std::span(scores.states).subspan(passage * hidden, hidden);
      one.embeddings.insert(one.embeddings.end(), state.begin(), state.end());
      one.embeddings.push_back(static_cast<float>(scores.logits[passage]));
    }
  }
  return cases;
}

Result<std::shared_ptr<const ScreenPolicy>> CrossScreen::Prepare(
    const moderation::Policy& policy, std::span<const GoldenCase> golden) {
  const std::string text =
      ScreenText(policy, reader_->token_counter(), reader_->policy_tokens_max());
  auto prepared = std::make_shared<CrossPolicy>(policy, reader_->EncodePolicy(text));
  Cases cases(policy, golden);
  if (!cases.HasBothSides()) {
    return prepared;
  }
  cases.AddBackground();
  const std::size_t hidden = reader_->hidden();
  const std::vector<std::string_view> texts(cases.texts.begin(), cases.texts.end());
  const EmbeddingCache cache(
      cache_folder_, model_hash_ + "/" + reader_->encoder().arithmetic() + "/" + Blake2bHex(text));
  const std::vector<EmbeddedText> read =
      memory_.Get(text, texts, hidden + 1, cache, [&](std::span<const std::string_view> missing) {
        return ReadCases(prepared->block(), missing);
      });
  std::vector<UnitCase> unit_cases;
  for (std::size_t c = 0; c < read.size(); ++c) {
    unit_cases.push_back(UnitCaseOf(read[c], hidden, cases.sides[c]));
  }
  prepared->Learn(unit_cases, hidden);
  return prepared;
}

std::vector<ScreenScore> CrossScreen::Score(std::span<const ScreenPolicy* const> policies,
                                            std::span<const std::string_view> texts,
                                            const moderation::StopSignal& stop) {
  std::vector<const CrossPolicy*> ours;
  std::vector<const engine::PolicyBlock*> blocks;
  bool states = false;
  for (const ScreenPolicy* policy : policies) {
    ours.push_back(dynamic_cast<const CrossPolicy*>(policy));
    CHECK(ours.back() != nullptr);
    blocks.push_back(&ours.back()->block());
    states = states || ours.back()->learned();
  }
  const std::vector<WindowedText> read = reader_->Read(texts);
  std::vector<Passage> passages;
  for (const WindowedText& text : read) {
    for (const TokenSpan& window : text.windows) {
      passages.push_back({&text, window});
    }
  }
  const PairScores pairs = reader_->Score(passages, blocks, states, stop);
  if (pairs.logits.size() != passages.size() * blocks.size()) {
    return {};  // stopped
  }
  const std::size_t hidden = states ? reader_->hidden() : 0;
  std::vector<ScreenScore> scores(texts.size() * policies.size());
  for (std::size_t p = 0; p < policies.size(); ++p) {
    std::vector<Flagged> flagged;
    std::size_t passage = 0;
    for (std::size_t t = 0; t < texts.size(); ++t) {
      ScreenScore& score = scores[t * policies.size() + p];
      Flagged best{{&read[t], {}}, texts[t], &score};
      double highest = 0;
      for (const TokenSpan& window : read[t].windows) {
        const std::size_t pair = passage++ * policies.size() + p;
        const double logit = ours[p]->Logit(std::span(pairs.states).subspan(pair * hidden, hidden),
                                            pairs.logits[pair]);
        if (!score.read || logit > highest) {
          highest = logit;
          best.window.span = window;
        }
        score.read = true;
      }
      if (!score.read) {
        continue;  // not a single token
      }
      score.probability = 1 / (1 + std::exp(-highest));
      score.begin = read[t].tokens[best.window.span.begin].begin;
      score.end = read[t].tokens[best.window.span.end - 1].end;
      if (score.probability >= ExplainFrom(policies[p]->policy())) {
        flagged.push_back(best);
      }
    }
    NameRules(*ours[p], flagged);
    PointAtSentences(*ours[p], flagged);
  }
  return scores;
}

void CrossScreen::NameRules(const CrossPolicy& policy, std::span<Flagged> flagged) {
  if (flagged.empty()) {
    return;
  }
  const std::vector<RuleBlock>& rules = policy.RuleBlocks(*reader_);
  if (rules.empty()) {
    return;
  }
  std::vector<const engine::PolicyBlock*> blocks;
  for (const RuleBlock& rule : rules) {
    blocks.push_back(rule.block.get());
  }
  std::vector<Passage> passages;
  for (const Flagged& one : flagged) {
    passages.push_back(one.window);
  }
  const PairScores scores =
      rules.size() == 1 ? PairScores{} : reader_->Score(passages, blocks, false);
  for (std::size_t i = 0; i < flagged.size(); ++i) {
    std::size_t best = 0;
    for (std::size_t r = 1; r < rules.size(); ++r) {
      if (scores.logits[i * rules.size() + r] > scores.logits[i * rules.size() + best]) {
        best = r;
      }
    }
    flagged[i].score->violating_rule = rules[best].rule;
  }
}

void CrossScreen::PointAtSentences(const CrossPolicy& policy, std::span<Flagged> flagged) {
  std::vector<Passage> passages;
  std::vector<std::size_t> counts;
  for (const Flagged& one : flagged) {
    const TokenSpan window = one.window.span;
    const std::size_t before = passages.size();
    for (const TokenSpan& sentence : SentenceSpans(one.text, one.window.text->tokens)) {
      const TokenSpan inside{std::max(sentence.begin, window.begin),
                             std::min(sentence.end, window.end)};
      if (inside.begin < inside.end) {
        passages.push_back({one.window.text, inside});
      }
    }
    if (passages.size() - before == 1) {
      passages.pop_back();  // the window is its one sentence
    }
    counts.push_back(passages.size() - before);
  }
  const engine::PolicyBlock* const blocks[] = {&policy.block()};
  const PairScores scores = reader_->Score(passages, blocks, false);
  std::size_t first = 0;
  for (std::size_t i = 0; i < flagged.size(); first += counts[i], ++i) {
    if (counts[i] == 0) {
      continue;
    }
    const auto begin = scores.logits.begin() + static_cast<std::ptrdiff_t>(first);
    const auto best = std::max_element(begin, begin + static_cast<std::ptrdiff_t>(counts[i])) -
                      scores.logits.begin();
    const TokenSpan& span = passages[static_cast<std::size_t>(best)].span;
    flagged[i].score->begin = flagged[i].window.text->tokens[span.begin].begin;
    flagged[i].score->end = flagged[i].window.text->tokens[span.end - 1].end;
  }
}

}  // namespace safeguard::judges
