#include "engine/text/o200k/newer_letters.h"

#include <gtest/gtest.h>

#include "engine/text/o200k_split.h"

namespace safeguard::engine {
namespace {

std::vector<std::string> Pieces(const std::string& text) {
  const O200kSplit split;
  std::vector<std::string> pieces;
  split.ForEachPiece(text, [&](std::size_t begin, std::size_t end) {
    pieces.push_back(text.substr(begin, end - begin));
  });
  return pieces;
}

TEST(NewerLetters, OldTextStaysAsItIs) {
  EXPECT_FALSE(WithoutNewerLetters(""));
  EXPECT_FALSE(WithoutNewerLetters("Plain text, \u00E9\u4E2D\u0301\U0001F642 and \uA7C9"));
}

TEST(NewerLetters, StandInsHaveTheSameLength) {
  const std::string text = "a\u0897\u1C89\u1C8A\U00010D50\U00010D70\U00016100\U00016130\U00011F00.";
  const auto changed = WithoutNewerLetters(text);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->size(), text.size());
  EXPECT_EQ(*changed, "a\u302A\u1E00\u1E01\U00010400\U00010428\U00020000\U0001D7CE\U0001D165.");
}

TEST(NewerLetters, SplitAsWhatTheyAre) {
  // Letters go on with letters, and a new word begins at an upper case letter after a lower one.
  EXPECT_EQ(Pieces("a\U0001E4D0!"), (std::vector<std::string>{"a\U0001E4D0", "!"}));
  EXPECT_EQ(Pieces("\U00010D70\U00010D50\U00010D70"),
            (std::vector<std::string>{"\U00010D70", "\U00010D50\U00010D70"}));
  EXPECT_EQ(Pieces("1\U000116D02\U000116D13"),
            (std::vector<std::string>{"1\U000116D02", "\U000116D13"}));
  EXPECT_EQ(Pieces("a\u0897b"), (std::vector<std::string>{"a\u0897b"}));
  EXPECT_EQ(Pieces("! \U00031350\U000323AF"),
            (std::vector<std::string>{"!", " \U00031350\U000323AF"}));
  // Unicode 17 and what is unassigned count as symbols.
  EXPECT_EQ(Pieces("a\U00010940\U000323B0b"),
            (std::vector<std::string>{"a", "\U00010940\U000323B0", "b"}));
}

}  // namespace
}  // namespace safeguard::engine
