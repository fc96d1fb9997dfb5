#include "http/server/connection.h"

#include <array>
#include <utility>

#include "base/hash.h"
#include "base/random_bytes.h"
#include "http/problem.h"
#include "http/server/asio.h"

namespace safeguard::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

constexpr std::size_t kReadBytes = 8192;
constexpr std::size_t kLingerBytesMax = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kLingerTime{2000};
constexpr std::chrono::milliseconds kGoodbyeTime{200};
constexpr std::chrono::milliseconds kCancelAgain{10};
constexpr std::size_t kBodyPieceBytes = std::size_t{1} << 20;  // that a sink gets at once

std::string Lower(boost::beast::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return lower;
}

// What is wrong with bytes that do not become a request; nothing when there is nobody to tell.
std::optional<Problem> ReadProblem(const beast::error_code& failure, const ServerOptions& options) {
  if (failure == beast::error::timeout) {
    return Problem{408,
                   "request-timeout",
                   "the request did not arrive in time",
                   "send header and body without pauses",
                   {}};
  }
  if (failure == bhttp::error::body_limit) {
    return Problem{413,
                   "body-too-large",
                   "the body is larger than " + std::to_string(options.body_bytes_max) + " bytes",
                   "send less, or several requests",
                   {}};
  }
  if (failure == bhttp::error::header_limit || failure == bhttp::error::buffer_overflow) {
    return Problem{
        431,
        "header-too-large",
        "the header is larger than " + std::to_string(options.header_bytes_max) + " bytes",
        "send fewer or shorter header fields",
        {}};
  }
  const bool malformed =
      failure.category() == bhttp::make_error_code(bhttp::error::bad_method).category() &&
      failure != bhttp::error::end_of_stream && failure != bhttp::error::partial_message;
  if (malformed) {
    return Problem{400,
                   "invalid-http",
                   "this is not an HTTP/1.1 request: " + failure.message(),
                   "see RFC 9112",
                   {}};
  }
  return std::nullopt;
}

// The answer to what no handler has answered; with an id of its own, so that a report of it can be
// told from another.
Response OwnProblem(const Problem& problem) {
  constexpr std::size_t kIdBytes = 16;
  const std::string id = "req_" + Blake2bHex(RandomBytes(kIdBytes)).substr(0, 24);
  Response response = ProblemResponse(problem, id);
  response.headers.push_back({"x-request-id", id});
  return response;
}

// The answer that comes from another thread, and who waits for it.
struct Pending {
  explicit Pending(const asio::any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;  // cancelled when the answer is there
  std::optional<Response> response;
};

// A piece of a body that another thread takes, and who waits for that.
struct Handed {
  explicit Handed(const asio::any_io_executor& executor)
      : timer(executor, std::chrono::steady_clock::time_point::max()) {}
  asio::steady_timer timer;  // cancelled when it is taken
  std::optional<Problem> problem;
};

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::shared_ptr<ServerShared> shared)
    : stream_(std::move(socket), shared->tls()),
      phase_timer_(stream_.get_executor()),
      shared_(std::move(shared)),
      buffer_(shared_->options.header_bytes_max + kReadBytes) {
  beast::error_code failure;
  const auto endpoint = stream_.socket().remote_endpoint(failure);
  if (!failure) {
    peer_ = endpoint.address().to_string();
  }
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), failure);
  ++shared_->connections;
}

Connection::~Connection() {
  --shared_->connections;
}

void Connection::Close() {
  beast::error_code ignored;  // it is being given up
  stream_.socket().close(ignored);
}

void Connection::CloseIfIdle() {
  if (idle_) {
    Close();
  }
}

asio::awaitable<void> Connection::Run(std::shared_ptr<Connection> self) {
  bool good = co_await self->Handshake();
  while (good && !self->shared_->draining.load()) {
    const bool there = co_await self->WaitForBytes();
    if (!there) {
      break;
    }
    const bool read = co_await self->ReadRequest();
    if (!read) {
      break;
    }
    const bool wants_more = self->parser_->get().keep_alive();
    self->version_ = self->parser_->get().version();
    co_await self->AnswerRequest();
    Response response = std::move(*self->answer_);
    self->answer_.reset();
    // HTTP/1.0 has no chunks: there the end of the connection ends a stream of unknown length.
    const bool chunks = response.stream == nullptr || response.stream_bytes || self->version_ >= 11;
    const bool keep_alive =
        wants_more && chunks && !self->unread_ && !self->shared_->draining.load();
    const bool written = response.stream != nullptr
                             ? co_await self->WriteStream(std::move(response), keep_alive)
                             : co_await self->Write(std::move(response), keep_alive);
    good = written;
    if (written && self->unread_) {
      co_await self->Linger();
    }
    if (!written || !keep_alive) {
      break;
    }
  }
  if (good) {
    co_await self->SayGoodbye();
  }
  self->Close();
}

