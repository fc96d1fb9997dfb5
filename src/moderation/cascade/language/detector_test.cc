#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/utf8.h"
#include "moderation/cascade/language/sample.h"
#include "moderation/cascade/language/scripts.h"
#include "moderation/language_detector.h"

namespace safeguard::moderation {
namespace {

LanguageGuess Detect(const std::string& text) {
  return MakeLanguageDetector()->Detect(UserMessage(text));
}

const std::string kEnglish =
    "The package did not arrive, and nobody answers when I call the shop. ";
const std::string kRussian = "Посылка не пришла, и в магазине никто не отвечает на звонки. ";

TEST(LanguageDetector, KnowsSentences) {
  for (const auto& [language, text] : std::vector<std::pair<std::string, std::string>>{
           {"en", kEnglish},
           {"ru", kRussian},
           {"de", "Das Paket ist nicht angekommen, und niemand geht im Laden ans Telefon."},
           {"he", "החבילה לא הגיעה, ואף אחד לא עונה כשאני מתקשר לחנות."},
           {"zh", "包裹还没有到，我打电话给商店也没有人接。"},
           {"ja", "荷物が届かず、店に電話しても誰も出ません。"},
           {"ko", "소포가 도착하지 않았고 가게에 전화해도 아무도 받지 않습니다."}}) {
    const LanguageGuess guess = Detect(text);
    EXPECT_EQ(guess.language, language);
    EXPECT_GE(guess.confidence, 0.5) << language;
    EXPECT_LE(guess.confidence, 1);
  }
}

TEST(LanguageDetector, SaysThatAFewLatinLettersDoNotTell) {
  for (const std::string text : {"ok", "lol haha", "brb", "12345", "😀😀", "", "   "}) {
    EXPECT_LT(Detect(text).confidence, 0.5) << text;
  }
  EXPECT_EQ(Detect("").language, "");
}

TEST(LanguageDetector, ReadsShortTextsByTheirLetters) {
  EXPECT_EQ(Detect("안녕").language, "ko");
  EXPECT_EQ(Detect("日本へ行く").language, "ja");
  EXPECT_EQ(Detect("你好").language, "zh");
  EXPECT_EQ(Detect("สวัสดี").language, "th");
  EXPECT_EQ(Detect("да").language, "ru");
  EXPECT_EQ(Detect("Її").language, "uk");
  EXPECT_EQ(Detect("گپ").language, "fa");
  EXPECT_GE(Detect("да").confidence, 0.5) << "it is at least not English";
}

TEST(LanguageDetector, ReportsMixedContent) {
  const LanguageGuess guess = Detect(kEnglish + kEnglish + kRussian + kRussian);
  ASSERT_EQ(guess.parts.size(), 2U);
  EXPECT_GT(guess.parts[0].share, 0.2);
  EXPECT_GT(guess.parts[1].share, 0.2);
  EXPECT_NE(guess.parts[0].language, guess.parts[1].language);
}

TEST(LanguageDetector, LooksAtAConversationAsAWhole) {
  Content content;
  content.kind = ContentKind::kConversation;
  content.messages = {{Role::kUser, kRussian}, {Role::kAssistant, kEnglish}};
  EXPECT_EQ(MakeLanguageDetector()->Detect(content).parts.size(), 2U);
}

TEST(LanguageDetector, SamplesLongContentOverItsWholeLength) {
  std::string text;
  while (text.size() < 600'000) {
    text += kEnglish;
  }
  while (text.size() < 900'000) {
    text += kRussian;
  }
  const LanguageGuess guess = Detect(text);
  ASSERT_EQ(guess.parts.size(), 2U) << "the foreign end must not be missed";
  EXPECT_EQ(guess.parts[0].language, "en");
  EXPECT_EQ(guess.parts[1].language, "ru");
}

TEST(SampleOf, IsBoundedAndOfWholeCodePoints) {
  Content content;
  content.kind = ContentKind::kConversation;
  for (int i = 0; i < 300; ++i) {
    std::string text(static_cast<std::size_t>(i), 'x');
    for (int k = 0; k < 200; ++k) {
      text += "й";
    }
    content.messages.push_back({Role::kUser, text});
  }
  const std::string sample = language::SampleOf(content);
  EXPECT_LE(sample.size(), language::kSampleBytes + 32 * 4);
  EXPECT_GT(sample.size(), 1000U);
  EXPECT_FALSE(FirstInvalidUtf8(sample).has_value());
}

TEST(GuessByScript, NeedsMostLettersInTheScript) {
  EXPECT_EQ(language::GuessByScript("hello 안녕").language, "");
  EXPECT_EQ(language::GuessByScript("hello").language, "");
  EXPECT_EQ(language::GuessByScript("hello").letters, 5U);
}

}  // namespace
}  // namespace safeguard::moderation
