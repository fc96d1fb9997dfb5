// A Forward for tests: its logits are a hash of all tokens of the sequence, so that any mistake in
// forking, cutting or ordering shows in the very next row.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
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
    return sequences_.at(sequence).tokens.size();
  }

  Status Step(std::span<const SequenceStep> steps, std::span<float> logits) override {
    std::set<SequenceId> seen;
    std::size_t tokens = 0;
    std::size_t floats = 0;
    for (const SequenceStep& step : steps) {
      CHECK(seen.insert(step.sequence).second && sequences_.contains(step.sequence));
      CHECK(!step.tokens.empty() && step.logits <= step.tokens.size());
      CHECK(Length(step.sequence) + step.tokens.size() <= config_.context_max);
      tokens += step.tokens.size();
      floats += step.logits * step.RowFloats(config_.vocabulary);
    }
    CHECK(logits.size() == floats);
    if (CacheBytes() + tokens > bytes_max) {
      return Fail(ErrorCode::kLimit, "no memory for keys and values", "raise the limit");
    }
    batch_max = std::max(batch_max, steps.size());
    std::size_t at = 0;
    for (const SequenceStep& step : steps) {
      Tokens& sequence = sequences_.at(step.sequence).tokens;
      for (std::size_t i = 0; i < step.tokens.size(); ++i) {
        CHECK(step.tokens[i] < config_.vocabulary);
        sequence.push_back(step.tokens[i]);
        if (i + step.logits >= step.tokens.size()) {
          const std::size_t count = step.RowFloats(config_.vocabulary);
          WriteRow(sequence, step.rows, logits.subspan(at, count));
          at += count;
        }
      }
      std::size_t& longest = sequences_.at(step.sequence).longest;
      longest = std::max(longest, sequence.size());
    }
    return {};
  }

  Status Truncate(SequenceId sequence, std::size_t length) override {
    Sequence& found = sequences_.at(sequence);
    CHECK(length <= found.tokens.size());
    if (length + kRewindMax < found.longest) {
      return Fail(ErrorCode::kInvalidInput, "too far back", "compute the sequence anew");
    }
    found.tokens.resize(length);
    return {};
  }

  // A mark, the sum of the tokens, the longest length, the tokens.
  Result<std::vector<std::byte>> Export(SequenceId sequence) override {
    const Sequence& found = sequences_.at(sequence);
    Tokens words = {kMark, 0, static_cast<std::uint32_t>(found.longest)};
    words.insert(words.end(), found.tokens.begin(), found.tokens.end());
    words[1] = Sum(words);
    std::vector<std::byte> bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
  }
  Result<SequenceId> Import(std::span<const std::byte> bytes) override {
    Tokens words(bytes.size() / 4);
    if (!words.empty()) {
      std::memcpy(words.data(), bytes.data(), words.size() * 4);
    }
    if (bytes.size() % 4 != 0 || words.size() < 3 || words[0] != kMark || words[1] != Sum(words)) {
      return Fail(ErrorCode::kInvalidInput, "not an exported sequence", "compute it anew");
    }
    if (CacheBytes() + words.size() - 3 > bytes_max) {
      return Fail(ErrorCode::kLimit, "no memory for keys and values", "raise the limit");
    }
    return Add({Tokens(words.begin() + 3, words.end()), words[2]});
  }

  [[nodiscard]] std::size_t BytesFor(std::size_t tokens, std::size_t /*step*/) const override {
    return tokens;
  }
  [[nodiscard]] std::string Numerics() const override { return "fake"; }
  // One byte a token, not shared.
  [[nodiscard]] std::size_t CacheBytes() const override {
    std::size_t bytes = 0;
    for (const auto& [id, sequence] : sequences_) {
      bytes += sequence.tokens.size();
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
    if (tokens.size() > 3 && hash % 4 != 0) {
      row[tokens[tokens.size() - 3]] += repetition;
    }
    for (const auto& [id, logit] : pinned) {
      row[id] = logit;
    }
  }

  std::map<std::uint32_t, float> pinned;  // logits that are always so
  float repetition = 0;  // added, mostly, for the token three before: texts that repeat themselves
  std::size_t bytes_max = std::size_t{1} << 40;
  std::size_t batch_max = 0;  // sequences in one step, seen so far

 private:
  using Tokens = std::vector<std::uint32_t>;
  struct Sequence {
    Tokens tokens;
    std::size_t longest = 0;  // that it ever was
  };
  static constexpr std::uint32_t kMark = 0x464B4146;

  void WriteRow(const Tokens& tokens, std::span<const std::uint32_t> rows,
                std::span<float> out) const {
    if (rows.empty()) {
      Row(tokens, out);
      return;
    }
    std::vector<float> all(config_.vocabulary);
    Row(tokens, all);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      CHECK(rows[i] < all.size() && (i == 0 || rows[i - 1] < rows[i]));
      out[i] = all[rows[i]];
    }
  }
  static std::uint32_t Sum(const Tokens& words) {
    std::uint64_t hash = words.size();
    for (std::size_t i = 2; i < words.size(); ++i) {
      hash = Mix(hash ^ words[i]);
    }
    return static_cast<std::uint32_t>(hash);
  }
  static std::uint64_t Mix(std::uint64_t x) {
    x = (x ^ (x >> 31)) * 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9U;
    return x ^ (x >> 32);
  }
  SequenceId Add(Sequence sequence) {
    const auto id = static_cast<SequenceId>(++last_id_);
    sequences_.emplace(id, std::move(sequence));
    return id;
  }

  GptOssConfig config_;
  std::uint64_t last_id_ = 0;
  std::map<SequenceId, Sequence> sequences_;
};

}  // namespace safeguard::engine::test
