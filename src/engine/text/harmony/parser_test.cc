#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/harmony_parser.h"
#include "engine/text/harmony/test_harmony.h"

namespace safeguard::engine {
namespace {

using State = HarmonyParser::State;
using ::testing::HasSubstr;

class HarmonyParserTest : public testing::Test {
 protected:
  Result<std::vector<ParsedMessage>> Parse(const std::string& written,
                                           HarmonyParserOptions options = {}) {
    return ParseCompletion(*bpe_, test::IdsOf(*bpe_, written), options);
  }

  // One line a message: role name>recipient channel type: content
  std::string Read(const std::string& written, HarmonyParserOptions options = {}) {
    const auto messages = Parse(written, options);
    if (!messages) {
      return "error: " + messages.error().message;
    }
    std::string out;
    for (const ParsedMessage& message : *messages) {
      const HarmonyHeader& header = message.header;
      out += std::string(ToString(header.role)) + (header.name.empty() ? "" : "=" + header.name);
      out += header.recipient ? ">" + *header.recipient : "";
      out += header.channel ? " #" + *header.channel : "";
      out += header.content_type ? " (" + *header.content_type + ")" : "";
      out += ": " + message.content + "\n";
    }
    return out;
  }

  std::string Lenient(const std::string& written) { return Read(written, {.strict = false}); }

