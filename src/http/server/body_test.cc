// Long bodies over real sockets: to the disk while they arrive, and out in pieces of a known whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "http/server.h"
#include "http/server/test_client.h"
#include "http/spooling_sink.h"

namespace safeguard::http {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::size_t kPiece = std::size_t{1} << 20;

std::string Bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(i * 31 + i / 7919);
  }
  return bytes;
}

// Says that there is no room at the piece of that number.
class FullSink final : public BodySink {
 public:
  explicit FullSink(int good) : good_(good) {}
  void Take(std::string, Taken taken) override {
    taken(good_-- > 0 ? std::nullopt
                      : std::optional(Problem{507, "no-room", "there is no room", "later", {}}));
  }
  void GiveTo(Request&) override {}

 private:
  int good_;
};

class BodyTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override {
    server->Drain();
    threads.Stop();
    server.reset();
    EXPECT_EQ(spools.open(), 0U);
    EXPECT_TRUE(fs::is_empty(folder)) << "nothing is left";
    fs::remove_all(folder);
  }
  void Start() {
    options.port = 0;
    server = std::move(*Server::Start(
        options,
        [this](const std::shared_ptr<Request>& request, const Reply& reply) {
          reply(Answer(*request));
        },
        [this](Request& head) { return Plan(head); }));
  }
  BodyPlan Plan(const Request& head) {
    ++plans;
    if (head.path == "/unread") {
      return {.unread = true};
    }
    if (head.path == "/full") {
      return {.sink = std::make_shared<FullSink>(1)};
    }
    if (head.path == "/memory") {
      return {};
    }
    return {.sink = MakeSpoolingSink(spools, threads, [](std::string_view) {})};
  }
  Response Answer(const Request& request) {
    Response response;
    if (request.path == "/download") {
      response.stream = std::make_shared<BodyStream>();
      response.stream_bytes = download.size();
      response.stream->Write(download.substr(0, download.size() / 2));
      if (breaks) {
        response.stream->Break();
      } else {
        response.stream->Write(download.substr(download.size() / 2));
        response.stream->End();
      }
      return response;
    }
    const char* where = request.spool == nullptr ? "memory" : "disk";
    response.body = "[" + request.path + " " + where + " " + std::to_string(request.body_bytes()) +
                    " " + request.body_hash() + "]";
    return response;
  }
  static std::string Post(const std::string& path, const std::string& body) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }
  static std::string Told(const std::string& path, const std::string& where,
                          const std::string& body) {
    return "[" + path + " " + where + " " + std::to_string(body.size()) + " " + Blake2bHex(body) +
           "]";
  }
  void AwaitNobody() {
    while (server->connections() > 0) {  // the test's own time limit ends a server that waits
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::string folder = fs::temp_directory_path() / ("bodies-" + std::to_string(::getpid()));
  SpoolFolder spools{folder};
  DiskThreads threads;
  ServerOptions options{.body_bytes_max = 16 << 20};
  std::atomic<int> plans = 0;
  std::string download;
  bool breaks = false;
  std::unique_ptr<Server> server;
};

TEST_F(BodyTest, WhatIsLongGoesToTheDiskAndIsTheSame) {
  Start();
  Client client(server->port());
  for (const std::size_t size : {kPiece + 1, 2 * kPiece, 3 * kPiece + 12345}) {
    const std::string body = Bytes(size);
    client.Send(Post("/a", body));
    EXPECT_THAT(client.ReadUntil("]"), EndsWith(Told("/a", "disk", body)));
    client.Send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.ReadUntil("]"), EndsWith(Told("/next", "memory", "")));
  }
}

TEST_F(BodyTest, WhatIsShortStaysInMemory) {
  Start();
  Client client(server->port());
  const std::string body = Bytes(kPiece);
  client.Send(Post("/a", body));
  EXPECT_THAT(client.ReadUntil("]"), EndsWith(Told("/a", "memory", body)));
  EXPECT_EQ(plans.load(), 0) << "nor is anybody asked about it";
  const std::string longer = Bytes(kPiece + 1);
  client.Send(Post("/memory", longer));
  EXPECT_THAT(client.ReadUntil("]"), EndsWith(Told("/memory", "memory", longer)));
}

