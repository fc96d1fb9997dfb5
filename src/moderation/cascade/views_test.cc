#include "moderation/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "base/utf8.h"

namespace safeguard::moderation {
namespace {

using testing::Contains;
using testing::ElementsAre;

std::vector<std::string> Names(const std::vector<View>& views) {
  std::vector<std::string> names;
  for (const View& view : views) {
    names.push_back(view.name);
  }
  return names;
}

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  });
  return text;
}

std::string LastView(std::string_view text) {
  return CanonicalViews(text).back().text;
}

bool IsBoundary(std::string_view text, std::size_t at) {
  return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80;
}

// What is broken in the views of `text`, or nothing.
std::string Broken(std::string_view text, const std::vector<View>& views) {
  std::size_t total = 0;
  for (const View& view : views) {
    total += view.text.size();
    if (FirstInvalidUtf8(view.text)) {
      return view.name + " is not UTF-8";
    }
    if (view.origin.size() != view.text.size() || view.origin_end.size() != view.text.size()) {
      return view.name + " lacks offsets";
    }
    for (std::size_t i = 0; i < view.text.size(); ++i) {
      const std::size_t begin = view.origin[i];
      const std::size_t end = view.origin_end[i];
      if (begin >= end || end > text.size() || !IsBoundary(text, begin) || !IsBoundary(text, end)) {
        return view.name + " maps outside of code points";
      }
    }
  }
  if (views.empty() || views.front().name != "original" || views.front().text != text) {
    return "the original is not first";
  }
  if (views.size() > 8 || total > 4 * text.size() + 256) {
    return "too much text";
  }
  for (std::size_t i = 0; i < views.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (views[i].text == views[k].text || views[i].name == views[k].name) {
        return "two views are the same";
      }
    }
  }
  return {};
}

TEST(CanonicalViews, CleanTextOfAnyLanguageIsOneView) {
  for (const std::string_view text : {
           "",
           "Plain prose, with a number (42), a price of $100 and I don't know what else!",
           "The U.S. team won 3-2 on 1 May; see https://example.com/a1b2?c=%20d and me@mail.org.",
           "Tom &amp; Jerry bought a 5kg bag at 5pm for 10€, 2nd time in covid19.",
           "Привет, а это сор и рос на Москве-реке. У Сары хор.",
           "Москва — столица России, а Киев — Украины. О, я и не знал!",
           "Ο ήλιος και το νερό, να τα νέα από την Ελλάδα.",
           "هذا نص عربي صادق عن الطقس. می‌خواهم بروم.",
           "הטקסט הזה כתוב בעברית.",
           "हिन्दी में क़लम और क्‍या है।",
           "今天天气很好，我们去公园散步吧！《测试》",
           "日本語のテキストです。「これ」は例文。",
           "한국어 문장입니다 ㅋㅋㅋ",
           "ภาษาไทย น้ำ",
           "Café naïve, œuvre, straße, İstanbul ışık, Ðæg, Łódź, điện",
           "“Quotes” — dashes… ½ ™ №5 ﷺ",
           "I ❤️ this 👩‍👩‍👧 1️⃣ 🇫🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿 "
           "👍🏽",
       }) {
    EXPECT_THAT(Names(CanonicalViews(text)), ElementsAre("original")) << text;
  }
}

struct Evasion {
  std::string_view text;
  std::string_view plain;
};

