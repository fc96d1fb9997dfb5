// --record: verdicts into the verdict log of the data folder.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "apps/commands/routed_judging.h"
#include "apps/record_choice.h"
#include "base/result.h"
#include "moderation/verdict_log.h"

namespace safeguard::apps {

class VerdictRecorder {
 public:
  // Null when nothing is to be recorded. Makes the log where there is none.
  static Result<std::unique_ptr<VerdictRecorder>> Open(const RecordChoice& choice,
                                                       const std::string& data_dir);

  // How the judge was opened (receipt/judge_setup.h): goes with each record from now on.
  void TellSetup(std::string setup) { setup_ = std::move(setup); }
  // Answers and shadows, in one transaction.
  Status Record(std::span<const moderation::Content> contents, const Judged& judged);

 private:
  VerdictRecorder(std::unique_ptr<moderation::VerdictLog> log, bool keep_content)
      : log_(std::move(log)), keep_content_(keep_content) {}

  std::unique_ptr<moderation::VerdictLog> log_;
  bool keep_content_;
  std::string setup_;
};

}  // namespace safeguard::apps
