// The encoder's speed: contents a second by length and threads, start-up, and the linear-layer
// kernel against what this very processor can multiply at best, measured in the same run.
//
// The model comes from the folder $SAFEGUARD_MODELS (else build/models), SAFEGUARD_KERNELS forces
// a kernel table. Rates are by wall clock: run it on an idle machine.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/thread_pool.h"
#include "engine/encoder.h"
#include "engine/encoder/aligned_bytes.h"
#include "engine/encoder/kernels/kernel_table.h"
#include "engine/pair_encoder.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace safeguard::engine {
namespace {

std::string ModelFolder(const std::string& name = "minilm-l6-v2") {
  const char* models = std::getenv("SAFEGUARD_MODELS");
  return (models != nullptr ? std::string(models) : SAFEGUARD_SOURCE_DIR "/build/models") + "/" +
         name;
}

const Encoder& Model() {
  static const auto model = [] {
    auto loaded = Encoder::Load(ModelFolder());
    CHECK(loaded.has_value());
    return std::move(*loaded);
  }();
  return *model;
}

std::vector<std::vector<std::int32_t>> RandomContents(std::size_t count, std::size_t tokens) {
  std::mt19937 random(5);
  std::uniform_int_distribution<std::int32_t> word(1000, 30000);
  std::vector<std::vector<std::int32_t>> contents(count, std::vector<std::int32_t>(tokens));
  for (auto& content : contents) {
    for (std::int32_t& id : content) {
      id = word(random);
    }
  }
  return contents;
}

std::vector<float> Normal(std::size_t count) {
  std::vector<float> numbers(count);
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (float& number : numbers) {
    number = normal(random);
  }
  return numbers;
}

// Arguments: tokens a content, threads, contents a call.
void BM_Embed(benchmark::State& state) {
  const Encoder& model = Model();
  const auto tokens = static_cast<std::size_t>(state.range(0));
  const auto count = static_cast<std::size_t>(state.range(2));
  ThreadPool pool(static_cast<std::size_t>(state.range(1)));
  const auto contents = RandomContents(count, tokens);
  const PoolRange all{0, static_cast<std::uint32_t>(tokens)};
  std::vector<EncoderInput> inputs;
  for (const auto& content : contents) {
    inputs.push_back({content, {&all, 1}});
  }
  std::vector<float> out(count * model.config().hidden);
  for (auto _ : state) {
    model.Embed(inputs, out, pool);
    benchmark::DoNotOptimize(out.data());
  }
  const auto embedded = static_cast<double>(state.iterations()) * static_cast<double>(count);
  state.counters["contents/s"] = benchmark::Counter(embedded, benchmark::Counter::kIsRate);
  state.SetLabel(EncoderKernels());
}
BENCHMARK(BM_Embed)
    ->ArgNames({"tokens", "threads", "contents"})
    ->ArgsProduct({{20, 100, 400}, {1, 2}, {1, 32}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// Pairs of content and policy. Arguments: tokens a content, threads, policies. Policies have blocks
// of 128 tokens; 32 contents a call.
void BM_Pairs(benchmark::State& state) {
  const auto model = PairEncoder::Load(ModelFolder(), ModelFolder("screen"));
  if (!model) {
    state.SkipWithError("no trained screen beside the model");
    return;
  }
  constexpr std::size_t kContents = 32;
  ThreadPool pool(static_cast<std::size_t>(state.range(1)));
  const auto contents = RandomContents(kContents, static_cast<std::size_t>(state.range(0)));
  const std::vector<TokenIds> ids(contents.begin(), contents.end());
  std::vector<std::shared_ptr<const PolicyBlock>> blocks;
  std::vector<const PolicyBlock*> policies;
  for (const auto& policy : RandomContents(static_cast<std::size_t>(state.range(2)),
                                           (*model)->config().policy_tokens_max)) {
    blocks.push_back((*model)->EncodePolicy(policy, pool));
    policies.push_back(blocks.back().get());
  }
  std::vector<float> logits(ids.size() * policies.size());
  for (auto _ : state) {
    (*model)->Score(ids, policies, logits, {}, pool);
    benchmark::DoNotOptimize(logits.data());
  }
  const auto scored = static_cast<double>(state.iterations()) * static_cast<double>(kContents);
  state.counters["contents/s"] = benchmark::Counter(scored, benchmark::Counter::kIsRate);
  state.SetLabel(EncoderKernels());
}
BENCHMARK(BM_Pairs)
    ->ArgNames({"tokens", "threads", "policies"})
    ->ArgsProduct({{20, 100}, {1, 2}, {1, 5, 12}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// From nothing (page cache warm) to the first embedding of 20 tokens.
void BM_LoadAndFirstEmbedding(benchmark::State& state) {
  const auto content = RandomContents(1, 20);
  const PoolRange all{0, 20};
  const EncoderInput input{content[0], {&all, 1}};
  for (auto _ : state) {
    const auto model = Encoder::Load(ModelFolder());
    CHECK(model.has_value());
    ThreadPool pool(2);
    std::vector<float> out((*model)->config().hidden);
    (*model)->Embed({&input, 1}, out, pool);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_LoadAndFirstEmbedding)->Unit(benchmark::kMillisecond)->UseRealTime();

// One linear layer of the model over 60 rows, on one thread. Arguments: outputs, inputs.
void BM_Linear(benchmark::State& state, const KernelTable& kernels) {
  if (!kernels.supported()) {
    state.SkipWithError("not on this processor");
    return;
  }
  constexpr std::size_t kRows = 60;
  const auto outputs = static_cast<std::size_t>(state.range(0));
  const auto inputs = static_cast<std::size_t>(state.range(1));
  std::vector<float> numbers = Normal(std::max(outputs, kRows) * inputs);
  const InputKind kind = inputs > 384 ? InputKind::kInner : InputKind::kHidden;
  AlignedBytes packed(kernels.packed_bytes(outputs, inputs, kind));
  AlignedBytes prepared(kernels.prepared_bytes(kRows, inputs, kind));
  std::vector<float> out(kRows * outputs);
  std::vector<float> bias(outputs);
  kernels.pack_weights(
      {numbers.data(), bias.data(), 0, outputs, outputs, inputs, kind, packed.data()});
  kernels.prepare_rows({numbers.data(), inputs, kRows, inputs, kind, 0, inputs, prepared.data()});
  for (auto _ : state) {
    kernels.multiply({packed.data(), bias.data(), outputs, inputs, kind, 0, outputs,
                      prepared.data(), kRows, out.data(), outputs});
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.counters["GMAC/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) *
                             static_cast<double>(kRows * outputs * inputs) * 1e-9,
                         benchmark::Counter::kIsRate);
  state.SetLabel(kernels.name);
}
// The model's four layers.
void LinearShapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"outputs", "inputs"});
  bench->Args({1152, 384})->Args({384, 384})->Args({1536, 384})->Args({384, 1536});
}
#if defined(__x86_64__)
BENCHMARK_CAPTURE(BM_Linear, avx512_8bit, kAvx512Int8Kernels)->Apply(LinearShapes);
BENCHMARK_CAPTURE(BM_Linear, avx512_16bit, kAvx512Kernels)->Apply(LinearShapes);
BENCHMARK_CAPTURE(BM_Linear, avx2_8bit, kAvx2Int8Kernels)->Apply(LinearShapes);
BENCHMARK_CAPTURE(BM_Linear, avx2_16bit, kAvx2Kernels)->Apply(LinearShapes);
#endif

// What stands between the linear layers, for 100 tokens of one of MiniLM-L6's layers, on one
// thread.
void BM_Attention(benchmark::State& state) {
  constexpr std::size_t kTokens = 100;
  constexpr std::size_t kHead = 32;
  constexpr std::size_t kHeads = 12;
  const std::vector<float> qkv = Normal(kTokens * 3 * kHeads * kHead);
  std::vector<float> out(kTokens * kHeads * kHead);
  std::vector<float> scratch(AttentionScratchFloats(kTokens, kHead));
  for (auto _ : state) {
    for (std::size_t head = 0; head < kHeads; ++head) {
      const float* query = qkv.data() + head * kHead;
      BestKernels().attention({query, query + kHeads * kHead, query + 2 * kHeads * kHead,
                               3 * kHeads * kHead, kTokens, kTokens, kHead,
                               out.data() + head * kHead, kHeads * kHead, scratch.data()});
    }
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_Attention)->Unit(benchmark::kMicrosecond);

void BM_NormsAndRounding(benchmark::State& state) {
  constexpr std::size_t kRows = 100;
  constexpr std::size_t kHidden = 384;
  const KernelTable& kernels = BestKernels();
  std::vector<float> x = Normal(kRows * kHidden);
  std::vector<float> out(x.size());
  AlignedBytes prepared(kernels.prepared_bytes(kRows, kHidden, InputKind::kHidden));
  for (auto _ : state) {
    for (int norm = 0; norm < 2; ++norm) {
      kernels.add_layer_norm(
          {x.data(), x.data(), x.data(), x.data(), 1e-12F, kHidden, kRows, out.data()});
      kernels.prepare_rows(
          {out.data(), kHidden, kRows, kHidden, InputKind::kHidden, 0, kHidden, prepared.data()});
    }
    kernels.prepare_rows(
        {out.data(), kHidden, kRows, kHidden, InputKind::kContext, 0, kHidden, prepared.data()});
    benchmark::DoNotOptimize(prepared.data());
  }
}
BENCHMARK(BM_NormsAndRounding)->Unit(benchmark::kMicrosecond);

void BM_Gelu(benchmark::State& state) {
  constexpr std::size_t kRows = 100;
  constexpr std::size_t kInner = 1536;
  const KernelTable& kernels = BestKernels();
  const std::vector<float> x = Normal(kRows * kernels.inner_block);
  std::vector<float> block(x.size());
  AlignedBytes prepared(kernels.prepared_bytes(kRows, kInner, InputKind::kInner));
  for (auto _ : state) {
    for (std::size_t begin = 0; begin < kInner; begin += kernels.inner_block) {
      block = x;
      kernels.prepare_gelu({block.data(), kernels.inner_block, kRows, kInner, InputKind::kInner,
                            begin, kernels.inner_block, prepared.data()});
    }
    benchmark::DoNotOptimize(prepared.data());
  }
}
BENCHMARK(BM_Gelu)->Unit(benchmark::kMicrosecond);

#if defined(__x86_64__)
// The most 16-bit multiply-adds that AVX2 gives: 12 independent sums in registers, no memory.
[[gnu::target("avx2")]] void Int16Peak(std::int64_t rounds) {
  __m256i sums[12] = {};
  const __m256i ones = _mm256_set1_epi16(1);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (__m256i& sum : sums) {
      __m256i product;
      asm volatile("vpmaddwd %1, %1, %0" : "=x"(product) : "x"(ones));
      asm volatile("vpaddd %1, %0, %0" : "+x"(sum) : "x"(product));
    }
  }
}

void BM_Avx2Int16Peak(benchmark::State& state) {
  if (!__builtin_cpu_supports("avx2")) {
    state.SkipWithError("no AVX2 here");
    return;
  }
  constexpr std::int64_t kRounds = 100'000;
  for (auto _ : state) {
    Int16Peak(kRounds);
  }
  state.counters["GMAC/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(kRounds) * 12 * 16 * 1e-9,
      benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Avx2Int16Peak);

// The most 8-bit multiply-adds that AVX-512 VNNI gives, in the same way.
[[gnu::target("avx512f,avx512vnni")]] void Int8Peak(std::int64_t rounds) {
  __m512i sums[16] = {};
  const __m512i ones = _mm512_set1_epi8(1);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (__m512i& sum : sums) {
      asm volatile("vpdpbusd %1, %1, %0" : "+v"(sum) : "v"(ones));
    }
  }
}

void BM_Avx512Int8Peak(benchmark::State& state) {
  if (!__builtin_cpu_supports("avx512vnni")) {
    state.SkipWithError("no AVX-512 VNNI here");
    return;
  }
  constexpr std::int64_t kRounds = 100'000;
  for (auto _ : state) {
    Int8Peak(kRounds);
  }
  state.counters["GMAC/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(kRounds) * 16 * 64 * 1e-9,
      benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Avx512Int8Peak);
#endif

}  // namespace
}  // namespace safeguard::engine

BENCHMARK_MAIN();
