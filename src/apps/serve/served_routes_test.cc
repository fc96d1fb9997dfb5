// The routes of a server over judges that are not there and a data folder that is.
#include "apps/serve/served_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "apps/commands/serve_jobs.h"
#include "apps/commands/serve_parts.h"
#include "apps/fake_services.h"
#include "apps/run.h"
#include "base/utc_time.h"
#include "http/route_counters.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;

// What the screen decides the reasoner sees as well, later.
constexpr const char* kChecked =
    "route: checked\n"
    "policies: [{policy: alpha, severity: 3}]\n"
    "reasoners: [{name: low, model: nowhere}]\n"
    "audit: {safe: 1, violation: 1, later: on}\n";

class ServedRoutesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kept = *OpenKept(folder.Path("data"));
    shelf.emplace(judge, std::span<const http::ShippedPolicy>(), kept.policies.get(), ReadGolden);
  }

  ServedRoutesParts Parts(std::vector<std::string> files) {
    return {.files = std::move(files),
            .folder = kept.folder,
            .policies = kept.policies.get(),
            .log = kept.verdicts.get(),
            .metrics = metrics,
            .judging = {},
            .threads = 1,
            .finishes = true,
            .services = services,
            .console = console,
            .tell = [this](const std::string& event, const std::string& detail, bool) {
              const std::lock_guard lock(mutex);
              told += event + ": " + detail + "\n";
            }};
  }
  std::unique_ptr<ServedRoutes> Open(std::vector<std::string> files) {
    auto opened = ServedRoutes::Open(Parts(std::move(files)));
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : Describe(opened.error().error));
    return opened ? std::move(*opened) : nullptr;
  }
  std::string Route(const std::string& name, const std::string& yaml) {
    return folder.Write(name, yaml);
  }
  // As /v1/judge does it.
  http::JudgeAnswer Judge(const http::ServedRoute& route, const std::string& text) {
    std::promise<Result<http::JudgeAnswer>> answer;
    http::JudgeJob job;
    job.policies = route.policies;
    job.contents = {moderation::UserMessage(text)};
    job.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    EXPECT_TRUE(route.judging.Submit(std::move(job), [&](Result<http::JudgeAnswer> given) {
      answer.set_value(std::move(given));
    }));
    const Result<http::JudgeAnswer> given = answer.get_future().get();
    EXPECT_TRUE(given.has_value()) << (given ? "" : Describe(given.error()));
    return given.value_or(http::JudgeAnswer{});
  }
  // Publishes a version and makes it the one that answers.
  void Activate(const std::string& id, const std::string& text) {
    const auto published = kept.policies->Publish(id, {text, ""}, {"ada", "", UtcNow()});
    ASSERT_TRUE(published);
    ASSERT_TRUE(kept.policies->Move(id, published->version.number,
                                    moderation::VersionState::kActive, 0, {"ada", "", UtcNow()}));
  }
  std::vector<moderation::VerdictRecord> Recorded() { return kept.verdicts->Scan({})->records; }
  moderation::JobCounts Jobs() { return *kept.queue->Counts("", UtcNow()); }

  TestFolder folder;
  FakeServices services;
  FakeConsole console;
  http::Metrics metrics;
  Kept kept;
  FakeJudge judge;  // of plain requests
  std::optional<http::PolicyShelf> shelf;
  std::mutex mutex;
  std::string told;
};

TEST_F(ServedRoutesTest, WhatCannotBeServedIsSaidWithItsFile) {
  const std::string one = Route("one.yaml", "route: a\npolicies: [alpha]\n");
  const std::string two = Route("two.yaml", "route: a\npolicies: [beta]\n");
  auto twice = ServedRoutes::Open(Parts({one, two}));
  ASSERT_FALSE(twice);
  EXPECT_TRUE(twice.error().usage);
  EXPECT_THAT(twice.error().error.message, HasSubstr("two routes are called a"));

  auto bad = ServedRoutes::Open(Parts({one, Route("bad.yaml", "route: b\nbudjet: 1\n")}));
  ASSERT_FALSE(bad);
  EXPECT_FALSE(bad.error().usage);
  EXPECT_THAT(bad.error().error.message, HasSubstr("bad.yaml"));

  const std::string lost = Route("lost.yaml", "route: c\npolicies: [nosuch]\n");
  auto unknown = ServedRoutes::Open(Parts({lost}));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().error.message, HasSubstr("lost.yaml"));

  ServedRoutesParts nothing_kept = Parts({Route("checked.yaml", kChecked)});
  nothing_kept.folder = "";
  auto nowhere = ServedRoutes::Open(std::move(nothing_kept));
  ASSERT_FALSE(nowhere);
  EXPECT_TRUE(nowhere.error().usage) << "work that is put off must have a place";
}

TEST_F(ServedRoutesTest, PoliciesFollowTheStoreAndThoseOfFilesStay) {
  const std::string own = folder.Write("beta.md", "# Beta\n\n## Violates\n- B1 Of the file.\n");
  const auto routes =
      Open({Route("r.yaml", "route: r\npolicies: [{policy: alpha, severity: 3}, " + own + "]\n")});
  ASSERT_TRUE(routes->Warm());
  const http::ServedRoute& route = routes->routes().front();
  const http::JudgeAnswer before = Judge(route, "a bad one");
  ASSERT_EQ(before.verdicts.size(), 2U);
  EXPECT_EQ(before.verdicts[0].outcome, moderation::Outcome::kViolation);
  EXPECT_EQ(before.channels[0], moderation::Channel::kDirect) << "it ships with the program";

  Activate("alpha", "# Alpha\n\n## Violates\n- X1.a A newer one.\n");
  Activate("beta", "# Beta\n\n## Violates\n- X1.a Not the file's.\n");
  const http::JudgeAnswer after = Judge(route, "a bad one");
  EXPECT_EQ(after.verdicts[0].policy.version, "1");
  EXPECT_EQ(after.channels[0], moderation::Channel::kActive);
  EXPECT_EQ(after.verdicts[1].policy.hash, before.verdicts[1].policy.hash);
  EXPECT_EQ(after.channels[1], moderation::Channel::kDirect);
  for (const moderation::VerdictRecord& record : Recorded()) {
    EXPECT_THAT(record.provenance.setup, HasSubstr("r.yaml")) << "whose verdict it is";
  }
}

