// What every Forward keeps to, as checks for tests. `forward` has a vocabulary of at least 50 and
// room for 700 positions.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "engine/model/forward.h"

namespace safeguard::engine::test {

using ContractTokens = std::vector<std::uint32_t>;

inline ContractTokens TokensFor(const Forward& forward, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  ContractTokens tokens(count);
  for (std::uint32_t& token : tokens) {
    token = static_cast<std::uint32_t>(random() % forward.config().vocabulary);
  }
  return tokens;
}

// One step; the logits after each of `tokens`.
inline std::vector<float> StepAll(Forward& forward, SequenceId sequence,
                                  std::span<const std::uint32_t> tokens,
                                  std::span<const std::uint32_t> rows = {}) {
  const SequenceStep step = {sequence, tokens, tokens.size(), rows};
  std::vector<float> logits(tokens.size() * step.RowFloats(forward.config().vocabulary));
  const Status status = forward.Step({&step, 1}, logits);
  EXPECT_TRUE(status) << Describe(status.error());
  return logits;
}

inline bool SameNumbers(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

// Restricted rows of one step, mixed with whole ones and with each other, are entries of the whole.
inline void CheckRestrictedRows(Forward& forward) {
  const std::size_t vocabulary = forward.config().vocabulary;
  const std::vector<ContractTokens> ids = {{3, 4, 5, 17, 49}, {}, {0}, {3, 4, 5, 17, 49}, {}};
  std::vector<SequenceId> sequences;
  std::vector<SequenceStep> steps;
  std::vector<ContractTokens> tokens;
  for (unsigned i = 0; i < ids.size(); ++i) {
    tokens.push_back(TokensFor(forward, 3 + i, i));
  }
  std::size_t floats = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    sequences.push_back(forward.NewSequence());
    steps.push_back({sequences.back(), tokens[i], 2, ids[i]});
    floats += 2 * steps.back().RowFloats(vocabulary);
  }
  std::vector<float> logits(floats);
  ASSERT_TRUE(forward.Step(steps, logits));
  std::size_t at = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const SequenceId again = forward.NewSequence();
    const std::vector<float> whole = StepAll(forward, again, tokens[i]);
    for (std::size_t row = tokens[i].size() - 2; row < tokens[i].size(); ++row) {
      for (std::size_t j = 0; j < steps[i].RowFloats(vocabulary); ++j, ++at) {
        const std::size_t id = ids[i].empty() ? j : ids[i][j];
        ASSERT_TRUE(SameNumbers({&logits[at], 1}, {&whole[row * vocabulary + id], 1}))
            << "sequence " << i << ", id " << id;
      }
    }
    forward.Drop(again);
    forward.Drop(sequences[i]);
  }
}

// Drafts that are taken back leave no trace, in the sequence or in one forked from it.
inline void CheckTruncate(Forward& forward) {
  for (const std::size_t length : {1U, 64U, 200U, 640U}) {
    const ContractTokens prompt = TokensFor(forward, length, 1);
    const ContractTokens draft = TokensFor(forward, kRewindMax, 2);
    const ContractTokens rest = TokensFor(forward, 5, 3);
    const SequenceId plain = forward.NewSequence();
    StepAll(forward, plain, prompt);
    const std::vector<float> expected = StepAll(forward, plain, rest);
    for (const std::size_t drafted : {std::size_t{1}, std::size_t{9}, kRewindMax}) {
      const SequenceId sequence = forward.NewSequence();
      StepAll(forward, sequence, prompt);
      StepAll(forward, sequence, std::span(draft).first(drafted));
      const SequenceId fork = forward.Fork(sequence);
      ASSERT_TRUE(forward.Truncate(sequence, length));
      EXPECT_EQ(forward.Length(sequence), length);
      EXPECT_TRUE(SameNumbers(StepAll(forward, sequence, rest), expected)) << length;
      ASSERT_TRUE(forward.Truncate(fork, length));
      EXPECT_TRUE(SameNumbers(StepAll(forward, fork, rest), expected)) << length << ", fork";
      forward.Drop(sequence);
      forward.Drop(fork);
    }
    forward.Drop(plain);
  }
}

// A sequence alone never holds more than BytesFor says, however it was cut into steps.
inline void CheckBytes(Forward& forward) {
  for (const std::size_t step : {1U, 64U, 300U}) {
    const SequenceId sequence = forward.NewSequence();
    const ContractTokens tokens = TokensFor(forward, 640, 6);
    std::size_t least = 0;
    for (std::size_t at = 0; at < tokens.size(); at += step) {
      const auto part = std::span(tokens).subspan(at, std::min<std::size_t>(step, 640 - at));
      const SequenceStep next = {sequence, part, 0};
      ASSERT_TRUE(forward.Step({&next, 1}, {}));
      const std::size_t length = forward.Length(sequence);
      ASSERT_LE(forward.CacheBytes(), forward.BytesFor(length, 0)) << length;
      ASSERT_LE(forward.BytesFor(length, 0), forward.BytesFor(length, step));
      ASSERT_LE(least, forward.BytesFor(length, 0));
      least = forward.BytesFor(length, 0);
    }
    forward.Drop(sequence);
  }
}

// What was exported goes on as the original does, also after going back.
inline void CheckExport(Forward& forward) {
  for (const std::size_t length : {0U, 1U, 64U, 150U, 500U}) {
    const ContractTokens prompt = TokensFor(forward, length, 4);
    const ContractTokens rest = TokensFor(forward, 70, 5);
    const SequenceId original = forward.NewSequence();
    if (length > 0) {
      StepAll(forward, original, prompt);
    }
    const auto bytes = forward.Export(original);
    ASSERT_TRUE(bytes);
    const std::vector<float> expected = StepAll(forward, original, rest);
    const auto imported = forward.Import(*bytes);
    ASSERT_TRUE(imported) << Describe(imported.error());
    EXPECT_EQ(forward.Length(*imported), length);
    EXPECT_EQ(*forward.Export(*imported), *bytes);
    EXPECT_TRUE(SameNumbers(StepAll(forward, *imported, rest), expected)) << length;
    ASSERT_TRUE(forward.Truncate(*imported, length + 6));
    EXPECT_TRUE(SameNumbers(StepAll(forward, *imported, std::span(rest).subspan(6)),
                            std::span(expected).subspan(6 * forward.config().vocabulary)));
    forward.Drop(original);
    forward.Drop(*imported);
  }
}

// Cut short, longer, or with a byte changed: an error, and no memory kept.
inline void CheckDamagedExports(Forward& forward) {
  const SequenceId original = forward.NewSequence();
  StepAll(forward, original, TokensFor(forward, 70, 6));
  const std::vector<std::byte> good = *forward.Export(original);
  const std::size_t before = forward.CacheBytes();
  const auto refused = [&](std::span<const std::byte> bytes) {
    const auto imported = forward.Import(bytes);
    return !imported && imported.error().code == ErrorCode::kInvalidInput &&
           !imported.error().message.empty() && forward.CacheBytes() == before;
  };
  const std::size_t step = std::max<std::size_t>(1, good.size() / 64);
  for (std::size_t at = 0; at < good.size(); at += at < 256 ? 1 : step) {
    EXPECT_TRUE(refused(std::span(good).first(at))) << at;
    std::vector<std::byte> bad = good;
    bad[at] ^= std::byte{0x10};
    EXPECT_TRUE(refused(bad)) << "byte " << at;
  }
  std::vector<std::byte> longer = good;
  longer.resize(good.size() + 4);
  EXPECT_TRUE(refused(longer));
  forward.Drop(original);
}

}  // namespace safeguard::engine::test
