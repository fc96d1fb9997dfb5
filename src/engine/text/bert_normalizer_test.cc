#include "engine/text/bert_normalizer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "engine/text/test_runs.h"

namespace safeguard::engine {
namespace {

struct Normalized {
  std::string text;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> spans;
};

class Collector final : public CharacterSink {
 public:
  explicit Collector(Normalized& out) : out_(out) {}
  void Take(char32_t c, TextSpan source) override {
    AppendUtf8(c, out_.text);
    out_.spans.emplace_back(source.begin, source.end);
  }

 private:
  Normalized& out_;
};

Normalized Normalize(std::string_view text, const BertNormalizerSettings& settings) {
  Normalized out;
  Collector collector(out);
  BertNormalizer(settings, collector).Run(text);
  return out;
}

constexpr BertNormalizerSettings kNothing{false, false, false, false};
using Spans = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

TEST(BertNormalizer, NoSettingsNoChange) {
  const std::string text = "H\u00E9\t\u4E2D\u200B \u0301\u0323\uFFFD";
  EXPECT_EQ(Normalize(text, kNothing).text, text);
}

TEST(BertNormalizer, CleanText) {
  EXPECT_EQ(Normalize(std::string("a\0b\u200B\tc\u00A0\uFFFD\u00ADd\r\n", 18),
                      {true, false, false, false})
                .text,
            "ab c d  ");
}

TEST(BertNormalizer, ChineseCharactersShareTheirSpanWithTheSpaces) {
  const Normalized out = Normalize("a\u4E2Db", {false, true, false, false});
  EXPECT_EQ(out.text, "a \u4E2D b");
  EXPECT_EQ(out.spans, (Spans{{0, 1}, {1, 4}, {1, 4}, {1, 4}, {4, 5}}));
}

TEST(BertNormalizer, AccentsAndCase) {
  EXPECT_EQ(Normalize("\u00C9\u0323", {false, false, true, false}).text, "E");
  EXPECT_EQ(Normalize("\u00C9", {false, false, false, true}).text, "\u00E9");
  EXPECT_EQ(Normalize("\u0130", {false, false, false, true}).text, "i\u0307");
  EXPECT_EQ(Normalize("\u0130", {false, false, true, true}).text, "i");
}

TEST(BertNormalizer, HangulDecomposesWithinOneSpan) {
  const Normalized out = Normalize("x\uD55C", {false, false, true, false});
  EXPECT_EQ(out.text, "x\u1112\u1161\u11AB");
  EXPECT_EQ(out.spans, (Spans{{0, 1}, {1, 4}, {1, 4}, {1, 4}}));
}

// U+302E (Mc, class 224) and U+1D165 (Mc, class 216) are marks that stay: they change places, and
// their spans stay in the order of the text.
TEST(BertNormalizer, MarksAreSortedAndSpansGoByPosition) {
  const Normalized out = Normalize("a\u302E\U0001D165b", {false, false, true, false});
  EXPECT_EQ(out.text, "a\U0001D165\u302Eb");
  EXPECT_EQ(out.spans, (Spans{{0, 1}, {1, 4}, {4, 8}, {8, 9}}));
}

TEST(BertNormalizer, LongRunsOfUnsortedMarksAreFast) {
  const std::string text = test::Run("\u0301\u0323", 4'000'000);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Normalize(text + "x", {true, true, true, true}).text, "x");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace safeguard::engine
