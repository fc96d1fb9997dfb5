#include "eval/adherence.h"

namespace safeguard::eval {

AdherenceFigures MeasureAdherence(std::span<const CaseResult> results) {
  using moderation::Outcome;
  using moderation::UndeterminedReason;
  AdherenceFigures figures;
  for (const CaseResult& result : results) {
    const moderation::Verdict& verdict = result.verdict;
    if (!result.judged || !verdict.adherence) {
      continue;
    }
    const moderation::Adherence& adherence = *verdict.adherence;
    ++figures.answers;
    figures.read += verdict.outcome != Outcome::kUndetermined ||
                            verdict.reason == UndeterminedReason::kUncertain
                        ? 1
                        : 0;
    ++figures.forms[adherence.form];
    if (adherence.followed) {
      ++figures.asked;
      figures.followed += *adherence.followed ? 1 : 0;
      if (!*adherence.followed) {
        ++figures.faults[adherence.fault];
      }
    }
    figures.citing += adherence.cited + adherence.unknown > 0 ? 1 : 0;
    figures.citing_unknown += adherence.unknown > 0 ? 1 : 0;
  }
  return figures;
}

}  // namespace safeguard::eval
