#include "engine/raw_model.h"

#include <utility>

#include "base/check.h"
#include "base/thread_pool.h"
#include "engine/cpu/cpu_forward.h"
#include "engine/model/checkpoint.h"

namespace safeguard::engine {
namespace {

class CpuRawModel final : public RawModel {
 public:
  CpuRawModel(std::unique_ptr<Checkpoint> checkpoint, std::size_t threads)
      : checkpoint_(std::move(checkpoint)), pool_(threads) {}

  Status Start(const CpuForwardOptions& options) {
    auto forward =
        NewCpuForward(checkpoint_->config(), checkpoint_->weights(), options, pool_, &packed_);
    if (!forward) {
      return std::unexpected(std::move(forward.error()));
    }
    forward_ = std::move(*forward);
    sequence_ = forward_->NewSequence();
    return {};
  }

  [[nodiscard]] std::size_t vocabulary() const override { return forward_->config().vocabulary; }
  [[nodiscard]] std::size_t context_max() const override { return forward_->config().context_max; }

  [[nodiscard]] const PackedReport& packed() const override { return packed_; }

  Result<std::vector<float>> Append(std::span<const std::uint32_t> ids, std::size_t rows) override {
    CHECK(rows <= ids.size());
    std::vector<float> logits(rows * vocabulary());
    const SequenceStep step = {sequence_, ids, rows};
    if (Status status = forward_->Step({&step, 1}, logits); !status) {
      return std::unexpected(std::move(status.error()));
    }
    return logits;
  }

 private:
  std::unique_ptr<Checkpoint> checkpoint_;
  ThreadPool pool_;
  std::unique_ptr<Forward> forward_;
  SequenceId sequence_{};
  PackedReport packed_;
};

}  // namespace

Result<std::unique_ptr<RawModel>> RawModel::Open(const std::string& path,
                                                 const RawModelOptions& options) {
  auto checkpoint = Checkpoint::Open(path);
  if (!checkpoint) {
    return std::unexpected(std::move(checkpoint.error()));
  }
  const Result<ModelPrecision> precision =
      DefinitePrecision(options.precision, ModelPrecision::kInt16);
  if (!precision) {
    return std::unexpected(precision.error());
  }
  CpuForwardOptions cpu;
  cpu.precision = CpuPrecisionOf(*precision);
  cpu.packed_file = options.packed_file;
  const auto files = (*checkpoint)->files();
  cpu.weight_files.assign(files.begin(), files.end());
  auto model = std::make_unique<CpuRawModel>(std::move(*checkpoint), options.threads);
  if (Status status = model->Start(cpu); !status) {
    return std::unexpected(std::move(status.error()));
  }
  return model;
}

}  // namespace safeguard::engine
