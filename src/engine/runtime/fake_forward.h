// A Forward for tests: its logits are a hash of all tokens of the sequence, so that any mistake in
// forking, cutting or ordering shows in the very next row.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "base/check.h"
#include "engine/model/forward.h"

namespace safeguard::engine::test {

class FakeForward final : public Forward {
 public:
  explicit FakeForward(std::size_t vocabulary, std::size_t context_max = 4096) {
    config_.vocabulary = vocabulary;
    config_.context_max = context_max;
  }

  SequenceId NewSequence() override { return Add({}); }
  SequenceId Fork(SequenceId from) override { return Add(sequences_.at(from)); }
  void Drop(SequenceId sequence) override { CHECK(sequences_.erase(sequence) == 1); }
  [[nodiscard]] std::size_t Length(SequenceId sequence) const override {
    return sequences_.at(sequence).size();
  }

  Status Step(std::span<const SequenceStep> steps, std::span<float> logits) override {
    std::set<SequenceId> seen;
    std::size_t tokens = 0;
    std::size_t rows = 0;
    for (const SequenceStep& step : steps) {
      CHECK(seen.insert(step.sequence).second && sequences_.contains(step.sequence));
      CHECK(!step.tokens.empty() && step.logits <= step.tokens.size());
      CHECK(Length(step.sequence) + step.tokens.size() <= config_.context_max);
      tokens += step.tokens.size();
      rows += step.logits;
    }
    CHECK(logits.size() == rows * config_.vocabulary);
    if (CacheBytes() + tokens > bytes_max) {
      return Fail(ErrorCode::kLimit, "no memory for keys and values", "raise the limit");
    }
    batch_max = std::max(batch_max, steps.size());
    std::size_t row = 0;
    for (const SequenceStep& step : steps) {
      std::vector<std::uint32_t>& sequence = sequences_.at(step.sequence);
      for (std::size_t i = 0; i < step.tokens.size(); ++i) {
        CHECK(step.tokens[i] < config_.vocabulary);
        sequence.push_back(step.tokens[i]);
        if (i + step.logits >= step.tokens.size()) {
          Row(sequence, logits.subspan(row++ * config_.vocabulary, config_.vocabulary));
        }
      }
    }
    return {};
  }

  // One byte a token, not shared.
  [[nodiscard]] std::size_t CacheBytes() const override {
    std::size_t bytes = 0;
    for (const auto& [id, tokens] : sequences_) {
      bytes += tokens.size();
    }
    return bytes;
  }
  [[nodiscard]] const GptOssConfig& config() const override { return config_; }
  [[nodiscard]] std::size_t alive() const { return sequences_.size(); }

  // The logits after `tokens`.
  void Row(const std::vector<std::uint32_t>& tokens, std::span<float> row) const {
    std::uint64_t hash = 1;
    for (const std::uint32_t token : tokens) {
      hash = Mix(hash ^ token);
    }
    for (std::size_t id = 0; id < row.size(); ++id) {
      row[id] = static_cast<float>(Mix(hash + id * 77) % 100'000) / 12'500.0F - 4.0F;
    }
    for (const auto& [id, logit] : pinned) {
      row[id] = logit;
    }
  }

  std::map<std::uint32_t, float> pinned;  // logits that are always so
  std::size_t bytes_max = std::size_t{1} << 40;
  std::size_t batch_max = 0;  // sequences in one step, seen so far

 private:
  static std::uint64_t Mix(std::uint64_t x) {
    x = (x ^ (x >> 31)) * 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9U;
    return x ^ (x >> 32);
  }
  SequenceId Add(std::vector<std::uint32_t> tokens) {
    const auto id = static_cast<SequenceId>(++last_id_);
    sequences_.emplace(id, std::move(tokens));
    return id;
  }

  GptOssConfig config_;
  std::uint64_t last_id_ = 0;
  std::map<SequenceId, std::vector<std::uint32_t>> sequences_;
};

}  // namespace safeguard::engine::test
