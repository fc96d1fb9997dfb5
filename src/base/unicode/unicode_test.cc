#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/unicode/breaks.h"
#include "base/unicode/characters.h"
#include "base/unicode/confusables.h"
#include "base/unicode/normalize.h"

namespace safeguard::unicode {
namespace {

TEST(Characters, KindsAndScripts) {
  EXPECT_EQ(KindOf(U'a'), Kind::kLetter);
  EXPECT_EQ(KindOf(U'\u0301'), Kind::kMark);
  EXPECT_EQ(KindOf(U'\u0663'), Kind::kDigit);
  EXPECT_EQ(KindOf(U'\u2167'), Kind::kNumber);
  EXPECT_EQ(KindOf(U'\u00A0'), Kind::kSpace);
  EXPECT_EQ(KindOf(U'\n'), Kind::kSpace);
  EXPECT_EQ(KindOf(U'\u3002'), Kind::kPunctuation);
  EXPECT_EQ(KindOf(U'$'), Kind::kSymbol);
  EXPECT_EQ(KindOf(U'\u200B'), Kind::kOther);
  EXPECT_EQ(ScriptOf(U'\u0436'), Script::kCyrillic);
  EXPECT_EQ(ScriptOf(U'1'), Script::kCommon);
  EXPECT_TRUE(JoinersCarryMeaning(ScriptOf(U'\u0645')));
  EXPECT_FALSE(JoinersCarryMeaning(Script::kLatin));
}

TEST(Characters, IgnorableAndPictograph) {
  for (const char32_t c : {U'\u00AD', U'\u200B', U'\u202E', U'\u2060', U'\uFE0F', U'\U000E0041'}) {
    EXPECT_TRUE(IsIgnorable(c)) << static_cast<unsigned>(c);
  }
  EXPECT_FALSE(IsIgnorable(U' '));
  EXPECT_TRUE(IsPictograph(U'\u2764'));
  EXPECT_FALSE(IsPictograph(U'3'));
}

TEST(Confusables, OnlyLookalikesHaveALatinLetter) {
  EXPECT_EQ(LatinLookalike(U'\u0430'), 'a');  // Cyrillic а
  EXPECT_EQ(LatinLookalike(U'\u0455'), 's');
  EXPECT_EQ(LatinLookalike(U'\u041C'), 'M');
  EXPECT_EQ(LatinLookalike(U'\u0406'), 'I');
  EXPECT_EQ(LatinLookalike(U'\u0456'), 'i');
  EXPECT_EQ(LatinLookalike(U'\u03BF'), 'o');  // Greek ο
  EXPECT_EQ(LatinLookalike(U'\u0436'), '\0');
  EXPECT_EQ(LatinLookalike(U'\u043A'), '\0');
  EXPECT_EQ(LooseLatinLookalike(U'\u043A'), 'k');
  EXPECT_EQ(LatinLookalike(U'\u00E9'), '\0');
  EXPECT_EQ(LatinLookalike(U'\u0131'), '\0');  // Turkish has its own use for it
  EXPECT_EQ(LatinLookalike(U'\u4E00'), '\0');
  EXPECT_EQ(PlainLatin(U'\u1D0B'), 'k');
  EXPECT_EQ(PlainLatin(U'\u00F8'), '\0');
}

TEST(Normalize, CompatibilityAndComposition) {
  EXPECT_EQ(CompatibilityOf(U'\uFF41'), Compatibility::kStyle);
  EXPECT_EQ(CompatibilityOf(U'\u00E9'), Compatibility::kNone);
  EXPECT_EQ(Nfkc(U'\U0001D4D0'), U"A");
  EXPECT_EQ(Nfkc(U'\uFB03'), U"ffi");
  EXPECT_EQ(Nfc(U"e\u0323\u0302"), U"\u1EC7");
}

TEST(Breaks, SentencesAndWords) {
  EXPECT_THAT(SentenceEnds("One. Two! 3"), testing::ElementsAre(5, 10, 11));
  EXPECT_TRUE(SentenceEnds("").empty());
  EXPECT_EQ(LastWordBoundary("hello world", 8), 6U);
  EXPECT_EQ(LastWordBoundary("hello", 3), 0U);
}

TEST(Breaks, ThreadsDoNotShareTheirWalk) {
  std::vector<std::jthread> threads;
  std::vector<std::size_t> counts(4);
  for (std::size_t t = 0; t < counts.size(); ++t) {
    threads.emplace_back([&counts, t] {
      std::string text;
      for (std::size_t i = 0; i < 100 * (t + 1); ++i) {
        text += "This is one. ";
      }
      for (int round = 0; round < 20; ++round) {
        counts[t] = SentenceEnds(text).size();
      }
    });
  }
  threads.clear();
  EXPECT_THAT(counts, testing::ElementsAre(100, 200, 300, 400));
}

}  // namespace
}  // namespace safeguard::unicode
