// How the policy says to answer: where, how often, and whether its end invites an echo.
#include <algorithm>
#include <array>
#include <initializer_list>

#include "moderation/policy/fields.h"
#include "moderation/policy/lint_checks.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

constexpr int kApart = 5;  // instructions closer than this are one

bool HasWord(const std::vector<std::string>& words, std::initializer_list<std::string_view> any) {
  return std::ranges::any_of(
      words, [any](const std::string& word) { return std::ranges::find(any, word) != any.end(); });
}

bool HasStem(const std::vector<std::string>& words, std::initializer_list<std::string_view> any) {
  return std::ranges::any_of(words, [any](const std::string& word) {
    return std::ranges::any_of(any,
                               [&word](std::string_view stem) { return word.starts_with(stem); });
  });
}

bool HasVerb(const std::vector<std::string>& words) {
  return HasWord(words,
                 {"respond",  "answer",   "return",  "reply",    "output",    "classify", "label",
                  "emit",     "produce",  "assign",  "give",     "print",     "provide",  "choose",
                  "gets",     "receives", "respong", "antworte", "antworten", "répondez", "réponds",
                  "responde", "responda", "ответь",  "отвечай",  "پاسخ",      "rispondi"});
}

bool NamesForm(const std::vector<std::string>& words, std::string_view text) {
  if (HasStem(words, {"json", "format", "label", "verdict", "exactly", "character", "classif"}) ||
      HasWord(words, {"only", "nur", "0", "1", "yes", "no", "valid", "invalid", "true", "false"})) {
    return true;
  }
  return MaskQuotes(text) != text;
}

bool NamesFormat(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool subject = words[i] == "output" || words[i] == "response" || words[i] == "answer" ||
                         words[i] == "required" || words[i] == "label";
    if (subject && words[i + 1].starts_with("format")) {
      return true;
    }
  }
  return false;
}

bool DecidesCases(std::string_view title) {
  const std::vector<std::string> words = Words(title, 12);
  return HasStem(words, {"ambig", "escalat", "preceden", "priorit", "edge", "conflict"});
}

bool IsInstruction(const LintContext& context, const PlacedLine& placed) {
  const Line& line = *placed.line;
  if (placed.clause || placed.example || placed.role == Role::kExamples ||
      placed.role == Role::kDefinitions || line.kind == LineKind::kBlank || line.fenced ||
      line.kind == LineKind::kTableRow || line.kind == LineKind::kRuler) {
    return false;
  }
  const Policy& policy = *context.policy;
  const std::string title =
      placed.section < 0 ? "" : policy.sections[static_cast<std::size_t>(placed.section)].title;
  if (DecidesCases(title)) {
    return false;
  }
  const std::string text = StripMarkup(line.body);
  const std::vector<std::string> words = Words(text, 64);
  if (NamesFormat(words)) {
    return true;
  }
  if (placed.heading) {
    return HasVerb(words) && HasWord(words, {"as", "respond", "answer", "follows"});
  }
  const std::optional<Field> field = ReadField(line.body);
  if (field && field->kind == FieldKind::kLabel) {
    // "Output: INVALID" is the answer at one level; "Output: 0 or 1" tells all of them.
    return HasWord(words, {"or", "json", "either", "one"}) && !field->value.empty();
  }
  return HasVerb(words) && NamesForm(words, line.body);
}

std::vector<int> InstructionLines(const LintContext& context) {
  std::vector<int> lines;
  int section = -2;
  for (const PlacedLine& placed : context.placed) {
    if (!IsInstruction(context, placed)) {
      continue;
    }
    const bool near = !lines.empty() && placed.section == section;
    const bool close = !lines.empty() && placed.line->number - lines.back() < kApart;
    if (!near && !close) {
      lines.push_back(placed.line->number);
    }
    section = placed.section;
  }
  return lines;
}

// The form of answer that an instruction asks for.
enum class Form { kNone, kJson, kDigit, kWord };

const char* NameOf(Form form) {
  switch (form) {
    case Form::kJson:
      return "JSON";
    case Form::kDigit:
      return "a digit, 0 or 1";
    case Form::kWord:
      return "a word such as VALID or INVALID";
    case Form::kNone:
      break;
  }
  return "nothing";
}

