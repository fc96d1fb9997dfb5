// Lists that are walked page by page while entries come and go: what was there all the time is
// given once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::Contains;
using ::testing::Not;
using Json = nlohmann::json;

class PagesTest : public ::testing::Test {
 protected:
  Json Post(const std::string& target, const Json& body) {
    const Response response = parts.Call("POST", target, body.dump());
    EXPECT_LT(response.status, 300) << response.body;
    return JsonOf(response);
  }
  std::string SendDataset(const std::string& name) {
    const Response kept =
        parts.Call("POST", "/v1/datasets", FormOf({{"name", name}, {"file", "a bad line"}}),
                   {{"content-type", kFormType}});
    EXPECT_EQ(kept.status, 201) << kept.body;
    return JsonOf(kept)["dataset"];
  }
  // The values of `field` in all pages of one entry each; `meanwhile` is called between them.
  std::vector<std::string> Walk(const std::string& pattern, const std::string& target,
                                const std::string& field, const std::function<void()>& meanwhile) {
    static const OpenApiCheck check;
    std::vector<std::string> seen;
    std::string cursor;
    for (int page = 0; page < 100; ++page) {
      const Response response = parts.Call("GET", target + "?limit=1" + cursor);
      EXPECT_EQ(check.CheckResponse("get", pattern, response), "");
      const Json json = JsonOf(response);
      EXPECT_LE(json["data"].size(), 1U);
      for (const Json& entry : json["data"]) {
        const Json& value = entry[field];
        seen.push_back(value.is_string() ? value.get<std::string>() : value.dump());
      }
      if (json["next_cursor"].is_null()) {
        return seen;
      }
      cursor = "&cursor=" + json["next_cursor"].get<std::string>();
      meanwhile();
    }
    ADD_FAILURE() << target << " does not end";
    return seen;
  }
  // Each of `wanted` was seen once, and nothing twice.
  static void SeenOnce(std::vector<std::string> seen, const std::vector<std::string>& wanted) {
    for (const std::string& one : wanted) {
      EXPECT_THAT(seen, Contains(one));
    }
    std::ranges::sort(seen);
    EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end()) << *std::ranges::adjacent_find(seen);
  }
  // At most five times: a walk that goes towards what comes would never end.
  static std::function<void()> Few(std::function<void(int)> what) {
    return [what = std::move(what), count = 0]() mutable {
      if (count < 5) {
        what(count++);
      }
    };
  }
  static std::string Policy(int number) {
    return "# P\n\n## Violates\n- P1 Bad, " + std::to_string(number) + ".\n";
  }

  TestService parts;
};

TEST_F(PagesTest, Policies) {
  std::vector<std::string> wanted = CategoryPolicies();
  const auto seen =
      Walk("/v1/policies", "/v1/policies", "id", Few([&](int i) {
             Post("/v1/policies", {{"id", "a" + std::to_string(i)}, {"text", Policy(1)}});
             Post("/v1/policies", {{"id", "z" + std::to_string(i)}, {"text", Policy(1)}});
           }));
  SeenOnce(seen, wanted);
  EXPECT_THAT(seen, Not(Contains("a0"))) << "it came before the cursor";
  EXPECT_THAT(seen, Contains("z0"));
}

TEST_F(PagesTest, VersionsAndHistory) {
  for (int version = 1; version <= 3; ++version) {
    Post("/v1/policies", {{"id", "p"}, {"text", Policy(version)}});
  }
  int more = 3;
  const auto publish = [&](int) { Post("/v1/policies", {{"id", "p"}, {"text", Policy(++more)}}); };
  EXPECT_THAT(
      Walk("/v1/policies/{id}/versions", "/v1/policies/p/versions", "version", Few(publish)),
      ::testing::ElementsAre("3", "2", "1"))
      << "those from when it began, newest first";
  const auto events =
      Walk("/v1/policies/{id}/history", "/v1/policies/p/history", "version", Few(publish));
  EXPECT_EQ(events.front(), "1");
  SeenOnce(events, {"1", "2", "3", std::to_string(more)});
}

TEST_F(PagesTest, VerdictsJobsAndReviews) {
  std::vector<std::string> jobs;
  std::vector<std::string> reviews;
  const auto add = [&](int i) {
    const std::string text = "bad " + std::to_string(jobs.size()) + "." + std::to_string(i);
    Post("/v1/judge", {{"text", text}, {"policies", {"hate"}}});
    jobs.push_back(Post("/v1/jobs", {{"text", text}, {"policies", {"hate"}}})["job"]);
    reviews.push_back(
        Post("/v1/reviews", {{"text", text}, {"policy", "hate"}, {"priority", i % 3}})["review"]);
  };
  for (int i = 0; i < 4; ++i) {
    add(i);
  }
  const std::vector<std::string> first_jobs = jobs;
  const std::vector<std::string> first_reviews = reviews;
  SeenOnce(Walk("/v1/verdicts", "/v1/verdicts", "sequence", Few(add)), {"1", "2", "3", "4"});
  SeenOnce(Walk("/v1/jobs", "/v1/jobs", "id", Few(add)), first_jobs);
  SeenOnce(Walk("/v1/reviews", "/v1/reviews", "review", Few(add)), first_reviews);
}

TEST_F(PagesTest, DatasetsThatGoMeanwhile) {
  std::vector<std::string> kept;
  std::vector<std::string> gone;
  for (int i = 0; i < 6; ++i) {
    (i % 2 == 0 ? gone : kept).push_back(SendDataset(std::to_string(i)));
  }
  const auto seen = Walk("/v1/datasets", "/v1/datasets", "dataset", Few([&](int i) {
                           SendDataset("new " + std::to_string(i));
                           if (!gone.empty()) {  // also the one that the cursor is of
                             parts.Call("DELETE", "/v1/datasets/" + gone.back());
                             gone.pop_back();
                           }
                         }));
  SeenOnce(seen, kept);
}

TEST_F(PagesTest, EvaluationsOfADataset) {
  const std::string dataset = SendDataset("d");
  std::vector<std::string> runs;
  const auto start = [&](int) {
    runs.push_back(Post("/v1/eval/runs", {{"dataset", dataset}, {"policies", {"hate"}}})["run"]);
  };
  for (int i = 0; i < 3; ++i) {
    start(i);
  }
  const std::vector<std::string> first = runs;
  SeenOnce(Walk("/v1/eval/runs", "/v1/eval/runs", "run", Few(start)), first);
}

// OpenAI's lists go on after an id.
TEST_F(PagesTest, FilesThatComeMeanwhile) {
  const auto send = [&] {
    const Response kept =
        parts.Call("POST", "/v1/files", FormOf({{"purpose", "batch"}, {"file", "{}"}}),
                   {{"content-type", kFormType}});
    return JsonOf(kept)["id"].get<std::string>();
  };
  std::vector<std::string> wanted = {send(), send(), send()};
  std::ranges::reverse(wanted);
  std::vector<std::string> seen;
  std::string after;
  for (bool more = true; more;) {
    const Json page = JsonOf(parts.Call("GET", "/v1/files?limit=1" + after));
    seen.push_back(page["data"].at(0)["id"]);
    more = page["has_more"];
    after = "&after=" + page["last_id"].get<std::string>();
    send();
  }
  EXPECT_EQ(seen, wanted);
}

}  // namespace
}  // namespace safeguard::http