TEST_F(BodyTest, ABodyOfUnknownLengthGoesWhereItBelongs) {
  Start();
  Client client(server->port());
  for (const std::size_t chunks : {1U, 40U}) {
    client.Send("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = Bytes(65'536);
    std::string body;
    for (std::size_t c = 0; c < chunks; ++c) {
      client.Send("10000\r\n" + chunk + "\r\n");
      body += chunk;
    }
    client.Send("0\r\n\r\n");
    EXPECT_THAT(client.ReadUntil("]"), EndsWith(Told("/c", chunks == 1 ? "memory" : "disk", body)));
  }
}

TEST_F(BodyTest, AClientThatDiesInTheMiddleLeavesNothing) {
  Start();
  for (const std::size_t sent : {std::size_t{10}, kPiece + 5, 5 * kPiece}) {
    const Client client(server->port());
    client.Send(Post("/a", Bytes(6 * kPiece)).substr(0, sent + 60));
  }
  AwaitNobody();
  EXPECT_EQ(spools.open(), 0U);
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(BodyTest, AClientThatDripsIsCutOffAlsoOnTheWayToTheDisk) {
  options.body_time = std::chrono::milliseconds(300);
  Start();
  Client client(server->port());
  client.Send(Post("/a", Bytes(6 * kPiece)).substr(0, 3 * kPiece));
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(BodyTest, WhatIsTooLargeIsRefusedWhetherItSaysSoOrNot) {
  options.body_bytes_max = 2 * kPiece;
  Start();
  Client announced(server->port());
  announced.Send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2097153\r\n\r\n");
  EXPECT_THAT(announced.ReadAll(), StartsWith("HTTP/1.1 413 "));
  Client chunked(server->port());
  chunked.Send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "80000\r\n" + Bytes(kPiece / 2) + "\r\n";
  for (int c = 0; c < 5; ++c) {
    chunked.Send(chunk);
  }
  EXPECT_THAT(chunked.ReadAll(), StartsWith("HTTP/1.1 413 "));
  AwaitNobody();
}

TEST_F(BodyTest, WhoWillBeRefusedIsAnsweredBeforeSendingIt) {
  Start();
  Client client(server->port());
  client.Send(
      "POST /unread HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 9000000\r\n\r\n");
  const std::string answer = client.ReadUntil("]");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 ")) << "not 100";
  EXPECT_THAT(answer, EndsWith(Told("/unread", "memory", "")));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  client.Send(Bytes(100'000));  // taken for a moment, so that the answer is not lost
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(BodyTest, ADiskWithoutRoomIsAProblem) {
  Start();
  Client client(server->port());
  client.Send(Post("/full", Bytes(3 * kPiece)));
  const std::string answer = client.ReadAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 507 Insufficient Storage"));
  EXPECT_THAT(answer, HasSubstr("urn:safeguard:problem:no-room"));
}

TEST_F(BodyTest, AFolderThatIsNotThereIsAProblemAndIsNotTold) {
  spools = SpoolFolder(folder + "/none");
  Start();
  Client client(server->port());
  client.Send(Post("/a", Bytes(2 * kPiece)));
  const std::string answer = client.ReadAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, Not(HasSubstr(folder)));
}

TEST_F(BodyTest, ThereIsALimitOnBodiesAtOnce) {
  Start();
  std::vector<std::shared_ptr<BodySpool>> held;
  while (held.size() < kSpoolsMax) {
    held.push_back(spools.Open().value());
  }
  {
    Client client(server->port());
    client.Send(Post("/a", Bytes(2 * kPiece)));
    const std::string answer = client.ReadAll();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 429 "));
    EXPECT_THAT(answer, HasSubstr("retry-after: 1"));
  }
  held.pop_back();
  Client client(server->port());
  client.Send(Post("/a", Bytes(2 * kPiece)));
  EXPECT_THAT(client.ReadUntil("]"), HasSubstr("disk"));
}

TEST_F(BodyTest, ADownloadSaysItsLengthAndTheConnectionLivesOn) {
  download = Bytes(3 * kPiece);
  Start();
  Client client(server->port());
  for (const char* version : {"1.1", "1.0"}) {
    client.Send(std::string("GET /download HTTP/") + version +
                "\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
    const std::string head = client.ReadUntil("\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("Content-Length: " + std::to_string(download.size())));
    EXPECT_THAT(head, Not(HasSubstr("chunked")));
    EXPECT_TRUE(client.ReadBytes(download.size()) == download);
  }
  client.Send("HEAD /download HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"),
              HasSubstr("Content-Length: " + std::to_string(download.size())));
  client.Send("GET /after HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("]"), EndsWith(Told("/after", "memory", "")));
}

TEST_F(BodyTest, ADownloadThatBreaksOffIsSeenToBeTooShort) {
  download = Bytes(2 * kPiece);
  breaks = true;
  Start();
  Client client(server->port());
  client.Send("GET /download HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("Content-Length: 2097152"));
  EXPECT_TRUE(client.ReadAll() == download.substr(0, kPiece)) << "and then the connection ends";
}

}  // namespace
}  // namespace safeguard::http
