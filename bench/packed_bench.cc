// The speed of the packed linear kernels (weights/activations) on one matrix of gpt-oss-20b's
// experts (or of its dense layers), one thread, by its own CPU time: G multiply-adds a second, and
// G bytes of weights a second, and the share of this machine's roofline (`roof%`). `rows` are
// the tokens that share the matrix. Matrices are taken in turn from 400 MB, so that weights come
// from memory, as in a model.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/kernel_tables.h"
#include "engine/cpu/aligned_floats.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/large_memory.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::size_t kBlocks = 2880 / kPackedBlock;
constexpr std::size_t kOutputs = 2880;
constexpr std::size_t kMemory = std::size_t{400} << 20;

// Random codes; scales that are modest numbers in both types.
std::byte* Weights() {
  static const LargeMemory memory = [] {
    LargeMemory bytes = NewLargeMemory(kMemory);
    std::uint64_t state = 1;
    for (std::size_t i = 0; i < kMemory; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      bytes[i] = static_cast<std::byte>(0x20 + (state >> 59));
    }
    return bytes;
  }();
  return memory.get();
}

void Run(benchmark::State& state, const KernelTable& table, PackedType type, ActivationBits bits) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const std::size_t row_floats = PreparedRowBytes(kBlocks) / sizeof(float);
  AlignedFloats prepared(rows * row_floats);
  AlignedFloats scratch(kPackedScratchFloats);
  std::vector<float> x(kBlocks * kPackedBlock, 0.5F);
  std::vector<const std::byte*> pointers;
  for (std::size_t r = 0; r < rows; ++r) {
    auto* row = reinterpret_cast<std::byte*>(prepared.data() + r * row_floats);
    table.prepare({type, bits, x.data(), kBlocks, row});
    pointers.push_back(row);
  }
  const std::vector<float> bias(kOutputs);
  std::vector<float> out(rows * kOutputs);
  const std::size_t bytes = PackedGroupBytes(type, kBlocks) * (kOutputs / kPackedOutputs);
  bench::Turns turns(Weights(), kMemory, bytes);
  const bench::Roofline roofline;
  for (auto _ : state) {
    table.packed_linear({type, bits, turns.Next(), kBlocks, kOutputs, bias.data(), pointers.data(),
                         rows, out.data(), kOutputs, scratch.data()});
    benchmark::DoNotOptimize(out.data());
  }
  const auto runs = static_cast<double>(state.iterations());
  const auto macs = static_cast<double>(rows * kOutputs * kBlocks * kPackedBlock);
  roofline.Count(state, macs, static_cast<double>(bytes));
  state.counters["GMAC/s"] = benchmark::Counter(runs * macs / 1e9, benchmark::Counter::kIsRate);
  state.counters["GB/s"] =
      benchmark::Counter(runs * static_cast<double>(bytes) / 1e9, benchmark::Counter::kIsRate);
}

const char* NameOf(PackedType type) {
  return type == PackedType::kMxfp4 ? "mxfp4" : type == PackedType::kQ8 ? "q8_0" : "bf16";
}

const char* NameOf(ActivationBits bits) {
  return bits == ActivationBits::k16 ? "int16" : bits == ActivationBits::k8 ? "int8" : "bf16";
}

void RegisterTable(const KernelTable& table) {
  for (const PackedType type : {PackedType::kMxfp4, PackedType::kQ8, PackedType::kBf16}) {
    for (const ActivationBits bits :
         {ActivationBits::k16, ActivationBits::k8, ActivationBits::kBf16}) {
      if (type == PackedType::kBf16 && bits != ActivationBits::kBf16) {
        continue;
      }
      const std::string name = std::string(table.name) + "/" + NameOf(type) + "/" + NameOf(bits);
      benchmark::RegisterBenchmark(
          name.c_str(), [&table, type, bits](auto& state) { Run(state, table, type, bits); })
          ->ArgName("rows")
          ->ArgsProduct({{1, 2, 4, 6, 8, 12, 16, 32, 64, 128, 256}});
    }
  }
}

}  // namespace
}  // namespace safeguard::engine::cpu

int main(int argc, char** argv) {
  static_cast<void>(safeguard::engine::cpu::Weights());  // filled before anything is measured
  return safeguard::bench::RunOnTables(argc, argv, safeguard::engine::cpu::RegisterTable);
}
