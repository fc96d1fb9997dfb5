// For one instruction set a row of logits has the same bits whatever else is in the batch, however
// its sequence was cut into steps, forked or threaded.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/thread_pool.h"
#include "engine/cpu/cpu_forward.h"
#include "engine/cpu/kernels/emulated/emulated.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/random_model.h"

namespace safeguard::engine {
namespace {

using cpu::KernelTable;
using cpu::RandomModel;
using cpu::RandomTokens;

using Tokens = std::vector<std::uint32_t>;
using Logits = std::vector<float>;

bool SameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

class Invariance : public testing::TestWithParam<std::tuple<const KernelTable*, CpuPrecision>> {
 protected:
  void SetUp() override {
    if (!cpu::WorthTesting(*std::get<0>(GetParam()))) {
      GTEST_SKIP() << std::get<0>(GetParam())->name << ": not on this CPU or too slow here";
    }
  }

  std::unique_ptr<Forward> NewForward(ThreadPool& pool, std::size_t rows_max = 512) const {
    CpuForwardOptions options;
    options.precision = std::get<1>(GetParam());
    options.table = std::get<0>(GetParam());
    options.rows_max = rows_max;
    auto forward = NewCpuForward(model_.config, model_.weights, options, pool);
    EXPECT_TRUE(forward) << Describe(forward.error());
    return std::move(forward).value();
  }

  // All rows of logits of `tokens`, in steps of `chunk`.
  Logits Run(Forward& forward, SequenceId sequence, std::span<const std::uint32_t> tokens,
             std::size_t chunk) const {
    const std::size_t vocabulary = model_.config.vocabulary;
    Logits logits(tokens.size() * vocabulary);
    for (std::size_t begin = 0; begin < tokens.size(); begin += chunk) {
      const std::size_t count = std::min(chunk, tokens.size() - begin);
      const SequenceStep step = {sequence, tokens.subspan(begin, count), count};
      const Status status = forward.Step(
          {&step, 1}, std::span(logits).subspan(begin * vocabulary, count * vocabulary));
      EXPECT_TRUE(status) << Describe(status.error());
    }
    return logits;
  }
  Logits RunNew(std::span<const std::uint32_t> tokens, std::size_t chunk) {
    const auto forward = NewForward(pool_);
    return Run(*forward, forward->NewSequence(), tokens, chunk);
  }

