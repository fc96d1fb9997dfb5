// Routes from the command line, over judges that are not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/fake_services.h"
#include "apps/run.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;

class RouteRun : public testing::Test {
 protected:
  ExitCode Run(const std::vector<std::string>& arguments) {
    console.out.clear();
    console.error.clear();
    const std::atomic<bool> stop = false;
    return RunCommand(arguments, services, console, stop);
  }
  std::string Route(const std::string& yaml) { return folder.Write("route.yaml", yaml); }

  TestFolder folder;
  FakeServices services;
  FakeConsole console;
};

constexpr const char* kWithReasoner =
    "route: comments\n"
    "policies: [{policy: alpha, band: [0.1, 0.9]}]\n"
    "reasoners: [{name: low, model: nowhere}]\n";

TEST_F(RouteRun, ClassifyTellsTheWay) {
  const std::string route = Route(kWithReasoner);
  EXPECT_EQ(Run({"classify", "a bad one", "--route", route}), ExitCode::kViolation);
  EXPECT_THAT(console.out, HasSubstr("violation 0.88 (decides)"));
  EXPECT_EQ(services.judges_opened, 2);
  EXPECT_EQ(Run({"classify", "a fine one", "--route", route, "--json"}), ExitCode::kSafe);
  EXPECT_THAT(console.out, HasSubstr(R"("path":[{"layer":"screen")"));
}

TEST_F(RouteRun, AReasonerComputesAsPreciselyAsItsRouteSays) {
  const std::string route = Route(
      "policies: [alpha]\n"
      "reasoners: [{name: low, model: nowhere, precision: int8}]\n");
  EXPECT_EQ(Run({"classify", "a bad one", "--route", route}), ExitCode::kViolation);
  EXPECT_EQ(services.last_choice.judge, "reasoner");
  EXPECT_EQ(services.last_choice.precision, "int8");
  Run({"classify", "a bad one", "--route", Route(kWithReasoner)});
  EXPECT_EQ(services.last_choice.precision, "default");
}

TEST_F(RouteRun, ARouteTakesThePlaceOfPolicyAndJudge) {
  const std::string route = Route("policies: [alpha, beta]\n");
  EXPECT_EQ(Run({"classify", "a bad one", "--route", route}), ExitCode::kViolation);
  EXPECT_THAT(console.out, HasSubstr("beta"));
  EXPECT_EQ(Run({"classify", "x", "--route", route, "--policy", "alpha"}), ExitCode::kUsage);
  EXPECT_EQ(Run({"classify", "x", "--route", route, "--judge", "screen"}), ExitCode::kUsage);
}

TEST_F(RouteRun, WhatIsWrongWithARouteIsSaidWithItsPlace) {
  EXPECT_EQ(Run({"classify", "x", "--route", Route("budjet: 1\n")}), ExitCode::kCannotRun);
  EXPECT_THAT(console.error, HasSubstr("route line 1: `budjet` is not known"));
  EXPECT_EQ(Run({"classify", "x", "--route", folder.Path("none.yaml")}), ExitCode::kCannotRun);
  EXPECT_EQ(Run({"classify", "x", "--route", Route("policies: [gamma]\n")}), ExitCode::kCannotRun);
}

TEST_F(RouteRun, BatchGoesOnOnlyWithTheSameRoute) {
  const std::string in = folder.Write("in.txt", "a bad one\na fine one\n");
  const std::vector<std::string> command = {"batch",
                                            "--in",
                                            in,
                                            "--out",
                                            folder.Path("out.jsonl"),
                                            "--stats",
                                            "--route",
                                            Route(kWithReasoner)};
  EXPECT_EQ(Run(command), ExitCode::kViolation);
  EXPECT_THAT(console.error, HasSubstr("asked_low=2"));
  EXPECT_THAT(folder.Read("out.jsonl"), HasSubstr(R"("reasoner":"low")"));
  Route(std::string(kWithReasoner) + "seed: 4\n");
  EXPECT_EQ(Run(command), ExitCode::kUsage);
  EXPECT_THAT(console.error, HasSubstr("--restart"));
}

