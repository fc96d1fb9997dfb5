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
  // The file is its own data set: every line is of the content whose id is "line N", N its number;
  // what it says of its content is not looked at.
  bool by_line = false;
};

// The file is JSONL. A line is of the content with its `id`, else of the message with its `text` (a
// conversation needs an id); with `policy` of that policy's id alone. The answer is one of
//   "final"       the text of the final message; a JSON object, a number or a truth value is taken
//                 as its text ("answer", "response", "output" and "model_output" are read as it)
//   "completion"  all that the model said, control tokens spelled out ("<|end|>"); without any it
//   is
//                 the final message ("raw" is read as it)
//   "tokens"      the same as o200k_harmony ids
// and `reasoning` may stand beside `final`. A line that cannot be read, and two answers for one
// content and policy, are errors that name the line. A content without an answer is undetermined
// (model_unavailable). Every verdict says how its answer kept to the policy's format
// (Verdict::adherence).
Result<std::unique_ptr<moderation::Judge>> OpenRecordedJudge(const RecordedOptions& options);

}  // namespace safeguard::judges
