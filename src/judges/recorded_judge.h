// Answers from a file as a Judge: what a model said elsewhere, read by the reasoner's own parser.
// For replays, for scoring answers that were recorded, and for tests without a model.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "moderation/judge.h"

namespace safeguard::judges {

inline constexpr std::size_t kRecordedBytesMax = std::size_t{1} << 30;

struct RecordedOptions {
  std::string path;
  // The o200k rank file; needed for answers in Harmony (`completion`, `tokens`).
  std::string rank_file;
};

// The file is JSONL. A line is of the content with its `id`, else of the message with its `text` (a
// conversation needs an id); with `policy` of that policy's id alone. The answer is one of
//   "final"       the text of the final message ("answer" and "response" are read as it)
//   "completion"  all that the model said, control tokens spelled out ("<|end|>")
//   "tokens"      the same as o200k_harmony ids
// and `reasoning` may stand beside `final`. A line that cannot be read, and two answers for one
// content and policy, are errors that name the line. A content without an answer is undetermined
// (model_unavailable).
Result<std::unique_ptr<moderation::Judge>> OpenRecordedJudge(const RecordedOptions& options);

}  // namespace safeguard::judges
