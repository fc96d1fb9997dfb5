// The server against real sockets and clients that misbehave.
#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http/server/test_client.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Answers with what it was asked; "/wait" waits for Open(), on a thread of its own.
class EchoHandler {
 public:
  ~EchoHandler() { Finish(); }

  // Every answer has been given when it returns.
  void Finish() {
    Open();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) {
        thread.join();
      }
    }
  }

  void operator()(const std::shared_ptr<Request>& request, const Reply& reply) {
    if (request->path == "/silent") {
      return;
    }
    if (request->path == "/stream") {
      Response response;
      response.content_type = "text/event-stream";
      response.stream = stream;
      reply(std::move(response));
      return;
    }
    if (request->path != "/wait") {
      reply(Echo(*request));
      return;
    }
    threads_.emplace_back([this, request, reply] {
      std::unique_lock lock(mutex_);
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
      reply(Echo(*request));
    });
  }

  std::shared_ptr<BodyStream> stream = std::make_shared<BodyStream>();

  void AwaitWaiting() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  static Response Echo(const Request& request) {
    Response response;
    response.body = request.method + " " + request.path + " ?" + request.query + " [" +
                    request.body + "] " + std::string(request.header("x-test")) + ".";
    response.headers.push_back({"x-echo", "yes"});
    return response;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
  std::vector<std::thread> threads_;
};

class ServerTest : public ::testing::Test {
 protected:
  void Start() {
    options.port = 0;
    auto started = Server::Start(options, [this](const std::shared_ptr<Request>& request,
                                                 const Reply& reply) { echo(request, reply); });
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }
  std::string Exchange(const std::string& bytes) {
    Client client(server->port());
    client.Send(bytes);
    return client.ReadAll();
  }
  void TearDown() override {
    echo.Finish();
    if (server != nullptr) {
      server->Drain();
    }
  }

