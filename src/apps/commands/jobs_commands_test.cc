// Jobs through the command line, with a fake judge and a receiver on this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <tuple>

#include "apps/fake_services.h"
#include "apps/run.h"
#include "base/base64.h"
#include "base/utc_time.h"
#include "http/test_receiver.h"
#include "http/webhook_signature.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class JobsCommands : public ::testing::Test {
 protected:
  int Call(std::vector<std::string> words) {
    words.insert(words.begin(), "jobs");
    words.insert(words.end(), {"--data-dir", folder.Path("data")});
    console.out.clear();
    console.error.clear();
    return static_cast<int>(RunCommand(words, services, console, stop));
  }
  // The job's id.
  std::string Submit(std::vector<std::string> more, int code) {
    more.insert(more.begin(), "submit");
    more.insert(more.end(), {"-p", "alpha", "--json"});
    EXPECT_EQ(Call(more), code) << console.error;
    return json::parse(console.out).at("job");
  }
  int Run(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"run", "--judge", "screen", "--webhook-secret-file", secret,
                               "--webhook-allow", "127.0.0.0/8", "--retry", "0.001"});
    return Call(more);
  }
  json Show(const std::string& id) {
    EXPECT_EQ(Call({"show", id, "--json"}), 0) << console.error;
    return json::parse(console.out);
  }

  FakeServices services;
  FakeConsole console;
  std::atomic<bool> stop = false;
  TestFolder folder;
  std::string secret = folder.Write("secret", "whsec_" + Base64(std::string(32, 's')) + "\n");
  std::string answer = http::Answer("200 OK");
  http::TestReceiver receiver{[this](const http::ReceivedRequest&) { return answer; }};
};

TEST_F(JobsCommands, AnswersNowFinishesLaterAndTells) {
  EXPECT_EQ(Call({"submit", "a bad one", "-p", "alpha", "--webhook", receiver.Url(), "--id", "c7"}),
            1)
      << console.error;
  EXPECT_THAT(console.out, HasSubstr("Provisional. The final verdict comes with job j"));
  EXPECT_EQ(Call({"list"}), 0);
  EXPECT_THAT(console.out, HasSubstr("1 waiting, 0 leased, 0 done, 0 dead."));
  EXPECT_EQ(Run(), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("alpha: violation"));
  EXPECT_THAT(console.out, HasSubstr("1 judged, 1 told, 0 put back, 0 given up."));
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(http::VerifyWebhook({std::string(32, 's')}, requests[0].Field("webhook-id"),
                                  requests[0].Field("webhook-timestamp"),
                                  requests[0].Field("webhook-signature"), requests[0].body,
                                  UtcNow() / 1000));
  const json event = json::parse(requests[0].body);
  EXPECT_EQ(event["type"], "verdict.final");
  EXPECT_EQ(event["data"]["content"]["id"], "c7");
  EXPECT_EQ(event["data"]["verdicts"][0]["outcome"], "violation");
  EXPECT_EQ(event["data"]["verdicts"][0]["changed"]["outcome"], false);
  EXPECT_EQ(Call({"list", "--state", "done"}), 0);
  EXPECT_THAT(console.out, HasSubstr("0 waiting, 0 leased, 2 done, 0 dead."));
  const auto log = storage::OpenVerdictLog(folder.Path("data"), {}).value();
  ASSERT_EQ(log->Scan({})->records.size(), 1U);
  EXPECT_FALSE(log->Scan({})->records[0].content);
  EXPECT_EQ(log->Scan({})->records[0].content_id, "c7");
}

TEST_F(JobsCommands, AKeyIsOneJob) {
  const std::string id = Submit({"a bad one", "--key", "k"}, 1);
  EXPECT_EQ(Submit({"a bad one", "--key", "k"}, 1), id);
  EXPECT_EQ(Call({"submit", "another", "-p", "alpha", "--key", "k"}), 2);
  EXPECT_THAT(console.error, HasSubstr("the key k was given before, for something else"));
  EXPECT_EQ(Run({"--json"}), 0);
  EXPECT_THAT(console.out, HasSubstr("\"event\":\"finished\""));
  const json shown = Show(id);
  EXPECT_EQ(shown["state"], "done");
  EXPECT_EQ(shown["key"], "k");
  EXPECT_EQ(shown["verdicts"][0]["provisional"]["outcome"], "violation");
  EXPECT_EQ(shown["verdicts"][0]["outcome"], "violation");
}

TEST_F(JobsCommands, DeadNoticesAreListedAndRedriven) {
  answer = http::Answer("410 Gone");
  const std::string id = Submit({"fine", "--webhook", receiver.Url()}, 0);
  EXPECT_EQ(Run(), 0) << console.error;
  EXPECT_EQ(Call({"dead"}), 0);
  EXPECT_THAT(console.out, HasSubstr("the webhook answered 410"));
  EXPECT_THAT(console.out, HasSubstr("1 dead."));
  EXPECT_EQ(Call({"show", id}), 0);
  EXPECT_THAT(console.out, HasSubstr("alpha: safe 0.12 (screen) -> safe 0.12 (screen)"));
  EXPECT_THAT(console.out, HasSubstr("dead, attempt 1 of 12: the webhook answered 410"));
  EXPECT_EQ(Call({"retry"}), 2);
  EXPECT_EQ(Call({"retry", "nosuch"}), 4);
  EXPECT_EQ(Call({"retry", id}), 2) << "it is done, not dead";
  answer = http::Answer("200 OK");
  EXPECT_EQ(Call({"retry", "--all"}), 0);
  EXPECT_THAT(console.out, HasSubstr("1 job waits again."));
  EXPECT_EQ(Run(), 0);
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].Field("webhook-id"), requests[1].Field("webhook-id"));
  EXPECT_EQ(requests[0].body, requests[1].body);
}