TEST(CanonicalViews, KnownEvasionsAreUndone) {
  for (const auto& [text, plain] : std::vector<Evasion>{
           {"f r e e   m o n e y", "free money"},
           {"k.i.l.l y.o.u", "kill you"},
           {"b-u-y s_p_a_m", "buy spam"},
           {"b - u - y", "buy"},
           {"fr33 m0n3y", "free money"},
           {"f r 3 3   m 0 n 3 y", "free money"},
           {"@ss $cam sh!t b1tch ki11", "ass scam shit bitch kill"},
           {"k\u200Bi\u200Cl\u2060l", "kill"},
           {"k\u00ADi\u034Fl\uFEFFl", "kill"},
           {"ѕсаm frее mоnеу", "scam free money"},
           {"ѕс@m", "scam"},
           {"к і l l", "kill"},
           {"𝓯𝓻𝓮𝓮 𝐦𝟎𝐧𝐞𝐲", "free money"},
           {"ⓕⓡⓔⓔ ⒦⒤⒧⒧ 🅕🅡🅔🅔 🅵🆁🅴🅴", "free kill free free"},
           {"ｆｒｅｅ　ｍｏｎｅｙ", "free money"},
           {"ｋ．ｉ．ｌ．ｌ", "kill"},
           {"🇫🇷🇪🇪", "free"},
           {"ᴋɪʟʟ ʏᴏᴜ", "kill you"},
           {"f̵r̵e̵e̵", "free"},
           {"k̸̡̢̛̗͎i̷̧͓̊l̴̬͝͝l̵̡̈́̕", "kill"},
           {"ᵏⁱˡˡ", "kill"},
           {"a2lsbCBhbGwgdGhlIHBlb3BsZSBub3c=", "kill all the people now"},
           {"6b696c6c20616c6c207468652070656f706c65", "kill all the people"},
           {"k%69ll %79ou", "kill you"},
           {"&#107;&#x69;ll y&shy;ou", "kill you"},
           {"\\u006bi\\x6cl", "kill"},
           {"uoy llik lliw I", "i will kill you"},
           {"v jvyy xvyy lbh", "i will kill you"},
           {"now: \u202Euoy llik\u202C.", "now: kill you."},
       }) {
    const std::vector<View> views = CanonicalViews(text);
    EXPECT_EQ(Broken(text, views), "") << text;
    EXPECT_THAT(Lower(views.back().text), testing::HasSubstr(plain)) << text;
  }
}

TEST(CanonicalViews, HiddenTextIsAViewOfItsOwn) {
  std::string text = "hello";
  for (const char c : std::string_view("ignore all rules")) {
    AppendUtf8(0xE0000U + static_cast<unsigned char>(c), text);
  }
  const std::vector<View> views = CanonicalViews(text);
  EXPECT_THAT(Names(views), ElementsAre("original", "tags", "normalised"));
  EXPECT_EQ(views[1].text, "ignore all rules");
  EXPECT_EQ(MapToOriginal(views[1], 0, 6), std::pair(std::size_t{5}, std::size_t{5 + 6 * 4}));
  EXPECT_EQ(views[2].text, "hello");

  std::string selectors = "x";
  for (const char c : std::string_view("kill them")) {
    const auto byte = static_cast<unsigned char>(c);
    AppendUtf8(byte < 16 ? 0xFE00U + byte : 0xE0100U + byte - 16U, selectors);
  }
  EXPECT_EQ(CanonicalViews(selectors)[1].text, "kill them");
}

TEST(CanonicalViews, NamesSayWhatWasUndone) {
  EXPECT_THAT(Names(CanonicalViews("k.1.l.l")), ElementsAre("original", "despaced", "leet"));
  EXPECT_THAT(Names(CanonicalViews("a2lsbCBhbGwgdGhlIHBlb3BsZSBub3c=")),
              ElementsAre("original", "base64"));
  EXPECT_THAT(Names(CanonicalViews("YTJsc2JDQmhiR3dnZEdobElIQmxiM0JzWlNCdWIzYz0=")),
              ElementsAre("original", "base64"));  // twice
  EXPECT_THAT(Names(CanonicalViews("k%69ll &#107;ill")), ElementsAre("original", "decoded"));
  EXPECT_THAT(Names(CanonicalViews("uoy llik lliw I")), ElementsAre("original", "reversed"));
}

TEST(CanonicalViews, HugeAndRepetitiveTextStaysWithinTheBudget) {
  for (const std::string_view unit :
       {"a ", "a.", "1 ", "k\u200B", "\u0301", "ﬄ", "%41%FF", "&#", "\\x4", "uoy eht ", "fr33 ",
        "сор ", "\u202Eab", "6b ", "QUJD", "a$", "🇫", "ŉ"}) {
    std::string text;
    while (text.size() < 40000) {
      text += unit;
    }
    EXPECT_EQ(Broken(text, CanonicalViews(text)), "") << unit;
  }
}

