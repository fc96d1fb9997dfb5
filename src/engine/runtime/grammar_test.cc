// Grammars: what JSON Schemas and choices accept, and what every random answer of one looks like.
#include "engine/grammar.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "engine/runtime/automaton.h"
#include "engine/runtime/json_numbers.h"

namespace safeguard::engine {
namespace {

using Json = nlohmann::json;

std::shared_ptr<const Grammar> Schema(const std::string& schema,
                                      JsonLayout layout = JsonLayout::kCompact) {
  auto grammar = Grammar::FromJsonSchema(schema, layout);
  EXPECT_TRUE(grammar.has_value()) << schema << ": " << Describe(grammar.error());
  return grammar ? *grammar : nullptr;
}

std::string SchemaError(const std::string& schema) {
  const auto grammar = Grammar::FromJsonSchema(schema);
  EXPECT_FALSE(grammar.has_value()) << schema;
  return grammar ? "" : Describe(grammar.error());
}

bool Matches(const Grammar& grammar, const std::string& text) {
  const Result<bool> matches = grammar.Matches(text);
  EXPECT_TRUE(matches.has_value());
  return matches.value_or(false);
}

// A random answer, or what was written when `bytes_max` was reached.
std::string RandomAnswer(const Grammar& grammar, std::mt19937& random, std::size_t bytes_max,
                         bool& complete) {
  const auto automaton = grammar.automaton();
  StateId state = automaton->start();
  std::string text;
  complete = false;
  while (text.size() < bytes_max) {
    const ByteSet next = automaton->NextBytes(state);
    EXPECT_TRUE(next.any() || automaton->Accepts(state)) << "stuck after " << text;
    if (automaton->Accepts(state) && (next.none() || random() % 4 == 0)) {
      complete = true;
      break;
    }
    std::vector<unsigned char> bytes;
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (next.test(byte)) {
        bytes.push_back(static_cast<unsigned char>(byte));
      }
    }
    const unsigned char byte = bytes[random() % bytes.size()];
    text += static_cast<char>(byte);
    state = automaton->Next(state, byte);
    EXPECT_NE(state, kDeadState);
  }
  EXPECT_FALSE(automaton->failed());
  return text;
}

TEST(GrammarTest, TheVerdictSchema) {
  const auto grammar = Schema(R"({"type":"object","properties":{
    "violation":{"type":"integer","enum":[0,1]},
    "policy_category":{"type":["string","null"],"maxLength":5},
    "rule_ids":{"type":"array","items":{"enum":["SP2.a","SP2.b"]},"maxItems":2},
    "confidence":{"enum":["low","high"]}},
    "required":["violation","policy_category","rule_ids"],"additionalProperties":false})");
  EXPECT_TRUE(Matches(*grammar, R"({"violation":1,"policy_category":"SP2","rule_ids":["SP2.a"]})"));
  EXPECT_TRUE(Matches(*grammar, R"({"violation":0,"policy_category":null,"rule_ids":[]})"));
  EXPECT_TRUE(Matches(
      *grammar,
      R"({"violation":0,"policy_category":"a\"\nü","rule_ids":["SP2.b","SP2.a"],"confidence":"low"})"));
  EXPECT_FALSE(Matches(*grammar, R"({"violation":2,"policy_category":null,"rule_ids":[]})"));
  EXPECT_FALSE(Matches(*grammar, R"({"violation":1,"policy_category":"123456","rule_ids":[]})"));
  EXPECT_FALSE(Matches(*grammar, R"({"violation":1,"policy_category":null})"));
  EXPECT_FALSE(Matches(*grammar, R"({"policy_category":null,"violation":1,"rule_ids":[]})"));
  EXPECT_FALSE(Matches(*grammar, "{\"violation\":1,\"policy_category\":\"\xff\",\"rule_ids\":[]}"));
  EXPECT_FALSE(Matches(*grammar, "{\"violation\":1,\"policy_category\":\"\n\",\"rule_ids\":[]}"));
}

