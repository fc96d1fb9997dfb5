#include "engine/encoder/pair_forward.h"

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace safeguard::engine {

// What works on contents one after the other need: their block, and the rows of a pair.
struct PairForward::Desk {
  EncodedBlock content;
  LayerRows pair;
  std::vector<LayerScratch> scratch;
};

// One row a pair.
struct PairForward::LastRows {
  AlignedBytes hidden;   // [pairs, hidden], in front of the last layer; behind it at the end
  AlignedBytes context;  // [pairs, hidden], of its attention
};

void PairForward::Lower(TokenIds ids, std::size_t token_type, EncodedBlock& block, const Crew& crew,
                        std::span<LayerScratch> scratch) const {
  block.tokens = ids.size();
  block.rows.Reserve(ids.size(), layers_.config().hidden);
  const SequenceRows sequence{0, ids.size()};
  const std::int32_t* first = ids.data();
  layers_.Start(block.rows, {&sequence, 1}, {&first, 1}, token_type, crew, scratch);
  layers_.Run(block.rows, {&sequence, 1}, 0, config_.split_layers, Queries::kAll, crew, scratch);
}

EncodedBlock PairForward::EncodePolicy(TokenIds ids, ThreadPool& pool) const {
  EncodedBlock block;
  std::vector<LayerScratch> scratch = layers_.NewScratch(pool.size(), ids.size());
  Lower(ids, 1, block, Crew(pool), scratch);
  block.rows.context = {};  // kept for long, and no longer needed
  return block;
}

void PairForward::Append(const EncodedBlock& block, std::size_t first_row, LayerRows& rows) const {
  const std::size_t hidden = layers_.config().hidden;
  const auto copy = [&](const AlignedBytes& from, AlignedBytes& to, std::size_t width) {
    std::copy_n(from.data(), block.tokens * width * sizeof(float),
                to.data() + first_row * width * sizeof(float));
  };
  copy(block.rows.hidden, rows.hidden, hidden);
  copy(block.rows.query_key_value, rows.query_key_value, 3 * hidden);
}

void PairForward::ScoreContent(TokenIds content, std::span<const EncodedBlock* const> policies,
                               std::size_t first_pair, LastRows& last, const Crew& crew,
                               Desk& desk) const {
  const std::size_t hidden = layers_.config().hidden;
  Lower(content, 0, desk.content, crew, desk.scratch);
  for (std::size_t p = 0; p < policies.size(); ++p) {
    const SequenceRows sequence{0, content.size() + policies[p]->tokens};
    desk.pair.Reserve(sequence.tokens, hidden);
    Append(desk.content, 0, desk.pair);
    Append(*policies[p], content.size(), desk.pair);
    layers_.Run(desk.pair, {&sequence, 1}, config_.split_layers, layers_.config().layers - 1,
                Queries::kFirstRow, crew, desk.scratch);
    std::copy_n(desk.pair.hidden.floats(), hidden,
                last.hidden.floats() + (first_pair + p) * hidden);
    layers_.AttendFirstRow(desk.pair, sequence, last.context.floats() + (first_pair + p) * hidden,
                           desk.scratch[0]);
  }
}

void PairForward::Score(std::span<const TokenIds> contents,
                        std::span<const EncodedBlock* const> policies, std::span<float> logits,
                        std::span<float> first_states, ThreadPool& pool) const {
  const std::size_t hidden = layers_.config().hidden;
  const std::size_t pairs = contents.size() * policies.size();
  CHECK(logits.size() == pairs);
  CHECK(first_states.empty() || first_states.size() == pairs * hidden);
  if (pairs == 0) {
    return;
  }
  std::size_t tokens_max = 0;
  for (const TokenIds content : contents) {
    tokens_max = std::max(tokens_max, content.size());
  }
  std::size_t policy_tokens_max = 0;
  for (const EncodedBlock* policy : policies) {
    policy_tokens_max = std::max(policy_tokens_max, policy->tokens);
  }
  tokens_max += policy_tokens_max;
  LastRows last{AlignedBytes(pairs * hidden * sizeof(float)),
                AlignedBytes(pairs * hidden * sizeof(float))};
  std::vector<std::optional<Desk>> desks(pool.size());
  if (contents.size() < pool.size()) {
    // Too few to give each thread its own: all work on each.
    desks[0].emplace(Desk{{}, {}, layers_.NewScratch(pool.size(), tokens_max)});
    for (std::size_t c = 0; c < contents.size(); ++c) {
      ScoreContent(contents[c], policies, c * policies.size(), last, Crew(pool), *desks[0]);
    }
  } else {
    pool.ParallelFor(contents.size(), [&](std::size_t c, std::size_t worker) {
      if (!desks[worker]) {
        desks[worker].emplace(Desk{{}, {}, layers_.NewScratch(1, tokens_max)});
      }
      ScoreContent(contents[c], policies, c * policies.size(), last, Crew(), *desks[worker]);
    });
  }
  std::vector<LayerScratch> scratch = layers_.NewScratch(pool.size(), 1);
  pool.ParallelFor(
      (pairs + kBlockRows - 1) / kBlockRows, [&](std::size_t block, std::size_t worker) {
        const std::size_t begin = block * kBlockRows;
        const std::size_t end = std::min(pairs, begin + kBlockRows);
        layers_.FinishLayer(layers_.config().layers - 1, last.context.floats() + begin * hidden,
                            last.hidden.floats() + begin * hidden, end - begin, scratch[worker]);
        for (std::size_t pair = begin; pair < end; ++pair) {
          float* state = last.hidden.floats() + pair * hidden;
          weights_.bert.swaps.Apply(state);
          double logit = double{weights_.classifier_bias};
          for (std::size_t i = 0; i < hidden; ++i) {
            logit += double{weights_.classifier[i]} * double{state[i]};
          }
          logits[pair] = static_cast<float>(logit);
          if (!first_states.empty()) {
            std::copy_n(state, hidden, first_states.data() + pair * hidden);
          }
        }
      });
}

}  // namespace safeguard::engine
