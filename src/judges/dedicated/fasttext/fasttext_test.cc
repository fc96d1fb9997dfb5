#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>

#include "judges/dedicated/fasttext/fasttext_file.h"
#include "judges/dedicated/fasttext/fasttext_model.h"
#include "judges/dedicated/feature_text.h"
#include "judges/dedicated/test_texts.h"

namespace safeguard::judges {
namespace {

using testing::HasSubstr;

struct Lesson {
  explicit Lesson(std::size_t count) {
    const TestTexts world = SpamAndSmallTalk(count);
    for (const moderation::Content& content : world.contents) {
      texts.push_back(FeatureText(content.messages[0].text));
    }
    for (std::size_t i = 0; i < count; ++i) {
      examples.push_back({texts[i], world.positive[i]});
    }
  }
  std::vector<std::string> texts;
  std::vector<FastTextExample> examples;
};

// So small that a test may look at every byte.
FastTextOptions Small() {
  FastTextOptions options;
  options.dimension = 4;
  options.buckets = 8;
  options.epochs = 40;
  return options;
}

std::string SmallModel() {
  const Lesson lesson(40);
  const auto model = TrainFastText(lesson.examples, Small(), nullptr);
  EXPECT_TRUE(model) << model.error().message;
  return (*model)->bytes();
}

TEST(FastText, LearnsWordsAndPiecesOfWords) {
  const Lesson lesson(200);
  const auto model = TrainFastText(lesson.examples, {}, nullptr);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_GT((*model)->LogOdds("earn free cash"), 1);
  EXPECT_LT((*model)->LogOdds("lunch in the rain"), -1);
  EXPECT_GT((*model)->LogOdds("moneyy priize"), 0) << "never seen, but made of known pieces";
}

TEST(FastText, TheSameExamplesGiveTheSameBytes) {
  EXPECT_EQ(SmallModel(), SmallModel());
}

TEST(FastText, AModelReadBackScoresTheSame) {
  const Lesson lesson(40);
  const auto model = TrainFastText(lesson.examples, Small(), nullptr);
  ASSERT_TRUE(model);
  const auto again = LoadFastText((*model)->bytes());
  ASSERT_TRUE(again) << again.error().message;
  for (const std::string& text : lesson.texts) {
    EXPECT_EQ((*model)->LogOdds(text), (*again)->LogOdds(text));
  }
  EXPECT_EQ((*again)->bytes(), (*model)->bytes());
}

TEST(FastText, StopsWhenAskedTo) {
  const Lesson lesson(200);
  const std::atomic<bool> stop = true;
  const auto model = TrainFastText(lesson.examples, {}, &stop);
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, HasSubstr("interrupted"));
}

TEST(FastText, ExamplesWithoutWordsAreAnError) {
  const std::vector<FastTextExample> empty;
  const auto model = TrainFastText(empty, {}, nullptr);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kInvalidInput);
}

TEST(FastText, NoCutModelReachesTheLibrary) {
  const std::string bytes = SmallModel();
  ASSERT_TRUE(CheckFastTextFile(bytes));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_FALSE(CheckFastTextFile(std::string_view(bytes).substr(0, length))) << length;
  }
  EXPECT_FALSE(CheckFastTextFile(bytes + "x"));
}

// What passes the check is loaded and asked: nothing may crash (the suite runs under sanitizers).
TEST(FastText, NoFlippedBitCrashesTheLibrary) {
  const std::string bytes = SmallModel();
  const std::size_t checked = std::min<std::size_t>(bytes.size(), 600);
  for (std::size_t at = 0; at < checked; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      if (!CheckFastTextFile(flipped)) {
        continue;
      }
      const auto model = LoadFastText(std::move(flipped));
      if (model) {
        static_cast<void>((*model)->LogOdds("win free money"));
      }
    }
  }
}

TEST(FastText, AbsurdCountsAreRefusedBeforeAnythingIsMade) {
  std::string bytes = SmallModel();
  const auto put = [&bytes](std::size_t at, std::int32_t value) {
    std::string changed = bytes;
    std::memcpy(changed.data() + at, &value, sizeof value);
    return changed;
  };
  EXPECT_FALSE(LoadFastText(put(8, 2'000'000'000)));   // dimension
  EXPECT_FALSE(LoadFastText(put(40, 2'000'000'000)));  // buckets
  EXPECT_FALSE(LoadFastText(put(40, 0)));
  EXPECT_FALSE(LoadFastText(put(64, 2'000'000'000)));  // entries
  EXPECT_FALSE(LoadFastText(put(28, 1'000'000'000)));  // pairs of words
}

}  // namespace
}  // namespace safeguard::judges