Form FormOf(std::string_view text) {
  const std::vector<std::string> words = Words(text, 64);
  const auto both = [&words](std::string_view a, std::string_view b) {
    return HasWord(words, {a}) && HasWord(words, {b});
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool refused =
        i > 0 && (words[i - 1] == "no" || words[i - 1] == "not" || words[i - 1] == "without");
    if (words[i] == "json" && !refused) {
      return Form::kJson;
    }
  }
  if (text.find('{') != std::string_view::npos) {
    return Form::kJson;  // 0 and 1 stand inside of it
  }
  if (both("0", "1")) {
    return Form::kDigit;
  }
  const bool word = both("valid", "invalid") || both("yes", "no") || both("safe", "unsafe") ||
                    both("allow", "block") || both("true", "false") || both("violating", "non") ||
                    both("allowed", "disallowed");
  return word ? Form::kWord : Form::kNone;
}

// Two instructions that want different forms: the model follows one of them, now this, now that.
void CheckForms(LintContext& context) {
  Form first = Form::kNone;
  int first_line = 0;
  for (const PlacedLine& placed : context.placed) {
    if (!IsInstruction(context, placed)) {
      continue;
    }
    const Form form = FormOf(StripMarkup(placed.line->body));
    if (form == Form::kNone) {
      continue;
    }
    if (first == Form::kNone) {
      first = form;
      first_line = placed.line->number;
    } else if (form != first) {
      context.Add(Severity::kWarning, "conflicting-output", placed.line->number,
                  std::string("this asks for ") + NameOf(form) + ", but line " +
                      std::to_string(first_line) + " asks for " + NameOf(first) +
                      ", so the answers come in two forms",
                  "keep one form of answer and say it in the same words each time");
      return;
    }
  }
}

int FirstExampleLine(const LintContext& context) {
  for (const PlacedLine& placed : context.placed) {
    if (placed.role == Role::kExamples && placed.heading) {
      return placed.line->number;
    }
  }
  return 0;
}

// "Answer (0 or 1):", "Label: [ ]", "Content: {content}": a field left open.
bool IsOpenField(const Line& line) {
  if (line.body.size() > 160 || line.kind == LineKind::kTableRow) {
    return false;
  }
  const std::optional<Field> field = ReadField(line.body);
  if (!field || (field->kind != FieldKind::kLabel && field->kind != FieldKind::kContent)) {
    return false;
  }
  const std::string_view value = Unquote(field->value);
  constexpr std::string_view openers = "[{<_.";
  return value.empty() || value == "…" ||
         (value.size() < 80 && openers.find(value.front()) != std::string_view::npos);
}

}  // namespace

void CheckOutput(LintContext& context) {
  CheckForms(context);
  std::vector<int> lines = InstructionLines(context);
  if (!context.policy->output.empty()) {
    lines.insert(lines.begin(), 1);  // `output:` of the front matter is said first
  }
  if (lines.size() >= 2) {
    return;
  }
  const int example = FirstExampleLine(context);
  if (lines.empty()) {
    context.Add(Severity::kWarning, "output-instruction", 0,
                "nothing says how to answer, so the model chooses a form of its own",
                "near the top write for example \"Answer with exactly one character: 0 or 1.\", "
                "and say it again before the examples");
    return;
  }
  const int line = lines.front();
  const bool late = example > 0 && line > example;
  context.Add(Severity::kWarning, "output-instruction", line,
              "how to answer is said only once; in a long policy the model forgets it",
              late || line > context.policy->body_line + 40
                  ? "say it near the top as well"
                  : "say it again right before the examples, or at the end when there are none");
}

void CheckAnswerCue(LintContext& context) {
  int seen = 0;
  int found = 0;
  for (auto placed = context.placed.rbegin(); placed != context.placed.rend() && seen < 3;
       ++placed) {
    const Line& line = *placed->line;
    if (line.kind == LineKind::kBlank || line.kind == LineKind::kRuler || line.fenced) {
      continue;
    }
    ++seen;
    if (!IsOpenField(line)) {
      break;
    }
    found = line.number;
  }
  if (found > 0) {
    context.Add(Severity::kWarning, "answer-cue", found,
                "the policy ends with a blank to fill in, and models copy it into their answer "
                "(\"Answer (0 or 1): 1\")",
                "delete the cue: the content is given to the model separately");
  }
}

}  // namespace safeguard::moderation::reading