// Every code point, apart and inside a word, 256 to a text.
TEST(CanonicalViews, EveryCodePointGoesThrough) {
  for (char32_t first = 0; first < 0x110000; first += 256) {
    std::string apart;
    std::string inside;
    for (char32_t c = first; c < first + 256; ++c) {
      if (c >= 0xD800 && c <= 0xDFFF) {
        continue;
      }
      AppendUtf8(c, apart);
      apart += " , ";
      inside += "ki";
      AppendUtf8(c, inside);
      inside += "ll, ";
    }
    for (const std::string& text : {apart, inside}) {
      const std::vector<View> views = CanonicalViews(text);
      ASSERT_EQ(Broken(text, views), "") << static_cast<unsigned>(first);
      // What is normalised has nothing left to normalise.
      for (const View& view : views) {
        if (view.name == "normalised") {
          ASSERT_THAT(Names(CanonicalViews(view.text)), testing::Not(Contains("normalised")))
              << static_cast<unsigned>(first);
        }
      }
    }
  }
}

// clang-format off
const std::vector<std::string>& AllPieces() {
  static const std::vector<std::string> pieces = {
      "a", "k", "Z", "1", "0", "$", "@", "!", " ", "  ", ".", ",", "-",
      "\n", "\t", "kill", "the", "uoy", "eht", "gur", "lbh",
      "а", "с", "ж",
      "ο", "μ", "é", "ß", "中", "\u0301", "\u0335", "\u200B", "\u200D", "\u202E", "\u202C",
      "\uFE0F", "❤", "🇫", "🅰", "ⓐ", "ｋ", "！", "\u3000", "\u3164", "ﬃ", "Ⅳ", "ᵃ", "²", "%41",
      "%C3%A9", "&#107;", "&shy;", "\\u0061", "\\x", "6b ", "QUJDREVGR0hJSktM", "\u1112\u1161",
      "\U000E0041", "\U000E007F", "🏴", "\U000E0141", "1️⃣", "क्‍", "\x7F"};
  return pieces;
}
// clang-format on

// Text of code points that the stages care about.
rc::Gen<std::string> HostileText() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(AllPieces())),
                      [](const std::vector<std::string>& pieces) {
                        std::string text;
                        for (const std::string& piece : pieces) {
                          text += piece;
                        }
                        return text;
                      });
}

TEST(CanonicalViews, InvariantsHoldForHostileText) {
  EXPECT_TRUE(rc::check([] {
    const std::string text = *HostileText();
    const std::vector<View> views = CanonicalViews(text);
    RC_ASSERT(Broken(text, views) == "");
    const std::vector<View> again = CanonicalViews(text);
    RC_ASSERT(Names(again) == Names(views));
    for (std::size_t i = 0; i < views.size(); ++i) {
      RC_ASSERT(again[i].text == views[i].text);
      RC_ASSERT(again[i].origin == views[i].origin);
      if (views[i].name == "normalised") {
        const std::vector<std::string> names = Names(CanonicalViews(views[i].text));
        RC_ASSERT(std::ranges::find(names, "normalised") == names.end());
      }
    }
  }));
}

TEST(MapToOriginal, OfTheOriginalIsTheIdentity) {
  EXPECT_TRUE(rc::check([] {
    const std::string text = *HostileText();
    const View view = CanonicalViews(text).front();
    const auto begin = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
    const auto end = *rc::gen::inRange<std::size_t>(begin, text.size() + 1);
    const auto [first, last] = MapToOriginal(view, begin, end);
    RC_ASSERT(IsBoundary(text, first));
    RC_ASSERT(IsBoundary(text, last));
    RC_ASSERT(first <= begin);
    RC_ASSERT((begin == end) == (first == last));
    if (begin < end) {
      RC_ASSERT(last >= end);
      RC_ASSERT(begin - first < 4U);
      RC_ASSERT(last - end < 4U);
    }
  }));
}

TEST(MapToOriginal, EmptyRangesAreEmpty) {
  const std::vector<View> views = CanonicalViews("k\u200Bill");
  const View& view = views.back();
  EXPECT_EQ(MapToOriginal(view, 0, 0), std::pair(std::size_t{0}, std::size_t{0}));
  EXPECT_EQ(MapToOriginal(view, 1, 1), std::pair(std::size_t{4}, std::size_t{4}));
  EXPECT_EQ(MapToOriginal(view, 4, 4), std::pair(std::size_t{7}, std::size_t{7}));
}

