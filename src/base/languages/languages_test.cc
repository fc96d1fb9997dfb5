#include "base/languages/languages.h"

#include <gtest/gtest.h>

#include <string>

namespace safeguard::languages {
namespace {

std::string First(std::string_view text) {
  const Detected detected = DetectLanguages(text);
  return detected.languages.empty() ? "" : detected.languages.front().code;
}

TEST(DetectLanguages, TellsLanguagesOfOneScriptApart) {
  EXPECT_EQ(First("The package did not arrive, and nobody answers when I call the shop."), "en");
  EXPECT_EQ(First("Das Paket ist nicht angekommen, und niemand geht im Laden ans Telefon."), "de");
  EXPECT_EQ(First("Le colis n'est pas arrivé et personne ne répond au téléphone du magasin."),
            "fr");
  EXPECT_EQ(First("Посылка не пришла, и в магазине никто не отвечает на звонки."), "ru");
  EXPECT_EQ(First("荷物が届かず、店に電話しても誰も出ません。"), "ja");
}

TEST(DetectLanguages, SaysHowMuchIsInEach) {
  const Detected detected = DetectLanguages(
      "The package did not arrive, and nobody answers when I call the shop about it. "
      "Посылка не пришла, и в магазине никто не отвечает на звонки покупателей.");
  ASSERT_EQ(detected.languages.size(), 2U);
  EXPECT_GT(detected.languages[1].share, 0.2);
}

TEST(DetectLanguages, KnowsNoneWhereThereAreNoLetters) {
  EXPECT_TRUE(DetectLanguages("12 + 30 = 42 :-)").languages.empty());
  EXPECT_TRUE(DetectLanguages("").languages.empty());
}

}  // namespace
}  // namespace safeguard::languages
