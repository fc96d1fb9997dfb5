#include "apps/output/verdict_text.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "apps/output/display_text.h"
#include "apps/output/table.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kIndent = 2;

Style StyleOf(moderation::Outcome outcome) {
  switch (outcome) {
    case moderation::Outcome::kViolation:
      return Style::kRed;
    case moderation::Outcome::kSafe:
      return Style::kGreen;
    case moderation::Outcome::kUndetermined:
      return Style::kYellow;
  }
  return Style::kPlain;
}

std::vector<Cell> Row(const moderation::Verdict& verdict) {
  const bool violation = verdict.outcome == moderation::Outcome::kViolation;
  std::string rules;
  for (const std::string& rule : verdict.rule_ids) {
    rules += (rules.empty() ? "" : ", ") + rule;
  }
  std::string evidence = "-";
  if (!verdict.evidence.empty()) {
    evidence = "\"" + Printable(verdict.evidence.front().text) + "\"";
  }
  const auto total = verdict.timings_ms.find("total");
  return {{Printable(verdict.policy.id), violation ? Style::kBold : Style::kPlain},
          {moderation::ToString(verdict.outcome), StyleOf(verdict.outcome)},
          {rules.empty() ? "-" : Printable(rules)},
          {verdict.score ? fmt::format("{:.2f}", *verdict.score) : "-"},
          {evidence},
          {total == verdict.timings_ms.end() ? "-" : DurationText(total->second), Style::kDim}};
}

// The layers of a cascade that were asked, in order.
std::string Way(const moderation::Verdict& verdict) {
  std::string way;
  for (const moderation::LayerStep& step : verdict.path) {
    way += way.empty() ? "Way: " : ", then ";
    way += step.layer;
    if (!step.name.empty()) {
      way += " " + step.name;
    }
    way += std::string(": ") + moderation::ToString(step.outcome);
    if (step.score) {
      way += fmt::format(" {:.2f}", *step.score);
    }
    if (!step.why.empty()) {
      way += " (" + step.why + ")";
    }
  }
  return way.empty() ? way : way + ".";
}

std::string Explanation(const moderation::Verdict& verdict, std::size_t width, bool color) {
  std::string text = verdict.outcome == moderation::Outcome::kUndetermined
                         ? fmt::format("{}. {}", moderation::ToString(verdict.reason),
                                       verdict.detail.empty() ? verdict.rationale : verdict.detail)
                         : verdict.rationale;
  if (!verdict.view.empty() && verdict.view != "original") {
    text += fmt::format(" (Seen in the {} view of the content.)", verdict.view);
  }
  for (const std::string& note : verdict.notes) {
    text += " Note: " + note + ".";
  }
  if (!verdict.path.empty()) {
    text += (text.empty() ? "" : text.ends_with('.') ? " " : ". ") + Way(verdict);
  }
  text = Printable(text);
  if (text.empty()) {
    return {};
  }
  return Styled(Printable(verdict.policy.id), Style::kBold, color) + "\n" +
         Wrap(text, width, kIndent);
}

// Who decided, said plainly.
std::string Decider(std::span<const moderation::Verdict> verdicts) {
  std::set<std::string> layers;
  std::set<std::string> models;
  for (const moderation::Verdict& verdict : verdicts) {
    layers.insert(verdict.decided_by.layer);
    models.insert(verdict.decided_by.model);
  }
  const std::string model = models.size() == 1 ? *models.begin() : std::string();
  if (layers == std::set<std::string>{"reasoner"}) {
    return fmt::format("Decided by the reasoner{}.",
                       model.empty() ? "" : " (" + Printable(model) + ")");
  }
  if (layers == std::set<std::string>{"recorded"}) {
    return "Read from recorded answers.";
  }
  if (layers != std::set<std::string>{"screen"}) {
    return {};
  }
  if (!verdicts.front().path.empty()) {
    return "Decided by the screen of the route.";
  }
  return fmt::format(
      "Decided by the screen{}: the fast layer, not the reasoner. It can be wrong; let a person or "
      "the reasoner confirm what matters.",
      model.empty() ? "" : " (" + Printable(model) + ")");
}

}  // namespace

std::string DurationText(double milliseconds) {
  if (milliseconds < 100) {
    return fmt::format("{:.1f} ms", milliseconds);
  }
  if (milliseconds < 10'000) {
    return fmt::format("{:.0f} ms", milliseconds);
  }
  return fmt::format("{:.0f} s", milliseconds / 1000);
}

std::string ReasoningText(std::span<const moderation::Verdict> verdicts, std::size_t width,
                          bool color) {
  std::string out;
  for (const moderation::Verdict& verdict : verdicts) {
    if (!verdict.reasoning.empty()) {
      out += "\n" + Styled(Printable(verdict.policy.id) + ", reasoning", Style::kBold, color) +
             "\n" + Wrap(Printable(verdict.reasoning), width, kIndent);
    }
  }
  return out;
}

std::string VerdictText(std::span<const moderation::Verdict> verdicts, std::size_t width,
                        bool color) {
  const std::vector<Column> columns = {{"POLICY"},
                                       {"VERDICT"},
                                       {"RULE"},
                                       {"SCORE", true, false},
                                       {"EVIDENCE", false, true},
                                       {"TIME", true, false}};
  std::vector<std::vector<Cell>> rows;
  std::string explanations;
  for (const moderation::Verdict& verdict : verdicts) {
    rows.push_back(Row(verdict));
    const bool dull = verdict.outcome == moderation::Outcome::kSafe && verdict.notes.empty() &&
                      verdict.path.size() < 2;
    if (!dull || verdicts.size() == 1) {
      explanations += Explanation(verdict, width, color);
    }
  }
  std::string out = RenderTable(columns, rows, width, color);
  if (!explanations.empty()) {
    out += "\n" + explanations;
  }
  const std::string decider = Decider(verdicts);
  if (!decider.empty()) {
    out += "\n" + Wrap(decider, width, 0);
  }
  return out;
}

}  // namespace safeguard::apps