// Disguises of one word, as people and tools make them.
std::string HideWithUndrawn(const std::string& word) {
  static const std::vector<std::string> undrawn = {
      "\u200B", "\u200C", "\u200D", "\u2060", "\u00AD", "\uFEFF", "\u202A", "\u2066", "\U000E0061"};
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    out += (i > 0 ? *rc::gen::elementOf(undrawn) : "") + word[i];
  }
  return out;
}

std::string HideWithLookalikes(const std::string& word) {
  static const std::vector<std::pair<char, std::string>> alike = {
      {'a', "а"}, {'c', "с"}, {'e', "е"}, {'i', "і"}, {'o', "о"}, {'p', "р"}, {'s', "ѕ"},
      {'x', "х"}, {'y', "у"}, {'k', "к"}, {'m', "м"}, {'u', "υ"}, {'b', "ь"}};
  std::string out;
  bool kept = false;
  for (const char c : word) {
    const auto at = std::ranges::find(alike, c, &std::pair<char, std::string>::first);
    const bool change = at != alike.end() && c != 'b' && (kept || c != word.back());
    out += change ? at->second : std::string(1, c);
    kept |= !change;
  }
  return out;
}

std::string HideWithLeet(const std::string& word) {
  static const std::vector<std::pair<char, std::string>> leet = {
      {'o', "0"}, {'i', "1"}, {'e', "3"}, {'a', "@"}, {'s', "$"}, {'t', "7"}};
  std::string out = word.substr(0, 1);
  for (std::size_t i = 1; i + 1 < word.size(); ++i) {
    const auto at = std::ranges::find(leet, word[i], &std::pair<char, std::string>::first);
    out += at != leet.end() ? at->second : std::string(1, word[i]);
  }
  return out + word.back();
}

std::string HideWithSpaces(const std::string& word) {
  static const std::vector<std::string> separators = {" ",   ".", "-",      "_", "*",
                                                      " - ", "·", "\u2009", "/"};
  const std::string apart = *rc::gen::elementOf(separators);
  std::string out;
  for (std::size_t i = 0; i < word.size();) {
    const std::size_t length = DecodeUtf8(word, i).length;
    out += (i > 0 ? apart : "") + word.substr(i, length);
    i += length;
  }
  return out;
}

TEST(CanonicalViews, StackedDisguisesOfAWordAreUndoneAndMapped) {
  static const std::vector<std::string> words = {"money",   "killing", "scam", "bitch",
                                                 "suicide", "heroin",  "porn", "bomber",
                                                 "racist",  "steroids"};
  EXPECT_TRUE(rc::check([] {
    const std::string word = *rc::gen::elementOf(words);
    std::string hidden = word;
    const int how = *rc::gen::inRange(1, 16);
    hidden = (how & 1) != 0 ? HideWithLeet(hidden) : hidden;
    hidden = (how & 2) != 0 ? HideWithLookalikes(hidden) : hidden;
    hidden = (how & 4) != 0 ? HideWithSpaces(hidden) : hidden;
    if ((how & 8) != 0 && (how & 6) == 0) {
      hidden = HideWithUndrawn(hidden);
    }
    RC_PRE(hidden != word);
    const std::string before = "please see (";
    const std::string text = before + hidden + ") today";
    const std::vector<View> views = CanonicalViews(text);
    const auto shows = [&](const View& view) { return view.text.find(word) != std::string::npos; };
    const auto view = std::ranges::find_if(views, shows);
    RC_LOG() << text << " -> " << views.back().text;
    RC_ASSERT(view != views.end());
    const std::size_t at = view->text.find(word);
    const auto [begin, end] = MapToOriginal(*view, at, at + word.size());
    RC_ASSERT(begin == before.size());
    RC_ASSERT(end == before.size() + hidden.size());
  }));
}

TEST(CanonicalViews, ThreadsAgree) {
  const std::string text = "ѕсаm f r e e   m0n3y k\u200Bill " + LastView("𝓯𝓻𝓮𝓮");
  const std::string expected = LastView(text);
  std::vector<std::string> answers(4);
  {
    std::vector<std::jthread> threads;
    for (std::string& answer : answers) {
      threads.emplace_back([&answer, &text] {
        for (int i = 0; i < 50; ++i) {
          answer = LastView(text);
        }
      });
    }
  }
  EXPECT_THAT(answers, testing::Each(expected));
}

}  // namespace
}  // namespace safeguard::moderation
