#include "eval/dataset/line_reader.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <sstream>
#include <string>
#include <vector>

namespace safeguard::eval {
namespace {

struct Seen {
  std::size_t number;
  std::uint64_t end_offset;
  std::string text;
  friend bool operator==(const Seen&, const Seen&) = default;
};

std::vector<Seen> ReadAll(const std::string& bytes, std::size_t line_bytes_max = 100) {
  std::istringstream in(bytes);
  LineReader reader(in, line_bytes_max);
  std::vector<Seen> lines;
  Line line;
  while (reader.Next(line)) {
    lines.push_back({line.number, line.end_offset, line.too_long ? "<too long>" : line.text});
  }
  return lines;
}

TEST(LineReaderTest, TakesBothLineEndsAndALastLineWithoutOne) {
  EXPECT_EQ(ReadAll("a\nb\r\n\nc"),
            (std::vector<Seen>{{1, 2, "a"}, {2, 5, "b"}, {3, 6, ""}, {4, 7, "c"}}));
}

TEST(LineReaderTest, RemovesAByteOrderMarkOnlyAtTheBeginning) {
  EXPECT_EQ(ReadAll("\xEF\xBB\xBF"
                    "a\n\xEF\xBB\xBF"
                    "b"),
            (std::vector<Seen>{{1, 5, "a"},
                               {2, 9,
                                "\xEF\xBB\xBF"
                                "b"}}));
}

TEST(LineReaderTest, SkipsALineOverTheLimitAndGoesOn) {
  EXPECT_EQ(ReadAll("123456\n12345\nx", 5),
            (std::vector<Seen>{{1, 7, "<too long>"}, {2, 13, "12345"}, {3, 14, "x"}}));
}

TEST(LineReaderTest, NothingInAnEmptyStream) {
  EXPECT_TRUE(ReadAll("").empty());
}

TEST(LineReaderTest, FirstBytesDoNotConsume) {
  std::istringstream in("ab\ncd");
  LineReader reader(in, 10);
  EXPECT_EQ(reader.FirstBytes(), "ab\ncd");
  Line line;
  ASSERT_TRUE(reader.Next(line));
  EXPECT_EQ(line.text, "ab");
}

TEST(LineReaderTest, JoinedLinesAreTheText) {
  EXPECT_TRUE(rc::check("lines joined by newlines give the text back", [] {
    const auto bytes =
        *rc::gen::container<std::string>(rc::gen::element('a', '\n', 'b', ' ', '"', ','));
    std::string joined;
    for (const Seen& seen : ReadAll(bytes, 1000)) {
      joined += seen.text + "\n";
    }
    RC_ASSERT(joined == bytes || joined == bytes + "\n");
  }));
}

}  // namespace
}  // namespace safeguard::eval
