// What a policy must have: rules on both sides, definitions, examples on both sides, a fit length.
#include <algorithm>
#include <unordered_set>

#include "moderation/policy/lint_checks.h"
#include "moderation/policy/scan.h"

namespace safeguard::moderation::reading {
namespace {

template <typename T>
bool HasSide(const std::vector<T>& all, Side side) {
  return std::ranges::find(all, side, &T::side) != all.end();
}

// The line of the first section with this role; 0 when there is none.
int SectionLine(const LintContext& context, Role role) {
  for (const PlacedLine& placed : context.placed) {
    if (placed.heading && placed.role == role) {
      return placed.line->number;
    }
  }
  return 0;
}

// Rules that quote an example each count too: SP2.b Irrelevant ads – “Buy gold rings!”. One or two
// are quotations of words, not examples.
bool QuotesExample(const Policy& policy, Side side) {
  const auto quoting = [](const Rule& rule) { return MaskQuotes(rule.text) != rule.text; };
  return std::ranges::count_if(policy.rules, quoting) >= 3 &&
         std::ranges::any_of(policy.rules,
                             [&](const Rule& rule) { return rule.side == side && quoting(rule); });
}

bool HasExample(const Policy& policy, Side side) {
  return HasSide(policy.examples, side) || QuotesExample(policy, side);
}

void CheckSides(LintContext& context) {
  const Policy& policy = *context.policy;
  const bool violating = HasSide(policy.rules, Side::kViolating);
  const bool safe = HasSide(policy.rules, Side::kSafe);
  if (!violating && safe) {
    context.Add(Severity::kWarning, "violating-criteria", 0,
                "nothing says what violates the policy, so everything looks allowed",
                "add a section \"Violates (1)\" with one line for each thing that is not allowed");
  }
  if (violating && !safe) {
    context.Add(Severity::kWarning, "safe-criteria", 0,
                "nothing says what is allowed, so look-alikes (news, quotations, help) are flagged",
                "add a section \"Safe (0)\" with the near misses that must not be flagged");
  }
  std::unordered_set<std::string> told;
  for (const Rule& rule : policy.rules) {
    if (rule.side == Side::kNone && told.insert(rule.section).second) {
      const std::string where =
          rule.section.empty() ? "here" : "in the section \"" + rule.section + "\"";
      context.Add(Severity::kWarning, "unlabelled-sides", rule.line,
                  "the rules " + where +
                      " do not say whether they are allowed or not (first: " + rule.id + ")",
                  "put the side into the heading, for example \"Violates (1)\" or \"Safe (0)\"");
    }
  }
}

void CheckExamples(LintContext& context) {
  const Policy& policy = *context.policy;
  const bool violating = HasExample(policy, Side::kViolating);
  const bool safe = HasExample(policy, Side::kSafe);
  const int line = SectionLine(context, Role::kExamples);
  if (!violating && !safe) {
    context.Add(Severity::kWarning, "examples", line,
                policy.examples.empty()
                    ? "there are no examples; short ones near the boundary show where the line is"
                    : "the examples have no labels that say which side they are on",
                "add four to six short labelled examples, both violating and safe");
  } else if (!violating || !safe) {
    const char* have = violating ? "violating" : "safe";
    const char* lack = violating ? "safe" : "violating";
    context.Add(
        Severity::kWarning, "examples-one-sided", line,
        std::string("all examples are ") + have +
            ", which teaches the model to answer the same for everything",
        std::string("add ") + lack + " examples that look similar to the " + have + " ones");
  }
}

bool IsPlaceholder(std::string_view text) {
  text = Trim(text);
  return text.size() > 2 && text.size() < 60 && text.front() == '[' && text.back() == ']';
}

void CheckPlaceholders(LintContext& context) {
  const auto check = [&context](std::string_view text, int line) {
    if (IsPlaceholder(text)) {
      context.Add(Severity::kWarning, "placeholder", line,
                  std::string(Trim(text)) + " is still a blank of the template",
                  "write the text, or delete the line");
    }
  };
  for (const Rule& rule : context.policy->rules) {
    check(rule.text, rule.line);
  }
  for (const Definition& definition : context.policy->definitions) {
    check(definition.text, definition.line);
  }
}

}  // namespace

void CheckStructure(LintContext& context) {
  const Policy& policy = *context.policy;
  if (const int fence = UnclosedFenceLine(policy.text, policy.body_line); fence > 0) {
    context.Add(Severity::kWarning, "unclosed-fence", fence,
                "a code fence opens here and never closes, so it is read as plain text",
                "close it with the same marks on a line of their own, or delete it");
  }
  if (policy.rules.empty()) {
    context.Add(Severity::kError, "no-rules", 0,
                "no rules were found, so nothing can be judged by this policy",
                "write what violates and what is allowed as lists under headings such as "
                "\"Violates (1)\" and \"Safe (0)\"");
    return;
  }
  CheckSides(context);
  if (policy.definitions.empty()) {
    context.Add(Severity::kWarning, "definitions", 0,
                "no terms are defined, so each reader decides what they mean",
                "add a section \"Definitions\" with a line \"Term: meaning\" for each key term");
  }
  CheckExamples(context);
  CheckPlaceholders(context);
}

void CheckLength(LintContext& context, const TokenCounter& count_tokens) {
  if (!count_tokens) {
    context.Add(Severity::kHint, "length", 0,
                "the length in tokens could not be checked: no tokenizer is loaded",
                "run the check again with the tokenizer installed");
    return;
  }
  const std::size_t tokens = count_tokens(context.policy->text);
  if (tokens > kTokensMax) {
    context.Add(Severity::kError, "length", 0,
                "the policy has " + std::to_string(tokens) + " tokens; over " +
                    std::to_string(kTokensMax) + " the reasoner loses track of it",
                "split it into several policies, or shorten each category to 300 to 600 tokens");
  } else if (tokens > kTokensAdvised) {
    context.Add(Severity::kWarning, "length", 0,
                "the policy has " + std::to_string(tokens) +
                    " tokens; 400 to 600 did best in published tests and cost less on every call",
                "shorten it where that loses no distinction, and compare both on a golden set");
  }
}

}  // namespace safeguard::moderation::reading
