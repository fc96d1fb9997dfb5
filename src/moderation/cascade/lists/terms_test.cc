#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "moderation/cascade/fold.h"
#include "moderation/cascade/lists/term_index.h"

namespace safeguard::moderation::lists {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Term = TermIndex::Term;
using Found = std::vector<std::string>;

// What is found, as it stands in the text, in order.
Found Find(const std::vector<Term>& terms, const std::string& text) {
  const auto index = TermIndex::Compile(terms).value();
  const Folded folded = Fold(text);
  Found found;
  EXPECT_TRUE(index->Find(
      folded.text, [](std::uint32_t) { return true; },
      [&](std::uint32_t, std::size_t begin, std::size_t end) {
        const auto [from, to] = folded.MapBack(begin, end);
        found.push_back(text.substr(from, to - from));
      }));
  return found;
}

Term Word(const std::string& value, TermMatch match = TermMatch::kWord) {
  return {value, match, 0, false};
}
Term Allow(const std::string& value) {
  return {value, TermMatch::kWord, 0, true};
}

TEST(Terms, StandAtWordBoundaries) {
  EXPECT_THAT(Find({Word("cunt")}, "Scunthorpe United"), IsEmpty());
  EXPECT_THAT(Find({Word("ass")}, "ASS, (ass) _ass_ class assess"),
              ElementsAre("ASS", "ass", "ass"));
  EXPECT_THAT(Find({Word("ass", TermMatch::kPrefix)}, "assess class"), ElementsAre("ass"));
  EXPECT_THAT(Find({Word("ass", TermMatch::kSuffix)}, "assess bad-ass classes jackass"),
              ElementsAre("ass", "ass"));
  EXPECT_THAT(Find({Word("ass", TermMatch::kAnywhere)}, "class"), ElementsAre("ass"));
}

TEST(Terms, KnowOtherAlphabets) {
  EXPECT_THAT(Find({Word("GRÜNE")}, "die Grüne und grünen"), ElementsAre("Grüne"));
  EXPECT_THAT(Find({Word("водка")}, "ВОДКА, водкам"), ElementsAre("ВОДКА"));
  EXPECT_THAT(Find({Word("cafe")}, "cafe\u0301 cafe"), ElementsAre("cafe"))
      << "an accent makes another letter";
  EXPECT_THAT(Find({Word("cafe\u0301")}, "Café"), ElementsAre("Café"));
  EXPECT_THAT(Find({Word("赌博")}, "网上赌博网站"), ElementsAre("赌博"))
      << "no spaces, no boundaries";
  EXPECT_THAT(Find({Word("도박")}, "온라인도박은"), ElementsAre("도박"));
}

TEST(Terms, PhrasesSpanAnyWhiteSpace) {
  EXPECT_THAT(Find({Word("free  money")}, "Free\n\t MONEY"), ElementsAre("Free\n\t MONEY"));
}

TEST(Terms, AreCancelledInsideAllowedPhrasesOnly) {
  const std::vector<Term> terms = {Word("cock"), Allow("cock-a-leekie"), Allow("bare cock pit")};
  EXPECT_THAT(Find(terms, "Cock-a-leekie soup"), IsEmpty());
  EXPECT_THAT(Find(terms, "cock-a-leekie and cock"), ElementsAre("cock"));
  EXPECT_THAT(Find({Word("a b c"), Allow("a b"), Allow("b c")}, "a b c"), ElementsAre("a b c"))
      << "two phrases that overlap do not cover what neither holds";
}

// Against the definition, on a small alphabet.
TEST(Terms, AreWhatTheDefinitionSays) {
  const auto word =
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', 'b', '-')));
  const auto match = rc::gen::element(TermMatch::kWord, TermMatch::kPrefix, TermMatch::kSuffix,
                                      TermMatch::kAnywhere);
  EXPECT_TRUE(rc::check([&] {
    std::vector<Term> terms;
    const auto count = *rc::gen::inRange<std::uint32_t>(1, 5);
    for (std::uint32_t i = 0; i < count; ++i) {
      terms.push_back({*word, *match, i, i > 1 && *rc::gen::arbitrary<bool>()});
    }
    const auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b', '-', ' '));
    std::vector<std::pair<std::size_t, std::size_t>> allowed;
    std::set<std::tuple<std::uint32_t, std::size_t, std::size_t>> expected;
    for (const bool allows : {true, false}) {
      for (const Term& term : terms) {
        for (std::size_t at = text.find(term.value);
             term.allows == allows && at != std::string::npos; at = text.find(term.value, at + 1)) {
          const std::size_t end = at + term.value.size();
          const bool held = std::ranges::any_of(
              allowed, [&](const auto& span) { return span.first <= at && end <= span.second; });
          if (!StandsAs(term.match, text, at, end)) {
            continue;
          }
          if (allows) {
            allowed.emplace_back(at, end);
          } else if (!held) {
            expected.emplace(term.entry, at, end);
          }
        }
      }
    }
    const auto index = TermIndex::Compile(terms);
    RC_ASSERT(index.has_value());
    std::set<std::tuple<std::uint32_t, std::size_t, std::size_t>> found;
    RC_ASSERT((*index)
                  ->Find(
                      text, [](std::uint32_t) { return true; },
                      [&](std::uint32_t entry, std::size_t begin, std::size_t end) {
                        found.emplace(entry, begin, end);
                      })
                  .has_value());
    RC_ASSERT(found == expected);
  }));
}

}  // namespace
}  // namespace safeguard::moderation::lists
