#include "engine/cpu/packed/pack_plan.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/cpu/packed/pack_group.h"

namespace safeguard::engine::cpu {
namespace {

// Of a piece: enough to be worth a thread's turn.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
// Of the layout in packed_linear.h and of pack_group.cc. Raise it when either writes other bytes.
constexpr int kLayoutVersion = 1;

// The file's pages in [begin, begin + bytes) may leave memory. Harmless for other memory.
void GiveBackBytes(const std::byte* begin, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t skipped = (page - reinterpret_cast<std::uintptr_t>(begin) % page) % page;
  if (bytes >= skipped + page) {
    // Only advice: a system that does not know it keeps more memory in use.
    static_cast<void>(::madvise(const_cast<std::byte*>(begin) + skipped,
                                (bytes - skipped) / page * page, MADV_PAGEOUT));
  }
}

}  // namespace

PackPlan::PackPlan(const GptOssWeights& weights, DenseWeights dense) {
  for (const LayerWeights& layer : weights.layers) {
    for (const MatrixView* matrix : {&layer.query, &layer.key, &layer.value, &layer.output}) {
      Add({matrix}, dense);
    }
    for (const ExpertWeights& expert : layer.experts) {
      Add({&expert.gate, &expert.up}, dense);
      Add({&expert.down}, dense);
    }
  }
  Add({&weights.unembedding}, dense);
}

void PackPlan::Add(std::vector<const MatrixView*> sources, DenseWeights dense) {
  const auto type = PackedTypeOf(sources, dense);
  if (!type) {
    return;
  }
  const WeightType from = sources[0]->type;
  const bool rounded = *type == PackedType::kBf16
                           ? from != WeightType::kBF16
                           : from != WeightType::kMxfp4 && from != WeightType::kQ8_0;
  matrices_.push_back({std::move(sources), *type, rounded, bytes_});
  const MatrixPlan& matrix = matrices_.back();
  const std::size_t step = std::max<std::size_t>(1, kPieceBytes / matrix.group_bytes());
  for (std::size_t first = 0; first < matrix.groups(); first += step) {
    pieces_.push_back({matrices_.size() - 1, first, std::min(step, matrix.groups() - first)});
  }
  bytes_ += matrix.groups() * matrix.group_bytes();
}

std::size_t PackPlan::BeginOf(const PackPiece& piece) const {
  const MatrixPlan& matrix = matrices_[piece.matrix];
  return matrix.begin + piece.first * matrix.group_bytes();
}

std::size_t PackPlan::BytesOf(const PackPiece& piece) const {
  return piece.count * matrices_[piece.matrix].group_bytes();
}

bool PackPlan::Pack(const PackPiece& piece, std::byte* to) const {
  const MatrixPlan& matrix = matrices_[piece.matrix];
  bool fits = true;
  for (std::size_t i = 0; i < piece.count && fits; ++i) {
    fits = PackGroup(matrix.sources, matrix.type, (piece.first + i) * kPackedOutputs,
                     to + i * matrix.group_bytes());
  }
  return fits;
}

void PackPlan::GiveBack(std::size_t matrix) const {
  for (const MatrixView* source : matrices_[matrix].sources) {
    if (source->type == WeightType::kMxfp4) {
      GiveBackBytes(source->mxfp4.codes, source->rows * source->mxfp4.code_row_stride);
    } else {
      GiveBackBytes(source->data, source->rows * source->row_stride);
    }
  }
}

std::string PackPlan::Layout() const {
  std::string text = "layout " + std::to_string(kLayoutVersion) + ", groups of " +
                     std::to_string(kPackedOutputs) + ", blocks of " +
                     std::to_string(kPackedBlock) + "\n";
  for (const MatrixPlan& matrix : matrices_) {
    text += matrix.type == PackedType::kMxfp4 ? "mxfp4"
            : matrix.type == PackedType::kQ8  ? "q8"
                                              : "bf16";
    text += matrix.rounded ? " rounded" : "";
    text += " " + std::to_string(matrix.sources.size()) + " x " +
            std::to_string(matrix.sources[0]->rows) + " x " +
            std::to_string(matrix.sources[0]->columns) + "\n";
  }
  return text;
}

}  // namespace safeguard::engine::cpu
