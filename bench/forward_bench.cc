// The speed of the CPU's forward pass at the true shape of gpt-oss-20b: one sliding and one full
// layer with random weights in memory, and no unembedding. Rates are for all 24 layers. A decoded
// token reads 0.2 GB of the 0.9 GB of weights here, more than caches hold.
//
// SAFEGUARD_KERNELS forces a kernel table, SAFEGUARD_PRECISION f32, int16, int8 or bf16. With
// FORWARD_BENCH_DENSE=q8_0 the dense weights are Q8_0, as in a GGUF, else bfloat16. Rates are by
// wall clock: run it on an idle machine. `roof%` counts the experts that were read.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/thread_pool.h"
#include "bench/roofline.h"
#include "engine/cpu/cpu_forward.h"
#include "engine/cpu/random_model.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kLayers = 2;
constexpr std::size_t kAllLayers = 24;

bool Q8() {
  const char* dense = std::getenv("FORWARD_BENCH_DENSE");
  return dense != nullptr && std::string_view(dense) == "q8_0";
}

// What the dense weights are once they are packed.
double DenseBytes() {
  const char* precision = std::getenv("SAFEGUARD_PRECISION");
  return Q8() || (precision != nullptr && std::string_view(precision) == "int8") ? 34.0 / 32 : 2;
}

const cpu::RandomModel& Model() {
  static const cpu::RandomModel model = [] {
    GptOssConfig config;
    config.layers = kLayers;
    config.vocabulary = 1000;
    return Q8() ? cpu::NewRandomModel(config, WeightType::kQ8_0, NibbleOrder::kHalves, 1)
                : cpu::NewRandomModel(config, WeightType::kBF16, NibbleOrder::kAdjacent, 1);
  }();
  return model;
}

std::unique_ptr<Forward> NewForward(ThreadPool& pool) {
  auto forward = NewCpuForward(Model().config, Model().weights, {}, pool);
  CHECK(forward.has_value());
  return std::move(*forward);
}

// Weights of one layer: of attention, of the router, of one expert.
constexpr double kHidden = 2880;
constexpr double kAttention = kHidden * 64 * (2.0 * 64 + 2.0 * 8);
constexpr double kRouter = kHidden * 32;
constexpr double kExpert = 3 * kHidden * kHidden;
constexpr double kExpertBytes = kExpert * 17 / 32;

// Of one layer without its experts.
double LayerBytes() {
  return DenseBytes() * kAttention + 2 * kRouter;
}

// Counts the roof of so many steps of the model at hand.
void CountRoof(benchmark::State& state, const bench::Roofline& roofline, std::uint64_t expert_reads,
               std::size_t tokens) {
  const auto steps = static_cast<double>(state.iterations());
  // Attention's own multiply-adds are left out.
  roofline.Count(
      state, static_cast<double>(tokens) / steps * kLayers * (kAttention + kRouter + 4 * kExpert),
      kLayers * LayerBytes() + static_cast<double>(expert_reads) / steps * kExpertBytes);
}

// Arguments: tokens, threads.
void BM_Prefill(benchmark::State& state) {
  ThreadPool pool(static_cast<std::size_t>(state.range(1)));
  const auto forward = NewForward(pool);
  const auto tokens = cpu::RandomTokens(static_cast<std::size_t>(state.range(0)), 1000, 2);
  std::size_t done = 0;
  const std::uint64_t reads = forward->ExpertReads();
  const bench::Roofline roofline(pool.size());
  for (auto _ : state) {
    const SequenceId sequence = forward->NewSequence();
    const SequenceStep step = {sequence, tokens, 0};
    CHECK(forward->Step({&step, 1}, {}).has_value());
    forward->Drop(sequence);
    done += tokens.size();
  }
  CountRoof(state, roofline, forward->ExpertReads() - reads, done);
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(done * kLayers) / kAllLayers,
                                                  benchmark::Counter::kIsRate);
}

// Arguments: sequences, threads. Each sequence has 100 tokens, all different.
void BM_Decode(benchmark::State& state) {
  ThreadPool pool(static_cast<std::size_t>(state.range(1)));
  const auto forward = NewForward(pool);
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<SequenceId> sequences;
  for (std::size_t i = 0; i < count; ++i) {
    sequences.push_back(forward->NewSequence());
    const auto tokens = cpu::RandomTokens(100, 1000, static_cast<unsigned>(i));
    const SequenceStep step = {sequences.back(), tokens, 0};
    CHECK(forward->Step({&step, 1}, {}).has_value());
  }
  unsigned seed = 1000;
  std::size_t done = 0;
  const std::uint64_t reads = forward->ExpertReads();
  const bench::Roofline roofline(pool.size());
  for (auto _ : state) {
    const auto tokens = cpu::RandomTokens(count, 1000, seed++);
    std::vector<SequenceStep> steps;
    for (std::size_t i = 0; i < count; ++i) {
      steps.push_back({sequences[i], std::span(tokens).subspan(i, 1), 0});
    }
    CHECK(forward->Step(steps, {}).has_value());
    done += count;
  }
  CountRoof(state, roofline, forward->ExpertReads() - reads, done);
  const double tokens = static_cast<double>(done * kLayers) / kAllLayers;
  state.counters["tokens/s"] = benchmark::Counter(tokens, benchmark::Counter::kIsRate);
  if (count == 1) {
    state.counters["GB/s"] = benchmark::Counter(
        tokens * kAllLayers * (LayerBytes() + 4 * kExpertBytes) / 1e9, benchmark::Counter::kIsRate);
  }
}

BENCHMARK(BM_Prefill)
    ->Args({64, 1})
    ->Args({512, 1})
    ->Args({512, 2})
    ->Args({2048, 2})
    ->UseRealTime();
BENCHMARK(BM_Decode)
    ->Args({1, 1})
    ->Args({1, 2})
    ->Args({8, 2})
    ->Args({32, 2})
    ->Args({64, 2})
    ->UseRealTime();

}  // namespace
}  // namespace safeguard::engine

BENCHMARK_MAIN();
