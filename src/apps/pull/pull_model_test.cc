// Pulls that go as they should, and go on where they stopped.
#include "apps/pull/pull_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "apps/pull/pull_folder.h"
#include "apps/pull/test_hub.h"

namespace safeguard::apps::pull {
namespace {

using ::testing::HasSubstr;

TEST_F(PullTest, FetchesWhatTheEngineNeedsAndNothingElse) {
  TestHub hub;
  const auto report = Pull(hub);
  ASSERT_TRUE(report) << Describe(report.error());
  EXPECT_FALSE(report->interrupted);
  EXPECT_EQ(report->commit, kCommit);
  for (const char* name : {"config.json", "tokenizer.json", "model.safetensors"}) {
    EXPECT_EQ(Read(name), hub.files[name]) << name;
  }
  EXPECT_FALSE(Exists("original"));
  EXPECT_FALSE(Exists("metal"));
  EXPECT_FALSE(Exists("README.md"));
  EXPECT_EQ(Leftovers(), 0U);
  EXPECT_EQ(report->files.size(), 3U);
  EXPECT_EQ(report->bytes_received, report->bytes);
  EXPECT_GT(hub.Count("model.safetensors"), 4U);  // in ranges
}

TEST_F(PullTest, SecondRunKnowsWhatIsThere) {
  TestHub hub;
  ASSERT_TRUE(Pull(hub));
  const std::size_t before = hub.Count("/resolve/");
  const auto again = Pull(hub);
  ASSERT_TRUE(again);
  EXPECT_EQ(hub.Count("/resolve/"), before);
  EXPECT_EQ(again->files[0].outcome, FileOutcome::kPresent);
  EXPECT_EQ(again->bytes_received, 0U);
  request.verify = true;
  const auto verified = Pull(hub);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->files[0].outcome, FileOutcome::kVerified);
}

TEST_F(PullTest, VerifyPullsADamagedFileAgain) {
  TestHub hub;
  ASSERT_TRUE(Pull(hub));
  const std::string path = request.folder + "/model.safetensors";
  const auto time = std::filesystem::last_write_time(path);
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out).seekp(5000).put('!');
  std::filesystem::last_write_time(path, time);
  request.verify = true;
  ASSERT_TRUE(Pull(hub));
  EXPECT_EQ(Read("model.safetensors"), hub.files["model.safetensors"]);
  EXPECT_THAT(observer.notes, HasSubstr("model.safetensors is damaged"));
}

TEST_F(PullTest, TakesOverFilesThatAreRightAndTouchesNoOthers) {
  TestHub hub;
  std::filesystem::create_directories(request.folder);
  std::ofstream(request.folder + "/model.safetensors") << hub.files["model.safetensors"];
  const auto report = Pull(hub);
  ASSERT_TRUE(report);
  EXPECT_EQ(hub.Count("model.safetensors"), 0U);
  std::ofstream(request.folder + "/config.json") << "mine";
  EXPECT_THAT(PullError(hub), HasSubstr("config.json is there and is not the file to be pulled"));
  EXPECT_EQ(Read("config.json"), "mine");
}

TEST_F(PullTest, ReplacesWhatChangedInTheRepository) {
  TestHub hub;
  ASSERT_TRUE(Pull(hub));
  TestHub other;
  other.files["config.json"] = "{\"model_type\": \"gpt_oss\", \"new\": 1}\n";
  ASSERT_TRUE(Pull(other));
  EXPECT_EQ(Read("config.json"), other.files["config.json"]);
  EXPECT_EQ(other.Count("/resolve/"), 1U);
}

TEST_F(PullTest, StopsSoonAndGoesOnLater) {
  std::atomic<bool> slow = true;
  TestHub hub([&](const ServedRequest& r, ServedConnection& c) {
    if (slow && r.target.ends_with("/model.safetensors") && TestHub::RangeOf(r).first >= 32768) {
      c.Hang();
      return true;
    }
    return false;
  });
  settings.timing.stall = std::chrono::seconds(30);
  observer.on_progress = [this](const PullPosition& position) {
    stop.store(position.bytes >= 32768);
  };
  const auto begin = std::chrono::steady_clock::now();
  const auto first = Pull(hub);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_FALSE(Exists("model.safetensors"));

  stop.store(false);
  slow = false;
  observer.on_progress = {};
  const auto second = Pull(hub);
  ASSERT_TRUE(second);
  EXPECT_EQ(Read("model.safetensors"), hub.files["model.safetensors"]);
  EXPECT_LE(second->bytes_received, second->bytes - 32768);
  EXPECT_THAT(observer.notes, HasSubstr("going on where an earlier pull stopped"));
}

TEST_F(PullTest, SurvivesAKill) {
  int channel[2];
  ASSERT_EQ(::pipe(channel), 0);
  const pid_t child = ::fork();  // while this process has one thread
  if (child == 0) {
    char url[64] = {};
    if (::read(channel[0], url, sizeof url - 1) <= 0) {
      ::_exit(2);
    }
    settings.endpoint = url;
    const auto report = PullModel(request, settings, observer, stop);
    ::_exit(report ? 0 : 1);
  }
  std::atomic<std::uint64_t> served = 0;
  std::atomic<bool> killed = false;
  TestHub hub([&](const ServedRequest& r, ServedConnection& c) {
    if (!r.target.ends_with("/model.safetensors")) {
      return false;
    }
    if (!killed && served > 50'000) {
      ::kill(child, SIGKILL);
      c.Hang();
      return true;
    }
    served += 4 * kTestChunk;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return false;
  });
  const std::string url = hub.Url();
  ASSERT_EQ(::write(channel[1], url.data(), url.size()), static_cast<ssize_t>(url.size()));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  killed = true;
  ::close(channel[0]);
  ::close(channel[1]);
  EXPECT_FALSE(Exists("model.safetensors"));

  const auto report = Pull(hub);
  ASSERT_TRUE(report) << Describe(report.error());
  EXPECT_EQ(Read("model.safetensors"), hub.files["model.safetensors"]);
  EXPECT_LE(report->bytes_received, report->bytes);  // what was synced before the kill is kept
  EXPECT_EQ(Leftovers(), 0U);
}

