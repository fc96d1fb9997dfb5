// What the service talks with, as its options open it: on a checkpoint of random weights.
#include "apps/serve/talk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "apps/input/model_folders.h"
#include "apps/services.h"
#include "base/file.h"
#include "engine/model_synth.h"

namespace safeguard::apps {
namespace {

class TalkTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A checkpoint of random weights with the whole vocabulary; empty where there are no ranks.
  std::string Checkpoint() {
    const Result<std::string> ranks_file = FindModelPath(kRankFile, ModelFolders(""));
    if (!ranks_file) {
      return "";
    }
    const Result<std::string> ranks = ReadFile(*ranks_file, std::size_t{64} << 20);
    EXPECT_TRUE(ranks);
    std::filesystem::create_directories(folder_);
    engine::SynthRequest request;
    request.shape = "tiny";
    request.format = engine::SynthFormat::kGguf;
    request.rank_file = *ranks;
    request.out = folder_ + "/tiny.gguf";
    const auto written = engine::SynthesizeModel(request);
    EXPECT_TRUE(written) << Describe(written.error());
    return request.out;
  }

  static http::ChatQuestion Question() {
    http::ChatQuestion question;
    question.messages = {{moderation::Role::kUser, "hello"}};
    return question;
  }

  std::string folder_ = testing::TempDir() + "/talk-" + std::to_string(::getpid());
  TalkArguments arguments_;
  JudgeChoice judge_;
};

TEST_F(TalkTest, TalksWithTheReasonersModelWhereItIsTheSameCheckpoint) {
  arguments_.chat_model = Checkpoint();
  if (arguments_.chat_model.empty()) {
    GTEST_SKIP() << "NOT TESTED: no o200k ranks under $SAFEGUARD_MODELS";
  }
  judge_ = {.judge = "reasoner",
            .model = folder_ + "/../" + folder_.substr(folder_.rfind('/')) + "/tiny.gguf",
            .packed_file = false};
  const std::unique_ptr<Services> services = RealServices();
  Result<Services::JudgeAndModel> judge = services->OpenJudgeAndModel(judge_);
  ASSERT_TRUE(judge) << Describe(judge.error());
  ASSERT_NE(judge->model, nullptr);
  const long before = judge->model.use_count();
  const Result<Talk> talk = OpenTalk(arguments_, judge_, judge->model);
  ASSERT_TRUE(talk) << Describe(talk.error());
  EXPECT_GT(judge->model.use_count(), before) << "the one model has one user more";
  EXPECT_EQ(talk->chat->name(), judge->model->name());
  std::promise<http::ChatEnd> end;
  ASSERT_TRUE(talk->chat->Ask(
      Question(), [](const http::ChatPiece&) {},
      [&](const http::ChatEnd& ended) { end.set_value(ended); }));
  talk->chat->Stop();
  EXPECT_GT(end.get_future().get().prompt_tokens, 0U);
  // Stopping the talk does not stop the judge.
  const moderation::Policy policy = *moderation::ReadPolicy("# A\n\n## Violates\n- A1 Bad.\n", "a");
  const auto prepared = judge->judge->Prepare(policy, {});
  ASSERT_TRUE(prepared) << Describe(prepared.error());
}

TEST_F(TalkTest, StoppingEndsEveryQuestionAndRefusesOthers) {
  arguments_.chat_model = Checkpoint();
  if (arguments_.chat_model.empty()) {
    GTEST_SKIP() << "NOT TESTED: no o200k ranks under $SAFEGUARD_MODELS";
  }
  judge_.packed_file = false;
  const Result<Talk> talk = OpenTalk(arguments_, judge_);
  ASSERT_TRUE(talk) << Describe(talk.error());
  EXPECT_EQ(talk->upstream, nullptr);
  std::size_t asked = 0;
  std::size_t ended = 0;  // of the model's one thread, which is gone when it is read
  for (; asked < 3; ++asked) {
    const auto id = talk->chat->Ask(
        Question(), [](const http::ChatPiece&) {}, [&](const http::ChatEnd&) { ++ended; });
    ASSERT_TRUE(id) << Describe(id.error());
  }
  talk->chat->Stop();
  EXPECT_EQ(ended, asked);
  EXPECT_FALSE(talk->chat->Ask(
      Question(), [](const http::ChatPiece&) {}, [&](const http::ChatEnd&) { ++ended; }));
  talk->chat->Cancel(1);
  talk->chat->Stop();
  EXPECT_EQ(ended, asked);
}

TEST_F(TalkTest, OptionsOfAnUpstreamNeedOne) {
  EXPECT_TRUE(OpenTalk(arguments_, judge_)) << "nothing to talk with is fine";
  arguments_.policies = {"violence"};
  const Result<Talk> talk = OpenTalk(arguments_, judge_);
  ASSERT_FALSE(talk);
  EXPECT_EQ(talk.error().code, ErrorCode::kInvalidInput);
}

TEST_F(TalkTest, AnUpstreamTakesItsSettingsAndAKeyThatMustBeThere) {
  arguments_.upstream = "https://models.example/v1";
  arguments_.policies = {"violence"};
  arguments_.input = "score";
  arguments_.output_fail = "open";
  arguments_.visible_tokens = 7;
  arguments_.visible_ms = 250;
  arguments_.exchanges = 2000;
  arguments_.require_route = true;
  const Result<Talk> talk = OpenTalk(arguments_, judge_);
  ASSERT_TRUE(talk) << Describe(talk.error());
  EXPECT_NE(talk->upstream, nullptr);
  EXPECT_EQ(talk->proxy.guard.input, http::ProxyMode::kScore);
  EXPECT_EQ(talk->proxy.guard.output, http::ProxyMode::kBlock);
  EXPECT_EQ(talk->proxy.guard.input_fail, guard::FailMode::kClosed);
  EXPECT_EQ(talk->proxy.guard.output_fail, guard::FailMode::kOpen);
  EXPECT_EQ(talk->proxy.guard.output_policies, arguments_.policies);
  EXPECT_EQ(talk->proxy.guard.stream.contract.tokens_max, 7U);
  EXPECT_EQ(talk->proxy.guard.stream.contract.visible_max, std::chrono::milliseconds(250));
  EXPECT_TRUE(talk->proxy.need_route);
  EXPECT_EQ(talk->proxy.exchanges_max, 2000U);
  arguments_.visible_ms = 0;
  EXPECT_FALSE(OpenTalk(arguments_, judge_)) << "nothing would be visible";
  arguments_.visible_ms = 250;
  arguments_.upstream_key_env = "SAFEGUARD_NO_SUCH_VARIABLE";
  EXPECT_FALSE(OpenTalk(arguments_, judge_));
}

TEST_F(TalkTest, DegradeNeedsASlowJudgeToAsk) {
  arguments_.upstream = "https://models.example/v1";
  arguments_.output_fail = "degrade";
  const Result<Talk> without = OpenTalk(arguments_, judge_);
  ASSERT_FALSE(without);
  EXPECT_NE(without.error().hint.find("--slow-judge"), std::string::npos);
  arguments_.slow_judge = "a-checkpoint";
  const Result<Talk> with = OpenTalk(arguments_, judge_);
  ASSERT_TRUE(with) << Describe(with.error());
  EXPECT_EQ(with->proxy.guard.output_fail, guard::FailMode::kDegrade);
  EXPECT_EQ(with->proxy.guard.input_fail, guard::FailMode::kClosed);
}

}  // namespace
}  // namespace safeguard::apps