asio::awaitable<void> Connection::Refuse(std::shared_ptr<Connection> self) {
  Response response = OwnProblem({503,
                                  "too-many-connections",
                                  "the server has as many connections as it may have",
                                  "try again later, or keep fewer connections open",
                                  {},
                                  1});
  self->version_ = 11;
  const bool good = co_await self->Handshake();
  const bool written = good && co_await self->Write(std::move(response), false);
  if (written) {
    co_await self->Linger();
  }
  self->Close();
}

asio::awaitable<bool> Connection::Handshake() {
  if (!stream_.secure()) {
    co_return true;
  }
  stream_.expires_after(shared_->options.header_time);
  beast::error_code failure;
  co_await stream_.Handshake(asio::redirect_error(asio::use_awaitable, failure));
  co_return !failure;
}

// TLS tells an end from a cut, if only the other side listens for a moment.
asio::awaitable<void> Connection::SayGoodbye() {
  if (!stream_.secure()) {
    co_return;
  }
  stream_.expires_after(kGoodbyeTime);
  beast::error_code ignored;  // it is over either way
  co_await stream_.Shutdown(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<bool> Connection::WaitForBytes() {
  if (buffer_.size() > 0) {
    co_return true;  // the next request was sent behind the last one
  }
  idle_ = true;
  stream_.expires_after(shared_->options.idle_time);
  beast::error_code failure;
  const auto space = buffer_.prepare(kReadBytes);
  const std::size_t bytes =
      co_await stream_.async_read_some(space, asio::redirect_error(asio::use_awaitable, failure));
  idle_ = false;
  if (failure) {
    co_return false;
  }
  buffer_.commit(bytes);
  co_return true;
}

// A timer of our own: the stream's would close the socket, and the client would not be told why.
void Connection::BeginPhase(std::chrono::milliseconds time) {
  late_ = false;
  phase_timer_.expires_after(time);
  WatchPhase();
}

void Connection::WatchPhase() {
  phase_timer_.async_wait([weak = weak_from_this()](beast::error_code failure) {
    const auto self = weak.lock();
    if (failure || !self || self->phase_timer_.expiry() > std::chrono::steady_clock::now()) {
      return;  // another phase has begun
    }
    self->late_ = true;
    self->stream_.cancel();
    // Again until the phase has ended: this may have come between two reads, and stopped neither.
    self->phase_timer_.expires_after(kCancelAgain);
    self->WatchPhase();
  });
}

void Connection::EndPhase() {
  phase_timer_.expires_at(std::chrono::steady_clock::time_point::max());
}

void Connection::NewParser() {
  parser_.emplace();
  parser_->header_limit(shared_->options.header_bytes_max);
  parser_->body_limit(shared_->options.body_bytes_max);
}

// Most requests are in the buffer as a whole: then there is nothing to wait for, and no timer.
// What is not, and what is wrong, is left to those who read and report.
bool Connection::ParseWhole() {
  NewParser();
  parser_->eager(true);
  beast::error_code failure;
  const std::size_t used = parser_->put(buffer_.data(), failure);
  if (failure || !parser_->is_done()) {
    NewParser();
    return false;
  }
  buffer_.consume(used);
  return true;
}

asio::awaitable<bool> Connection::ReadRequest() {
  unread_ = false;
  sink_ = nullptr;
  stream_.expires_never();
  if (ParseWhole()) {
    co_return true;
  }
  BeginPhase(shared_->options.header_time);
  beast::error_code failure;
  co_await bhttp::async_read_header(stream_, buffer_, *parser_,
                                    asio::redirect_error(asio::use_awaitable, failure));
  std::optional<Problem> refusal;
  if (!failure) {
    version_ = parser_->get().version();
    BeginPhase(shared_->options.body_time);
    const BodyPlan plan = PlanBody();
    unread_ = plan.unread;
    if (!unread_) {
      refusal = co_await ReadBody(plan.sink, failure);
    }
  }
  EndPhase();
  if (failure) {
    refusal = ReadProblem(late_ ? beast::error::timeout : failure, shared_->options);
  }
  if (refusal) {
    co_await AnswerUnread(*refusal);
  }
  co_return !failure && !refusal;
}

// What is there in one piece is not worth a plan.
BodyPlan Connection::PlanBody() {
  const auto length = parser_->content_length();
  const bool is_long = length ? *length > kBodyPieceBytes : !parser_->is_done();
  if (!shared_->planner || !is_long) {
    return {};
  }
  Request head;
  FillHead(parser_->get(), head);
  return shared_->planner(head);
}

// With a sink, a body that grows long goes there as it arrives.
asio::awaitable<std::optional<Problem>> Connection::ReadBody(std::shared_ptr<BodySink> sink,
                                                             beast::error_code& failure) {
  const auto expect = parser_->get().find(bhttp::field::expect);
  if (expect != parser_->get().end() && Lower(expect->value()) == "100-continue") {
    bhttp::response<bhttp::empty_body> go_on(bhttp::status::continue_, version_);
    co_await bhttp::async_write(stream_, go_on, asio::redirect_error(asio::use_awaitable, failure));
  }
  if (sink == nullptr && !failure) {
    co_await bhttp::async_read(stream_, buffer_, *parser_,
                               asio::redirect_error(asio::use_awaitable, failure));
  }
  std::optional<Problem> refusal;
  while (sink != nullptr && !failure && !refusal && !parser_->is_done()) {
    co_await bhttp::async_read_some(stream_, buffer_, *parser_,
                                    asio::redirect_error(asio::use_awaitable, failure));
    std::string& body = parser_->get().body();
    const bool ends = parser_->is_done() && sink_ != nullptr && !body.empty();
    if (!failure && (ends || body.size() >= kBodyPieceBytes)) {
      sink_ = sink;
      std::string piece = std::exchange(body, {});
      refusal = co_await Hand(std::move(piece));
    }
  }
  co_return refusal;
}

asio::awaitable<std::optional<Problem>> Connection::Hand(std::string piece) {
  const asio::any_io_executor executor = stream_.get_executor();
  auto handed = std::make_shared<Handed>(executor);
  BodySink::Taken taken = [handed, executor](std::optional<Problem> problem) {
    asio::post(executor, [handed, problem = std::move(problem)] {
      handed->problem = problem;
      handed->timer.cancel();
    });
  };
  sink_->Take(std::move(piece), std::move(taken));
  beast::error_code woken;
  co_await handed->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  co_return handed->problem;
}

asio::awaitable<void> Connection::AnswerUnread(Problem problem) {
  Response response = OwnProblem(problem);
  const bool written = co_await Write(std::move(response), false);
  if (written) {
    co_await Linger();
  }
}

// Closing with bytes unread resets the connection, and the client may lose the answer with it. So
// what it still sends is taken for a moment.
asio::awaitable<void> Connection::Linger() {
  beast::error_code failure;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, failure);
  stream_.expires_after(kLingerTime);
  std::size_t taken = 0;
  std::array<char, kReadBytes> sink{};
  while (!failure && taken < kLingerBytesMax) {
    taken += co_await stream_.async_read_some(asio::buffer(sink),
                                              asio::redirect_error(asio::use_awaitable, failure));
  }
}

void Connection::FillHead(const Parser::value_type& message, Request& request) const {
  request.method = std::string(message.method_string());
  const std::string target(message.target());
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) {
    request.query = target.substr(question + 1);
  }
  for (const auto& field : message) {
    request.headers.push_back({Lower(field.name_string()), std::string(field.value())});
  }
  request.peer = peer_;
}

