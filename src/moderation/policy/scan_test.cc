#include "moderation/policy/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "moderation/policy/fields.h"
#include "moderation/policy/ids.h"
#include "moderation/policy/lines.h"
#include "moderation/policy/sides.h"

namespace safeguard::moderation::reading {
namespace {

using ::testing::ElementsAre;

TEST(Scan, Words) {
  EXPECT_THAT(Words("Non-violating: it doesn’t, “ok”!"),
              ElementsAre("non", "violating", "it", "doesn't", "ok"));
  EXPECT_THAT(Words("ÄRGER Запрещено نمی‌شود"),
              ElementsAre("ärger", "запрещено", "نمی‌شود"));
  EXPECT_EQ(Words("a b c d", 2).size(), 2U);
}

TEST(Scan, StripMarkup) {
  EXPECT_EQ(StripMarkup("**SP2.a** `x` \\! [text](http://y) [Z]"), "SP2.a x ! text [Z]");
  EXPECT_EQ(StripMarkup("*all of it*"), "all of it");
  EXPECT_EQ(StripMarkup("2 * 3 * 4"), "2 * 3 * 4");
}

TEST(Scan, TrimsSpacesThatAreNotSeen) {
  EXPECT_EQ(Trim("\xC2\xA0\xE2\x80\xAF x \xE2\x80\x8B\t"), "x");
  EXPECT_EQ(Trim(""), "");
}

TEST(Scan, Unquote) {
  EXPECT_EQ(Unquote(" “a” "), "a");
  EXPECT_EQ(Unquote("\"a\""), "a");
  EXPECT_EQ(Unquote("a\""), "a\"");
  EXPECT_EQ(Unquote("\""), "\"");
}

TEST(Scan, Slug) {
  EXPECT_EQ(Slug("Spam & Ads: v2 "), "spam-ads-v2");
  EXPECT_EQ(Slug("سیاست"), "");
}

TEST(Ids, Match) {
  const auto id = [](std::string_view text) {
    const auto match = MatchId(text);
    return match ? match->id : std::string("-");
  };
  EXPECT_EQ(id("SP2.a Cold"), "SP2.a");
  EXPECT_EQ(id("TVEC.01: x"), "TVEC.01");
  EXPECT_EQ(id("R-3 x"), "R-3");
  EXPECT_EQ(id("D1.2.iv) x"), "D1.2.iv");
  EXPECT_EQ(id("[H1] x"), "H1");
  EXPECT_EQ(id("Level 2: x"), "Level 2");
  EXPECT_EQ(id("1.2 x"), "1.2");
  EXPECT_EQ(id("SP2-related x"), "-");
  EXPECT_EQ(id("MP3player"), "-");
  EXPECT_EQ(id("Sentence one"), "-");
  EXPECT_EQ(id("2024 was"), "-");
  EXPECT_EQ(MatchId("SP2.a.iii")->parent, "SP2.a");
}

TEST(Ids, SeverityIsNotAListNumber) {
  EXPECT_EQ(SeverityOf(*MatchId("SP0")), 0);
  EXPECT_EQ(SeverityOf(*MatchId("Level 3")), 3);
  EXPECT_FALSE(SeverityOf(*MatchId("R-3")).has_value());
  EXPECT_FALSE(SeverityOf(*MatchId("TVEC.01")).has_value());
}

TEST(Ids, Tokens) {
  EXPECT_THAT(IdTokens("D-SP2, R-SP0 (see #TVEC1) and xSP9"), ElementsAre("SP2", "SP0", "TVEC1"));
}

TEST(Sides, Titles) {
  EXPECT_EQ(ReadTitleCue("Does NOT violate").side, Side::kSafe);
  EXPECT_EQ(ReadTitleCue("What isn't allowed").side, Side::kViolating);
  EXPECT_TRUE(ReadTitleCue("Allowed and not allowed").mixed);
  EXPECT_EQ(ReadTitleCue("Safety first").side, Side::kNone);
  EXPECT_EQ(ReadTitleCue("Prohibited, no exceptions").side, Side::kViolating);
  EXPECT_EQ(ReadTitleCue("Exceptions to prohibited content").side, Side::kSafe);
}

TEST(Sides, Labels) {
  for (const char* label : {"1", "INVALID", "violates", "yes", "S=1, H=0", "{\"violation\": 1}",
                            "Not allowed", "INVALID + ESCALATE", "`unsafe`", "true"}) {
    EXPECT_EQ(LabelSide(label), Side::kViolating) << label;
  }
  for (const char* label : {"0", "VALID", "Non-violating", "no", "S=0, all others = 0",
                            "{\"violation\": false}", "safe", "Not a violation"}) {
    EXPECT_EQ(LabelSide(label), Side::kSafe) << label;
  }
  for (const char* label : {"", "ESCALATE", "SP2", "maybe"}) {
    EXPECT_EQ(LabelSide(label), Side::kNone) << label;
  }
}

TEST(Fields, NamesAndValues) {
  const auto field = ReadField("**Answer (0 or 1)**: `1`");
  ASSERT_TRUE(field.has_value());
  EXPECT_EQ(field->kind, FieldKind::kLabel);
  EXPECT_EQ(field->name, "answer");
  EXPECT_EQ(field->annotation, "0 or 1");
  EXPECT_EQ(field->value, "1");
  EXPECT_FALSE(ReadField("see http://x.y").has_value());
  EXPECT_FALSE(ReadField("\"quoted: text\"").has_value());
  EXPECT_EQ(LeadingLabel("INVALID + ESCALATE when in doubt"), "INVALID + ESCALATE");
  EXPECT_EQ(LeadingLabel("`VALID` if clear"), "VALID");
}

TEST(Scan, SlugsQuotesAndElisions) {
  EXPECT_EQ(Slug("Política de spam"), "politica-de-spam");
  EXPECT_EQ(Slug("Straße & Öl"), "strasse-ol");
  EXPECT_EQ(Unquote("“mixed marks\""), "mixed marks");
  EXPECT_EQ(Unquote("\"mixed marks”"), "mixed marks");
  EXPECT_EQ(Words("n'est pas l’idée"), (std::vector<std::string>{"ne", "est", "pas", "idée"}));
  EXPECT_EQ(Words("don't"), std::vector<std::string>{"don't"});
}

TEST(Sides, PureCues) {
  EXPECT_EQ(PureCue("You may not"), Side::kViolating);
  EXPECT_EQ(PureCue("What is allowed"), Side::kSafe);
  EXPECT_EQ(PureCue("Allowed weapons"), Side::kNone);
  EXPECT_TRUE(IsOnlySide("DOES NOT Violate Policy (Label: 0)"));
  EXPECT_FALSE(IsOnlySide("Hate speech (violates)"));
}

TEST(Lines, FencesThatCloseAndFencesThatDoNot) {
  const auto hidden = [](std::string_view text) {
    std::string out;
    for (const Line& line : ReadLines(text, 1)) {
      out += line.kind == LineKind::kHidden ? 'h' : '.';
    }
    return out;
  };
  EXPECT_EQ(hidden("a\n```\nb\n```\nc"), ".hhh.");
  EXPECT_EQ(hidden("a\n```\nb\nc"), "....");
  EXPECT_EQ(hidden("~~~~\n```\n~~~\n~~~~\nx"), "hhhh.");
  EXPECT_EQ(hidden("````\n```\nb\n```\nx"), ".hhh.")
      << "the unclosed one does not swallow the pair";
  EXPECT_EQ(UnclosedFenceLine("a\n```\nb", 5), 6);
  EXPECT_EQ(UnclosedFenceLine("```\nb\n```", 1), 0);
}

}  // namespace
}  // namespace safeguard::moderation::reading