// One label in eight is the other way.
std::string Golden(int each) {
  std::string lines;
  for (int i = 0; i < each; ++i) {
    const std::string number = std::to_string(i);
    const bool odd = i % 8 == 7;
    lines += R"({"text": ")" + std::string(odd ? "fine " : "bad ") + number +
             R"(", "expected": "violation"})" + "\n" + R"({"text": ")" +
             (odd ? "a bad " : "a fine ") + number + R"(", "expected": "safe"})" + "\n";
  }
  return lines;
}

TEST_F(ServedRoutesTest, AVersionThatComesToAnswerBringsItsCalibration) {
  Activate("gamma", "# Gamma\n\n## Violates\n- X1.a Whatever is bad.\n");
  const auto routes = Open({Route("r.yaml", "route: r\npolicies: [gamma]\n")});
  const http::ServedRoute& route = routes->routes().front();
  EXPECT_FALSE(Judge(route, "bad").verdicts.at(0).decided_by.settings.contains("calibration"));

  ASSERT_TRUE(kept.policies->Publish("gamma",
                                     {"# Gamma\n\n## Violates\n- X1.a What is bad.\n", Golden(64)},
                                     {"ada", "", UtcNow()}));
  const std::atomic<bool> stop = false;
  ASSERT_EQ(RunCommand({"policy", "calibrate", "gamma@2", "--data-dir", kept.folder}, services,
                       console, stop),
            ExitCode::kSafe)
      << console.error;
  ASSERT_TRUE(
      kept.policies->Move("gamma", 2, moderation::VersionState::kActive, 0, {"ada", "", UtcNow()}));
  const moderation::Verdict verdict = Judge(route, "bad").verdicts.at(0);
  EXPECT_EQ(verdict.policy.version, "2");
  EXPECT_TRUE(verdict.decided_by.settings.contains("calibration"));
}

TEST_F(ServedRoutesTest, WhatIsPutOffIsFinishedHereAndFeedsTheAudit) {
  const auto routes = Open({Route("checked.yaml", kChecked)});
  const http::ServedRoute& route = routes->routes().front();
  EXPECT_FALSE(Judge(route, "a fine one").verdicts.at(0).provisional) << "an audit's answer stands";
  EXPECT_EQ(Jobs().waiting, 1U);

  ServeJobs jobs(ServeJobsParts{[](const std::string&, const std::string&) {}, 2});
  JobsOfTenant tenant{*kept.queue, *kept.verdicts, judge, *shelf};
  tenant.routes = routes->Finisher();
  jobs.Add(std::move(tenant));
  while (Jobs().done == 0) {
    std::this_thread::yield();
  }
  jobs.Stop();
  const auto records = Recorded();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(records[1].provisional.has_value());
  EXPECT_THAT(records[1].provenance.setup, HasSubstr(R"("finishing":true)"));
  EXPECT_THAT(records[0].provenance.setup, HasSubstr(R"("finishing":false)"));
  EXPECT_EQ(http::CountersOf(route)["deferred_audit"], 1);
  EXPECT_EQ(http::CountersOf(route)["finished_audit"], 1);
  EXPECT_THAT(route.cascade.audit().Policies(), ::testing::ElementsAre("alpha"));
  EXPECT_EQ(route.cascade.audit().Trailing("alpha").audited_safe, 1U)
      << "the two cascades meet in the ledger";
}

TEST_F(ServedRoutesTest, AServerThatEndsBeginsNothingMore) {
  const auto routes = Open({Route("checked.yaml", kChecked)});
  Judge(routes->routes().front(), "a fine one");
  routes->StopFinishing();
  const auto random = moderation::SeededRandom(1);
  moderation::WorkerOptions options;
  options.now = UtcNow;
  options.random = random.get();
  options.routes = routes->Finisher();
  const auto worker =
      moderation::JudgementWorker(*kept.queue, *kept.verdicts, nullptr, {}, options);
  EXPECT_EQ(worker->Work().value(), 1U);
  const moderation::Job job = kept.queue->List({})->jobs.at(0);
  EXPECT_EQ(job.state, moderation::JobState::kWaiting);
  EXPECT_EQ(job.attempts, 0) << "it is not the job's fault";
  EXPECT_THAT(job.problem, HasSubstr("the server ends"));
}

TEST_F(ServedRoutesTest, WhatIsOfAnotherRouteIsLeftAlone) {
  const auto routes = Open({Route("r.yaml", "route: r\npolicies: [alpha]\n")});
  moderation::Judgement judgement;
  judgement.route = "elsewhere";
  const auto nobody = routes->Finisher()(judgement);
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().message, HasSubstr("no route elsewhere"));
  judgement.route = "r";
  EXPECT_TRUE(routes->Finisher()(judgement));
}

}  // namespace
}  // namespace safeguard::apps
