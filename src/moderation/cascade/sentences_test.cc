#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/unicode/characters.h"
#include "base/utf8.h"
#include "moderation/views.h"

namespace safeguard::moderation {
namespace {

using testing::ElementsAre;

std::vector<std::string> Split(std::string_view text, std::size_t bytes_max = 1000) {
  std::vector<std::string> pieces;
  for (const auto& [begin, end] : Sentences(text, bytes_max)) {
    pieces.emplace_back(text.substr(begin, end - begin));
  }
  return pieces;
}

TEST(Sentences, FollowsStopsAndLines) {
  EXPECT_THAT(Split("One is here. Two? Three!  "), ElementsAre("One is here.", "Two?", "Three!"));
  EXPECT_THAT(Split("- first\n- second\r\n\r\n* third"),
              ElementsAre("- first", "- second", "* third"));
  EXPECT_THAT(Split("Wow!Nice?Yes"), ElementsAre("Wow!", "Nice?", "Yes"));
  EXPECT_THAT(Split("It cost 3.50 in the U.S.A. at least."),
              ElementsAre("It cost 3.50 in the U.S.A. at least."));
  EXPECT_THAT(Split("今天天气很好。我们去公园！好吗？"),
              ElementsAre("今天天气很好。", "我们去公园！", "好吗？"));
  EXPECT_THAT(Split("यह एक है। यह दो है।"), ElementsAre("यह एक है।", "यह दो है।"));
  EXPECT_THAT(Split(""), ElementsAre());
  EXPECT_THAT(Split(" \n\t\u3000\u00A0 "), ElementsAre());
}

TEST(Sentences, LongOnesAreCutAtWords) {
  EXPECT_THAT(Split("one two three four", 10), ElementsAre("one two", "three four"));
  EXPECT_THAT(Split("abcdefghij", 4), ElementsAre("abcd", "efgh", "ij"));
  EXPECT_THAT(Split("ééé", 3), ElementsAre("é", "é", "é"));
  EXPECT_THAT(Split("中文", 1), ElementsAre("中", "文"));  // a code point at least
  EXPECT_THAT(Split("word,next-thing", 8), ElementsAre("word,", "next-", "thing"));
}

TEST(Sentences, AWordOfTenMegabytesIsCutInLinearTime) {
  const std::string text(std::size_t{10} << 20, 'a');
  const auto pieces = Sentences(text, 1000);
  EXPECT_EQ(pieces.size(), (text.size() + 999) / 1000);
  EXPECT_EQ(pieces.back().second, text.size());
}

// Together the ranges hold all that is not white space, in order, within the limit.
void CheckCover(std::string_view text, std::size_t bytes_max) {
  const auto pieces = Sentences(text, bytes_max);
  std::size_t next = 0;
  std::size_t piece = 0;
  for (std::size_t i = 0; i < text.size();) {
    const DecodedCodePoint point = DecodeUtf8(text, i);
    while (piece < pieces.size() && pieces[piece].second <= i) {
      ++piece;
    }
    const bool inside = piece < pieces.size() && pieces[piece].first <= i;
    RC_ASSERT(inside || unicode::KindOf(point.value) == unicode::Kind::kSpace);
    i += point.length;
  }
  for (const auto& [begin, end] : pieces) {
    RC_ASSERT(next <= begin);
    RC_ASSERT(begin < end);
    RC_ASSERT(end <= text.size());
    RC_ASSERT(end - begin <= std::max(bytes_max, std::size_t{DecodeUtf8(text, begin).length}));
    RC_ASSERT(!FirstInvalidUtf8(text.substr(begin, end - begin)));
    next = end;
  }
}

TEST(Sentences, CoverAllThatIsNotWhiteSpace) {
  static const std::vector<std::string> all_pieces = {
      "word", "a",      "Mr. ", ". ", "?",   "!",      "。",     " ",      "\n",
      "\r\n", "\u2029", "中文", "é",  "ไทย", "\u00A0", "\u3000", "\u0301", "\U0001F469\u200D",
      "3.14", "\"",     ")",    "\t"};
  EXPECT_TRUE(rc::check([] {
    std::string text;
    for (const std::string& piece :
         *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(all_pieces))) {
      text += piece;
    }
    CheckCover(text, *rc::gen::inRange<std::size_t>(1, 40));
  }));
}

}  // namespace
}  // namespace safeguard::moderation
