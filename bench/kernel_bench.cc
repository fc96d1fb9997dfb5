// The speed of the kernels other than packed_bench's, each table's own, one thread, by its CPU
// time: attention, linear layers in binary32, norms, activations, rows made ready for packed
// weights. Keys, values and numbers come from 256 MB in turn, as in a model, and the counter
// `roof%` says what share of this machine's limits was reached.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "bench/kernel_tables.h"
#include "engine/cpu/aligned_floats.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/large_memory.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::size_t kMemory = std::size_t{256} << 20;
constexpr std::size_t kHidden = 2880;
constexpr std::size_t kHeadDim = 64;
constexpr std::size_t kGroup = 8;  // query heads of a key/value head

// Numbers that are small and finite in every type that is read here.
std::byte* Memory() {
  static const LargeMemory memory = [] {
    LargeMemory bytes = NewLargeMemory(kMemory);
    std::memset(bytes.get(), 0x3C, kMemory);
    return bytes;
  }();
  return memory.get();
}

bench::Turns TurnsOf(std::size_t bytes) {
  return {Memory(), kMemory, bytes};
}

// `tokens` sequences, a row of each head of a group, behind `positions` that they share.
void Attention(benchmark::State& state, const KernelTable& table, KvType type) {
  const auto tokens = static_cast<std::size_t>(state.range(0));
  const auto positions = static_cast<std::size_t>(state.range(1));
  const std::size_t rows = tokens * kGroup;
  AlignedFloats query(rows * kHeadDim);
  std::fill_n(query.data(), rows * kHeadDim, 0.1F);
  AlignedFloats out(rows * kHeadDim);
  AlignedFloats scratch(AttentionScratchFloats(rows, kHeadDim));
  std::vector<AttentionRow> attention;
  for (std::size_t r = 0; r < rows; ++r) {
    attention.push_back({query.data() + r * kHeadDim, out.data() + r * kHeadDim, positions - 1, 0});
  }
  const std::size_t pages = positions / kPagePositions;
  const std::size_t bytes = KvHeadBytes(kHeadDim, type);
  bench::Turns turns = TurnsOf(pages * bytes);
  std::vector<PageVisit> visits(pages);
  const bench::Roofline roofline;
  for (auto _ : state) {
    const std::byte* page = turns.Next();
    for (std::size_t p = 0; p < pages; ++p) {
      visits[p] = {page + p * bytes, p, 0, rows};
    }
    table.attention(
        {attention.data(), rows, visits.data(), pages, kHeadDim, positions, type, scratch.data()});
    benchmark::DoNotOptimize(out.data());
  }
  roofline.Count(state, static_cast<double>(2 * rows * positions * kHeadDim),
                 static_cast<double>(pages * bytes));
}

// A router or another matrix that is not packed: bfloat16, 96 outputs a call.
void DenseLinear(benchmark::State& state, const KernelTable& table) {
  constexpr std::size_t kOutputs = 4 * kOutputQuantum;
  const auto rows = static_cast<std::size_t>(state.range(0));
  AlignedFloats x(rows * kHidden);
  std::fill_n(x.data(), rows * kHidden, 0.5F);
  std::vector<const float*> pointers;
  for (std::size_t r = 0; r < rows; ++r) {
    pointers.push_back(x.data() + r * kHidden);
  }
  std::vector<float> out(rows * kOutputs);
  AlignedFloats scratch(LinearScratchFloats(kHidden));
  std::vector<WeightRow> weights(kOutputs);
  constexpr std::size_t kRowBytes = 2 * kHidden;
  bench::Turns turns = TurnsOf(kOutputs * kRowBytes);
  const bench::Roofline roofline;
  for (auto _ : state) {
    const std::byte* at = turns.Next();
    for (std::size_t o = 0; o < kOutputs; ++o) {
      weights[o] = {at + o * kRowBytes, nullptr};
    }
    table.linear({{WeightType::kBF16, NibbleOrder::kHalves, 0, 0, kHidden},
                  weights.data(),
                  kOutputs,
                  nullptr,
                  pointers.data(),
                  rows,
                  out.data(),
                  kOutputs,
                  scratch.data()});
    benchmark::DoNotOptimize(out.data());
  }
  roofline.Count(state, static_cast<double>(rows * kOutputs * kHidden),
                 static_cast<double>(kOutputs * kRowBytes));
}