TEST(GrammarTest, LayoutsAndOptionalProperties) {
  const std::string schema = R"({"type":"object","properties":{"a":{"type":"boolean"},
    "b":{"type":"null"},"c":{"const":1.5}},"required":["b"]})";
  const auto compact = Schema(schema);
  for (const char* text : {R"({"b":null})", R"({"a":true,"b":null})", R"({"b":null,"c":1.5})",
                           R"({"a":false,"b":null,"c":1.5})"}) {
    EXPECT_TRUE(Matches(*compact, text)) << text;
    EXPECT_TRUE(Matches(*Schema(schema, JsonLayout::kEither), text)) << text;
  }
  EXPECT_FALSE(Matches(*compact, R"({"a":true})"));
  EXPECT_FALSE(Matches(*compact, R"({"b": null})"));
  EXPECT_TRUE(Matches(*Schema(schema, JsonLayout::kSpaced), R"({"a": true, "b": null})"));
  EXPECT_TRUE(Matches(*Schema(schema, JsonLayout::kEither), R"({"a": true,"b":null})"));
  EXPECT_TRUE(Matches(*Schema(R"({"type":"object"})"), "{}"));
}

TEST(GrammarTest, PatternMeetsLength) {
  const auto grammar = Schema(R"({"type":"string","pattern":"^SP[0-9]+$","maxLength":4})");
  EXPECT_TRUE(Matches(*grammar, "\"SP1\""));
  EXPECT_TRUE(Matches(*grammar, "\"SP12\""));
  EXPECT_FALSE(Matches(*grammar, "\"SP123\""));
  const auto quote = Schema(R"({"type":"string","pattern":"a\"b"})");
  EXPECT_TRUE(Matches(*quote, R"("xa\"by")"));
  const auto far = Schema(R"({"type":"string","pattern":"needle","maxLength":100000})");
  EXPECT_TRUE(Matches(*far, "\"a needle in hay\""));
  EXPECT_FALSE(Matches(*far, "\"hay\""));
  EXPECT_NE(SchemaError(R"({"type":"string","pattern":"^a{10}$","maxLength":5})").find("no answer"),
            std::string::npos);
}

TEST(GrammarTest, IntegerRangesAreExact) {
  std::mt19937 random(1);  // NOLINT(cert-msc*)
  for (int round = 0; round < 60; ++round) {
    const int low = static_cast<int>(random() % 2400) - 1200;
    const int high = low + static_cast<int>(random() % (round % 2 == 0 ? 20 : 1500));
    const auto grammar =
        Schema(Json{{"type", "integer"}, {"minimum", low}, {"maximum", high}}.dump());
    for (int i = low - 30; i <= high + 30; ++i) {
      ASSERT_EQ(Matches(*grammar, std::to_string(i)), low <= i && i <= high)
          << low << ".." << high << " " << i;
    }
    EXPECT_FALSE(Matches(*grammar, "-0"));
    EXPECT_FALSE(Matches(*grammar, "0" + std::to_string(high)));
  }
}

TEST(GrammarTest, NumberRangesAreExact) {
  std::mt19937 random(2);                   // NOLINT(cert-msc*)
  const auto thousandths = [](int value) {  // exact decimal text of value / 1000
    std::string digits = std::to_string(std::abs(value));
    digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
    return (value < 0 ? "-" : "") + digits.substr(0, digits.size() - 3) + "." +
           digits.substr(digits.size() - 3);
  };
  for (int round = 0; round < 80; ++round) {
    const int low = static_cast<int>(random() % 6000) - 3000;
    const int high = low + 1 + static_cast<int>(random() % 2500);
    const bool open = round % 2 == 0;
    const std::string schema =
        std::string(R"({"type":"number",)") + (open ? R"("exclusiveMinimum":)" : R"("minimum":)") +
        thousandths(low) + "," + (open ? R"("exclusiveMaximum":)" : R"("maximum":)") +
        thousandths(high) + "}";
    const auto grammar = Schema(schema);
    for (int i = low - 3; i <= high + 3; i += i > low + 3 && i < high - 40 ? 37 : 1) {
      const bool inside = open ? low < i && i < high : low <= i && i <= high;
      const std::string text = thousandths(i);
      ASSERT_EQ(Matches(*grammar, text), inside && !(i == 0 && text[0] == '-')) << schema << text;
    }
  }
}