  std::unique_ptr<Bpe> bpe_ = test::SmallBpe();
};

TEST_F(HarmonyParserTest, VariantsBeforeTheFinalContent) {
  const std::string analysis = "<|channel|>analysis<|message|>x<|end|><|start|>assistant";
  for (const bool strict : {true, false}) {
    const HarmonyParserOptions options{.strict = strict};
    EXPECT_EQ(Read("<|channel|>final<|message|>1<|return|>", options), "assistant #final: 1\n");
    EXPECT_EQ(Read(analysis + "<|channel|>final<|message|>1<|return|>", options),
              "assistant #analysis: x\nassistant #final: 1\n");
    EXPECT_EQ(Read(analysis + "<|channel|>final <|constrain|>json<|message|>{}<|return|>", options),
              "assistant #analysis: x\nassistant><|constrain|>json #final: {}\n");
    EXPECT_EQ(Read(analysis + "<|channel|>final<|constrain|>json<|message|>{}<|return|>", options),
              "assistant #analysis: x\nassistant><|constrain|>json #final: {}\n");
    EXPECT_EQ(Read("<|channel|>commentary<|message|>y<|end|><|start|>assistant"
                   "<|channel|>final<|message|>1<|return|>",
                   options),
              "assistant #commentary: y\nassistant #final: 1\n");
    EXPECT_EQ(Read("<|message|>1<|return|>", options), "assistant: 1\n");
    EXPECT_EQ(Read("", {.role = std::nullopt, .strict = strict}), "");
  }
}

TEST_F(HarmonyParserTest, CallsAndTools) {
  EXPECT_EQ(Read("<|channel|>commentary to=functions.x <|constrain|>json<|message|>{}<|call|>"),
            "assistant>functions.x #commentary (<|constrain|>json): {}\n");
  EXPECT_EQ(Read(" to=functions.x<|channel|>commentary json<|message|>{}<|call|>"),
            "assistant>functions.x #commentary (json): {}\n");
  EXPECT_EQ(Read("<|channel|>commentary to=functions.x<|constrain|>json<|message|>{}<|call|>"),
            "assistant>functions.x #commentary (<|constrain|>json): {}\n");
  EXPECT_EQ(Read("<|start|>functions.x to=assistant<|channel|>commentary<|message|>r<|end|>",
                 {.role = std::nullopt}),
            "tool=functions.x>assistant #commentary: r\n");
  EXPECT_EQ(Read("<|start|>tool<|message|>r<|end|>", {.role = std::nullopt}), "tool=tool: r\n");
  EXPECT_EQ(Read(" foo<|message|>r<|end|>"), "assistant>foo: r\n") << "a lone word";
}

TEST_F(HarmonyParserTest, StrictErrorsAreTheLibrarys) {
  EXPECT_EQ(Read("<|channel|>ana"),
            "error: Unexpected EOS while waiting for message header to complete");
  EXPECT_EQ(Read("<|message|>a<|end|>x"),
            "error: Unexpected token 120 while expecting start token 200006");
  EXPECT_EQ(Read("<|channel|><|message|>"),
            "error: channel marker present but no channel value found in header");
  EXPECT_EQ(Read("<|message|>a<|end|><|start|><|message|>"),
            "error: message header did not contain a role");
  EXPECT_EQ(Read("<|message|>a<|end|><|start|>robot<|message|>"), "error: Unknown role: robot");
  EXPECT_EQ(Read("<|channel|>final a b c d<|message|>"),
            "error: unexpected tokens remaining in message header: Some(\"a b\")");
  EXPECT_EQ(Read("<|channel|>final\xE4<|message|>"), "error: could not decode header");
}

TEST_F(HarmonyParserTest, LenientReadsWhatItCan) {
  EXPECT_EQ(Lenient("<|message|>a<|end|>noise<|start|>assistant<|message|>b"),
            "assistant: a\nassistant: b\n");
  EXPECT_EQ(Lenient("<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>b"),
            "assistant #analysis: a\nassistant #final: b\n");
  EXPECT_EQ(
      Lenient("<|channel|>analysis<|message|>a<|start|>assistant<|channel|>final<|message|>b"),
      "assistant #analysis: a\nassistant #final: b\n");
  EXPECT_EQ(Lenient("<|start|>assistant<|channel|>final<|message|>b"), "assistant #final: b\n");
  EXPECT_EQ(Lenient("<|channel|>final a b c d<|message|>x"), "assistant>c #final (d): x\n");
  EXPECT_EQ(Lenient("<|channel|><|message|>x"), "assistant: x\n");
  EXPECT_EQ(Lenient("<|message|>a<|end|><|start|><|channel|>final<|message|>x"),
            "assistant: a\nassistant #final: x\n");
  EXPECT_EQ(Lenient("<|message|>a<|end|><|start|>robot<|message|>x"),
            "assistant: a\ntool=robot: x\n");
  EXPECT_EQ(Lenient("<|channel|>final\xE4<|message|>x"), "assistant #final\uFFFD: x\n");
  // A message that ends before <|message|>.
  EXPECT_EQ(Lenient("<|channel|>final the answer is 1<|return|>"),
            "assistant #final: the answer is 1\n");
  EXPECT_EQ(Lenient("assistant<|channel|>final<|return|>"), "assistant #final: \n");
  EXPECT_EQ(Lenient("<|return|>"), "");
  EXPECT_EQ(Lenient("<|channel|>ana"),
            "error: Unexpected EOS while waiting for message header to complete");
}

TEST_F(HarmonyParserTest, TextIsNoStructure) {
  // The names of control tokens, spelled by ordinary tokens.
  const test::Ids spelled = bpe_->Encode("<|channel|>final<|message|>0<|return|>");
  test::Ids ids = {special::kChannel};
  const auto add = [&](const test::Ids& more) { ids.insert(ids.end(), more.begin(), more.end()); };
  add(bpe_->Encode("analysis"));
  ids.push_back(special::kMessage);
  add(spelled);
  ids.push_back(special::kEnd);
  const auto messages = ParseCompletion(*bpe_, ids);
  ASSERT_TRUE(messages.has_value());
  ASSERT_EQ(messages->size(), 1U);
  EXPECT_EQ((*messages)[0].header.channel, "analysis");
  EXPECT_EQ((*messages)[0].content, "<|channel|>final<|message|>0<|return|>");
  // In a header, where the library itself would take them for a channel.
  ids.clear();
  add(bpe_->Encode("<|channel|>final"));
  ids.push_back(special::kMessage);
  add(bpe_->Encode("0"));
  HarmonyParser parser(*bpe_);
  for (const std::uint32_t id : ids) {
    ASSERT_TRUE(parser.Push(id));
  }
  EXPECT_FALSE(parser.header().channel);
  EXPECT_FALSE(parser.in_final());
  // And a spelled <|constrain|> is a tool's name, so no grammar begins.
  ids = {special::kChannel};
  add(bpe_->Encode("final "));
  add(bpe_->Encode("<|constrain|>json"));
  ids.push_back(special::kMessage);
  HarmonyParser other(*bpe_);
  for (const std::uint32_t id : ids) {
    ASSERT_TRUE(other.Push(id));
  }
  EXPECT_EQ(other.state(), State::kContent);
  EXPECT_FALSE(other.in_final());
}

TEST_F(HarmonyParserTest, ReportsTheStateAsItGoes) {
  HarmonyParser parser(*bpe_);
  const auto push = [&](const std::string& written) {
    std::string text;
    for (const std::uint32_t id : test::IdsOf(*bpe_, written)) {
      EXPECT_TRUE(parser.Push(id));
      text += parser.new_text();
    }
    return text;
  };
  EXPECT_EQ(parser.state(), State::kHeader);
  EXPECT_EQ(push("<|channel|>analysis"), "");
  EXPECT_EQ(parser.state(), State::kHeader);
  EXPECT_FALSE(parser.in_analysis());
  push("<|message|>");
  EXPECT_TRUE(parser.in_analysis());
  EXPECT_EQ(push("th\u4E2Dx"), "th\u4E2Dx");
  EXPECT_EQ(parser.content(), "th\u4E2Dx");
  EXPECT_EQ(push("<|end|>"), "");
  EXPECT_EQ(parser.state(), State::kExpectStart);
  ASSERT_EQ(parser.messages().size(), 1U);
  push("<|start|>assistant<|channel|>final <|constrain|>json");
  EXPECT_FALSE(parser.in_final());
  push("<|message|>");
  EXPECT_TRUE(parser.in_final());
  EXPECT_EQ(parser.header().channel, "final");
  EXPECT_TRUE(parser.Push(0xE4));
  EXPECT_EQ(parser.new_text(), "") << "half a character";
  EXPECT_TRUE(parser.Push(special::kReturn));
  EXPECT_EQ(parser.new_text(), "\uFFFD");
  EXPECT_FALSE(parser.in_final());
  EXPECT_EQ(parser.messages()[1].content, "\uFFFD");
  EXPECT_TRUE(parser.Finish());
  for (const char* header : {"user<|channel|>final", "assistant to=x<|channel|>final",
                             "assistant<|channel|>commentary", "assistant"}) {
    push(std::string("<|start|>") + header + "<|message|>");
    EXPECT_FALSE(parser.in_final()) << header;
    push("<|end|>");
  }
}

TEST_F(HarmonyParserTest, GoesOnAfterAnError) {
  HarmonyParser parser(*bpe_, {.role = std::nullopt});
  EXPECT_FALSE(parser.Push('x'));
  for (const std::uint32_t id : test::IdsOf(*bpe_, "<|start|>user<|message|>hi<|end|>")) {
    EXPECT_TRUE(parser.Push(id));
  }
  ASSERT_EQ(parser.messages().size(), 1U);
  EXPECT_EQ(parser.messages()[0].content, "hi");
}

TEST_F(HarmonyParserTest, MemoryIsBounded) {
  for (const bool strict : {true, false}) {
    const HarmonyParserOptions options{
        .strict = strict, .header_tokens_max = 10, .text_bytes_max = 400};
    const auto header = Parse("12345678901<|message|>", options);
    ASSERT_FALSE(header.has_value());
    EXPECT_EQ(header.error().code, ErrorCode::kLimit);
    const auto content = Parse("<|message|>" + std::string(401, 'x'), options);
    ASSERT_FALSE(content.has_value());
    EXPECT_EQ(content.error().code, ErrorCode::kLimit);
    std::string many = "<|message|><|end|>";
    for (int i = 0; i < 3; ++i) {
      many += "<|start|>user<|message|>" + std::string(100, 'x') + "<|end|>";
    }
    const auto messages = Parse(many, options);
    ASSERT_FALSE(messages.has_value());
    EXPECT_EQ(messages.error().code, ErrorCode::kLimit);
  }
}

TEST_F(HarmonyParserTest, ReadsBackWhatIsRendered) {
  EXPECT_TRUE(rc::check([&](bool strict) {
    const auto messages = *rc::gen::container<std::vector<HarmonyMessage>>(test::Message());
    const auto ids = RenderConversation(*bpe_, messages, DropReasoning::kNone);
    RC_ASSERT(ids.has_value());
    const auto parsed = ParseCompletion(*bpe_, *ids, {.role = std::nullopt, .strict = strict});
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->size() == messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
      RC_ASSERT((*parsed)[i].header == messages[i].header);
      RC_ASSERT((*parsed)[i].content == ContentText(messages[i]));
    }
  }));
}

TEST_F(HarmonyParserTest, LenientAgreesWithStrictWhereThatReads) {
  EXPECT_TRUE(rc::check([&](const std::vector<std::uint8_t>& numbers) {
    const std::uint32_t control[] = {
        special::kStart,  special::kChannel, special::kMessage,   special::kEnd,
        special::kReturn, special::kCall,    special::kConstrain, 257};
    test::Ids ids;
    for (const std::uint8_t number : numbers) {
      ids.push_back(number % 3 == 0 ? control[number / 3 % 8] : "assistn to=#"[number % 12]);
    }
    // Where <|start|> stands in a message, or an end in a header, the two differ on purpose.
    HarmonyParser strict(*bpe_);
    bool same = true;
    for (const std::uint32_t id : ids) {
      same = same && (id != special::kStart || strict.state() == State::kExpectStart) &&
             (!EndsMessage(id) || strict.state() != State::kHeader);
      if (!strict.Push(id)) {
        return;
      }
    }
    if (!same || !strict.Finish()) {
      return;
    }
    const auto lenient = ParseCompletion(*bpe_, ids, {.strict = false});
    RC_ASSERT(lenient.has_value());
    RC_ASSERT(*lenient == strict.messages());
  }));
}

}  // namespace
}  // namespace safeguard::engine
