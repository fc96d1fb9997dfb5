#include "engine/cpu/cpu_forward.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "engine/cpu/forward_pass.h"
#include "engine/cpu/kernels/kernel_table.h"
#include "engine/cpu/kv_pages.h"
#include "engine/cpu/packed/packed_weights.h"
#include "engine/cpu/sequence_bytes.h"

namespace safeguard::engine {
namespace {

using cpu::Batch;
using cpu::kPagePositions;
using cpu::LayerPages;
using cpu::WindowStart;
using Sequence = cpu::SequenceState;

// Over the limit: the error. `pages` would be in use.
Status CheckPages(std::size_t pages, std::size_t page_bytes, std::size_t bytes_max) {
  if (pages > bytes_max / page_bytes) {
    return Fail(ErrorCode::kLimit,
                "keys and values would take " + std::to_string(pages * page_bytes) +
                    " bytes, over the limit of " + std::to_string(bytes_max),
                "run fewer or shorter sequences at once, or raise the limit");
  }
  return {};
}

cpu::ActivationBits BitsOf(CpuPrecision precision) {
  return precision == CpuPrecision::kInt8   ? cpu::ActivationBits::k8
         : precision == CpuPrecision::kBf16 ? cpu::ActivationBits::kBf16
                                            : cpu::ActivationBits::k16;
}

const char* Suffix(CpuPrecision precision) {
  return precision == CpuPrecision::kF32    ? ""
         : precision == CpuPrecision::kInt8 ? "+i8"
         : precision == CpuPrecision::kBf16 ? "+bf16"
                                            : "+i16";
}

cpu::KvType KvTypeOf(CpuPrecision precision) {
  return precision == CpuPrecision::kHalfCache ? cpu::KvType::kF16
         : precision == CpuPrecision::kBf16    ? cpu::KvType::kBf16
                                               : cpu::KvType::kF32;
}

// kDefault made definite.
Result<CpuPrecision> Decide(CpuPrecision precision) {
  if (precision != CpuPrecision::kDefault) {
    return precision;
  }
  const Result<ModelPrecision> definite = DefinitePrecision(ModelPrecision::kDefault);
  return definite ? Result<CpuPrecision>(CpuPrecisionOf(*definite))
                  : std::unexpected(definite.error());
}

class CpuForward final : public Forward {
 public:
  CpuForward(const GptOssConfig& config, const GptOssWeights& weights,
             const CpuForwardOptions& options, const cpu::KernelTable& kernels,
             std::unique_ptr<cpu::PackedWeights> packed, ThreadPool& pool)
      : config_(config),
        options_(options),
        pages_({config.kv_heads, config.head_dim, KvTypeOf(options.precision)}),
        packed_(std::move(packed)),
        arithmetic_(std::string(kernels.name) + Suffix(options.precision)),
        pass_(config_, weights, pages_.shape(), kernels, pool, packed_.get(),
              BitsOf(options.precision)),
        bytes_(config_, arithmetic_, pages_, pool) {
    if (options_.residual_observer) {
      observer_ = [this](std::size_t layer, const Batch&, std::span<const float> residual) {
        options_.residual_observer(layer, residual);
      };
    }
  }

  SequenceId NewSequence() override { return Add({0, std::vector<LayerPages>(config_.layers)}); }
  SequenceId Fork(SequenceId from) override { return Add(At(from)); }
  void Drop(SequenceId sequence) override { CHECK(sequences_.erase(sequence) == 1); }
  [[nodiscard]] std::size_t Length(SequenceId sequence) const override {
    const auto found = sequences_.find(sequence);
    CHECK(found != sequences_.end());
    return found->second.length;
  }

  Status Step(std::span<const SequenceStep> steps, std::span<float> logits) override;
  Status Truncate(SequenceId sequence, std::size_t length) override;
  Result<std::vector<std::byte>> Export(SequenceId sequence) override {
    return bytes_.Write(At(sequence));
  }
  Result<SequenceId> Import(std::span<const std::byte> bytes) override;

  [[nodiscard]] std::size_t BytesFor(std::size_t tokens, std::size_t step) const override;
  [[nodiscard]] std::string Numerics() const override;
  [[nodiscard]] std::uint64_t ExpertReads() const override { return pass_.expert_reads(); }
  [[nodiscard]] std::size_t CacheBytes() const override { return pages_.Bytes(); }
  [[nodiscard]] const GptOssConfig& config() const override { return config_; }

 private:
  SequenceId Add(Sequence sequence) {
    const SequenceId id{++last_id_};
    sequences_.emplace(id, std::move(sequence));
    return id;
  }
  Sequence& At(SequenceId id) {
    const auto found = sequences_.find(id);
    CHECK(found != sequences_.end());
    return found->second;
  }

