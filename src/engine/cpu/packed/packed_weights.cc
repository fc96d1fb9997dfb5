#include "engine/cpu/packed/packed_weights.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "engine/cpu/packed/packed_store.h"

namespace safeguard::engine {
namespace {

constexpr double kGigabyte = 1e9;

std::string SizeText(std::uint64_t bytes) {
  const auto tenths = static_cast<std::uint64_t>(static_cast<double>(bytes) / kGigabyte * 10 + 0.5);
  return tenths == 0 ? std::to_string(bytes >> 20) + " MiB"
                     : std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

class Stopwatch {
 public:
  [[nodiscard]] double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

std::string Describe(const PackedReport& report) {
  switch (report.state) {
    case PackedState::kNone:
      return "weights as the model stores them";
    case PackedState::kInMemory:
      return "weights packed in memory, " + SizeText(report.bytes);
    case PackedState::kMapped:
      return "packed weights mapped from " + report.path + ", " + SizeText(report.bytes);
    case PackedState::kMade:
      return "packed weights kept in " + report.path + ", " + SizeText(report.bytes);
  }
  return "";
}

namespace cpu {

Result<std::unique_ptr<PackedWeights>> PackedWeights::Pack(const GptOssWeights& weights,
                                                           DenseWeights dense, ThreadPool& pool) {
  return InMemory(PackPlan(weights, dense), pool);
}

Result<std::unique_ptr<PackedWeights>> PackedWeights::InMemory(const PackPlan& plan,
                                                               ThreadPool& pool) {
  const Stopwatch watch;
  Result<PackedMemory> memory = PackedMemory::New(plan.bytes());
  if (!memory) {
    return std::unexpected(memory.error());
  }
  std::vector<std::uint8_t> packed;
  const auto& pieces = plan.pieces();
  for (std::size_t first = 0; first < pieces.size();) {
    std::size_t end = first;
    while (end < pieces.size() && pieces[end].matrix == pieces[first].matrix) {
      ++end;
    }
    std::atomic<bool> fits = true;
    pool.ParallelFor(end - first, [&](std::size_t i, std::size_t) {
      const PackPiece& piece = pieces[first + i];
      if (fits && !plan.Pack(piece, memory->data() + plan.BeginOf(piece))) {
        fits = false;
      }
    });
    packed.push_back(fits ? 1 : 0);
    if (fits) {
      plan.GiveBack(pieces[first].matrix);
    }
    first = end;
  }
  std::unique_ptr<PackedWeights> weights(new PackedWeights());
  weights->memory_ = std::move(*memory);
  weights->Index(plan, packed, weights->memory_.data());
  weights->report_ = {PackedState::kInMemory, "", plan.bytes(), watch.Seconds()};
  return weights;
}

Result<std::unique_ptr<PackedWeights>> PackedWeights::Open(const GptOssWeights& weights,
                                                           DenseWeights dense,
                                                           std::span<const std::string> files,
                                                           const PackedFileOptions& options,
                                                           ThreadPool& pool) {
  const PackPlan plan(weights, dense);
  if (!options.wanted() || files.empty() || plan.bytes() == 0) {
    return InMemory(plan, pool);
  }
  const auto note = [&options](const std::string& text) {
    if (options.on_note) {
      options.on_note(text);
    }
  };
  const Stopwatch watch;
  Result<PackedStore> store = PackedStore::Open(plan, files, options, pool);
  const auto instead = [&] {
    auto packed = InMemory(plan, pool);
    if (packed) {
      note(Describe((*packed)->report()) + ": the next start packs them again");
    }
    return packed;
  };
  if (!store) {
    note("packed weights are not kept: " + store.error().message);
    return instead();
  }
  std::optional<StoredWeights> stored = store->Find();
  if (!stored && plan.bytes() < options.bytes_min) {
    return InMemory(plan, pool);
  }
  if (!stored) {
    Result<StoredWeights> made = store->Make();
    if (!made) {  // told
      return instead();
    }
    stored = std::move(*made);
  }
  const PackedState state = stored->made ? PackedState::kMade : PackedState::kMapped;
  std::unique_ptr<PackedWeights> opened(new PackedWeights());
  opened->memory_ = std::move(stored->memory);
  opened->Index(plan, stored->packed, opened->memory_.data() + stored->begin);
  opened->report_ = {state, stored->path, plan.bytes(), watch.Seconds()};
  if (state == PackedState::kMade) {
    note(Describe(opened->report_) + ": the next start is faster");
  }
  return opened;
}

void PackedWeights::Index(const PackPlan& plan, std::span<const std::uint8_t> packed,
                          const std::byte* data) {
  for (std::size_t i = 0; i < plan.matrices().size(); ++i) {
    const MatrixPlan& matrix = plan.matrices()[i];
    if (packed[i] == 1) {
      matrices_[matrix.sources[0]] = {matrix.type, data + matrix.begin, matrix.outputs(),
                                      matrix.sources[0]->columns};
    }
  }
}

const PackedMatrix* PackedWeights::Find(const MatrixView* matrix) const {
  const auto found = matrices_.find(matrix);
  return found == matrices_.end() ? nullptr : &found->second;
}

}  // namespace cpu

}  // namespace safeguard::engine