// What the audit leaves for later is the surest to be put off: every content is.
constexpr const char* kPutsOff =
    "route: comments\n"
    "policies: [alpha]\n"
    "reasoners: [{name: low, model: nowhere}]\n"
    "audit: {safe: 1, violation: 1, later: on}\n";

TEST_F(RouteRun, WhatIsPutOffIsFinishedByTheRoutesReasoner) {
  const std::string route = Route(kPutsOff);
  const std::string data = folder.Path("data");
  EXPECT_EQ(Run({"classify", "a fine one", "--route", route, "--data-dir", data}), ExitCode::kSafe);
  EXPECT_THAT(console.out, HasSubstr("1 verdict waits in the job queue"));
  const std::string in = folder.Write("in.txt", "a fine one\na bad one\n");
  EXPECT_EQ(
      Run({"batch", "--in", in, "--out", folder.Path("out"), "--route", route, "--data-dir", data}),
      ExitCode::kViolation);
  EXPECT_THAT(console.error, HasSubstr("2 verdicts wait in the job queue"));
  EXPECT_EQ(Run({"jobs", "list", "--data-dir", data}), ExitCode::kSafe);
  EXPECT_THAT(console.out, HasSubstr("2 waiting")) << "the same content is the same job";

  EXPECT_EQ(Run({"jobs", "run", "--route", route, "--data-dir", data}), ExitCode::kSafe)
      << console.error;
  EXPECT_THAT(console.out, HasSubstr("2 judged, 0 told, 0 put back, 0 given up."));
  EXPECT_EQ(Run({"verdicts", "--data-dir", data, "--json"}), ExitCode::kSafe);
  EXPECT_THAT(console.out, HasSubstr(R"("provisional":{"outcome":"safe")"));
  EXPECT_THAT(console.out, HasSubstr(R"("provisional":{"outcome":"violation")"));
}

TEST_F(RouteRun, ToKeepTheContentChangesNothingElse) {
  const std::string data = folder.Path("data");
  EXPECT_EQ(Run({"classify", "a fine one", "--route", Route(kPutsOff), "--data-dir", data,
                 "--record", "--record-content"}),
            ExitCode::kSafe);
  EXPECT_THAT(console.out, HasSubstr("1 verdict waits in the job queue"));
  const std::string in = folder.Write("in.txt", "another fine one\n");
  EXPECT_EQ(Run({"batch", "--in", in, "--out", folder.Path("out"), "--route", Route(kPutsOff),
                 "--data-dir", data, "--record", "--record-content"}),
            ExitCode::kSafe);
  EXPECT_THAT(console.error, HasSubstr("1 verdict waits in the job queue"));
  EXPECT_EQ(Run({"jobs", "run", "--route", Route(kPutsOff), "--data-dir", data}), ExitCode::kSafe);
  EXPECT_EQ(Run({"verdicts", "--data-dir", data, "--json"}), ExitCode::kSafe);
  EXPECT_THAT(console.out, ::testing::ContainsRegex("\"text\":\"a fine one\"[^\n]*\"provisional\""))
      << "also with what came later";
}

