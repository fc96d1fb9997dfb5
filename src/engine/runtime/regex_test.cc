// Regular expressions, compared with the plain meaning of their parts and with the UTF-8 of every
// character.
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>

#include "base/utf8.h"
#include "engine/grammar.h"

namespace safeguard::engine {
namespace {

bool Matches(const std::string& pattern, const std::string& text) {
  const auto grammar = Grammar::FromRegex(pattern);
  EXPECT_TRUE(grammar.has_value()) << pattern << ": " << Describe(grammar.error());
  return grammar && (*grammar)->Matches(text).value_or(false);
}

// A pattern with its meaning: where a match that begins at each of some places may end.
using Ends = std::set<std::size_t>;
struct Sample {
  std::string pattern;
  std::function<Ends(const std::string& text, const Ends& begins)> ends;
};

Sample Atom(std::mt19937& random) {
  struct Class {
    const char* pattern;
    const char* members;
  };
  static const Class kClasses[] = {{"a", "a"},       {"b", "b"},     {"c", "c"},   {"[ab]", "ab"},
                                   {"[^a]", "bc1-"}, {".", "abc1-"}, {"\\d", "1"}, {"\\w", "abc1"}};
  const Class& one = kClasses[random() % 8];
  const std::string members = one.members;
  return {one.pattern, [members](const std::string& text, const Ends& begins) {
            Ends ends;
            for (const std::size_t at : begins) {
              if (at < text.size() && members.find(text[at]) != std::string::npos) {
                ends.insert(at + 1);
              }
            }
            return ends;
          }};
}

Sample Repeated(const Sample& inner, const std::string& sign, int min, int max) {
  return {"(" + inner.pattern + ")" + sign,
          [inner, min, max](const std::string& text, const Ends& begins) {
            Ends all = min == 0 ? begins : Ends{};
            Ends now = begins;
            for (int i = 1; i <= max; ++i) {
              now = inner.ends(text, now);
              if (i >= min) {
                all.insert(now.begin(), now.end());
              }
            }
            return all;
          }};
}

Sample RandomSample(std::mt19937& random, int depth) {
  switch (depth == 0 ? 0 : random() % 6) {
    case 1: {
      const Sample a = RandomSample(random, depth - 1);
      const Sample b = RandomSample(random, depth - 1);
      return {a.pattern + b.pattern, [a, b](const std::string& text, const Ends& begins) {
                return b.ends(text, a.ends(text, begins));
              }};
    }
    case 2: {
      const Sample a = RandomSample(random, depth - 1);
      const Sample b = RandomSample(random, depth - 1);
      return {"(" + a.pattern + "|" + b.pattern + ")",
              [a, b](const std::string& text, const Ends& begins) {
                Ends ends = a.ends(text, begins);
                ends.merge(b.ends(text, begins));
                return ends;
              }};
    }
    case 3:
      return Repeated(RandomSample(random, depth - 1), "*", 0, 8);  // longer than any text
    case 4:
      return Repeated(RandomSample(random, depth - 1), "{2,3}", 2, 3);
    case 5:
      return Repeated(RandomSample(random, depth - 1), "?", 0, 1);
    default:
      return Atom(random);
  }
}

TEST(RegexTest, AgreesWithTheMeaningOfEveryPart) {
  std::mt19937 random(11);  // NOLINT(cert-msc*)
  int matched = 0;
  for (int i = 0; i < 500; ++i) {
    const Sample sample = RandomSample(random, 4);
    const auto ours = Grammar::FromRegex(sample.pattern);
    ASSERT_TRUE(ours.has_value()) << sample.pattern;
    for (int k = 0; k < 40; ++k) {
      std::string text;
      for (std::size_t length = random() % 7; length > 0; --length) {
        text += "abc1-"[random() % 5];
      }
      const bool expected = sample.ends(text, {0}).contains(text.size());
      ASSERT_EQ((*ours)->Matches(text).value(), expected) << sample.pattern << " on " << text;
      matched += expected ? 1 : 0;
    }
  }
  EXPECT_GT(matched, 500) << "the texts must not all miss";
}

TEST(RegexTest, EveryCharacterHasItsBytes) {
  const auto any = Grammar::FromRegex("[^\\n]");
  const auto some = Grammar::FromRegex("[\\u00e9-\\u2100\\uffff]");
  ASSERT_TRUE(any && some);
  for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 61) {
    if (c >= 0xD800 && c <= 0xDFFF) {
      continue;
    }
    std::string text;
    AppendUtf8(c, text);
    ASSERT_EQ((*any)->Matches(text).value(), c != U'\n') << std::hex << static_cast<unsigned>(c);
    ASSERT_EQ((*some)->Matches(text).value(), (c >= 0xE9 && c <= 0x2100) || c == 0xFFFF)
        << std::hex << static_cast<unsigned>(c);
  }
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE2\x82"}) {
    EXPECT_FALSE((*any)->Matches(bad).value());
  }
}

TEST(RegexTest, SyntaxThatIsAccepted) {
  EXPECT_TRUE(Matches("^SP\\d(\\.[a-z])?$", "SP2.a"));
  EXPECT_TRUE(Matches("(?:ab)+?", "abab"));
  EXPECT_TRUE(Matches("[]a-]+", "]a-"));
  EXPECT_TRUE(Matches("\\x41\\u0042\\.", "AB."));
  EXPECT_TRUE(Matches("a{2,}", "aaaa"));
  EXPECT_TRUE(Matches("", ""));
  EXPECT_TRUE(Matches("a|", ""));
  EXPECT_FALSE(Matches(".", "\n"));
}

TEST(RegexTest, ErrorsNameTheByte) {
  for (const char* pattern : {"(", "a)", "[a", "*a", "a**", "a{3,2}", "a{99999}", "\\1", "(?=a)",
                              "a^b", "[z-a]", "\\", "\\u12", "[[:alpha:]]", "a++", "\xff"}) {
    const auto grammar = Grammar::FromRegex(pattern);
    ASSERT_FALSE(grammar.has_value()) << pattern;
    EXPECT_FALSE(grammar.error().message.empty());
  }
  EXPECT_NE(Grammar::FromRegex("abc(?=d)").error().message.find("byte 4"), std::string::npos);
}

TEST(RegexTest, HostilePatternsEnd) {
  std::string groups;
  for (int i = 0; i < 8000; ++i) {
    groups += '(';
  }
  EXPECT_FALSE(Grammar::FromRegex(groups).has_value());
  std::string optional;
  for (int i = 0; i < 5000; ++i) {
    optional += "a?";
  }
  const auto grammar = Grammar::FromRegex(optional + optional.substr(0, 4000));
  if (grammar) {
    (void)(*grammar)->Matches(std::string(3000, 'a'));
  }
  EXPECT_FALSE(Grammar::FromRegex(std::string(kRegexBytesMax + 1, 'a')).has_value());
  const auto nested = Grammar::FromRegex("((a{1,10000}){1,10000}){1,10000}");
  if (nested) {
    (void)(*nested)->Matches(std::string(2000, 'a'));
  }
}

}  // namespace
}  // namespace safeguard::engine
