// Golden sets: the labelled cases beside a policy. One JSON object on each line:
//
//   {"id": "spam-007", "text": "...", "expected": "violation", "rules": ["SP2.a"], "label": "SP2",
//    "surface": "comment", "language": "en", "tags": ["boundary"]}
//
// `text`, or `messages` as [{"role", "content"}]; `expected` is "violation" or "safe". All other
// fields may be left out.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "base/result.h"
#include "moderation/golden.h"

namespace safeguard::eval {

// Reads a golden set. Strict, because somebody relies on every case: fails at the first line that
// cannot be read, has no `expected`, or repeats an id (the message names the line), and when there
// is no case at all.
Result<std::vector<moderation::GoldenCase>> ReadGoldenSet(const std::string& path);
Result<std::vector<moderation::GoldenCase>> ReadGoldenSet(std::istream& in,
                                                          const std::string& name);

// One line, without its newline. ReadGoldenSet gives the same case back.
std::string GoldenLine(const moderation::GoldenCase& golden);

}  // namespace safeguard::eval
