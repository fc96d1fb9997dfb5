#include "engine/cpu/packed/packed_weights.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/packed/pack_group.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
// Groups that a thread packs at a time.
constexpr std::size_t kGroupsAtATime = 32;

struct Plan {
  std::vector<const MatrixView*> sources;
  PackedType type;
  std::size_t begin;  // in memory
  [[nodiscard]] std::size_t outputs() const { return sources[0]->rows * sources.size(); }
  [[nodiscard]] std::size_t blocks() const { return sources[0]->columns / kPackedBlock; }
  [[nodiscard]] std::size_t groups() const {
    return (outputs() + kPackedOutputs - 1) / kPackedOutputs;
  }
  [[nodiscard]] std::size_t bytes() const { return groups() * PackedGroupBytes(type, blocks()); }
};

class Planner {
 public:
  explicit Planner(bool round_dense) : round_dense_(round_dense) {}
  void Add(std::vector<const MatrixView*> sources) {
    if (const auto type = PackedTypeOf(sources, round_dense_)) {
      plans_.push_back({std::move(sources), *type, bytes_});
      bytes_ += plans_.back().bytes();
    }
  }
  [[nodiscard]] const std::vector<Plan>& plans() const { return plans_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  bool round_dense_;
  std::vector<Plan> plans_;
  std::size_t bytes_ = 0;
};

Planner PlanOf(const GptOssWeights& weights, bool round_dense) {
  Planner planner(round_dense);
  for (const LayerWeights& layer : weights.layers) {
    for (const MatrixView* matrix : {&layer.query, &layer.key, &layer.value, &layer.output}) {
      planner.Add({matrix});
    }
    for (const ExpertWeights& expert : layer.experts) {
      planner.Add({&expert.gate, &expert.up});
      planner.Add({&expert.down});
    }
  }
  planner.Add({&weights.unembedding});
  return planner;
}

// The file's pages in [begin, begin + bytes) may leave memory. Harmless for other memory.
void GiveBack(const std::byte* begin, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t skipped = (page - reinterpret_cast<std::uintptr_t>(begin) % page) % page;
  if (bytes >= skipped + page) {
    // Only advice: a system that does not know it keeps more memory in use.
    static_cast<void>(::madvise(const_cast<std::byte*>(begin) + skipped,
                                (bytes - skipped) / page * page, MADV_PAGEOUT));
  }
}

void GiveBack(const MatrixView& matrix) {
  if (matrix.type == WeightType::kMxfp4) {
    GiveBack(matrix.mxfp4.codes, matrix.rows * matrix.mxfp4.code_row_stride);
    return;
  }
  GiveBack(matrix.data, matrix.rows * matrix.row_stride);
}

// Whether every block had a place.
bool PackOne(const Plan& plan, std::byte* memory, ThreadPool& pool) {
  std::atomic<bool> fits = true;
  const std::size_t group_bytes = PackedGroupBytes(plan.type, plan.blocks());
  const std::size_t pieces = (plan.groups() + kGroupsAtATime - 1) / kGroupsAtATime;
  pool.ParallelFor(pieces, [&](std::size_t piece, std::size_t) {
    const std::size_t end = std::min(plan.groups(), (piece + 1) * kGroupsAtATime);
    for (std::size_t group = piece * kGroupsAtATime; group < end && fits; ++group) {
      if (!PackGroup(plan.sources, plan.type, group * kPackedOutputs,
                     memory + plan.begin + group * group_bytes)) {
        fits = false;
      }
    }
  });
  return fits;
}

}  // namespace

Result<std::unique_ptr<PackedWeights>> PackedWeights::Pack(const GptOssWeights& weights,
                                                           bool round_dense, ThreadPool& pool) {
  const Planner planner = PlanOf(weights, round_dense);
  const std::size_t bytes = (planner.bytes() / kHugePage + 1) * kHugePage;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return Fail(ErrorCode::kUnavailable,
                "no memory for " + std::to_string(bytes >> 20) + " MiB of packed weights",
                "close other programs, or run a smaller model");
  }
  static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));  // slower without, not wrong
  std::unique_ptr<PackedWeights> packed(new PackedWeights(static_cast<std::byte*>(memory), bytes));
  for (const Plan& plan : planner.plans()) {
    if (PackOne(plan, packed->memory_, pool)) {
      packed->matrices_[plan.sources[0]] = {plan.type, packed->memory_ + plan.begin, plan.outputs(),
                                            plan.sources[0]->columns};
      for (const MatrixView* source : plan.sources) {
        GiveBack(*source);
      }
    }
  }
  return packed;
}

PackedWeights::~PackedWeights() {
  ::munmap(memory_, bytes_);
}

const PackedMatrix* PackedWeights::Find(const MatrixView* matrix) const {
  const auto found = matrices_.find(matrix);
  return found == matrices_.end() ? nullptr : &found->second;
}

}  // namespace safeguard::engine::cpu
