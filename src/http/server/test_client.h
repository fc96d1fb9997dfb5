// A client of tests that sends and reads bytes, whatever they mean.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

namespace safeguard::http {

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    const timeval limit{20, 0};  // a test that would hang fails instead
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  void Send(const std::string& bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const auto more = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) {
        return;  // the server has had enough, as some tests want
      }
      sent += static_cast<std::size_t>(more);
    }
  }
  void EndOfSending() const { ::shutdown(socket_, SHUT_WR); }

  // Until `end` was read, or the server closed.
  std::string ReadUntil(const std::string& end) {
    std::array<char, 4096> buffer{};
    while (end.empty() || read_.find(end) == std::string::npos) {
      const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        break;
      }
      read_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    const std::size_t found = end.empty() ? std::string::npos : read_.find(end);
    const std::size_t size = found == std::string::npos ? read_.size() : found + end.size();
    std::string taken = read_.substr(0, size);
    read_.erase(0, size);
    return taken;
  }
  std::string ReadAll() { return ReadUntil(""); }
  // So many, or less where the server closed.
  std::string ReadBytes(std::size_t count) {
    std::array<char, 4096> buffer{};
    while (read_.size() < count) {
      const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        break;
      }
      read_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    std::string taken = read_.substr(0, count);
    read_.erase(0, taken.size());
    return taken;
  }

 private:
  int socket_;
  bool connected_ = false;
  std::string read_;
};

}  // namespace safeguard::http