  RandomModel model_ =
      cpu::NewRandomModel(cpu::SmallConfig(), WeightType::kBF16, NibbleOrder::kAdjacent, 1);
  ThreadPool pool_{1};
};

TEST_P(Invariance, PrefillInPiecesIsPrefillAtOnce) {
  for (const std::size_t length : {30U, 300U}) {  // shorter and longer than the window of 40
    const Tokens tokens = RandomTokens(length, model_.config.vocabulary, 2);
    const Logits whole = RunNew(tokens, length);
    for (const std::size_t chunk : {1U, 7U, 64U, 128U, 129U}) {
      EXPECT_TRUE(SameBits(RunNew(tokens, chunk), whole)) << length << " in " << chunk;
    }
    const auto forward = NewForward(pool_, 37);
    EXPECT_TRUE(SameBits(Run(*forward, forward->NewSequence(), tokens, length), whole));
  }
}

// Sequences of different lengths, each in one step, all in one batch; then two tokens more each.
TEST_P(Invariance, BatchAndThreadsDoNotMatter) {
  const std::size_t vocabulary = model_.config.vocabulary;
  std::vector<Tokens> prompts;
  std::vector<Logits> alone;
  for (unsigned i = 0; i < 64; ++i) {
    prompts.push_back(RandomTokens(1 + i * 3 % 97, vocabulary, 10 + i));
    alone.push_back(RunNew(prompts.back(), prompts.back().size()));
  }
  for (const std::size_t threads : {1U, 2U}) {
    ThreadPool pool(threads);
    for (const std::size_t batch : {1U, 8U, 64U}) {
      const auto forward = NewForward(pool);
      std::vector<SequenceId> ids;
      for (std::size_t i = 0; i < batch; ++i) {
        ids.push_back(forward->NewSequence());
      }
      // All but the last token as prefill, the last as a decoding step of the whole batch.
      for (const bool last : {false, true}) {
        std::vector<SequenceStep> steps;
        for (std::size_t i = 0; i < batch; ++i) {
          const std::span<const std::uint32_t> tokens = prompts[i];
          if (last) {
            steps.push_back({ids[i], tokens.last(1), 1});
          } else if (tokens.size() > 1) {
            steps.push_back({ids[i], tokens.first(tokens.size() - 1), 0});
          }
        }
        Logits logits(last ? batch * vocabulary : 0);
        ASSERT_TRUE(forward->Step(steps, logits));
        for (std::size_t i = 0; last && i < batch; ++i) {
          const auto row = std::span(logits).subspan(i * vocabulary, vocabulary);
          ASSERT_TRUE(SameBits(row, std::span(alone[i]).last(vocabulary)))
              << "sequence " << i << " of " << batch << ", " << threads << " threads";
        }
      }
    }
  }
}

TEST_P(Invariance, AForkIsTheSequenceComputedAnew) {
  const std::size_t vocabulary = model_.config.vocabulary;
  for (const std::size_t shared : {5U, 64U, 100U, 200U}) {
    Tokens first = RandomTokens(shared + 70, vocabulary, 3);
    Tokens second = first;
    const Tokens other = RandomTokens(70, vocabulary, 4);
    std::ranges::copy(other, second.begin() + static_cast<std::ptrdiff_t>(shared));
    const auto forward = NewForward(pool_);
    const SequenceId a = forward->NewSequence();
    Run(*forward, a, std::span(first).first(shared), shared);
    const std::size_t before = forward->CacheBytes();
    const SequenceId b = forward->Fork(a);
    EXPECT_EQ(forward->CacheBytes(), before);
    // The two take turns, so that each writes while the other holds the shared page.
    const Logits a1 = Run(*forward, a, std::span(first).subspan(shared, 10), 10);
    const Logits b1 = Run(*forward, b, std::span(second).subspan(shared, 70), 3);
    const Logits a2 = Run(*forward, a, std::span(first).subspan(shared + 10), 60);
    const Logits whole_a = RunNew(first, first.size());
    const Logits whole_b = RunNew(second, second.size());
    EXPECT_TRUE(SameBits(a1, std::span(whole_a).subspan(shared * vocabulary, 10 * vocabulary)));
    EXPECT_TRUE(SameBits(a2, std::span(whole_a).last(60 * vocabulary)));
    EXPECT_TRUE(SameBits(b1, std::span(whole_b).last(70 * vocabulary)));
    forward->Drop(a);
    forward->Drop(b);
    EXPECT_EQ(forward->CacheBytes(), 0U);
  }
}

// Many sequences behind one prefix, in groups that share more of it, mixed with strangers: shared
// pages are read for all of them together, and every row is what it is alone.
TEST_P(Invariance, SharedPagesDoNotMatter) {
  constexpr unsigned kSequences = 18;
  const std::size_t vocabulary = model_.config.vocabulary;
  const Tokens policy = RandomTokens(200, vocabulary, 3);
  const Tokens section = RandomTokens(90, vocabulary, 4);
  std::vector<Tokens> prompts;
  std::vector<Logits> alone;
  for (unsigned i = 0; i < kSequences; ++i) {
    Tokens& tokens = prompts.emplace_back(i % 6 == 5 ? Tokens() : policy);
    if (i % 3 == 1) {
      tokens.insert(tokens.end(), section.begin(), section.end());
    }
    const Tokens own = RandomTokens(1 + i * 5 % 67, vocabulary, 20 + i);
    tokens.insert(tokens.end(), own.begin(), own.end());
    const auto forward = NewForward(pool_);
    const SequenceStep whole = {forward->NewSequence(), tokens, 1};
    ASSERT_TRUE(forward->Step({&whole, 1}, alone.emplace_back(vocabulary)));
  }
  for (const std::size_t threads : {1U, 2U}) {
    ThreadPool pool(threads);
    const auto forward = NewForward(pool);
    const SequenceId root = forward->NewSequence();
    Run(*forward, root, policy, policy.size());
    const SequenceId branch = forward->Fork(root);
    Run(*forward, branch, section, section.size());
    std::vector<SequenceId> ids;
    for (unsigned i = 0; i < kSequences; ++i) {
      ids.push_back(i % 6 == 5 ? forward->NewSequence()
                               : forward->Fork(i % 3 == 1 ? branch : root));
    }
    // The rest of each in one step, then the last token of all in another.
    Logits logits(kSequences * vocabulary);
    for (const bool last : {false, true}) {
      std::vector<SequenceStep> steps;
      for (std::size_t i = 0; i < kSequences; ++i) {
        const auto rest = std::span(prompts[i]).subspan(forward->Length(ids[i]));
        if (last || rest.size() > 1) {
          steps.push_back({ids[i], last ? rest : rest.first(rest.size() - 1), last ? 1U : 0U});
        }
      }
      ASSERT_TRUE(forward->Step(steps, last ? std::span(logits) : std::span<float>()));
    }
    for (std::size_t i = 0; i < kSequences; ++i) {
      EXPECT_TRUE(SameBits(std::span(logits).subspan(i * vocabulary, vocabulary), alone[i]))
          << "sequence " << i << ", " << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Invariance,
    testing::Combine(testing::ValuesIn(cpu::TestedKernels()),
                     testing::Values(CpuPrecision::kF32, CpuPrecision::kInt16, CpuPrecision::kInt8,
                                     CpuPrecision::kHalfCache, CpuPrecision::kBf16)),
    [](const auto& test) {
      return cpu::TestedName(*std::get<0>(test.param)) +
             ("_" + std::to_string(static_cast<int>(std::get<1>(test.param))));
    });

}  // namespace
}  // namespace safeguard::engine
