// One client's connection as a coroutine: read a request within its limits, have it answered, write
// the answer, again. All of it runs on the one thread of its loop.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "http/body_sink.h"
#include "http/server.h"
#include "http/server/asio.h"
#include "http/server/client_stream.h"

namespace safeguard::http {

// What the connections of a server share.
struct ServerShared {
  ServerOptions options;
  Handler handler;
  BodyPlanner planner;
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> draining{false};

  // Of connections that come from now on; null: without TLS.
  std::shared_ptr<ClientStream::Context> tls() {
    const std::lock_guard lock(mutex);
    return current_tls;
  }
  void SetTls(std::shared_ptr<ClientStream::Context> tls) {
    const std::lock_guard lock(mutex);
    current_tls = std::move(tls);
  }

  std::mutex mutex;
  std::shared_ptr<ClientStream::Context> current_tls;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Executor = boost::asio::io_context::executor_type;

  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<ServerShared> shared);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves until the client or a limit ends it.
  static boost::asio::awaitable<void> Run(std::shared_ptr<Connection> self);
  // Answers 503 and closes: there are too many.
  static boost::asio::awaitable<void> Refuse(std::shared_ptr<Connection> self);

  // On the loop's thread: closes it now when no request is under way.
  void CloseIfIdle();
  void Close();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  // Ends reading with an error once `time` is over, until EndPhase().
  void BeginPhase(std::chrono::milliseconds time);
  void WatchPhase();
  void EndPhase();

  // Each says whether the connection may go on.
  boost::asio::awaitable<bool> Handshake();
  boost::asio::awaitable<bool> WaitForBytes();
  boost::asio::awaitable<bool> ReadRequest();
  BodyPlan PlanBody();
  // Why no more of the body is taken; nothing where it is there or `failure` says what happened.
  boost::asio::awaitable<std::optional<Problem>> ReadBody(std::shared_ptr<BodySink> sink,
                                                          boost::beast::error_code& failure);
  // To the sink; its problem.
  boost::asio::awaitable<std::optional<Problem>> Hand(std::string piece);
  bool ParseWhole();
  void NewParser();
  boost::asio::awaitable<void> AnswerRequest();
  boost::asio::awaitable<bool> Write(Response response, bool keep_alive);
  boost::asio::awaitable<bool> WriteStream(Response response, bool keep_alive);
  // The stream's next part, once there is one.
  boost::asio::awaitable<BodyStream::Part> NextPart(std::shared_ptr<BodyStream> body);
  boost::asio::awaitable<bool> WriteBytes(boost::asio::const_buffer bytes);
  boost::asio::awaitable<void> AnswerUnread(Problem problem);
  boost::asio::awaitable<void> Linger();
  boost::asio::awaitable<void> SayGoodbye();
  void FillHead(const Parser::value_type& message, Request& request) const;
  std::shared_ptr<Request> TakeRequest();

  ClientStream stream_;
  boost::asio::steady_timer phase_timer_;
  bool late_ = false;  // the phase's time was up
  std::shared_ptr<ServerShared> shared_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::shared_ptr<BodySink> sink_;  // that has a part of the body
  std::optional<Response> answer_;
  std::string peer_;
  unsigned version_ = 11;
  bool head_ = false;
  bool unread_ = false;  // the request's body was left where it was
  bool idle_ = false;
};

}  // namespace safeguard::http
