#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judges/classifier_card.h"
#include "judges/dedicated/card_json.h"

namespace safeguard::judges {
namespace {

using testing::HasSubstr;

ClassifierCard Card() {
  ClassifierCard card;
  card.kind = ClassifierKind::kHead;
  card.policy = {"spam", "3", std::string(64, 'a')};
  card.encoder_hash = std::string(64, 'b');
  card.encoder_arithmetic = "8-bit";
  card.width = 3;
  card.positives = 120;
  card.negatives = 480;
  card.other_scripts = true;
  card.map.slope = 1.25;
  card.map.offset = -0.5;
  card.threshold = 0.4;
  card.band = UncertainBand{0.1, 0.8, 0.05, 0.01, 0.9};
  card.labels_hash = std::string(64, 'c');
  card.seed = 7;
  card.report = R"({"f1": 0.9})";
  return card;
}

TEST(ClassifierFile, IsReadBackWhole) {
  const std::string bytes = WriteClassifier(Card(), "weights");
  const Result<ClassifierFile> file = ReadClassifier(bytes, "test");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->weights, "weights");
  EXPECT_EQ(CardJson(file->card), CardJson(Card()));
  EXPECT_EQ(file->card.policy.id, "spam");
  EXPECT_EQ(file->card.band->violation, 0.8);
  EXPECT_EQ(WriteClassifier(file->card, file->weights), bytes);
}

TEST(ClassifierFile, ACutOneIsNamed) {
  const std::string bytes = WriteClassifier(Card(), "weights");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const Result<ClassifierFile> file =
        ReadClassifier(std::string_view(bytes).substr(0, length), "spam@2");
    ASSERT_FALSE(file) << length;
    EXPECT_EQ(file.error().code, ErrorCode::kCorruptFile);
    EXPECT_THAT(file.error().message, HasSubstr("spam@2"));
  }
  EXPECT_FALSE(ReadClassifier(bytes + "0", "spam@2"));
}

TEST(ClassifierFile, EveryFlippedBitIsSeen) {
  const std::string bytes = WriteClassifier(Card(), "weights");
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      ASSERT_FALSE(ReadClassifier(flipped, "x")) << at << "." << bit;
    }
  }
}

TEST(ClassifierFile, FieldsOutOfRangeAreNamed) {
  const auto complaint = [](ClassifierCard card) {
    const Result<ClassifierFile> file = ReadClassifier(WriteClassifier(card, ""), "x");
    return file ? std::string() : file.error().message;
  };
  ClassifierCard card = Card();
  card.threshold = 1.5;
  EXPECT_THAT(complaint(card), HasSubstr("\"threshold\" is out of range"));
  card = Card();
  card.map.slope = -1;
  EXPECT_THAT(complaint(card), HasSubstr("\"slope\" is out of range"));
  card = Card();
  card.band->violation = 0.05;
  EXPECT_THAT(complaint(card), HasSubstr("\"violation\" is out of range"));
  card = Card();
  card.width = 0;
  EXPECT_THAT(complaint(card), HasSubstr("\"width\" is out of range"));
  card = Card();
  card.map = {.method = moderation::CalibrationMethod::kIsotonic, .knots = {{1, 0.5}, {0, 0.6}}};
  EXPECT_THAT(complaint(card), HasSubstr("\"knots\" falls"));
}

TEST(ClassifierFile, OfALaterFormatSaysSo) {
  std::string bytes = WriteClassifier(Card(), "weights");
  bytes[8] = 2;
  const Result<ClassifierFile> file = ReadClassifier(bytes, "x");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("newer safeguard"));
}

TEST(ClassifierFile, AnythingElseIsNone) {
  for (const std::string& bytes :
       {std::string(), std::string("{}"), std::string(4096, '\0'), std::string("SGCLASSF")}) {
    EXPECT_FALSE(ReadClassifier(bytes, "x"));
  }
}

}  // namespace
}  // namespace safeguard::judges
