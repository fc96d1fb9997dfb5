// WindowScorer: whatever judges a window of a stream. Scores arrive later, in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "moderation/verdict.h"

namespace safeguard::guard {

enum class AskKind {
  kWindow,  // of the fast judge
  kPrefix,  // of the slow judge: everything of the channel up to the window in doubt
  kWhole,   // of the fast judge: all text, before the answer ends
};

const char* ToString(AskKind kind);  // "window", "prefix", "whole"

struct ScoreRequest {
  std::uint64_t id = 0;  // given back with the answer
  AskKind kind = AskKind::kWindow;
  std::string channel;    // "0/content", "0/tool 1", ...
  std::string text;       // context and window; valid UTF-8
  std::size_t fresh = 0;  // where in `text` the window begins
};

struct WindowScore {
  moderation::Outcome outcome = moderation::Outcome::kUndetermined;
  moderation::UndeterminedReason reason = moderation::UndeterminedReason::kInternalError;
  std::optional<double> score;  // of a violation, 0..1
  std::string by;               // layer and model, for the ledger
  std::string detail;           // rules, or why it is undetermined
};

class WindowScorer {
 public:
  using Done = std::function<void(std::uint64_t id, WindowScore score)>;

  virtual ~WindowScorer() = default;
  // Calls `done` exactly once, before it returns or later, on any thread. Never throws: what cannot
  // be judged is undetermined. Thread-safe.
  virtual void Score(ScoreRequest request, Done done) = 0;
};

}  // namespace safeguard::guard
