// A client's bytes, with TLS around them or without: one type, so that the connection above is
// written once.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "http/server/asio.h"

namespace safeguard::http {

// On one thread, as the socket is.
class ClientStream {
 public:
  using Context = boost::asio::ssl::context;
  using executor_type = boost::beast::tcp_stream::executor_type;

  // Without TLS where `tls` is null; else it is kept as long as the stream lives.
  ClientStream(boost::asio::ip::tcp::socket socket, std::shared_ptr<Context> tls)
      : tcp_(std::move(socket)), context_(std::move(tls)) {
    if (context_ != nullptr) {
      tls_.emplace(tcp_, *context_);
    }
  }

  executor_type get_executor() { return tcp_.get_executor(); }
  [[nodiscard]] bool secure() const { return tls_.has_value(); }
  boost::asio::ip::tcp::socket& socket() { return tcp_.socket(); }
  void expires_after(std::chrono::milliseconds time) { tcp_.expires_after(time); }
  void expires_never() { tcp_.expires_never(); }
  void cancel() { tcp_.cancel(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_) {
      return tls_->async_read_some(buffers, std::forward<Token>(token));
    }
    return tcp_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (tls_) {
      return tls_->async_write_some(buffers, std::forward<Token>(token));
    }
    return tcp_.async_write_some(buffers, std::forward<Token>(token));
  }

  // REQUIRES: secure()
  template <typename Token>
  auto Handshake(Token&& token) {
    return tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Token>(token));
  }
  template <typename Token>
  auto Shutdown(Token&& token) {
    return tls_->async_shutdown(std::forward<Token>(token));
  }

 private:
  boost::beast::tcp_stream tcp_;
  std::shared_ptr<Context> context_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace safeguard::http