  ServerOptions options{.drain_time = std::chrono::milliseconds(20'000)};
  EchoHandler echo;
  std::unique_ptr<Server> server;
};

TEST_F(ServerTest, AnswersOneRequestAfterTheOther) {
  Start();
  Client client(server->port());
  client.Send("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Test: one\r\n\r\n");
  const std::string first = client.ReadUntil("one.");
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(first, HasSubstr("GET /a ?b=c [] one."));
  EXPECT_THAT(first, HasSubstr("x-echo: yes"));
  client.Send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_THAT(client.ReadUntil("]"), HasSubstr("POST /b ? [body]"));
}

TEST_F(ServerTest, TakesRequestsThatWereSentTogether) {
  Start();
  const std::string answers = Exchange(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answers, HasSubstr("GET /1 "));
  EXPECT_THAT(answers, HasSubstr("GET /2 "));
}

// A request that is there at once is read another way than one that comes in pieces.
TEST_F(ServerTest, WhereARequestIsCutMakesNoDifference) {
  Start();
  const std::string plain =
      "POST /p?q=1 HTTP/1.1\r\nHost: x\r\nX-Test: t\r\nContent-Length: 4\r\n\r\nbody";
  const std::string chunked =
      "POST /p?q=1 HTTP/1.1\r\nHost: x\r\nX-Test: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n";
  for (const std::string& request : {plain, chunked}) {
    for (std::size_t cut = 0; cut < request.size(); ++cut) {
      Client client(server->port());
      client.Send(request.substr(0, cut));
      if (cut > 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
      client.Send(request.substr(cut));
      ASSERT_THAT(client.ReadUntil("] t."), HasSubstr("\r\n\r\nPOST /p ?q=1 [body] t.")) << cut;
    }
  }
}

TEST_F(ServerTest, AnswersAnHttp10ClientAsItAsks) {
  Start();
  const std::string closed = Exchange("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_THAT(closed, StartsWith("HTTP/1.0 200 OK\r\n"));
  EXPECT_THAT(closed, Not(HasSubstr("Connection:")));
  Client client(server->port());
  client.Send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("] ."), HasSubstr("\r\nConnection: keep-alive\r\n"));
  client.Send("GET /b HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), HasSubstr("GET /b "));
}

TEST_F(ServerTest, ReadsChunksAndSaysGoOn) {
  Start();
  Client client(server->port());
  client.Send(
      "POST /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
  client.Send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("]"), HasSubstr("[abcde]"));
}

TEST_F(ServerTest, StreamsABodyWhileItIsWritten) {
  Start();
  Client client(server->port());
  client.Send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  echo.stream->Write("data: one\n\n");
  EXPECT_EQ(client.ReadUntil("one\n\n\r\n"), "b\r\ndata: one\n\n\r\n");
  echo.stream->Write("data: two\n\n");
  echo.stream->End();
  EXPECT_THAT(client.ReadUntil("0\r\n\r\n"), HasSubstr("data: two"));
  client.Send("GET /after HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("[]"), HasSubstr("GET /after")) << "the connection lives on";
}

TEST_F(ServerTest, AStreamToHttp10EndsWithTheConnection) {
  Start();
  echo.stream->Write("all of it");
  echo.stream->End();
  const std::string answer = Exchange("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\nall of it")) << answer;
}

TEST_F(ServerTest, AStreamThatBreaksOffIsSeenToBeIncomplete) {
  Start();
  echo.stream->Write("half");
  echo.stream->Break();
  const std::string answer = Exchange("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(answer.find("\r\n0\r\n"), std::string::npos) << answer;
}

TEST_F(ServerTest, WhoWritesAStreamLearnsThatTheClientHasLeft) {
  Start();
  {
    Client client(server->port());
    client.Send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    client.ReadUntil("\r\n\r\n");
  }
  while (!echo.stream->closed()) {
    std::this_thread::yield();  // a test that would hang here is ended by its runner
  }
  EXPECT_FALSE(echo.stream->Write("to nobody"));
}

TEST_F(ServerTest, AClientThatDoesNotReadAStreamIsCutOff) {
  options.write_time = std::chrono::milliseconds(50);
  Start();
  Client client(server->port());
  client.Send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string much(std::size_t{1} << 20, 'x');
  while (echo.stream->Write(much)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(echo.stream->closed());
}

TEST_F(ServerTest, HeadHasNoBody) {
  Start();
  const std::string answer = Exchange("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: "));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, RefusesWhatIsTooLargeAndSaysSo) {
  options.body_bytes_max = 1000;
  options.header_bytes_max = 2000;
  Start();
  const std::string announced =
      Exchange("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_THAT(announced, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(announced, HasSubstr("urn:safeguard:problem:body-too-large"));
  EXPECT_THAT(announced, HasSubstr(R"("request_id":"req_)"));
  EXPECT_THAT(announced, HasSubstr(R"("title":"Content Too Large","status":413,"detail":")"));
  EXPECT_THAT(announced, HasSubstr(R"("hint":")"));
  EXPECT_THAT(announced, HasSubstr("x-request-id: req_"));
  const std::string chunked =
      Exchange("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
               std::string(2000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_THAT(chunked, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Exchange("GET /a HTTP/1.1\r\nHost: x\r\nA: " + std::string(3000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, RefusesWhatIsNoHttp) {
  Start();
  for (const char* nonsense :
       {"\r\n\r\n\r\n nonsense \r\n\r\n", "GET /a HTTP/9.9\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_THAT(Exchange(nonsense), StartsWith("HTTP/1.1 400 ")) << nonsense;
  }
}

// Damaged, cut or doubled: it gets an answer of HTTP or the end, and the next client is served.
TEST_F(ServerTest, WhatIsNearlyARequestIsAnsweredOrRefused) {
  Start();
  const std::vector<std::string> seeds = {
      "GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Test: one\r\n\r\n",
      "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "POST /d HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n",
      "GET /e HTTP/1.0\r\n\r\n"};
  std::mt19937 random(20261129);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (int round = 0; round < 400; ++round) {
    std::string bytes = seeds[below(seeds.size())];
    for (std::size_t damage = 1 + below(4); damage > 0 && !bytes.empty(); --damage) {
      const std::size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = static_cast<char>(below(256));
          break;
        case 1:
          bytes.erase(at, 1 + below(8));
          break;
        case 2:
          bytes.insert(at, bytes.substr(at, 1 + below(16)));
          break;
        default:
          bytes.insert(at, 1, "\r\n:\0 ,;"[below(8)]);
      }
    }
    Client client(server->port());
    client.Send(bytes);
    client.EndOfSending();
    const std::string answer = client.ReadAll();
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.")) << testing::PrintToString(bytes);
  }
  EXPECT_THAT(Exchange("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              HasSubstr("GET /a "));
}

TEST_F(ServerTest, AClientThatDripsItsHeaderIsCutOff) {
  options.header_time = std::chrono::milliseconds(100);
  Start();
  Client client(server->port());
  client.Send("GET /a HTTP/1.1\r\nHo");
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(ServerTest, AClientThatDripsItsBodyIsCutOffHoweverBusyItLooks) {
  options.body_time = std::chrono::milliseconds(200);
  Start();
  Client client(server->port());
  client.Send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  std::thread drip([&] {
    for (int i = 0; i < 50; ++i) {
      client.Send("x");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 408 "));
  drip.join();
}

TEST_F(ServerTest, AClientThatNeverReadsHoldsNothingForLong) {
  options.write_time = std::chrono::milliseconds(200);
  options.body_bytes_max = 64 << 20;
  Start();
  Client client(server->port());
  const std::string body(16 << 20, 'x');
  client.Send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  while (server->connections() > 0) {  // the test's own time limit ends a server that waits
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  options.idle_time = std::chrono::milliseconds(50);
  Start();
  Client client(server->port());
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(ServerTest, AHandlerThatForgetsToAnswerIsAnsweredFor) {
  options.answer_time = std::chrono::milliseconds(50);
  Start();
  Client client(server->port());
  client.Send("GET /silent HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("no-answer-in-time"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(ServerTest, OneConnectionTooManyIsToldSo) {
  options.connections_max = 2;
  Start();
  Client first(server->port());
  Client second(server->port());
  for (Client* client : {&first, &second}) {
    client->Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    client->ReadUntil("] .");
  }
  const std::string refused = Exchange("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refused, HasSubstr("retry-after: 1"));
}

TEST_F(ServerTest, DrainingFinishesWhatIsUnderWayAndTakesNothingNew) {
  Start();
  Client idle(server->port());
  idle.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.ReadUntil("[]");
  Client busy(server->port());
  busy.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  echo.AwaitWaiting();
  bool drained = false;
  std::thread drain([&] { drained = server->Drain(); });
  idle.ReadAll();  // closed by the server
  const Client late(server->port());
  EXPECT_FALSE(late.connected());
  echo.Open();
  const std::string answer = busy.ReadAll();
  EXPECT_THAT(answer, HasSubstr("GET /wait "));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  drain.join();
  EXPECT_TRUE(drained);
  server.reset();
}

TEST_F(ServerTest, DrainingCutsOffWhatTakesTooLong) {
  options.drain_time = std::chrono::milliseconds(50);
  Start();
  Client busy(server->port());
  busy.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  echo.AwaitWaiting();
  EXPECT_FALSE(server->Drain());
  EXPECT_EQ(busy.ReadAll(), "");
  echo.Open();
}

TEST_F(ServerTest, AClientThatLeavesHarmsNobody) {
  Start();
  {
    Client gone(server->port());
    gone.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    echo.AwaitWaiting();
  }
  echo.Open();
  EXPECT_THAT(Exchange("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              HasSubstr("GET /a "));
}

TEST_F(ServerTest, APortThatIsTakenIsAnError) {
  Start();
  ServerOptions again;
  again.port = server->port();
  const auto second = Server::Start(again, [](const auto&, const auto&) {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().hint, HasSubstr("--port"));
  again.host = "example";
  EXPECT_FALSE(Server::Start(again, [](const auto&, const auto&) {}));
}

TEST(LoopbackTest, KnowsThisMachine) {
  for (const char* host : {"127.0.0.1", "localhost", "::1", "127.1.2.3"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "localhost.example", ""}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

}  // namespace
}  // namespace safeguard::http
