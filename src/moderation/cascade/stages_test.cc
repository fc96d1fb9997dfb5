// The stages behind CanonicalViews, each alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <optional>
#include <string>

#include "moderation/cascade/codecs.h"
#include "moderation/cascade/decode.h"
#include "moderation/cascade/despace.h"
#include "moderation/cascade/leet.h"
#include "moderation/cascade/mapped_text.h"
#include "moderation/cascade/normalise.h"
#include "moderation/cascade/plausible.h"
#include "moderation/cascade/scan.h"
#include "moderation/cascade/turn.h"

namespace safeguard::moderation {
namespace {

using testing::ElementsAre;

template <typename Stage>
std::string Apply(Stage stage, std::string_view text) {
  const std::optional<MappedText> made = stage(Identity(text));
  return made ? made->text : std::string(text);
}

std::string DecodeOnce(std::string_view text) {
  const std::optional<Decoded> decoded = Decode(Identity(text));
  return decoded ? decoded->text.text : std::string(text);
}

TEST(Rewriter, CopiesWhatIsBetweenEdits) {
  const MappedText source = Identity("abécd");
  Rewriter rewriter(source);
  rewriter.Replace(1, 4, "XYZ");
  rewriter.Replace(5, 6, "");
  const std::optional<MappedText> made = rewriter.Finish();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->text, "aXYZc");
  EXPECT_THAT(made->origin, ElementsAre(0, 1, 1, 1, 4));
  EXPECT_THAT(made->origin_end, ElementsAre(1, 4, 4, 4, 5));
}

TEST(Rewriter, NoChangeIsNothing) {
  const MappedText source = Identity("abc");
  Rewriter rewriter(source);
  rewriter.Replace(0, 1, "a");
  EXPECT_FALSE(rewriter.Finish());
}

TEST(Identity, MapsWholeCodePoints) {
  const MappedText text = Identity("aé中");
  EXPECT_THAT(text.origin, ElementsAre(0, 1, 1, 3, 3, 3));
  EXPECT_THAT(text.origin_end, ElementsAre(1, 3, 3, 6, 6, 6));
  const MappedText longer = Identity(std::string(5000, 'x'));
  EXPECT_EQ(longer.origin[4999], 4999U);
  EXPECT_EQ(longer.origin_end[4999], 5000U);
}

TEST(ResolveLookalikes, AWordOfLookalikesAsksItsNeighbours) {
  EXPECT_EQ(Apply(ResolveLookalikes, "сор"), "cop");
  EXPECT_EQ(Apply(ResolveLookalikes, "buy сор now"), "buy cop now");
  EXPECT_EQ(Apply(ResolveLookalikes, "это сор"), "это сор");
  EXPECT_EQ(Apply(ResolveLookalikes, "А сор — это рос"), "А сор — это рос");
  EXPECT_EQ(Apply(ResolveLookalikes, "μm Δt"), "μm Δt");
  EXPECT_EQ(Apply(ResolveLookalikes, "сοр"), "cop");  // Cyrillic and Greek in one word
  EXPECT_EQ(Apply(ResolveLookalikes, "ꮪꮯꭺꮇ ᏚᏟᎪᎷ"), Apply(ResolveLookalikes, "ꮪꮯꭺꮇ ᏚᏟᎪᎷ"));
}

TEST(ComposeMarks, KeepsWhatOrthographiesWrite) {
  EXPECT_EQ(Apply(ComposeMarks, "cafe\u0301"), "café");
  EXPECT_EQ(Apply(ComposeMarks, "e\u0323\u0302"), "ệ");
  EXPECT_EQ(Apply(ComposeMarks, "k\u0301\u0302\u0303ill"), "kill");
  EXPECT_EQ(Apply(ComposeMarks, "\u1112\u1161\u11ab"), "한");
  EXPECT_EQ(Apply(ComposeMarks, "الرَّحْمَٰنِ"), "الرَّحْمَٰنِ");
  EXPECT_EQ(Apply(ComposeMarks, "1\uFE0F\u20E3"), "1\uFE0F\u20E3");
}

TEST(DropUndrawn, KeepsSpellingAndPictures) {
  EXPECT_EQ(Apply(DropUndrawn, "می\u200Cخواهم"), "می\u200Cخواهم");
  EXPECT_EQ(Apply(DropUndrawn, "k\u200Cill"), "kill");
  EXPECT_EQ(Apply(DropUndrawn, "❤\uFE0F a\uFE0F"), "❤\uFE0F a");
  EXPECT_EQ(Apply(DropUndrawn, "葛\U000E0100"), "葛\U000E0100");
  EXPECT_EQ(Apply(DropUndrawn, "free\u3164money"), "free money");
  EXPECT_EQ(Apply(DropUndrawn, "k\bi\x7Fll\t\n"), "kill\t\n");
}

TEST(Despace, JoinsOnlyRunsOfThree) {
  EXPECT_EQ(Apply(Despace, "f r e e  m o n e y now"), "free money now");
  EXPECT_EQ(Apply(Despace, "k.i.l.l..y.o.u"), "kill you");
  EXPECT_EQ(Apply(Despace, "g o   t o   h e l l"), "go to hell");
  EXPECT_EQ(Apply(Despace, "a, b, c, d"), "a, b, c, d");
  EXPECT_EQ(Apply(Despace, "1 2 3 4"), "1 2 3 4");
  EXPECT_EQ(Apply(Despace, "e.g. this"), "e.g. this");
  EXPECT_EQ(Apply(Despace, "a b.c.d"), "a bcd");
  EXPECT_EQ(Apply(Despace, "it's a b"), "it's a b");
  EXPECT_EQ(Apply(Despace, "$ c a m"), "$cam");
  EXPECT_EQ(Apply(Despace, "b u $ h"), "bu$h");
  EXPECT_EQ(Apply(Despace, "r*@*c*1*$*t"), "r@c1$t");
  EXPECT_EQ(Apply(Despace, "b @ $ h e d"), "b@$hed");
  EXPECT_EQ(Apply(Despace, "b o $ $"), "bo$$");
  EXPECT_EQ(Apply(Despace, "k ! l l, a!b!c"), "k!ll, abc");
  EXPECT_EQ(Apply(Despace, "e\u0301 t e\u0301"), "e\u0301te\u0301");
  EXPECT_EQ(Apply(Despace, "杀 死 他"), "杀死他");
}

TEST(UndoLeet, ReadsWordsAndLeavesNumbers) {
  EXPECT_EQ(Apply(UndoLeet, "p0rn h4t3 1ove he11o k1ll k11l ki||er"),
            "porn hate love hello kill kill killer");
  EXPECT_EQ(Apply(UndoLeet, "ca$h c@sh a$$ $ex fu(k fr€€ @sshole n1gg3r"),
            "cash cash ass sex fuck free asshole nigger");
  for (const std::string_view text :
       {"42 3.14 24/7", "$100 $5k US$5 10€", "1st 2nd 5pm 10k 100MB", "covid19 route66",
        "me@mail.com http://a1b2.com/c3", "@someone", "wow! (see) +1 f(x) word(s)", "C++",
        "550e8400 deadbeef12345678", "Hello!World"}) {
    EXPECT_EQ(Apply(UndoLeet, text), text);
  }
}

TEST(Decode, UndoesWhatIsText) {
  EXPECT_EQ(DecodeOnce("see a2lsbCBhbGwgdGhlIHBlb3BsZSBub3c= ok"),
            "see kill all the people now ok");
  EXPECT_EQ(DecodeOnce("NNUWY3BAMFWGYIDUNBSSA4DFN5YGYZI="), "kill all the people");
  EXPECT_EQ(DecodeOnce("6b 69 6c 6c 20 74 68 65 6d"), "kill them");
  EXPECT_EQ(DecodeOnce("0x6b, 0x69, 0x6c, 0x6c, 0x20, 0x74, 0x68, 0x65, 0x6d"), "kill them");
  EXPECT_EQ(DecodeOnce("\\uD83D\\uDE00 \\u{6b}ill \\U0000006b"), "😀 kill k");
  EXPECT_EQ(DecodeOnce("%D0%BA%D0%BE%D1%82"), "кот");
  EXPECT_EQ(DecodeOnce("/path/a2lsbCBhbGwgdGhlIHBlb3BsZQ/x"), "/path/kill all the people/x");
  const std::string wrapped =
      "dGhpcyBpcyBhIGxvbmcgbWVzc2FnZSB0aGF0IGlzIHdyYXBw\r\nZWQgaW50byBsaW5lcyBieSBhIG1haWxlcg==";
  EXPECT_EQ(DecodeOnce(wrapped), "this is a long message that is wrapped into lines by a mailer");
}

TEST(Decode, LeavesTheRest) {
  for (const std::string_view text :
       {"Tom &amp; Jerry", "a%20b", "100% sure &", "state-of-the-art internationalization",
        "/usr/local/share/something/else", "550e8400e29b41d4a716446655440000",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "4111111111111111",
        "\\n \\u12 &#xD800; &#1; %FF%FE", "AAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(DecodeOnce(text), text);
  }
}

TEST(Codecs, RejectWrongLengths) {
  EXPECT_EQ(FromBase64("QUJD"), "ABC");
  EXPECT_EQ(FromBase64("QUI"), "AB");
  EXPECT_EQ(FromBase64("Q"), std::nullopt);
  EXPECT_EQ(FromHex("414"), std::nullopt);
  EXPECT_EQ(FromHex("4142"), "AB");
  EXPECT_EQ(FromBase32("IFBA"), "AB");
}

TEST(Turn, OnlyWhatReadsTheOtherWay) {
  const auto turn = [](std::string_view text) {
    return Apply([](const MappedText& t) { return TurnBackward(t, {}); }, text);
  };
  EXPECT_EQ(turn("uoy llik lliw I\nthis line is fine"), "I will kill you\nthis line is fine");
  EXPECT_EQ(turn("it was not on the dna of the era, you saw"),
            "it was not on the dna of the era, you saw");
  EXPECT_EQ(Apply(UndoRot13, "Gur dhvpx: V jvyy xvyy lbh"), "The quick: I will kill you");
  EXPECT_THAT(OverriddenRanges("a\u202Ebc\u202Cd\n\u202Eef\ng"),
              ElementsAre(ByteRange(4, 6), ByteRange(14, 16)));
}

// The scan may suspect too much, never too little.
TEST(Scan, NothingSuspectedMeansNothingFound) {
  static const std::vector<std::string> all_pieces = {"a",
                                                   "b",
                                                   "k",
                                                   "1",
                                                   "0",
                                                   "33",
                                                   "$",
                                                   "@",
                                                   "!",
                                                   "|",
                                                   "+",
                                                   "(",
                                                   ")",
                                                   " ",
                                                   "  ",
                                                   ".",
                                                   ", ",
                                                   "-",
                                                   "\n",
                                                   "kill",
                                                   "the",
                                                   "uoy",
                                                   "eht",
                                                   "gur",
                                                   "lbh",
                                                   "%41",
                                                   "%2",
                                                   "&#107;",
                                                   "&shy;",
                                                   "&amp;",
                                                   "\\u0061",
                                                   "\\x61",
                                                   "6b ",
                                                   "0x6b,",
                                                   "QUJDREVGR0hJSktM",
                                                   "a2lsbCBhbGwgdGhlIHBlb3Bs",
                                                   "_",
                                                   "'"};
  EXPECT_TRUE(rc::check([] {
    std::string text;
    for (const std::string& piece :
         *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(all_pieces))) {
      text += piece;
    }
    const Suspicion suspicion = Scan(text);
    const MappedText source = Identity(text);
    RC_ASSERT(suspicion.undrawn || !Normalise(source));
    RC_ASSERT(suspicion.encoded || !Decode(source));
    RC_ASSERT(suspicion.spaced || !Despace(source));
    RC_ASSERT(suspicion.leet || !UndoLeet(source));
    RC_ASSERT(suspicion.turned || (!TurnBackward(source, {}) && !UndoRot13(source)));
  }));
}

}  // namespace
}  // namespace safeguard::moderation