  [[nodiscard]] Status CheckTokens(std::span<const SequenceStep> steps) const;
  [[nodiscard]] Status CheckMemory(std::span<const SequenceStep> steps);
  // Tokens [begin, begin + count) of a step become the batch's next rows; the wanted ones' logits
  // go to `logits`, which moves on.
  void Append(const SequenceStep& step, std::size_t begin, std::size_t count, float*& logits,
              Batch& batch);
  void RunBatch(Batch& batch);

  GptOssConfig config_;
  CpuForwardOptions options_;
  cpu::PagePool pages_;                         // outlives the sequences
  std::unique_ptr<cpu::PackedWeights> packed_;  // null: everything in binary32
  std::string arithmetic_;                      // kept sequences of another one are refused
  cpu::ForwardPass pass_;
  cpu::SequenceBytes bytes_;
  cpu::ResidualObserver observer_;
  std::map<SequenceId, Sequence> sequences_;
  std::uint64_t last_id_ = 0;
};

Status CpuForward::CheckTokens(std::span<const SequenceStep> steps) const {
  for (const SequenceStep& step : steps) {
    for (const std::uint32_t token : step.tokens) {
      if (token >= config_.vocabulary) {
        return Fail(ErrorCode::kInvalidInput, "token " + std::to_string(token) +
                                                  " is outside the vocabulary of " +
                                                  std::to_string(config_.vocabulary));
      }
    }
    const std::size_t length = Length(step.sequence);
    if (step.tokens.size() > config_.context_max - length) {
      return Fail(ErrorCode::kLimit,
                  std::to_string(step.tokens.size()) + " tokens after " + std::to_string(length) +
                      " pass the model's context of " + std::to_string(config_.context_max),
                  "shorten the policy or the content");
    }
  }
  return {};
}

// The most pages that the step can hold at any time. Sliding layers hold their window, what can be
// rewound and the rows of one pass.
Status CpuForward::CheckMemory(std::span<const SequenceStep> steps) {
  std::size_t pages = pages_.in_use();
  const std::size_t sliding_most =
      (config_.sliding_window + kRewindMax + options_.rows_max) / kPagePositions + 3;
  for (const SequenceStep& step : steps) {
    const Sequence& sequence = At(step.sequence);
    for (std::size_t layer = 0; layer < config_.layers; ++layer) {
      const std::size_t needed =
          sequence.layers[layer].PagesNeeded(sequence.length, step.tokens.size());
      pages += config_.sliding[layer] ? std::min(needed, sliding_most) : needed;
    }
  }
  return CheckPages(pages, pages_.shape().PageBytes(), options_.cache_bytes_max);
}

std::size_t CpuForward::BytesFor(std::size_t tokens, std::size_t step) const {
  const std::size_t all = cpu::PagesFor(tokens);
  const std::size_t kept = config_.sliding_window + kRewindMax + std::min(step, options_.rows_max);
  const std::size_t sliding = std::min(all, kept / kPagePositions + 3);
  std::size_t pages = 0;
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    pages += config_.sliding[layer] ? sliding : all;
  }
  return pages * pages_.shape().PageBytes();
}

std::string CpuForward::Numerics() const {
  const cpu::KvType type = KvTypeOf(options_.precision);
  return arithmetic_ + (type == cpu::KvType::kF16    ? "/f16"
                        : type == cpu::KvType::kBf16 ? "/bf16"
                                                     : "/f32");
}

Status CpuForward::Truncate(SequenceId sequence, std::size_t length) {
  Sequence& found = At(sequence);
  CHECK(length <= found.length);
  const std::size_t start = WindowStart(length, config_.sliding_window);
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    if (config_.sliding[layer] && found.layers[layer].first_page() > start / kPagePositions) {
      return Fail(ErrorCode::kInvalidInput,
                  "a sequence of " + std::to_string(found.length) + " tokens cannot go back to " +
                      std::to_string(length) + ": its sliding layers have lost what they need",
                  "go back at most " + std::to_string(kRewindMax) + " or compute it anew");
    }
  }
  for (LayerPages& layer : found.layers) {
    layer.DropBehind(length);
  }
  found.length = length;
  return {};
}

Result<SequenceId> CpuForward::Import(std::span<const std::byte> bytes) {
  const auto pages = bytes_.PagesIn(bytes);
  if (!pages) {
    return std::unexpected(pages.error());
  }
  if (Status status = CheckPages(pages_.in_use() + *pages, pages_.shape().PageBytes(),
                                 options_.cache_bytes_max);
      !status) {
    return std::unexpected(std::move(status.error()));
  }
  auto sequence = bytes_.Read(bytes);
  if (!sequence) {
    return std::unexpected(std::move(sequence.error()));
  }
  return Add(std::move(*sequence));
}