TEST_F(RouteRun, AuditsThatAreFinishedLaterMeasureTheScreen) {
  const std::string route = Route(
      "route: comments\n"
      "policies: [{policy: alpha, recall_bound: 0.99}]\n"
      "reasoners: [{name: low, model: nowhere}]\n"
      "audit: {safe: 1, violation: 1, later: on}\n");
  const std::string data = folder.Path("data");
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    lines += (i % 4 == 0 ? "a bad one " : "a fine one ") + std::to_string(i) + "\n";
  }
  const std::string in = folder.Write("in.txt", lines);
  EXPECT_EQ(
      Run({"batch", "--in", in, "--out", folder.Path("out"), "--route", route, "--data-dir", data}),
      ExitCode::kViolation)
      << console.error;
  EXPECT_EQ(Run({"jobs", "run", "--route", route, "--data-dir", data}), ExitCode::kSafe)
      << console.error;
  EXPECT_THAT(console.out, HasSubstr("The screen's recall of comments under alpha: 1.000 ("));
  EXPECT_THAT(console.out, HasSubstr("30 audited."));
  // Nothing is due any more, and what was learnt is still known.
  EXPECT_EQ(Run({"jobs", "run", "--route", route, "--data-dir", data, "--json"}), ExitCode::kSafe);
  EXPECT_THAT(console.out, HasSubstr(R"("event":"screen_recall","route":"comments")"));
  EXPECT_THAT(console.out, HasSubstr(R"("audits":30)"));
  EXPECT_EQ(Run({"batch", "--in", in, "--out", folder.Path("again"), "--route", route, "--data-dir",
                 data, "--stats"}),
            ExitCode::kViolation);
  EXPECT_THAT(console.error, HasSubstr("screen_recall_alpha=1"));
}

TEST_F(RouteRun, WhatIsPutOffUnderAPolicyOfTheStoreTellsInWhatPartItJudged) {
  const std::string data = folder.Path("data");
  const std::string file = folder.Write("own.md", "# Own\n\n## Violates\n- O1 bad\n");
  ASSERT_EQ(Run({"policy", "publish", file, "--id", "own", "--data-dir", data}), ExitCode::kSafe)
      << console.error;
  ASSERT_EQ(Run({"policy", "promote", "own@1", "--to", "active", "--data-dir", data}),
            ExitCode::kSafe)
      << console.error;
  const std::string text =
      "reasoners: [{name: low, model: nowhere}]\n"
      "audit: {safe: 1, violation: 1, later: on}\n";
  const std::string follows = Route("route: comments\npolicies: [own]\n" + text);
  const std::string named = folder.Write("named.yaml", "route: named\npolicies: [own@1]\n" + text);
  Run({"classify", "a fine one", "--route", follows, "--data-dir", data});
  Run({"classify", "a fine one", "--route", named, "--data-dir", data});
  EXPECT_EQ(Run({"jobs", "run", "--route", follows, "--route", named, "--data-dir", data}),
            ExitCode::kSafe)
      << console.error;
  EXPECT_EQ(Run({"verdicts", "--data-dir", data, "--json"}), ExitCode::kSafe);
  EXPECT_THAT(console.out, HasSubstr(R"("channel":"active")"));
  EXPECT_THAT(console.out, HasSubstr(R"("channel":"direct")"));
}

TEST_F(RouteRun, AJobFindsItsRouteByTheFileThatItNames) {
  const std::string data = folder.Path("data");
  const std::string route = Route(kPutsOff);
  Run({"classify", "a fine one", "--route", route, "--data-dir", data});
  std::filesystem::remove(route);
  const std::vector<std::string> run = {"jobs", "run", "--judge", "screen", "--data-dir", data};
  EXPECT_EQ(Run(run), ExitCode::kSafe);
  EXPECT_THAT(console.out, HasSubstr("the route comments cannot be used"));
  EXPECT_THAT(console.out, HasSubstr("1 waiting")) << "it waits for whoever has the route";
  const std::string moved = folder.Write("moved.yaml", kPutsOff);
  EXPECT_EQ(Run({"jobs", "run", "--route", moved, "--route", moved, "--data-dir", data}),
            ExitCode::kCannotRun);
  EXPECT_THAT(console.error, HasSubstr("two routes are called comments"));
}

TEST_F(RouteRun, ARouteThatLeavesNothingForLaterMakesNoQueue) {
  EXPECT_EQ(Run({"classify", "a bad one", "--route", Route(kWithReasoner), "--data-dir",
                 folder.Path("data")}),
            ExitCode::kViolation);
  EXPECT_FALSE(std::filesystem::exists(folder.Path("data")));
}

}  // namespace
}  // namespace safeguard::apps
