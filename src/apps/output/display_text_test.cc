#include "apps/output/display_text.h"

#include <gtest/gtest.h>

#include "apps/output/table.h"

namespace safeguard::apps {
namespace {

TEST(PrintableTest, SendsNothingThatMovesOrHides) {
  EXPECT_EQ(Printable("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(Printable("a\n\t  b\r\n"), "a b");
  EXPECT_EQ(Printable("x\xE2\x80\xAEy"), "x\\u{202e}y");
  EXPECT_EQ(Printable("\xC2\x9B"), "\\x9b");
  EXPECT_EQ(Printable("a\xFF"), "a\xEF\xBF\xBD");
  EXPECT_EQ(Printable("ümlaut 中 🙂"), "ümlaut 中 🙂");
}

TEST(DisplayWidthTest, CountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1U);
  EXPECT_EQ(DisplayWidth("中文"), 4U);
  EXPECT_EQ(DisplayWidth("🙂"), 2U);
}

TEST(ShortenTest, NeverExceedsTheWidth) {
  EXPECT_EQ(Shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(Shorten("abcdef", 5), "abcd…");
  for (std::size_t width = 1; width < 8; ++width) {
    EXPECT_LE(DisplayWidth(Shorten("中a文b字", width)), width);
  }
}

TEST(WrapTest, BreaksAtSpaces) {
  EXPECT_EQ(Wrap("one two three", 9, 2), "  one two\n  three\n");
  EXPECT_EQ(Wrap("unbreakable", 5, 0), "unbreakable\n");
  EXPECT_EQ(Wrap("", 5, 0), "");
}

TEST(TableTest, GivesWayInTheFlexibleColumn) {
  const std::string table =
      RenderTable({{"A"}, {"TEXT", false, true}, {"N", true}},
                  {{{"row"}, {"a text that is far too long for this"}, {"12"}}}, 30, false);
  EXPECT_EQ(table, "A    TEXT                    N\nrow  a text that is far t…  12\n");
}

TEST(TableTest, ColoursDoNotMoveColumns) {
  const std::vector<Column> columns = {{"A"}, {"B", true}};
  const std::vector<std::vector<Cell>> rows = {{{"x", Style::kRed}, {"1"}}};
  std::string colored = RenderTable(columns, rows, 80, true);
  for (std::size_t at = colored.find('\x1b'); at != std::string::npos; at = colored.find('\x1b')) {
    colored.erase(at, colored.find('m', at) - at + 1);
  }
  EXPECT_EQ(colored, RenderTable(columns, rows, 80, false));
}

}  // namespace
}  // namespace safeguard::apps
