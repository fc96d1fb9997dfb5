#include "eval/dataset/csv_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <sstream>
#include <string>
#include <vector>

#include "eval/dataset.h"

namespace safeguard::eval {
namespace {

using Cells = std::vector<std::string>;

std::vector<CsvRow> ReadAll(const std::string& bytes, std::size_t row_bytes_max = 1000) {
  std::istringstream in(bytes);
  LineReader lines(in, row_bytes_max);
  CsvRows rows(lines, ',', row_bytes_max);
  std::vector<CsvRow> all;
  while (std::optional<CsvRow> row = rows.Next()) {
    all.push_back(std::move(*row));
  }
  return all;
}

TEST(CsvRowsTest, QuotedCellsHoldEverything) {
  const auto rows = ReadAll("a,\"b,\"\"c\"\"\r\nd\",\"\"\nx,,y\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(*rows[0].cells, (Cells{"a", "b,\"c\"\nd", ""}));
  EXPECT_EQ(rows[0].line, 1U);
  EXPECT_EQ(*rows[1].cells, (Cells{"x", "", "y"}));
  EXPECT_EQ(rows[1].line, 3U);
}

TEST(CsvRowsTest, AQuoteInsideAnUnquotedCellIsACharacter) {
  const auto rows = ReadAll("5\" pipe,say \"hi\"\n");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(*rows[0].cells, (Cells{"5\" pipe", "say \"hi\""}));
}

TEST(CsvRowsTest, BlankRowsAreNoRows) {
  const auto rows = ReadAll("\n , ,\na\n,,\n");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].line, 3U);
}

TEST(CsvRowsTest, TextAfterAClosingQuoteIsNamedAndReadingGoesOn) {
  const auto rows = ReadAll("a\n\"b\" c,1\nd\n");
  ASSERT_EQ(rows.size(), 3U);
  ASSERT_FALSE(rows[1].cells);
  EXPECT_THAT(rows[1].cells.error().message, testing::StartsWith("line 2: "));
  EXPECT_EQ(*rows[2].cells, (Cells{"d"}));
}

TEST(CsvRowsTest, AQuoteThatNeverClosesIsNamedWithWhatItSwallowed) {
  const auto rows = ReadAll("a\n\"b\nc\nd");
  ASSERT_EQ(rows.size(), 2U);
  ASSERT_FALSE(rows[1].cells);
  EXPECT_THAT(rows[1].cells.error().message, testing::StartsWith("line 2: "));
  EXPECT_THAT(rows[1].cells.error().message, testing::HasSubstr("the 2 lines after it"));
}

TEST(CsvRowsTest, ARowOverTheLimitIsNamedAndReadingGoesOn) {
  const auto rows = ReadAll("\"aaaa\nbbbb\ncccc\",1\nd\n", 12);
  ASSERT_GE(rows.size(), 2U);
  ASSERT_FALSE(rows[0].cells);
  EXPECT_EQ(rows[0].cells.error().code, ErrorCode::kLimit);
  EXPECT_EQ(*rows.back().cells, (Cells{"d"}));
}

TEST(CsvRowsTest, TooManyCellsAreAnError) {
  const auto rows = ReadAll(std::string(kColumnsMax, ',') + "x\ny\n", 100'000);
  ASSERT_EQ(rows.size(), 2U);
  ASSERT_FALSE(rows[0].cells);
  EXPECT_EQ(rows[0].cells.error().code, ErrorCode::kLimit);
  const auto most = ReadAll(std::string(kColumnsMax - 1, ',') + "x\n", 100'000);
  ASSERT_TRUE(most[0].cells);
  EXPECT_EQ(most[0].cells->size(), kColumnsMax);
}

TEST(CsvRowsTest, GuessesTheDelimiterOutsideQuotes) {
  EXPECT_EQ(GuessDelimiter("text,label\n;;;;"), ',');
  EXPECT_EQ(GuessDelimiter("text;label;\"a,b,c,d\"\n"), ';');
  EXPECT_EQ(GuessDelimiter("text\tlabel"), '\t');
  EXPECT_EQ(GuessDelimiter("text"), ',');
}

// A writer of its own: what it quotes must be read back.
std::string Quote(const std::string& cell) {
  std::string quoted = "\"";
  for (const char c : cell) {
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return quoted + "\"";
}

TEST(CsvRowsTest, WrittenRowsAreReadBack) {
  EXPECT_TRUE(rc::check("quoted rows come back with their cells and first lines", [] {
    const auto cell =
        rc::gen::container<std::string>(rc::gen::element('a', '"', ',', '\n', ' ', ';', '\xC3'));
    const auto table =
        *rc::gen::container<std::vector<Cells>>(rc::gen::nonEmpty(rc::gen::container<Cells>(cell)));
    std::string bytes;
    std::vector<std::size_t> first_lines;
    std::size_t line = 1;
    for (const Cells& cells : table) {
      first_lines.push_back(line);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        bytes += (i == 0 ? "" : ",") + Quote(cells[i]);
        line += static_cast<std::size_t>(std::ranges::count(cells[i], '\n'));
      }
      bytes += ",end\r\n";
      ++line;
    }
    const auto rows = ReadAll(bytes, 1 << 20);
    RC_ASSERT(rows.size() == table.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Cells expected = table[i];
      expected.emplace_back("end");
      RC_ASSERT(rows[i].cells.has_value());
      RC_ASSERT(*rows[i].cells == expected);
      RC_ASSERT(rows[i].line == first_lines[i]);
    }
  }));
}

}  // namespace
}  // namespace safeguard::eval
