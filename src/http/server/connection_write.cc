// What a connection writes: answers that are there as a whole, and those that come as they are
// made.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "http/server/asio.h"
#include "http/server/connection.h"

namespace safeguard::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

constexpr std::chrono::milliseconds kLookForClient{500};     // while a stream is silent
constexpr std::size_t kWriteBytes = std::size_t{256} << 10;  // of a stream, in one write_time

// Whether the other side has closed its end: who streams to nobody need not go on.
bool HasLeft(asio::ip::tcp::socket& socket) {
  char byte = 0;
  const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

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

std::string ChunkOf(const std::string& bytes, bool last) {
  std::string frame;
  if (!bytes.empty()) {
    frame = beast::buffers_to_string(bhttp::make_chunk(asio::buffer(bytes)));
  }
  if (last) {
    frame += beast::buffers_to_string(bhttp::make_chunk_last());
  }
  return frame;
}

}  // namespace

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
  const bool chunked = version_ >= 11 && !response.stream_bytes;
  head.chunked(chunked);
  if (response.stream_bytes) {
    head.content_length(*response.stream_bytes);
  }
  bhttp::response_serializer<bhttp::empty_body> serializer(head);
  stream_.expires_after(shared_->options.write_time);
  beast::error_code failure;
  co_await bhttp::async_write_header(stream_, serializer,
                                     asio::redirect_error(asio::use_awaitable, failure));
  if (std::exchange(head_, false)) {
    co_return !failure && keep_alive;
  }
  bool good = !failure;
  std::size_t sent = 0;
  while (good) {
    stream_.expires_never();
    BodyStream::Part part = co_await NextPart(response.stream);
    const bool last = part.ended && !part.broken;
    const std::string frame = chunked ? ChunkOf(part.bytes, last) : std::move(part.bytes);
    for (std::size_t at = 0; good && at < frame.size(); at += kWriteBytes) {
      const std::size_t size = std::min(kWriteBytes, frame.size() - at);
      good = co_await WriteBytes(asio::buffer(frame.data() + at, size));
    }
    sent += frame.size();
    if (part.broken) {
      co_return false;  // without its end, so that the client sees it
    }
    if (part.ended) {
      break;
    }
  }
  const bool whole = !response.stream_bytes || sent == *response.stream_bytes;
  co_return good&& whole&& keep_alive;
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
