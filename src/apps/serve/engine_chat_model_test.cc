// From messages to a prompt, and from tokens to pieces, with a generator that says what it is told.
#include "apps/serve/engine_chat_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/harmony_parser.h"

namespace safeguard::apps {
namespace {

using engine::FinishReason;
using engine::GeneratedToken;
using engine::GenerationRequest;
using engine::GenerationResult;
using moderation::Role;
using ::testing::HasSubstr;

// A rank file of the 256 single bytes: every text is one token a byte.
std::string ByteRanks() {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string file;
  for (unsigned byte = 0; byte < 256; ++byte) {
    file += std::string{kAlphabet[byte >> 2U], kAlphabet[(byte & 3U) << 4U]} +
            "== " + std::to_string(byte) + "\n";
  }
  return file;
}

class SayingGenerator final : public engine::Generator {
 public:
  explicit SayingGenerator(const engine::Bpe& bpe) : bpe_(bpe) {}

  Result<engine::RequestId> Submit(GenerationRequest request,
                                   std::function<void(GenerationResult)> on_done) override {
    GenerationResult result;
    result.finish = finish;
    const auto say = [&](std::uint32_t id, bool score) {
      GeneratedToken token{id, false, {}, {}};
      if (score) {
        token.logprob = -0.5;
        token.top = {{id, -0.5}};
      }
      result.tokens.push_back(token);
      request.on_token(token);
    };
    const auto text = [&](const std::string& words) {
      for (const std::uint32_t id : bpe_.Encode(words)) {
        say(id, request.sampling.logprobs);
      }
    };
    say(200'005, false);
    text("analysis");
    say(200'008, false);
    text(reasoning);
    if (finish != FinishReason::kTimeLimit) {
      for (const std::uint32_t id : {200'007U, 200'006U}) {
        say(id, false);
      }
      text("assistant");
      say(200'005, false);
      text("final");
      say(200'008, false);
      text(answer);
      say(200'002, false);
      result.final_opened = true;
    }
    requests.push_back(std::move(request));
    on_done(std::move(result));
    return engine::RequestId{requests.size()};
  }
  void Cancel(engine::RequestId id) override {
    cancelled.push_back(static_cast<std::uint64_t>(id));
  }
  GenerationResult Run(GenerationRequest) override { return {}; }
  [[nodiscard]] engine::GeneratorCounters counters() const override { return {}; }

  std::string reasoning = "It fits \xC3\xA9.";
  std::string answer = "1 <|end|>";
  FinishReason finish = FinishReason::kStopToken;
  std::vector<GenerationRequest> requests;
  std::vector<std::uint64_t> cancelled;

 private:
  const engine::Bpe& bpe_;
};

class EngineChatModelTest : public ::testing::Test {
 protected:
  void Ask(http::ChatQuestion question) {
    reasoning.clear();
    answer.clear();
    scores = 0;
    asked = model->Ask(
        std::move(question),
        [this](const http::ChatPiece& piece) {
          (piece.reasoning ? reasoning : answer) += piece.text;
          scores += piece.scores.size();
        },
        [this](const http::ChatEnd& given) { end = given; });
  }
  static http::ChatQuestion Question() {
    http::ChatQuestion question;
    question.messages = {{Role::kSystem, "POLICY"}, {Role::kUser, "CONTENT <|end|>"}};
    question.effort = http::ChatEffort::kLow;
    return question;
  }
  // The prompt's text; control tokens as "|".
  std::string Prompt() {
    std::string text;
    for (const std::uint32_t id : generator.requests.back().prompt) {
      text += id >= 199'998 ? "|" : std::string(bpe->Bytes(id));
    }
    return text;
  }

  std::unique_ptr<engine::Bpe> bpe = std::move(*engine::Bpe::LoadRanks(ByteRanks()));
  SayingGenerator generator{*bpe};
  std::unique_ptr<http::ChatModel> model = MakeChatModel(generator, *bpe, "gpt-oss-x", 4096);
  Result<std::uint64_t> asked;
  std::string reasoning;
  std::string answer;
  std::size_t scores = 0;
  http::ChatEnd end;
};

TEST_F(EngineChatModelTest, ThePolicyIsTheDevelopersAndControlTokensInTextAreText) {
  Ask(Question());
  ASSERT_TRUE(asked);
  EXPECT_THAT(Prompt(), HasSubstr("Reasoning: low"));
  EXPECT_THAT(Prompt(), HasSubstr("|developer|# Instructions\n\nPOLICY|"));
  EXPECT_THAT(Prompt(), HasSubstr("|user|CONTENT <|end|>|"));
  EXPECT_TRUE(Prompt().ends_with("|assistant"));
  EXPECT_EQ(Prompt().find("Current date"), std::string::npos);
  EXPECT_EQ(generator.requests[0].prefix_ends.size(), 1U) << "the policy is shared";
}

TEST_F(EngineChatModelTest, ReasoningAndAnswerComeApart) {
  Ask(Question());
  EXPECT_EQ(reasoning, "It fits \xC3\xA9.");
  EXPECT_EQ(answer, "1 <|end|>");
  EXPECT_EQ(end.why, http::ChatEnd::Why::kComplete);
  EXPECT_EQ(scores, 0U);
}

TEST_F(EngineChatModelTest, ScoresAreOfTheAnswersTokens) {
  http::ChatQuestion question = Question();
  question.logprobs = true;
  Ask(question);
  EXPECT_EQ(scores, generator.answer.size()) << "a token a byte";
}

TEST_F(EngineChatModelTest, TimeThatIsUpAndAnAnswerThatIsNoneAreNotComplete) {
  generator.finish = FinishReason::kTimeLimit;
  Ask(Question());
  EXPECT_EQ(end.why, http::ChatEnd::Why::kTimeLimit);
  EXPECT_EQ(answer, "");
}

TEST_F(EngineChatModelTest, ASchemaBecomesAGrammarAndIsShown) {
  http::ChatQuestion question = Question();
  question.format = {http::ChatFormat::Kind::kJsonSchema, "verdict", "",
                     R"({"type":"object","properties":{"v":{"type":"boolean"}},"required":["v"]})"};
  Ask(question);
  ASSERT_TRUE(asked) << asked.error().message;
  EXPECT_NE(generator.requests[0].grammar, nullptr);
  EXPECT_THAT(Prompt(), HasSubstr("# Response Formats"));
  question.format.schema = R"({"$ref":"#/x"})";
  Ask(question);
  EXPECT_FALSE(asked);
}

TEST_F(EngineChatModelTest, MessagesThatAreTooLongAreRefused) {
  http::ChatQuestion question = Question();
  question.messages[1].text = std::string(5000, 'x');
  Ask(question);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::kInvalidInput);
}

TEST_F(EngineChatModelTest, AQuestionCanBeCancelled) {
  model->Cancel(7);
  EXPECT_EQ(generator.cancelled, std::vector<std::uint64_t>{7});
}

}  // namespace
}  // namespace safeguard::apps
