// Servers that stall, cut, lie, refuse; and disks that fill up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <ctime>

#include "apps/pull/pull_model.h"
#include "apps/pull/test_hub.h"

namespace safeguard::apps::pull {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

bool IsWeights(const ServedRequest& request) {
  return request.target.ends_with("/model.safetensors");
}

// The head of a good answer to a request for a range of `bytes`, with another length or range.
std::string Head206(const ServedRequest& request, std::size_t total, std::size_t length) {
  const auto [begin, last] = TestHub::RangeOf(request);
  return "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(length) +
         "\r\nContent-Range: bytes " + std::to_string(begin) + "-" + std::to_string(last) + "/" +
         std::to_string(total) + "\r\nConnection: close\r\n\r\n";
}

std::string Part(const ServedRequest& request, const std::string& bytes) {
  const auto [begin, last] = TestHub::RangeOf(request);
  return bytes.substr(begin, last - begin + 1);
}

// What the server does to the first requests for the weights, `times` often.
class FaultTest : public PullTest {
 protected:
  using Fault = std::function<void(const ServedRequest&, ServedConnection&, const std::string&)>;

  // A pull that must succeed in spite of it.
  void Survives(int times, const Fault& fault) {
    std::atomic<int> left = times;
    const std::string bytes = TestBytes(100'000, 1);
    TestHub hub([&](const ServedRequest& r, ServedConnection& c) {
      if (!IsWeights(r) || left-- <= 0) {
        return false;
      }
      fault(r, c, bytes);
      return true;
    });
    const auto report = Pull(hub);
    ASSERT_TRUE(report) << Describe(report.error());
    EXPECT_EQ(Read("model.safetensors"), bytes);
    EXPECT_LT(left.load(), 1);
    EXPECT_EQ(Leftovers(), 0U);
  }

  // A pull that must end with an error because of it.
  std::string Fails(const Fault& fault) {
    const std::string bytes = TestBytes(100'000, 1);
    TestHub hub([&](const ServedRequest& r, ServedConnection& c) {
      if (!IsWeights(r)) {
        return false;
      }
      fault(r, c, bytes);
      return true;
    });
    const std::string error = PullError(hub);
    EXPECT_FALSE(Exists("model.safetensors"));
    requests = hub.Count("/model.safetensors");
    return error;
  }

  // What is said when every request for `part` is answered so.
  std::string Answered(const std::string& part, const std::string& status,
                       const std::string& fields = "", const std::string& body = "") {
    TestHub hub([&](const ServedRequest& r, ServedConnection& c) {
      if (r.target.find(part) == std::string::npos) {
        return false;
      }
      c.Answer(status, body, fields);
      return true;
    });
    const std::string error = PullError(hub);
    requests = hub.Count(part);
    return error;
  }

  std::size_t requests = 0;
};

TEST_F(FaultTest, StallsAreGivenUpAndTriedAgain) {
  Survives(3, [](const ServedRequest& r, ServedConnection& c, const std::string& bytes) {
    c.Send(Head206(r, bytes.size(), Part(r, bytes).size()) + Part(r, bytes).substr(0, 100));
    c.Hang();
  });
}

TEST_F(FaultTest, AServerThatNeverAnswersIsGivenUp) {
  EXPECT_THAT(Fails([](const auto&, ServedConnection& c, const auto&) { c.Hang(); }),
              AllOf(HasSubstr("the transfer of model.safetensors of owner/model"),
                    HasSubstr("stalled, 4 times in a row"), HasSubstr("goes on where it stopped")));
}

TEST_F(FaultTest, CutConnectionsGoOnWhereTheyWere) {
  Survives(12, [](const ServedRequest& r, ServedConnection& c, const std::string& bytes) {
    c.Send(Head206(r, bytes.size(), Part(r, bytes).size()) + Part(r, bytes).substr(0, 5000));
  });
}

TEST_F(FaultTest, ConnectionsThatAreAlwaysCutAreGivenUp) {
  EXPECT_THAT(Fails([](const auto&, ServedConnection&, const auto&) {}),
              AllOf(HasSubstr("the connection broke"), HasSubstr("4 times in a row")));
}

TEST_F(FaultTest, ALengthThatIsTooLongEndsInACut) {
  Survives(3, [](const ServedRequest& r, ServedConnection& c, const std::string& bytes) {
    c.Send(Head206(r, bytes.size(), 1'000'000) + Part(r, bytes));
  });
}

TEST_F(FaultTest, ALengthThatIsTooShortGoesOn) {
  Survives(3, [](const ServedRequest& r, ServedConnection& c, const std::string& bytes) {
    c.Send(Head206(r, bytes.size(), 4500) + Part(r, bytes).substr(0, 4500));
  });
}

TEST_F(FaultTest, MoreBytesThanPromisedAreNotTaken) {
  Survives(3, [](const ServedRequest& r, ServedConnection& c, const std::string& bytes) {
    const auto [begin, last] = TestHub::RangeOf(r);
    c.Send("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(begin) + "-" +
           std::to_string(last) + "/100000\r\nConnection: close\r\n\r\n" + Part(r, bytes) +
           std::string(30'000, '!'));
  });
}

TEST_F(FaultTest, AWrongContentRangeIsRefused) {
  EXPECT_THAT(Fails([](const ServedRequest& r, ServedConnection& c, const std::string& bytes) {
                c.Answer("206 Partial Content", Part(r, bytes),
                         "Content-Range: bytes 7-" + std::to_string(Part(r, bytes).size() + 6) +
                             "/100000\r\n");
              }),
              HasSubstr("is answered with the range \"bytes 7-"));
  EXPECT_THAT(Fails([](const ServedRequest& r, ServedConnection& c, const std::string& bytes) {
                c.Send(Head206(r, 100'001, Part(r, bytes).size()) + Part(r, bytes));
              }),
              HasSubstr("/100001\", not the bytes from"));
  EXPECT_THAT(Fails([](const ServedRequest& r, ServedConnection& c, const std::string& bytes) {
                c.Answer("206 Partial Content", Part(r, bytes));
              }),
              HasSubstr("is answered with the range \"\""));
}

TEST_F(FaultTest, AnotherLengthThanListedIsRefused) {
  EXPECT_THAT(Fails([](const auto&, ServedConnection& c, const auto&) {
                c.Answer("200 OK", "<html>log in</html>", "Content-Type: text/html\r\n");
              }),
              HasSubstr("is 100000 bytes long, but 19 are offered, as a web page"));
}

TEST_F(FaultTest, ServersWithoutRangesAreAskedForTheWhole) {
  const std::string bytes = TestBytes(100'000, 1);
  std::atomic<bool> ranges = true;
  TestHub hub([&](const ServedRequest& r, ServedConnection& c) {
    if (ranges || !IsWeights(r)) {
      return false;
    }
    c.Answer("200 OK", bytes);
    return true;
  });
  observer.on_progress = [this](const PullPosition& p) { stop.store(p.bytes >= 60'000); };
  request.connections = 1;  // one chunk after the other, so that the beginning is there
  const auto first = Pull(hub);
  ASSERT_TRUE(first && first->interrupted);
  request.connections = 4;
  // What is there of the beginning makes the next run ask for what it will not get.
  ranges = false;
  stop.store(false);
  observer.on_progress = {};
  const auto second = Pull(hub);
  ASSERT_TRUE(second) << Describe(second.error());
  EXPECT_EQ(Read("model.safetensors"), bytes);
  EXPECT_THAT(observer.notes, HasSubstr("cannot send parts of model.safetensors"));
  // And from nothing, where the first answer can be used as it is.
  request.folder += "2";
  const auto fresh = Pull(hub);
  ASSERT_TRUE(fresh) << Describe(fresh.error());
  EXPECT_EQ(Read("model.safetensors"), bytes);
}

TEST_F(FaultTest, WithoutRangesACutBeginsAgainAndEnds) {
  EXPECT_THAT(
      Fails([](const auto&, ServedConnection& c, const std::string& bytes) {
        c.Send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes.substr(0, 80'000));
      }),
      HasSubstr("4 times in a row"));
}

TEST_F(FaultTest, AWrongHashRemovesThePart) {
  EXPECT_THAT(Fails([](const ServedRequest& r, ServedConnection& c, std::string bytes) {
                bytes[50'000] = static_cast<char>(bytes[50'000] + 1);
                TestHub::ServeFile(r, c, bytes);
              }),
              AllOf(HasSubstr("what arrived as model.safetensors has sha256:"),
                    HasSubstr("it was removed")));
  for (const auto& entry :
       std::filesystem::directory_iterator(request.folder + "/.safeguard-pull")) {
    EXPECT_EQ(entry.path().string().find("model.safetensors"), std::string::npos);
  }
  TestHub hub;  // and an honest server then serves all of it
  ASSERT_TRUE(Pull(hub));
  EXPECT_EQ(Read("model.safetensors"), hub.files["model.safetensors"]);
}

TEST_F(FaultTest, AWrongGitHashIsFoundToo) {
  TestHub hub([](const ServedRequest& r, ServedConnection& c) {
    if (!r.target.ends_with("/config.json")) {
      return false;
    }
    c.Answer("200 OK", "{\"model_type\": \"GPT_OSS\"}\n");
    return true;
  });
  EXPECT_THAT(PullError(hub), HasSubstr("what arrived as config.json has git-sha1:"));
}

TEST_F(FaultTest, RefusalsSayWhatToDo) {
  EXPECT_THAT(Answered("/api/", "401 Unauthorized"),
              AllOf(HasSubstr("wants a login (401)"), HasSubstr("set HF_TOKEN")));
  EXPECT_EQ(requests, 1U);
  EXPECT_THAT(Answered("/resolve/", "403 Forbidden"),
              AllOf(HasSubstr("may be gated"), HasSubstr("accept its licence at http://127.0.0.1:"),
                    HasSubstr("/owner/model and set HF_TOKEN")));
  EXPECT_THAT(Answered("/resolve/", "401 Unauthorized", "X-Error-Code: GatedRepo\r\n"),
              AllOf(HasSubstr("is gated: its licence must be accepted"), HasSubstr("HF_TOKEN")));
  EXPECT_THAT(Answered("/api/", "404 Not Found"),
              HasSubstr("the repository owner/model at revision main is not on 127.0.0.1 (404)"));
  EXPECT_THAT(Answered("/model.safetensors", "404 Not Found"),
              HasSubstr("model.safetensors of owner/model is not on 127.0.0.1 (404)"));
  EXPECT_FALSE(Exists("model.safetensors"));
  settings.token = "secret";
  const std::string refused = Answered("/api/", "401 Unauthorized");
  EXPECT_THAT(refused, AllOf(HasSubstr("does not accept the token"), Not(HasSubstr("secret"))));
}

TEST_F(FaultTest, BusyServersAreGivenTime) {
  settings.timing.tries = 6;
  Survives(5, [](const auto&, ServedConnection& c, const auto&) {
    c.Answer("503 Service Unavailable", "");
  });
}

TEST_F(FaultTest, RetryAfterIsKeptAndBounded) {
  std::atomic<int> left = 1;
  TestHub hub([&left](const ServedRequest& r, ServedConnection& c) {
    if (r.target.find("/tree/") == std::string::npos || left-- <= 0) {
      return false;
    }
    c.Answer("429 Too Many Requests", "", "Retry-After: 1\r\n");
    return true;
  });
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(Pull(hub));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(990));

  request.folder += "2";
  EXPECT_THAT(Answered("/resolve/", "429 Too Many Requests", "Retry-After: 3600\r\n"),
              AllOf(HasSubstr("limits how often it may be asked (429)"),
                    HasSubstr("asks to wait 3600 s"), HasSubstr("run the same command later")));
  EXPECT_LE(requests, 4U);
  EXPECT_THAT(Answered("/api/", "503 Service Unavailable"),
              AllOf(HasSubstr("cannot serve just now (503)"), HasSubstr("4 times in a row")));
}

TEST_F(FaultTest, RedirectsAreFollowedWithinReason) {
  EXPECT_THAT(Answered("/resolve/", "302 Found", "Location: /owner/model/resolve/again\r\n"),
              HasSubstr("it redirects too often"));
  EXPECT_THAT(Answered("/resolve/", "302 Found", "Location: file:///etc/passwd\r\n"),
              HasSubstr("it redirects to something that is no URL"));
}

TEST_F(FaultTest, ListsThatAreNoListsAreRefused) {
  EXPECT_THAT(Answered("/tree/", "200 OK", "", "<html>welcome</html>"),
              HasSubstr("it is a web page, not JSON"));
  EXPECT_THAT(Answered("/tree/", "200 OK", "", R"([{"type": "file", "path": "../x", "size": 1}])"),
              HasSubstr("not safe to write: ../x"));
  EXPECT_THAT(Answered("/tree/", "200 OK",
                       "Link: </api/models/owner/model/tree/x?c=1>; rel=\"next\"\r\n", "[]"),
              HasSubstr("does not end"));
  EXPECT_THAT(Answered("/tree/", "200 OK", "Link: <http://localhost:1/>; rel=next\r\n", "[]"),
              HasSubstr("goes on elsewhere"));
  EXPECT_THAT(Answered("/tree/", "200 OK", "", "[]"), HasSubstr("it is empty"));
  EXPECT_FALSE(std::filesystem::exists(request.folder));
}

TEST_F(FaultTest, AFileThatChangesMeanwhileIsNotMixed) {
  std::atomic<int> asked = 0;
  TestHub hub([&asked](const ServedRequest& r, ServedConnection& c) {
    TestHub::ServeFile(r, c, TestBytes(50'000, 4),
                       ++asked > 2 ? "ETag: \"v2\"\r\n" : "ETag: \"v1\"\r\n");
    return true;
  });
  request.name = hub.Url() + "/a/b/c.gguf";
  EXPECT_THAT(PullError(hub), HasSubstr("c.gguf changed while it was being pulled"));
}

TEST_F(FaultTest, AnUnreachableServerIsSaidAtOnce) {
  std::string url;
  {
    url = TestServer([](const auto&, const auto&) {}).Url();
  }
  settings.endpoint = url;
  const auto report = PullModel(request, settings, observer, stop);
  ASSERT_FALSE(report);
  EXPECT_THAT(Describe(report.error()),
              AllOf(HasSubstr("cannot reach 127.0.0.1"), HasSubstr("HF_ENDPOINT")));
}

// Files of this process may grow to `bytes` at most while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    struct rlimit now = before_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  struct rlimit before_{};
};

TEST_F(FaultTest, AFullDiskIsSaidAndThePullGoesOnLater) {
  TestHub hub;
  {
    const FileSizeLimit limit(60'000);  // too little to make room
    EXPECT_THAT(PullError(hub), AllOf(HasSubstr("cannot make room for"), HasSubstr("make room")));
  }
  std::unique_ptr<FileSizeLimit> later;
  TestHub filling([&later](const ServedRequest& r, ServedConnection&) {
    if (IsWeights(r) && TestHub::RangeOf(r).first >= 32768 && !later) {
      later = std::make_unique<FileSizeLimit>(40'000);  // it fills up under way
    }
    return false;
  });
  request.connections = 1;
  EXPECT_THAT(PullError(filling),
              AllOf(HasSubstr("cannot write"), HasSubstr("goes on where it stopped")));
  later.reset();
  const auto report = Pull(hub);
  ASSERT_TRUE(report) << Describe(report.error());
  EXPECT_EQ(Read("model.safetensors"), hub.files["model.safetensors"]);
  EXPECT_LE(report->bytes_received, report->bytes - 32768);
}

}  // namespace
}  // namespace safeguard::apps::pull
