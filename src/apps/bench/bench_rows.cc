#include "apps/bench/bench_rows.h"

#include <fmt/format.h>

#include <algorithm>

namespace safeguard::apps {
namespace {

BenchRow NewRow(const char* name, BenchKind kind, std::size_t size, const char* unit) {
  return {fmt::format("{}-{}", name, size), kind, size, unit, {}, {}, 0};
}

}  // namespace

double BenchRow::Median() const {
  if (rates.empty()) {
    return 0;
  }
  std::vector<double> sorted = rates;
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double BenchRow::Experts(const ModelCosts& costs) const {
  double sum = 0;
  for (const double reads : expert_reads) {
    sum += reads / costs.layers;
  }
  return expert_reads.empty() ? 0 : sum / static_cast<double>(expert_reads.size());
}

Result<std::vector<BenchRow>> PlanBench(const BenchArguments& arguments) {
  std::vector<BenchRow> rows;
  for (const std::string& work : arguments.work) {
    if (work == "prefill") {
      for (const std::size_t tokens : arguments.prefill_tokens) {
        rows.push_back(NewRow("prefill", BenchKind::kPrefill, tokens, "tokens/s"));
      }
    } else if (work == "decode") {
      for (const std::size_t batch : arguments.batch) {
        rows.push_back(NewRow("decode", BenchKind::kDecode, batch, "tokens/s"));
      }
    } else if (work == "items") {
      rows.push_back(NewRow("items", BenchKind::kItems, arguments.in_flight, "items/min"));
    } else if (work == "instant") {
      rows.push_back(NewRow("instant", BenchKind::kInstant, arguments.in_flight, "items/s"));
    } else {
      return Fail(ErrorCode::kInvalidInput, "--work " + work + " is none that can be timed",
                  "name prefill, decode, items or instant");
    }
  }
  return rows;
}

void SetLimits(std::vector<BenchRow>& rows, const ModelCosts& costs,
               const engine::MachineLimits& machine, const BenchShape& shape) {
  const double prefill = machine.BestGmac() * 1e9 / costs.macs_per_token;
  const double read = machine.read_gb_s * 1e9;
  for (BenchRow& row : rows) {
    const auto size = static_cast<double>(row.size);
    const double counted = row.Experts(costs);
    const double bytes = costs.StepBytes(counted > 0 ? counted : costs.EvenExperts(size));
    switch (row.kind) {
      case BenchKind::kPrefill:
        row.limit = prefill;
        break;
      case BenchKind::kDecode:
        // Whichever of the two is the narrower: reading the weights once or multiplying by them.
        row.limit = std::min(size * read / bytes, prefill);
        break;
      case BenchKind::kItems: {
        const auto answer = static_cast<double>(shape.answer_tokens);
        const double decode = std::min(size * read / bytes, prefill);
        row.limit = 60 / (static_cast<double>(shape.content_tokens) / prefill + answer / decode);
        break;
      }
      case BenchKind::kInstant:
        row.limit = prefill / static_cast<double>(shape.content_tokens);
        break;
    }
  }
}

Result<BenchRate> MeasureRow(engine::Generator& generator, const BenchShape& shape,
                             const BenchRow& row, std::size_t answer_tokens,
                             const std::atomic<bool>& stop) {
  switch (row.kind) {
    case BenchKind::kPrefill:
      return MeasurePrefill(generator, shape, row.size, stop);
    case BenchKind::kDecode:
      return MeasureDecode(generator, shape, row.size, answer_tokens, stop);
    case BenchKind::kItems:
      return MeasureItems(generator, shape, row.size, stop);
    case BenchKind::kInstant:
      return MeasureInstant(generator, shape, row.size, stop);
  }
  return Fail(ErrorCode::kInvalidInput, "no such work");
}

}  // namespace safeguard::apps
