#include "apps/batch/run_batch.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "apps/batch/progress_line.h"
#include "apps/output/display_text.h"
#include "apps/output/verdict_json.h"
#include "base/check.h"

namespace safeguard::apps {
namespace {

// How much work a kill may cost, against how often the disk is made to catch up.
constexpr std::chrono::milliseconds kCommitInterval{500};

// A batch of long contents ends early, so that memory stays bounded.
constexpr std::size_t kBatchBytesMax = std::size_t{8} << 20;

constexpr double kBurstSeconds = 0.5;
constexpr std::chrono::duration<double> kLongestWait{0.05};

class Loop {
 public:
  explicit Loop(const BatchJob& job) : job_(job), position_(job.output.start()) {}

  Result<BatchEnd> Run();

 private:
  Status Skip();
  Status Fill();
  Status JudgeAndWrite();
  Status CommitWhenDue(bool now);
  void Report(const Error& error);
  [[nodiscard]] BatchPosition Where() const;
  [[nodiscard]] bool Stopped() const;
  [[nodiscard]] std::size_t BatchSize() const;
  void Pace() const;

  const BatchJob& job_;
  Checkpoint position_;
  std::uint64_t judged_here_ = 0;
  std::vector<eval::Record> records_;  // the batch in flight
  std::unique_ptr<ProgressLine> progress_;
  std::chrono::steady_clock::time_point committed_ = std::chrono::steady_clock::now();
};

// Reads again what is judged already, and checks that it is what was judged.
Status Loop::Skip() {
  for (std::uint64_t i = 0; i < position_.entries; ++i) {
    if (!job_.input.Next()) {
      return Fail(ErrorCode::kInvalidInput,
                  job_.input.name() + " is shorter than when the batch stopped",
                  "give the same input, or --restart");
    }
  }
  if (job_.input.hash() != position_.input_hash) {
    return Fail(ErrorCode::kInvalidInput,
                "the first " + std::to_string(position_.entries) + " records of " +
                    job_.input.name() + " are not those that were judged before",
                "give the same input, or --restart");
  }
  return {};
}

void Loop::Report(const Error& error) {
  progress_->Clear();
  job_.console.Error("safeguard: " + Printable(job_.input.name() + ": " + Describe(error)) + "\n");
}

BatchPosition Loop::Where() const {
  return {position_.entries, judged_here_, job_.input.bytes_read(), job_.input.bytes_total()};
}

bool Loop::Stopped() const {
  return job_.stop.load() || (job_.asked_to_stop && job_.asked_to_stop());
}

// A slow rate means small batches, so that the judge is used evenly and not in bursts.
std::size_t Loop::BatchSize() const {
  return job_.rate > 0 ? std::min(job_.batch_size,
                                  std::max<std::size_t>(
                                      1, static_cast<std::size_t>(job_.rate * kBurstSeconds)))
                       : job_.batch_size;
}

// Waits until the next content is due; a stop ends the waiting.
void Loop::Pace() const {
  while (job_.rate > 0 && !Stopped()) {
    const double ahead = static_cast<double>(judged_here_) / job_.rate - progress_->seconds();
    if (ahead <= 0) {
      return;
    }
    std::this_thread::sleep_for(std::min(std::chrono::duration<double>(ahead), kLongestWait));
  }
}

Status Loop::Fill() {
  records_.clear();
  std::size_t bytes = 0;
  while (records_.size() < BatchSize() && bytes < kBatchBytesMax && !Stopped()) {
    std::optional<eval::Entry> entry = job_.input.Next();
    if (!entry) {
      position_.complete = true;
      return {};
    }
    if (!entry->record && entry->record.error().code == ErrorCode::kUnavailable) {
      return std::unexpected(entry->record.error());
    }
    ++position_.entries;
    position_.input_hash = job_.input.hash();
    if (!entry->record) {
      ++position_.unreadable;
      Report(entry->record.error());
      continue;
    }
    bytes += moderation::TextBytes(entry->record->content);
    records_.push_back(std::move(*entry->record));
  }
  return {};
}

Status Loop::JudgeAndWrite() {
  std::vector<moderation::Content> contents;
  for (eval::Record& record : records_) {
    moderation::Content& content = contents.emplace_back(record.content);
    if (content.surface.empty()) {
      content.surface = job_.surface;
    }
    if (content.language.empty()) {
      content.language = job_.language;
    }
  }
  Result<Judged> judged = job_.judging.Decide(contents, KeysOf(contents), job_.recorder != nullptr);
  if (!judged) {
    return std::unexpected(judged.error());
  }
  const Status recorded =
      job_.recorder == nullptr ? Status{} : job_.recorder->Record(contents, *judged);
  if (!recorded) {
    return recorded;
  }
  const std::size_t policies = job_.judging.policies().size();
  std::string lines;
  for (std::size_t c = 0; c < records_.size(); ++c) {
    const eval::Record& record = records_[c];
    for (std::size_t v = c * policies; v < (c + 1) * policies; ++v) {
      moderation::Verdict& verdict = judged->verdicts[v];
      verdict.notes.insert(verdict.notes.begin(), record.notes.begin(), record.notes.end());
      position_.tally.Count(verdict.outcome);
      nlohmann::ordered_json line = {{"line", record.line}};
      if (!record.content.id.empty()) {
        line["id"] = record.content.id;
      }
      line.update(RoutedVerdictJson(verdict, judged->channels[v], record.content.kind));
      if (job_.annotate) {
        job_.annotate(record, v - c * policies, line);
      }
      lines += JsonLine(line) + "\n";
    }
  }
  judged_here_ += records_.size();
  return job_.output.Append(lines);
}

Status Loop::CommitWhenDue(bool now) {
  const auto time = std::chrono::steady_clock::now();
  if (!now && time - committed_ < kCommitInterval) {
    return {};
  }
  committed_ = time;
  return job_.output.Commit(position_);
}

Result<BatchEnd> Loop::Run() {
  const Status skipped = Skip();
  if (!skipped) {
    return std::unexpected(skipped.error());
  }
  position_.complete = false;
  progress_ = std::make_unique<ProgressLine>(job_.console, job_.input.bytes_read());
  Status status;
  bool ended = false;
  while (status && !ended) {
    if (job_.before_batch) {
      job_.before_batch();
    }
    // An unreadable disk ends the reading; what was read before it is judged and kept.
    const Status filled = Fill();
    status = JudgeAndWrite();
    ended = !filled || position_.complete || Stopped();
    if (status) {
      status = CommitWhenDue(ended);
    }
    if (status && !filled) {
      status = filled;
    }
    progress_->Update(Where());
    if (status && !ended) {
      Pace();
    }
  }
  progress_->Clear();
  if (!status) {
    return std::unexpected(status.error());
  }
  return BatchEnd{position_, judged_here_, !position_.complete, progress_->seconds()};
}

}  // namespace

Result<BatchEnd> RunBatchJob(const BatchJob& job) {
  CHECK(job.batch_size > 0 && !job.judging.policies().empty());
  return Loop(job).Run();
}

}  // namespace safeguard::apps
