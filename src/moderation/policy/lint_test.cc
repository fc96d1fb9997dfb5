#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "moderation/policy.h"
#include "moderation/policy/test_reading.h"

namespace safeguard::moderation {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A policy in the four sections that the user guide of the reasoner advises.
const char* const kGood =
    "# Ticket resale policy\n\n## Instructions\nDecide whether the content offers tickets above "
    "their price.\nAnswer with exactly one character: 1 if it violates, 0 if it is safe.\nIf it "
    "is unclear whether a price is named, answer 0 and escalate.\n\n## Definitions\n- Face value: "
    "the price printed on the ticket.\n\n## Violates (1)\n- V1: Offers tickets above face "
    "value.\n- V2: Asks for payment outside the platform.\n\n## Safe (0)\n- S1: Offers tickets at "
    "or below face value.\n- S2: Asks how resale works.\n\nRemember: answer with exactly one "
    "character, 0 or 1.\n\n## Examples\n- \"Two seats, three times the price\" -> 1\n- \"Two "
    "seats, what I paid\" -> 0\n";

std::size_t CountWords(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, ' '));
}

std::vector<Finding> Lint(const std::string& text) {
  return LintPolicy(MustRead(text), CountWords);
}

std::string With(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

Finding Only(const std::vector<Finding>& findings, const std::string& check) {
  std::vector<Finding> found;
  std::ranges::copy_if(findings, std::back_inserter(found),
                       [&check](const Finding& one) { return one.check == check; });
  EXPECT_EQ(found.size(), 1U) << check;
  return found.empty() ? Finding{} : found.front();
}

TEST(Lint, AGoodPolicyIsClean) {
  EXPECT_THAT(Checks(Lint(kGood)), IsEmpty());
  // The same with ids as levels, JSON output and examples as fields.
  EXPECT_THAT(
      Checks(
          Lint("# Spam policy\n\n## Instructions\nReturn only JSON: {\"violation\": 0 or 1, "
               "\"policy_category\": \"<id>\"}.\n\n## Definitions\n**Bulk**: the same text many "
               "times.\n\n## Violates\n### SP2: Likely spam\n- SP2.a Cold offers\n### SP4: "
               "Fraud\n- SP4.a Fake invoices\n\n## Safe\n### SP0: Not spam\n- SP0.a Questions\n\n"
               "## Precedence\nIf several levels apply, the most severe one wins. If it is "
               "unclear, choose the lower level and escalate.\n\n## Output\nReturn only the JSON "
               "object.\n\n## Examples\nContent: \"cheap rings\"\nAnswer: SP2.a\n\nContent: "
               "\"where is my order?\"\nAnswer: SP0.a\n")),
      IsEmpty());
}

TEST(Lint, FindingsSayWhereWhyAndWhatToDo) {
  const std::vector<Finding> findings = Lint("## Violates\n- Offers that are usually fake\n");
  ASSERT_FALSE(findings.empty());
  for (const Finding& finding : findings) {
    EXPECT_FALSE(finding.check.empty());
    EXPECT_FALSE(finding.reason.empty()) << finding.check;
    EXPECT_FALSE(finding.mend.empty()) << finding.check;
    EXPECT_GE(finding.line, 0);
    EXPECT_LE(finding.line, 2);
  }
  EXPECT_TRUE(std::ranges::is_sorted(findings, {}, &Finding::line));
}

TEST(Lint, OutputInstruction) {
  const std::string none = With(
      With(kGood, "Answer with exactly one character: 1 if it violates, 0 if it is safe.\n", ""),
      "Remember: answer with exactly one character, 0 or 1.\n", "");
  EXPECT_EQ(Only(Lint(With(none, "answer 0 and escalate", "escalate")), "output-instruction").line,
            0);
  const std::string once =
      With(kGood, "Remember: answer with exactly one character, 0 or 1.\n", "");
  const Finding finding = Only(Lint(once), "output-instruction");
  EXPECT_EQ(finding.line, 5);
  EXPECT_THAT(finding.reason, HasSubstr("only once"));
  EXPECT_EQ(finding.severity, Severity::kWarning);
}

TEST(Lint, OutputInstructionsThatDiffer) {
  const std::string again = "Remember: answer with exactly one character, 0 or 1.\n";
  for (const char* other :
       {"Return only JSON: {\"violation\": 0 or 1}.\n", "Answer with one word, VALID or INVALID.\n",
        "Respond only with yes or no.\n"}) {
    const Finding finding = Only(Lint(With(kGood, again, other)), "conflicting-output");
    EXPECT_EQ(finding.line, 19) << other;
    EXPECT_THAT(finding.reason, HasSubstr("line 5"));
    EXPECT_EQ(finding.severity, Severity::kWarning);
  }
  for (const char* same : {"Answer 0 or 1 only.\n", "Output only the digit 1 or 0.\n",
                           "Answer only with the character; no JSON, no explanation.\n"}) {
    EXPECT_THAT(Checks(Lint(With(kGood, again, same))), Not(Contains("conflicting-output")))
        << same;
  }
}

TEST(Lint, FrontMatterIsNotCounted) {
  const Policy policy =
      MustRead("---\nid: tickets\nname: Ticket resale\n---\n" + std::string(kGood));
  std::size_t counted = 0;
  LintPolicy(policy, [&counted](std::string_view text) { return counted = text.size(); });
  EXPECT_EQ(counted, std::string_view(kGood).size()) << "front matter is not sent to the model";
}

TEST(Lint, HedgeWordsOutsideQuotations) {
  const std::string text =
      With(With(kGood, "Asks how resale works.", "Usually asks how resale works, in most cases."),
           "what I paid", "usually what I paid");
  const std::vector<Finding> findings = Lint(text);
  EXPECT_THAT(Checks(findings), ElementsAre("hedge-words", "hedge-words"));
  EXPECT_EQ(findings[0].line, 17);
  EXPECT_THAT(Checks(Lint(With(kGood, "Asks how", "Says \"generally\" or “usually” and asks how"))),
              IsEmpty());
}

TEST(Lint, MissingParts) {
  EXPECT_THAT(Checks(Lint("# Notes\n\nHello there.\n")),
              ElementsAre("no-rules", "output-instruction"));
  EXPECT_EQ(Lint("").front().severity, Severity::kError);
  EXPECT_THAT(Checks(Lint(With(kGood, "- Face value: the price printed on the ticket.\n", ""))),
              ElementsAre("definitions"));
  const std::string violating = "## Violates\n- ads\n";
  EXPECT_THAT(Checks(Lint(violating)), Contains("safe-criteria"));
  EXPECT_THAT(Checks(Lint(violating)), Contains("examples"));
  EXPECT_THAT(Checks(Lint("## Safe\n- ads\n")), Contains("violating-criteria"));
  EXPECT_THAT(Checks(Lint("## Group\n- ads\n")), Contains("unlabelled-sides"));
}

TEST(Lint, ExamplesOnOneSide) {
  const Finding finding =
      Only(Lint(With(kGood, "- \"Two seats, what I paid\" -> 0\n", "")), "examples-one-sided");
  EXPECT_EQ(finding.line, 21);
  EXPECT_THAT(finding.reason, HasSubstr("violating"));
  EXPECT_THAT(finding.mend, HasSubstr("safe"));
}

TEST(Lint, Ids) {
  EXPECT_EQ(Only(Lint(With(kGood, "- V2:", "- V1:")), "repeated-id").line, 13);
  const Finding undefined =
      Only(Lint(With(kGood, "Asks how resale works.", "Asks how resale works, see V7.")),
           "undefined-id");
  EXPECT_EQ(undefined.line, 17);
  EXPECT_THAT(undefined.reason, HasSubstr("V7"));
  // A stranger in a list of ids is meant as one; a stranger elsewhere is a word.
  EXPECT_EQ(Only(Lint(With(kGood, "Asks how resale works.", "Is none of V1, V2, or QX1.")),
                 "undefined-id")
                .line,
            17);
  EXPECT_THAT(Checks(Lint(With(kGood, "Asks how resale works.", "Asks about MP3 or COVID-19."))),
              IsEmpty());
  EXPECT_EQ(
      Only(Lint(With(kGood, "\"Two seats, what I paid\" -> 0", "\"x\" -> V9")), "undefined-id")
          .line,
      23);
  EXPECT_EQ(Only(Lint("## SP2: Ads\n- a\n## SP2: Fraud\n- b\n"), "repeated-id").line, 3);
}

TEST(Lint, Precedence) {
  const auto lines = [](const std::string& rules) {
    std::vector<int> found;
    for (const Finding& one : Lint("## Precedence\n" + rules)) {
      if (one.check == "contradictory-precedence") {
        found.push_back(one.line);
      }
    }
    return found;
  };
  EXPECT_THAT(lines("- SP4 over SP3\n- SP3 over SP4\n"), ElementsAre(3));
  EXPECT_THAT(lines("- SP4 over SP3\n- SP3 overrides SP2\n- SP2 takes precedence over SP4\n"),
              ElementsAre(4));
  EXPECT_THAT(lines("- SP4 > SP3 > SP2\n- SP4 yields to SP2\n"), ElementsAre(3));
  EXPECT_THAT(lines("Order of precedence: SP4, SP3, SP2\nOrder of precedence: SP2, SP3, SP4\n"),
              ElementsAre(3, 3));
  EXPECT_THAT(lines("- If several apply, the most severe wins.\n- The first match wins.\n"),
              ElementsAre(3));
  EXPECT_THAT(lines("- Exceptions override prohibitions.\n- Violations override exceptions.\n"),
              ElementsAre(3));
  EXPECT_THAT(lines("- If in doubt, treat it as safe.\n- When unclear, treat it as a violation.\n"),
              ElementsAre(3));
  EXPECT_THAT(lines("- SP4 over SP3\n- SP3 over SP2\n- SP4 over SP2\n- The most severe wins.\n- If "
                    "unclear, downgrade by one.\n- Use the highest severity when several apply.\n"),
              IsEmpty());
}

TEST(Lint, SeveralLevelsWantAnOrder) {
  const std::string levels =
      "## SP0: Fine\n- a\nOutput: VALID\n## SP2: Ads\n- b\nOutput: INVALID\n## SP3: Fraud\n- "
      "c\nOutput: INVALID\n";
  EXPECT_EQ(Only(Lint(levels), "precedence").severity, Severity::kHint);
  EXPECT_THAT(Checks(Lint(levels + "\n## Precedence\nSP3 over SP2\n")),
              Not(Contains("precedence")));
}

TEST(Lint, EscalationIsAHint) {
  const std::string text = With(kGood,
                                "If it is unclear whether a price is named, answer 0 and "
                                "escalate.\n",
                                "");
  EXPECT_THAT(Checks(Lint(text)), ElementsAre("escalation"));
  EXPECT_THAT(Checks(Lint(text), Severity::kWarning), IsEmpty());
}

TEST(Lint, Length) {
  const Policy policy = MustRead(kGood);
  const auto of = [&policy](std::size_t tokens) {
    return LintPolicy(policy, [tokens](std::string_view) { return tokens; });
  };
  EXPECT_THAT(Checks(of(600)), IsEmpty());
  EXPECT_EQ(Only(of(601), "length").severity, Severity::kWarning);
  EXPECT_EQ(Only(of(10'000), "length").severity, Severity::kWarning);
  EXPECT_EQ(Only(of(10'001), "length").severity, Severity::kError);
  EXPECT_THAT(Only(of(601), "length").reason, HasSubstr("601"));
  EXPECT_THAT(Only(LintPolicy(policy, {}), "length").reason, HasSubstr("could not be checked"));
}

TEST(Lint, AnswerCue) {
  for (const char* cue : {"\nContent: [CONTENT]\nAnswer (0 or 1):\n", "\nClassification:",
                          "\n**Label**:\n\n", "\nContent: {{content}}\n", "\n---\nAnswer: ___\n"}) {
    EXPECT_THAT(Checks(Lint(kGood + std::string(cue))), ElementsAre("answer-cue")) << cue;
  }
  EXPECT_EQ(Only(Lint(kGood + std::string("\nContent: [X]\nAnswer:\n")), "answer-cue").line, 25);
  EXPECT_THAT(Checks(Lint(kGood + std::string("\nContent: \"hi\"\nAnswer: 0\n"))), IsEmpty());
}

TEST(Lint, TemplatesAndFences) {
  EXPECT_EQ(Only(Lint(With(kGood, "Asks how resale works.", "[Acceptable 2]")), "placeholder").line,
            17);
  EXPECT_EQ(
      Only(Lint(With(kGood, "## Definitions\n", "```\n## Definitions\n")), "unclosed-fence").line,
      8);
}

TEST(Lint, ManyFindingsAreCounted) {
  std::string text = kGood;
  for (int i = 0; i < 80; ++i) {
    text += "\nGenerally.\n";
  }
  const std::vector<Finding> findings =
      Lint(With(With(text, "## Examples\n", "## Notes\n"), "- \"Two", "- \"Two"));
  EXPECT_EQ(std::ranges::count(findings, "hedge-words", &Finding::check), 50);
}

}  // namespace
}  // namespace safeguard::moderation