TEST_F(JobsCommands, PrivateWebhooksAreRefused) {
  Submit({"fine", "--webhook", receiver.Url()}, 0);
  EXPECT_EQ(Call({"run", "--judge", "screen", "--webhook-secret-file", secret}), 0);
  EXPECT_THAT(console.out, HasSubstr("given up: the webhook may not be reached: 127.0.0.1"));
  EXPECT_TRUE(receiver.requests().empty());
  EXPECT_EQ(Call({"submit", "x", "-p", "alpha", "--webhook", "ftp://x/"}), 2);
  EXPECT_EQ(Run({"--webhook", "nonsense://"}), 2);
}

TEST_F(JobsCommands, NoticesWaitForASecretAndForADefaultWebhook) {
  Submit({"fine", "--webhook", receiver.Url()}, 0);
  Submit({"fine too"}, 0);
  EXPECT_EQ(Call({"run", "--judge", "screen"}), 0) << console.error;
  EXPECT_THAT(console.out, HasSubstr("1 notices wait for a secret"));
  EXPECT_TRUE(receiver.requests().empty()) << "nothing goes out unsigned";
  Submit({"the third"}, 0);
  EXPECT_EQ(Run({"--webhook", receiver.Url()}), 0);
  EXPECT_EQ(receiver.requests().size(), 2U);
  std::ignore = folder.Write("secret", "not a secret");
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(console.error, Not(HasSubstr("not a secret\n")));
}

TEST_F(JobsCommands, AFullQueueRefusesAndSaysSo) {
  Submit({"one", "--queue-max", "1"}, 0);
  EXPECT_EQ(Call({"submit", "two", "-p", "alpha", "--queue-max", "1"}), 4);
  EXPECT_THAT(console.error, HasSubstr("the queue is full: 1 jobs"));
  EXPECT_EQ(console.out, "") << "what is not kept is not answered";
}

TEST_F(JobsCommands, ADaemonWorksUntilItIsStopped) {
  Submit({"one"}, 0);
  std::thread later([this] {
    while (storage::OpenJobQueue(folder.Path("data"), {}, {}).value()->Counts("", 0)->done < 1) {
      std::this_thread::yield();
    }
    stop = true;
  });
  EXPECT_EQ(Run({"--daemon"}), 130);
  later.join();
  EXPECT_THAT(console.out, HasSubstr("1 judged"));
}

TEST_F(JobsCommands, AFilesPolicyTravelsWithTheJobAndAStoredOneIsFoundAgain) {
  const std::string file = folder.Write("own.md", "# Own\n\n## Violates\n- X1.a Anything.\n");
  EXPECT_EQ(Call({"submit", "bad", "-p", file}), 1) << console.error;
  std::filesystem::remove(file);
  EXPECT_EQ(Run(), 0);
  EXPECT_THAT(console.out, HasSubstr("1 judged"));
  const std::string other = folder.Write("st.md", "# St\n\n## Violates\n- X1.a Anything.\n");
  console.out.clear();
  const auto publish = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "policy");
    words.insert(words.end(), {"--data-dir", folder.Path("data")});
    return static_cast<int>(RunCommand(words, services, console, stop));
  };
  ASSERT_EQ(publish({"publish", other, "--id", "st"}), 0) << console.error;
  ASSERT_EQ(publish({"promote", "st@1", "--to", "active"}), 0) << console.error;
  EXPECT_EQ(Call({"submit", "bad", "-p", "st", "--json"}), 1) << console.error;
  const std::string id = json::parse(console.out).at("job");
  ASSERT_EQ(publish({"retire", "st", "--all"}), 0);
  EXPECT_EQ(Run(), 0) << console.error;
  const json shown = Show(id);
  EXPECT_EQ(shown["state"], "done") << "the version that answered first, active or not";
  EXPECT_EQ(shown["verdicts"][0]["policy_version"], "1");
  EXPECT_EQ(shown["verdicts"][0]["channel"], "active");
}

TEST_F(JobsCommands, WhatIsWrongIsSaid) {
  EXPECT_EQ(Call({"list"}), 4);
  EXPECT_THAT(console.error, HasSubstr("safeguard jobs submit makes one"));
  EXPECT_EQ(Call({"submit", "text"}), 2) << "no policy";
  EXPECT_EQ(Call({"run"}), 2);
  EXPECT_THAT(console.error, HasSubstr("--judge reasoner needs --model"));
  services.model_there = false;
  EXPECT_EQ(Call({"submit", "text", "-p", "alpha"}), 4);
  services.model_there = true;
  Submit({"text"}, 0);
  EXPECT_EQ(Call({"list", "--state", "dead"}), 0);
  EXPECT_EQ(console.out, "No such job. 1 waiting, 0 leased, 0 done, 0 dead.\n");
  EXPECT_EQ(Call({"list", "--kind", "juge"}), 2);
  EXPECT_EQ(Call({"show", "nosuch"}), 4);
  EXPECT_EQ(Call({"dead", "--discard", "nosuch"}), 4);
}

}  // namespace
}  // namespace safeguard::apps
