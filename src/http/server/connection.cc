#include "http/server/connection.h"

#include <sys/socket.h>

#include <cerrno>

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
constexpr std::chrono::milliseconds kLookForClient{500};  // while a stream is silent

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

// Whether the other side has closed its end: who streams to nobody need not go on.
bool HasLeft(asio::ip::tcp::socket& socket) {
  char byte = 0;
  const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

// The answer that comes from another thread, and who waits for it.
struct Pending {
  explicit Pending(const asio::any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;  // cancelled when the answer is there
  std::optional<Response> response;
};

template <typename Body>
void FillHeader(const Response& response, bool keep_alive, bhttp::response<Body>& message) {
  message.set(bhttp::field::content_type, response.content_type);
  for (const Header& header : response.headers) {
    message.set(header.name, header.value);
  }
  message.keep_alive(keep_alive);
}

// The status line and the header fields of an answer that is there as a whole.
std::string HeadText(const Response& response, unsigned version, bool keep_alive, bool with_body) {
  const auto reason =
      bhttp::obsolete_reason(bhttp::int_to_status(static_cast<unsigned>(response.status)));
  std::string text = version >= 11 ? "HTTP/1.1 " : "HTTP/1.0 ";
  text += std::to_string(response.status);
  text += " ";
  text.append(reason.data(), reason.size());
  const auto field = [&](std::string_view name, std::string_view value) {
    text += "\r\n";
    text += name;
    text += ": ";
    text += value;
  };
  field("Content-Type", response.content_type);
  for (const Header& header : response.headers) {
    field(header.name, header.value);
  }
  if (keep_alive != (version >= 11)) {
    field("Connection", keep_alive ? "keep-alive" : "close");
  }
  if (with_body) {
    field("Content-Length", std::to_string(response.body.size()));
  }
  return text += "\r\n\r\n";
}

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
    // HTTP/1.0 has no chunks: there the end of the connection ends a stream.
    const bool chunks = response.stream == nullptr || self->version_ >= 11;
    const bool keep_alive = wants_more && chunks && !self->shared_->draining.load();
    const bool written = response.stream != nullptr
                             ? co_await self->WriteStream(std::move(response), keep_alive)
                             : co_await self->Write(std::move(response), keep_alive);
    good = written;
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
  const ServerOptions& options = shared_->options;
  stream_.expires_never();
  if (ParseWhole()) {
    co_return true;
  }
  BeginPhase(options.header_time);
  beast::error_code failure;
  co_await bhttp::async_read_header(stream_, buffer_, *parser_,
                                    asio::redirect_error(asio::use_awaitable, failure));
  if (!failure) {
    version_ = parser_->get().version();
    BeginPhase(options.body_time);
    const auto expect = parser_->get().find(bhttp::field::expect);
    if (expect != parser_->get().end() && Lower(expect->value()) == "100-continue") {
      bhttp::response<bhttp::empty_body> go_on(bhttp::status::continue_, version_);
      co_await bhttp::async_write(stream_, go_on,
                                  asio::redirect_error(asio::use_awaitable, failure));
    }
  }
  if (!failure) {
    co_await bhttp::async_read(stream_, buffer_, *parser_,
                               asio::redirect_error(asio::use_awaitable, failure));
  }
  EndPhase();
  if (failure) {
    co_await ReportReadFailure(late_ ? beast::error::timeout : failure);
    co_return false;
  }
  co_return true;
}

asio::awaitable<void> Connection::ReportReadFailure(beast::error_code failure) {
  const std::optional<Problem> problem = ReadProblem(failure, shared_->options);
  if (!problem) {
    co_return;
  }
  Response response = OwnProblem(*problem);
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

std::shared_ptr<Request> Connection::TakeRequest() {
  auto message = parser_->release();
  parser_.emplace();
  auto request = std::make_shared<Request>();
  request->method = std::string(message.method_string());
  head_ = request->method == "HEAD";
  const std::string target(message.target());
  const std::size_t question = target.find('?');
  request->path = target.substr(0, question);
  if (question != std::string::npos) {
    request->query = target.substr(question + 1);
  }
  for (const auto& field : message) {
    request->headers.push_back({Lower(field.name_string()), std::string(field.value())});
  }
  request->body = std::move(message.body());
  request->peer = peer_;
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

asio::awaitable<bool> Connection::WriteBytes(asio::const_buffer bytes) {
  stream_.expires_after(shared_->options.write_time);  // of each part: the whole may take long
  beast::error_code failure;
  co_await asio::async_write(stream_, bytes, asio::redirect_error(asio::use_awaitable, failure));
  co_return !failure;
}

asio::awaitable<BodyStream::Part> Connection::NextPart(std::shared_ptr<BodyStream> body) {
  const asio::any_io_executor executor = stream_.get_executor();
  auto timer = std::make_shared<asio::steady_timer>(executor);
  body->OnWritten([timer, executor] { asio::post(executor, [timer] { timer->cancel(); }); });
  BodyStream::Part part = body->Take();
  while (part.bytes.empty() && !part.ended) {
    timer->expires_after(kLookForClient);
    beast::error_code woken;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    part = body->Take();
    if (part.bytes.empty() && !part.ended && HasLeft(stream_.socket())) {
      part = {.bytes = "", .ended = true, .broken = true};
    }
  }
  body->OnWritten(nullptr);
  co_return part;
}

asio::awaitable<bool> Connection::WriteStream(Response response, bool keep_alive) {
  // However this ends, also with the loop itself: nobody reads any more.
  const std::unique_ptr<BodyStream, void (*)(BodyStream*)> closer(response.stream.get(),
                                                                  [](BodyStream* body) {
                                                                    body->OnWritten(nullptr);
                                                                    body->Close();
                                                                  });
  bhttp::response<bhttp::empty_body> head(
      bhttp::int_to_status(static_cast<unsigned>(response.status)), version_);
  FillHeader(response, keep_alive, head);
  const bool chunked = version_ >= 11;
  head.chunked(chunked);
  bhttp::response_serializer<bhttp::empty_body> serializer(head);
  stream_.expires_after(shared_->options.write_time);
  beast::error_code failure;
  co_await bhttp::async_write_header(stream_, serializer,
                                     asio::redirect_error(asio::use_awaitable, failure));
  bool good = !failure && !head_;
  while (good) {
    stream_.expires_never();
    const BodyStream::Part part = co_await NextPart(response.stream);
    std::string frame;
    if (!part.bytes.empty() && chunked) {
      frame = beast::buffers_to_string(bhttp::make_chunk(asio::buffer(part.bytes)));
    } else {
      frame = part.bytes;
    }
    if (part.ended && !part.broken && chunked) {
      frame += beast::buffers_to_string(bhttp::make_chunk_last());
    }
    good = frame.empty() || co_await WriteBytes(asio::buffer(frame));
    if (part.broken) {
      co_return false;  // without the last chunk, so that the client sees it
    }
    if (part.ended) {
      break;
    }
  }
  co_return good&& keep_alive;
}

// As one piece of bytes: Beast's serializer walks a list of parts, which costs more than all else
// of a small answer.
asio::awaitable<bool> Connection::Write(Response response, bool keep_alive) {
  const bool bodiless = response.status == 204 || response.status == 304;
  std::string bytes = HeadText(response, version_, keep_alive, !bodiless);
  if (!bodiless && !head_) {
    bytes += response.body;
  }
  head_ = false;
  co_return co_await WriteBytes(asio::buffer(bytes));
}

}  // namespace safeguard::http