// Their arithmetic is next to nothing: the roof is memory, for what they read and write.
void Norm(benchmark::State& state, const KernelTable& table) {
  const std::vector<float> weight(kHidden, 1.0F);
  AlignedFloats out(kHidden);
  bench::Turns turns = TurnsOf(kHidden * sizeof(float));
  const bench::Roofline roofline;
  for (auto _ : state) {
    table.rms_norm(
        {reinterpret_cast<const float*>(turns.Next()), weight.data(), 1e-5F, kHidden, out.data()});
    benchmark::DoNotOptimize(out.data());
  }
  roofline.Count(state, 2.0 * kHidden, 2.0 * kHidden * sizeof(float));
}

void Activation(benchmark::State& state, const KernelTable& table) {
  AlignedFloats out(kHidden);
  bench::Turns turns = TurnsOf(2 * kHidden * sizeof(float));
  const bench::Roofline roofline;
  for (auto _ : state) {
    table.swiglu({reinterpret_cast<const float*>(turns.Next()), kHidden, 1.702F, 7.0F, out.data()});
    benchmark::DoNotOptimize(out.data());
  }
  roofline.Count(state, 0, 3.0 * kHidden * sizeof(float));
}

void PrepareRows(benchmark::State& state, const KernelTable& table, ActivationBits bits) {
  constexpr std::size_t kBlocks = kHidden / kPackedBlock;
  AlignedFloats row(PreparedRowBytes(kBlocks) / sizeof(float));
  bench::Turns turns = TurnsOf(kHidden * sizeof(float));
  const bench::Roofline roofline;
  for (auto _ : state) {
    table.prepare({PackedType::kMxfp4, bits, reinterpret_cast<const float*>(turns.Next()), kBlocks,
                   reinterpret_cast<std::byte*>(row.data())});
    benchmark::DoNotOptimize(row.data());
  }
  roofline.Count(state, 0,
                 static_cast<double>(kHidden * sizeof(float) + PreparedRowBytes(kBlocks)));
}

void RegisterTable(const KernelTable& table) {
  const std::string name = std::string(table.name) + "/";
  const auto add = [&](const std::string& kernel, auto run) {
    return benchmark::RegisterBenchmark((name + kernel).c_str(), run);
  };
  const auto attention = [&](const char* kind, KvType type) {
    add(std::string("attention/") + kind,
        [&table, type](benchmark::State& state) { Attention(state, table, type); })
        ->ArgNames({"tokens", "positions"})
        ->ArgsProduct({{1, 8, 64}, {128, 1536, 8192}});
  };
  attention("f32", KvType::kF32);
  attention("f16", KvType::kF16);
  attention("bf16", KvType::kBf16);
  add("linear/bf16", [&table](benchmark::State& state) { DenseLinear(state, table); })
      ->ArgName("rows")
      ->ArgsProduct({{1, 8, 64}});
  add("rms_norm", [&table](benchmark::State& state) { Norm(state, table); });
  add("swiglu", [&table](benchmark::State& state) { Activation(state, table); });
  for (const auto& [kind, bits] :
       {std::pair("int16", ActivationBits::k16), std::pair("int8", ActivationBits::k8),
        std::pair("bf16", ActivationBits::kBf16)}) {
    add(std::string("prepare/") + kind,
        [&table, bits](benchmark::State& state) { PrepareRows(state, table, bits); });
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu

int main(int argc, char** argv) {
  static_cast<void>(safeguard::engine::cpu::Memory());  // filled before anything is measured
  return safeguard::bench::RunOnTables(argc, argv, safeguard::engine::cpu::RegisterTable);
}