std::shared_ptr<Request> Connection::TakeRequest() {
  auto message = parser_->release();
  parser_.emplace();
  auto request = std::make_shared<Request>();
  FillHead(message, *request);
  head_ = request->method == "HEAD";
  request->body = std::move(message.body());
  if (sink_ != nullptr) {
    sink_->GiveTo(*request);
    sink_ = nullptr;
  }
  request->received = std::chrono::steady_clock::now();
  return request;
}

asio::awaitable<void> Connection::AnswerRequest() {
  const asio::any_io_executor executor = stream_.get_executor();
  auto pending = std::make_shared<Pending>(executor);
  pending->timer.expires_after(shared_->options.answer_time);
  std::shared_ptr<Request> request = TakeRequest();
  stream_.expires_never();
  Reply reply = [pending, executor](Response response) {
    auto given = std::make_shared<Response>(std::move(response));
    asio::post(executor, [pending, given] {
      if (!pending->response) {
        pending->response = std::move(*given);
      }
      pending->timer.cancel();
    });
  };
  shared_->handler(std::move(request), std::move(reply));
  beast::error_code ended;
  co_await pending->timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  if (pending->response) {
    answer_ = std::move(*pending->response);
  } else {
    answer_ = OwnProblem({503,
                          "no-answer-in-time",
                          "the request was not answered in time",
                          "try again; ask for less at once",
                          {},
                          1});
  }
}

}  // namespace safeguard::http
