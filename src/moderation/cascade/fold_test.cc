#include "moderation/cascade/fold.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/utf8.h"

namespace safeguard::moderation {
namespace {

TEST(Fold, LowersCaseAndFoldsWhiteSpace) {
  EXPECT_EQ(Fold("Free \t\n MONEY").text, "free money");
  EXPECT_EQ(Fold("ÄRGER\u00a0\u2003Ωmega").text, "ärger ωmega");
  EXPECT_EQ(FoldedTrimmed("  A b \n"), "a b");
  EXPECT_EQ(FoldedTrimmed(" \n "), "");
}

TEST(Fold, KeepsLinesAndPlainsSignsWhenAsked) {
  EXPECT_EQ(Fold("A \n\n B", {.keep_lines = true}).text, "a\nb");
  const FoldOptions plain = {.keep_lines = false, .plain_signs = true};
  EXPECT_EQ(Fold("＜｜Start｜＞ “x” 【INST】 ‹a›", plain).text, "<|start|> \"x\" [inst] <a>");
}

TEST(Fold, MapsBackOverWhatChangedItsLength) {
  const std::string text = "x  \u212A \u0130z";  // two spaces, Kelvin sign, dotted capital I
  const Folded folded = Fold(text);
  EXPECT_EQ(folded.text, "x k i\u0307z");
  const auto back = [&](std::size_t begin, std::size_t end) {
    const auto [from, to] = folded.MapBack(begin, end);
    return text.substr(from, to - from);
  };
  EXPECT_EQ(back(2, 3), "\u212A");
  EXPECT_EQ(back(1, 2), "  ");
  EXPECT_EQ(back(4, 5), "\u0130") << "half of what a letter became stands for the letter";
  EXPECT_EQ(back(7, 8), "z");
  EXPECT_EQ(back(0, 8), text);
}

TEST(Fold, EveryPlaceMapsToWholeCodePointsInOrder) {
  const auto point = rc::gen::element<std::string>("a", "B", " ", "\n", "é", "\u212A", "\u0130",
                                                   "\u2003", "中", "😀", "ẞ");
  EXPECT_TRUE(rc::check([&] {
    std::string text;
    for (const std::string& piece : *rc::gen::container<std::vector<std::string>>(point)) {
      text += piece;
    }
    const Folded folded = Fold(text);
    RC_ASSERT(!FirstInvalidUtf8(folded.text).has_value());
    std::size_t last = 0;
    for (std::size_t at = 0; at < folded.text.size();) {
      const std::size_t end = at + DecodeUtf8(folded.text, at).length;
      const auto [from, to] = folded.MapBack(at, end);
      RC_ASSERT(from >= last || from + 2 >= last);  // a letter that became two maps twice
      RC_ASSERT(from < to && to <= text.size());
      RC_ASSERT(Fold(text.substr(from, to - from)).text.find(folded.text.substr(at, end - at)) !=
                std::string::npos);
      last = to;
      at = end;
    }
    RC_ASSERT(text.empty() || last == text.size());
  }));
}

}  // namespace
}  // namespace safeguard::moderation
