#include "engine/text/o200k_split.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "base/utf8.h"
#include "engine/text/test_runs.h"

namespace safeguard::engine {
namespace {

using Pieces = std::vector<std::string>;

Pieces Split(const O200kSplit& split, const std::string& text) {
  Pieces pieces;
  split.ForEachPiece(text, [&](std::size_t begin, std::size_t end) {
    pieces.push_back(text.substr(begin, end - begin));
  });
  return pieces;
}

TEST(O200kSplit, Pieces) {
  const O200kSplit split;
  EXPECT_EQ(Split(split, ""), Pieces{});
  EXPECT_EQ(Split(split, "Hello world"), (Pieces{"Hello", " world"}));
  EXPECT_EQ(Split(split, "hello  world"), (Pieces{"hello", " ", " world"}));
  EXPECT_EQ(Split(split, "camelCaseHTTPServer"), (Pieces{"camel", "Case", "HTTPServer"}));
  EXPECT_EQ(Split(split, "IT'S don'T"), (Pieces{"IT'S", " don'T"}));
  EXPECT_EQ(Split(split, "1234567"), (Pieces{"123", "456", "7"}));
  EXPECT_EQ(Split(split, "a \n\n  b"), (Pieces{"a", " \n\n", " ", " b"}));
  EXPECT_EQ(Split(split, "a!?/\n/ b"), (Pieces{"a", "!?/\n/", " b"}));
  EXPECT_EQ(Split(split, "x   "), (Pieces{"x", "   "}));
}

TEST(O200kSplit, MongolianVowelSeparatorIsNoSpace) {
  EXPECT_EQ(Split(O200kSplit{}, " \u180E "), (Pieces{" \u180E", " "}));
}

TEST(O200kSplit, NextLineIsASpace) {
  EXPECT_EQ(Split(O200kSplit{}, "!\u0085!"), (Pieces{"!", "\u0085", "!"}));
}

TEST(O200kSplit, JitAndInterpreterAgreeAndCoverTheText) {
  const O200kSplit jit(O200kSplit::Matcher::kJit);
  const O200kSplit interpreter(O200kSplit::Matcher::kInterpreter);
  EXPECT_TRUE(rc::check([&](const std::vector<std::uint32_t>& numbers) {
    std::string text;
    for (const std::uint32_t number : numbers) {
      const std::uint32_t c = number % (number % 5 == 0 ? 0x110000 : 0x180);
      AppendUtf8(c >= 0xD800 && c <= 0xDFFF ? U'\n' : c, text);
    }
    const Pieces pieces = Split(jit, text);
    RC_ASSERT(pieces == Split(interpreter, text));
    std::string joined;
    for (const std::string& piece : pieces) {
      RC_ASSERT(!piece.empty());
      joined += piece;
    }
    RC_ASSERT(joined == text);
  }));
}

TEST(O200kSplit, LongRunsOfEveryKind) {
  for (const auto matcher : {O200kSplit::Matcher::kJit, O200kSplit::Matcher::kInterpreter}) {
    const O200kSplit split(matcher);
    for (const std::string unit :
         {"a", "A", "Aa", "aA", "\u4E2D", "\u0301", "1", "!", " ", "\n", " \n", "\t ", "/", "\r",
          "'s", "\u01C5", "\u3000", "\U0001F642"}) {
      const std::string text = test::Run(unit, 1'000'000);
      std::size_t end = 0;
      split.ForEachPiece(text, [&](std::size_t from, std::size_t to) {
        ASSERT_EQ(from, end);
        end = to;
      });
      EXPECT_EQ(end, text.size()) << unit;
    }
  }
}

}  // namespace
}  // namespace safeguard::engine