TEST_F(PullTest, AResumedPullNeverMixesTwoRevisions) {
  TestHub hub;
  stop.store(false);
  observer.on_progress = [this](const PullPosition& position) {
    stop.store(position.bytes >= 40'000);
  };
  const auto first = Pull(hub);
  ASSERT_TRUE(first);
  stop.store(false);
  observer.on_progress = {};
  TestHub other;
  other.files["model.safetensors"] = TestBytes(100'000, 9);
  ASSERT_TRUE(Pull(other));
  EXPECT_EQ(Read("model.safetensors"), other.files["model.safetensors"]);
}

TEST_F(PullTest, ServersWithoutRevisionsAndWithPagesAreUnderstood) {
  nlohmann::json list;
  TestHub hub([&list](const ServedRequest& r, ServedConnection& c) {
    const std::string page = "/api/models/owner/model/tree/main?recursive=true";
    if (r.target == page) {
      c.Answer("200 OK", nlohmann::json::array({list[1], list[2], list[3]}).dump(),
               "Link: <" + page + "&cursor=2>; rel=\"next\"\r\n");
    } else if (r.target == page + "&cursor=2") {
      c.Answer("200 OK", nlohmann::json::array({list[4], list[5], list[6]}).dump());
    } else {
      return false;
    }
    return true;
  });
  hub.has_revisions = false;
  list = hub.List();
  const auto report = Pull(hub);
  ASSERT_TRUE(report) << Describe(report.error());
  EXPECT_EQ(report->commit, "");
  EXPECT_EQ(report->files.size(), 3U);
  EXPECT_EQ(Read("model.safetensors"), hub.files["model.safetensors"]);
}

TEST_F(PullTest, AFilesOwnUrlIsPulledWithoutAList) {
  const std::string bytes = TestBytes(50'000, 4);
  TestHub hub([&bytes](const ServedRequest& r, ServedConnection& c) {
    if (r.target != "/some/where/deep/model.gguf") {
      return false;
    }
    TestHub::ServeFile(r, c, bytes, "ETag: \"v1\"\r\n");
    return true;
  });
  request.name = hub.Url() + "/some/where/deep/model.gguf";
  const auto report = Pull(hub);
  ASSERT_TRUE(report) << Describe(report.error());
  EXPECT_EQ(Read("model.gguf"), bytes);
  EXPECT_EQ(hub.Count("/api/"), 0U);
  EXPECT_EQ(Pull(hub)->files[0].outcome, FileOutcome::kPresent);
}

TEST_F(PullTest, IncludeTakesWhatMatches) {
  TestHub hub;
  request.globs = {"original/*", "README*"};
  const auto report = Pull(hub);
  ASSERT_TRUE(report) << Describe(report.error());
  EXPECT_EQ(Read("original/model.safetensors"), hub.files["original/model.safetensors"]);
  EXPECT_EQ(report->files.size(), 2U);
  request.globs = {"*.gguf"};
  EXPECT_THAT(PullError(hub), HasSubstr("no file of owner/model matches --include *.gguf"));
}

TEST_F(PullTest, TwoPullsIntoOneFolderDoNotMeet) {
  TestHub hub;
  const auto held = PullFolder::Open(request.folder);
  ASSERT_TRUE(held);
  EXPECT_THAT(PullError(hub), HasSubstr("another pull is writing " + request.folder));
}

TEST_F(PullTest, RoomIsCheckedBeforeAnythingIsFetched) {
  TestHub hub;
  settings.free_bytes = [](const std::string&) -> Result<std::uint64_t> { return 4'200'000; };
  EXPECT_THAT(PullError(hub), HasSubstr("has not enough room: 4.3 MB more are needed and 4.2 MB"));
  EXPECT_EQ(hub.Count("/resolve/"), 0U);
}

TEST_F(PullTest, TokenGoesToTheEndpointAlone) {
  TestHub storage([](const ServedRequest& r, ServedConnection& c) {
    if (!r.target.starts_with("/storage")) {
      return false;
    }
    TestHub::ServeFile(r, c, TestBytes(100'000, 1));
    return true;
  });
  TestHub hub([&storage](const ServedRequest& r, ServedConnection& c) {
    if (r.Field("authorization") != "Bearer secret") {
      c.Answer("401 Unauthorized", "");
      return true;
    }
    if (r.target.ends_with("/model.safetensors")) {
      c.Answer("302 Found", "elsewhere",
               "Location: " + storage.Url("localhost") + "/storage?signed=1\r\n");
      return true;
    }
    return false;
  });
  settings.token = "secret";
  const auto report = Pull(hub);
  ASSERT_TRUE(report) << Describe(report.error());
  EXPECT_EQ(Read("model.safetensors"), hub.files["model.safetensors"]);
  ASSERT_GT(storage.requests().size(), 0U);
  for (const ServedRequest& seen : storage.requests()) {
    EXPECT_EQ(seen.Field("authorization"), "");
  }
}

}  // namespace
}  // namespace safeguard::apps::pull
