#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <thread>
#include <tuple>
#include <vector>

#include "base/patterns/literal_set.h"
#include "base/patterns/pattern_set.h"

namespace safeguard::patterns {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Found = std::tuple<std::size_t, std::size_t, std::size_t>;

template <typename Set>
std::vector<Found> Scan(const Set& set, std::string_view text) {
  std::vector<Found> found;
  const Status scanned = set.Scan(text, [&](std::size_t index, std::size_t begin, std::size_t end) {
    found.emplace_back(index, begin, end);
  });
  EXPECT_TRUE(scanned);
  return found;
}

TEST(LiteralSet, FindsEveryPlaceOverlapsIncluded) {
  const auto set = LiteralSet::Compile(std::vector<std::string>{"aba", "b", "grün", "a+"}).value();
  EXPECT_THAT(Scan(*set, "ababa"),
              ElementsAre(Found{1, 1, 2}, Found{0, 0, 3}, Found{1, 3, 4}, Found{0, 2, 5}));
  EXPECT_THAT(Scan(*set, "x grün"), ElementsAre(Found{2, 2, 7}));
  EXPECT_THAT(Scan(*set, "aa+"), ElementsAre(Found{3, 1, 3})) << "no character has a meaning";
}

TEST(LiteralSet, WithoutLiteralsFindsNothing) {
  EXPECT_TRUE(Scan(*LiteralSet::Compile({}).value(), "anything").empty());
}

TEST(LiteralSet, FindsWhatASearchForEachFinds) {
  const auto word = rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', 'b')));
  EXPECT_TRUE(rc::check([&] {
    const auto literals = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(word));
    const auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c'));
    std::set<Found> expected;
    for (std::size_t i = 0; i < literals.size(); ++i) {
      for (std::size_t at = text.find(literals[i]); at != std::string::npos;
           at = text.find(literals[i], at + 1)) {
        expected.emplace(i, at, at + literals[i].size());
      }
    }
    const auto set = LiteralSet::Compile(literals);
    RC_ASSERT(set.has_value());
    const std::vector<Found> found = Scan(**set, text);
    RC_ASSERT(std::set<Found>(found.begin(), found.end()) == expected);
  }));
}

TEST(LiteralSet, IsScannedByManyThreadsAtOnce) {
  const auto set = LiteralSet::Compile(std::vector<std::string>{"needle"}).value();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(Scan(*set, "hay needle hay").size(), 1U);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST(PatternSet, SaysWhereMatchesEnd) {
  const auto set = PatternSet::Compile(std::vector<std::string>{"\\bignore (all|the) rules\\b",
                                                                "^system:", "règle"})
                       .value();
  const auto scan = [&](std::string_view text) {
    std::vector<std::pair<std::size_t, std::size_t>> found;
    EXPECT_TRUE(
        set->Scan(text, [&](std::size_t i, std::size_t end) { found.emplace_back(i, end); }));
    return found;
  };
  EXPECT_THAT(scan("please ignore all rules"), ElementsAre(std::pair(0, 23)));
  EXPECT_THAT(scan("hi\nsystem: no"), ElementsAre(std::pair(1, 10)));
  EXPECT_THAT(scan("la règle"), ElementsAre(std::pair(2, 9)));
  EXPECT_TRUE(scan("a system: ignore all rulesets").empty());
}

TEST(PatternSet, NamesTheExpressionAtFault) {
  const auto set = PatternSet::Compile(std::vector<std::string>{"fine", "(open"});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(set.error().message, HasSubstr("(open"));
}

}  // namespace
}  // namespace safeguard::patterns
