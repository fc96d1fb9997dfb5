// A moderation::Judge as a scorer of windows: each window is judged as an assistant's answer under
// every policy of the route.
#pragma once

#include <memory>
#include <vector>

#include "http/guard/window_scorer.h"
#include "moderation/judge.h"

namespace safeguard::guard {

// One violation is a violation; else one that is undetermined makes it undetermined; else safe. The
// score is the highest.
WindowScore Combine(const std::vector<moderation::Verdict>& verdicts);

class JudgeScorer final : public WindowScorer {
 public:
  using Prepared = std::shared_ptr<const moderation::PreparedPolicy>;

  // `judge` outlives this. REQUIRES: at least one policy, prepared by it.
  JudgeScorer(moderation::Judge& judge, std::vector<Prepared> policies);

  // Judges on the calling thread, and calls `done` before it returns.
  void Score(ScoreRequest request, Done done) override;

 private:
  moderation::Judge& judge_;
  std::vector<Prepared> policies_;
};

}  // namespace safeguard::guard