TEST(GrammarTest, RandomAnswersAreJson) {
  std::mt19937 random(3);  // NOLINT(cert-msc*)
  const auto grammar = Schema(R"({"anyOf":[
    {"type":"object","properties":{"s":{"type":"string","maxLength":12,"minLength":2},
      "n":{"type":"number","minimum":-3.25,"maximum":12},"l":{"type":"array","minItems":1,
      "maxItems":3,"items":{"type":"integer","minimum":0,"maximum":120}}},"required":["n"]},
    {"type":"array","items":{"type":"string","pattern":"^[a-zß]+$","maxLength":3},"maxItems":4}]})",
                              JsonLayout::kEither);
  int complete_count = 0;
  for (int i = 0; i < 400; ++i) {
    bool complete = false;
    const std::string text = RandomAnswer(*grammar, random, 400, complete);
    if (!complete) {
      continue;
    }
    ++complete_count;
    const Json value = Json::parse(text, nullptr, false);
    ASSERT_FALSE(value.is_discarded()) << text;
    if (value.is_object() && value.contains("n")) {
      EXPECT_GE(value["n"].get<double>(), -3.25);
      EXPECT_LE(value["n"].get<double>(), 12);
    }
    EXPECT_TRUE(Matches(*grammar, text));
  }
  EXPECT_GT(complete_count, 300);
}

TEST(GrammarTest, Choices) {
  const std::vector<std::string> labels{"VALID", "INVALID", "INVALID+ESCALATE"};
  const auto grammar = Grammar::FromChoice(labels);
  ASSERT_TRUE(grammar.has_value());
  for (const std::string& label : labels) {
    EXPECT_TRUE(Matches(**grammar, label));
  }
  EXPECT_FALSE(Matches(**grammar, "INVALID+"));
  EXPECT_FALSE(Grammar::FromChoice(std::vector<std::string>{}).has_value());
  EXPECT_FALSE(Grammar::FromChoice(std::vector<std::string>{""}).has_value());
  EXPECT_FALSE(Grammar::FromChoice(std::vector<std::string>{"\xff"}).has_value());
}

TEST(GrammarTest, ErrorsNameThePlace) {
  EXPECT_NE(
      SchemaError(R"({"type":"object","properties":{"a":{"oneOf":[]}}})").find("/properties/a"),
      std::string::npos);
  EXPECT_NE(SchemaError(R"({"type":"object","properties":{"a":{"oneOf":[]}}})").find("anyOf"),
            std::string::npos);
  EXPECT_NE(SchemaError(R"({"$ref":"#"})").find("$ref"), std::string::npos);
  EXPECT_NE(SchemaError("{").find("not valid JSON"), std::string::npos);
  EXPECT_NE(SchemaError(R"({"type":"integer","minimum":3,"maximum":2})").find("no answer"),
            std::string::npos);
  EXPECT_NE(SchemaError(R"({"enum":["a",1],"type":"string"})").find("/enum/1"), std::string::npos);
  EXPECT_NE(SchemaError(R"x({"type":"string","pattern":"(?=a)"})x").find("look-ahead"),
            std::string::npos);
  EXPECT_NE(SchemaError(R"({"type":"object","properties":{},"required":["x"]})").find("required"),
            std::string::npos);
}

TEST(GrammarTest, HostileSizesAreErrors) {
  std::string deep;
  for (int i = 0; i < 100; ++i) {
    deep += R"({"type":"array","items":)";
  }
  EXPECT_NE(SchemaError(deep + R"({"type":"null"})" + std::string(100, '}')).find("deep"),
            std::string::npos);
  EXPECT_NE(SchemaError(std::string(kSchemaBytesMax + 1, ' ')).find("bytes"), std::string::npos);
  // Exponential for a subset construction: the state limit ends it.
  const auto exponential = Grammar::FromRegex("(a|b)*a(a|b){60}");
  ASSERT_TRUE(exponential.has_value());
  std::mt19937 random(4);  // NOLINT(cert-msc*)
  std::string text;
  for (int i = 0; i < 400'000; ++i) {
    text += random() % 2 == 0 ? 'a' : 'b';
  }
  const Result<bool> matches = (*exponential)->Matches(text);
  ASSERT_FALSE(matches.has_value());
  EXPECT_EQ(matches.error().code, ErrorCode::kLimit);
  EXPECT_TRUE((*exponential)->Matches("aabab").has_value()) << "the next answer has fresh room";
}

TEST(GrammarTest, OnlyContinuationIsTheKeyText) {
  const auto grammar = Schema(
      R"({"type":"object","properties":{"violation":{"enum":[0,1]},"ok":{"type":"boolean"}},
          "required":["violation","ok"]})");
  const auto automaton = grammar->automaton();
  const auto first = automaton->OnlyContinuation(automaton->start(), 1000);
  EXPECT_EQ(first.bytes, R"({"violation":)");
  const auto second = automaton->OnlyContinuation(automaton->Next(first.end, '1'), 1000);
  EXPECT_EQ(second.bytes, R"(,"ok":)");
}

}  // namespace
}  // namespace safeguard::engine
