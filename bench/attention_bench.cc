// What a long policy costs at decode: sequences forked from one prefix of random keys and values,
// at the true width of gpt-oss-20b, one sliding and one full layer. Times are for all 24 layers
// without the unembedding. The difference between a long and a short policy is attention.
//
// SAFEGUARD_KERNELS forces a kernel table. Rates are by wall clock: run it on an idle machine.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/thread_pool.h"
#include "engine/cpu/cpu_forward.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/random_model.h"
#include "engine/cpu/sequence_bytes.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kLayers = 2;
constexpr std::size_t kAllLayers = 24;
constexpr std::size_t kOwn = 8;  // tokens of a sequence behind the policy

const cpu::RandomModel& Model() {
  static const cpu::RandomModel model = [] {
    GptOssConfig config;
    config.layers = kLayers;
    config.vocabulary = 1000;
    return cpu::NewRandomModel(config, WeightType::kBF16, NibbleOrder::kAdjacent, 1);
  }();
  return model;
}

// A prefix as if it had been computed.
std::vector<std::byte> RandomPrefix(std::size_t length, cpu::KvType type, ThreadPool& threads) {
  const GptOssConfig& config = Model().config;
  cpu::PagePool pages({config.kv_heads, config.head_dim, type});
  const cpu::SequenceBytes format(config, cpu::BestKernels().name, pages, threads);
  cpu::SequenceState sequence{length, std::vector<cpu::LayerPages>(config.layers)};
  std::mt19937 random(1);
  std::vector<float> row(2 * config.head_dim);
  for (cpu::LayerPages& layer : sequence.layers) {
    layer.Extend(0, length, pages);
    for (std::size_t p = 0; p < length; ++p) {
      for (std::size_t head = 0; head < config.kv_heads; ++head) {
        for (float& x : row) {
          x = static_cast<float>(random()) * 0x1p-31F - 1.0F;
        }
        cpu::WriteKeyValue(pages.shape(), layer.PageOf(p), head, p % cpu::kPagePositions,
                           row.data(), row.data() + config.head_dim);
      }
    }
  }
  return format.Write(sequence);
}

// Arguments: tokens of the policy, sequences, threads, 1 for keys and values in binary16.
void BM_DecodeBehindPolicy(benchmark::State& state) {
  const auto policy = static_cast<std::size_t>(state.range(0));
  const auto count = static_cast<std::size_t>(state.range(1));
  const bool half = state.range(3) != 0;
  ThreadPool pool(static_cast<std::size_t>(state.range(2)));
  CpuForwardOptions options;
  options.precision = half ? CpuPrecision::kHalfCache : CpuPrecision::kF32;
  auto made = NewCpuForward(Model().config, Model().weights, options, pool);
  CHECK(made.has_value());
  Forward& forward = **made;
  const auto prefix =
      forward.Import(RandomPrefix(policy, half ? cpu::KvType::kF16 : cpu::KvType::kF32, pool));
  CHECK(prefix.has_value());
  std::vector<SequenceId> sequences;
  for (std::size_t i = 0; i < count; ++i) {
    sequences.push_back(forward.Fork(*prefix));
  }
  unsigned seed = 1000;
  const auto step = [&](std::size_t tokens) {
    const auto ids = cpu::RandomTokens(count * tokens, 1000, seed++);
    std::vector<SequenceStep> steps;
    for (std::size_t i = 0; i < count; ++i) {
      steps.push_back({sequences[i], std::span(ids).subspan(i * tokens, tokens), 0});
    }
    CHECK(forward.Step(steps, {}).has_value());
  };
  step(kOwn);
  for (auto _ : state) {
    step(1);
  }
  const auto tokens = static_cast<double>(static_cast<std::size_t>(state.iterations()) * count);
  state.counters["time/token"] = benchmark::Counter(
      tokens * kLayers / kAllLayers, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(BM_DecodeBehindPolicy)
    ->ArgNames({"policy", "sequences", "threads", "half"})
    ->ArgsProduct({{64, 500, 1500, 8000}, {1, 32, 64}, {2}, {0}})
    ->ArgsProduct({{64, 8000}, {32}, {1}, {0}})
    ->ArgsProduct({{64, 8000}, {32}, {2}, {1}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// Arguments: tokens of the policy. Taking a prefix from bytes in memory.
void BM_ImportPolicy(benchmark::State& state) {
  ThreadPool pool(2);
  auto forward = NewCpuForward(Model().config, Model().weights, {}, pool);
  CHECK(forward.has_value());
  const auto bytes =
      RandomPrefix(static_cast<std::size_t>(state.range(0)), cpu::KvType::kF32, pool);
  for (auto _ : state) {
    const auto sequence = (*forward)->Import(bytes);
    CHECK(sequence.has_value());
    (*forward)->Drop(*sequence);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

BENCHMARK(BM_ImportPolicy)->Arg(1500)->Arg(8000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace safeguard::engine

BENCHMARK_MAIN();