Status CpuForward::Step(std::span<const SequenceStep> steps, std::span<float> logits) {
  std::size_t floats = 0;
  std::set<SequenceId> seen;
  for (const SequenceStep& step : steps) {
    CHECK(!step.tokens.empty() && step.logits <= step.tokens.size());
    CHECK(seen.insert(step.sequence).second);
    CHECK(std::ranges::is_sorted(step.rows, std::ranges::less_equal()));  // rising
    CHECK(step.rows.empty() || step.rows.back() < config_.vocabulary);
    floats += step.logits * step.RowFloats(config_.vocabulary);
  }
  CHECK(logits.size() == floats);
  if (Status status = CheckTokens(steps); !status) {
    return status;
  }
  if (Status status = CheckMemory(steps); !status) {
    return status;
  }
  float* next = logits.data();
  Batch batch;
  for (const SequenceStep& step : steps) {
    for (std::size_t begin = 0; begin < step.tokens.size();) {
      const std::size_t room = options_.rows_max - batch.tokens.size();
      const std::size_t count = std::min(room, step.tokens.size() - begin);
      Append(step, begin, count, next, batch);
      begin += count;
      if (batch.tokens.size() == options_.rows_max) {
        RunBatch(batch);
      }
    }
  }
  if (!batch.tokens.empty()) {
    RunBatch(batch);
  }
  return {};
}

void CpuForward::Append(const SequenceStep& step, std::size_t begin, std::size_t count,
                        float*& logits, Batch& batch) {
  Sequence& sequence = At(step.sequence);
  for (LayerPages& layer : sequence.layers) {
    layer.Extend(sequence.length, count, pages_);
  }
  const std::size_t row = batch.tokens.size();
  batch.segments.push_back({sequence.layers, sequence.length, row, count});
  const auto tokens = step.tokens.subspan(begin, count);
  batch.tokens.insert(batch.tokens.end(), tokens.begin(), tokens.end());
  const std::size_t first_wanted = step.tokens.size() - step.logits;
  for (std::size_t t = 0; t < count; ++t) {
    if (begin + t >= first_wanted) {
      batch.wanted.push_back({row + t, step.rows, logits});
      logits += step.RowFloats(config_.vocabulary);
    }
  }
  sequence.length += count;
}

void CpuForward::RunBatch(Batch& batch) {
  pass_.Run(batch, observer_);
  for (const cpu::Segment& segment : batch.segments) {
    const std::size_t next = segment.first_position + segment.count;
    const std::size_t reach = WindowStart(next, config_.sliding_window + kRewindMax);
    for (std::size_t layer = 0; layer < config_.layers; ++layer) {
      if (config_.sliding[layer]) {
        segment.layers[layer].DropBefore(reach);
      }
    }
  }
  batch = Batch();
}

}  // namespace

CpuPrecision CpuPrecisionOf(ModelPrecision precision) {
  switch (precision) {
    case ModelPrecision::kDefault:
      return CpuPrecision::kDefault;
    case ModelPrecision::kF32:
      return CpuPrecision::kF32;
    case ModelPrecision::kInt16:
      return CpuPrecision::kInt16;
    case ModelPrecision::kInt8:
      return CpuPrecision::kInt8;
    case ModelPrecision::kBf16:
      return CpuPrecision::kBf16;
  }
  CHECK(false);
}

cpu::DenseWeights cpu::DenseFor(CpuPrecision precision) {
  return precision == CpuPrecision::kInt8   ? DenseWeights::kQ8
         : precision == CpuPrecision::kBf16 ? DenseWeights::kBf16
                                            : DenseWeights::kAsStored;
}

Result<std::unique_ptr<Forward>> NewCpuForward(const GptOssConfig& config,
                                               const GptOssWeights& weights,
                                               const CpuForwardOptions& options, ThreadPool& pool,
                                               PackedReport* report) {
  if (std::string problem = ConfigProblem(config); !problem.empty()) {
    return Fail(ErrorCode::kInvalidInput, std::move(problem));
  }
  CHECK(weights.layers.size() == config.layers && options.rows_max > 0);
  const cpu::KernelTable* kernels = options.table != nullptr ? options.table
                                    : options.kernels.empty()
                                        ? &cpu::BestKernels()
                                        : &cpu::ChooseKernels(options.kernels.c_str());
  if (options.table == nullptr && !options.kernels.empty() && options.kernels != kernels->name) {
    return Fail(ErrorCode::kInvalidInput,
                "no kernels \"" + options.kernels + "\" run on this processor");
  }
  const Result<CpuPrecision> precision = Decide(options.precision);
  if (!precision) {
    return std::unexpected(precision.error());
  }
  CpuForwardOptions decided = options;
  decided.precision = *precision;
  std::unique_ptr<cpu::PackedWeights> packed;
  if (*precision != CpuPrecision::kF32) {
    auto made = cpu::PackedWeights::Open(weights, cpu::DenseFor(*precision), options.weight_files,
                                         options.packed_file, pool);
    if (!made) {
      return std::unexpected(made.error());
    }
    packed = std::move(*made);
    if (report != nullptr) {
      *report = packed->report();
    }
  }
  return std::make_unique<CpuForward>(config, weights, decided, *kernels, std::move(packed), pool);
}

}  // namespace safeguard::engine
