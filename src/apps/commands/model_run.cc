#include "apps/commands/model_run.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "apps/input/packed_files.h"
#include "apps/input/token_ids.h"

namespace safeguard::apps {

Result<OpenedModel> OpenModelWithIds(const std::string& path, const RunChoice& choice,
                                     const std::string& ids) {
  engine::RawModelOptions options;
  options.threads = choice.threads;
  // The command line knows only these names.
  options.precision =
      engine::ModelPrecisionOf(choice.precision).value_or(engine::ModelPrecision::kDefault);
  options.packed_file = PackedFiles(choice.packed_file);
  auto model = engine::RawModel::Open(path, options);
  if (!model) {
    return std::unexpected(std::move(model.error()));
  }
  auto read = ReadTokenIds(ids, (*model)->vocabulary(), (*model)->context_max());
  if (!read) {
    return std::unexpected(std::move(read.error()));
  }
  return OpenedModel{std::move(*model), std::move(*read)};
}

Result<std::vector<float>> AppendInPieces(engine::RawModel& model,
                                          const std::vector<std::uint32_t>& ids, std::size_t rows,
                                          const std::atomic<bool>& stop) {
  constexpr std::size_t piece = 128;
  const std::size_t first = ids.size() - rows;
  std::vector<float> logits;
  logits.reserve(rows * model.vocabulary());
  for (std::size_t begin = 0; begin < ids.size(); begin += piece) {
    if (stop.load()) {
      return std::vector<float>();
    }
    const std::size_t count = std::min(piece, ids.size() - begin);
    const std::size_t wanted = begin + count - std::clamp(first, begin, begin + count);
    auto part = model.Append(std::span(ids).subspan(begin, count), wanted);
    if (!part) {
      return std::unexpected(std::move(part.error()));
    }
    logits.insert(logits.end(), part->begin(), part->end());
  }
  return logits;
}

std::vector<RankedToken> LargestLogits(const float* row, std::size_t vocabulary,
                                       std::size_t count) {
  std::vector<std::uint32_t> order(vocabulary);
  std::iota(order.begin(), order.end(), 0U);
  const auto better = [row](std::uint32_t a, std::uint32_t b) {
    return row[a] > row[b] || (row[a] == row[b] && a < b);
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    better);
  const double largest = double{row[order[0]]};
  double total = 0;
  for (std::size_t i = 0; i < vocabulary; ++i) {
    total += std::exp(double{row[i]} - largest);
  }
  std::vector<RankedToken> ranked;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t id = order[i];
    ranked.push_back({id, row[id], double{row[id]} - largest - std::log(total)});
  }
  return ranked;
}

ExitCode FailureCode(const Error& error) {
  const bool usage = error.code == ErrorCode::kInvalidInput || error.code == ErrorCode::kLimit;
  return usage ? ExitCode::kUsage : ExitCode::kCannotRun;
}

}  // namespace safeguard::apps
