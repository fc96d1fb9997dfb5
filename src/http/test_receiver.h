// For tests: who receives webhooks, on a loopback port. A thread takes one connection after the
// other, reads the whole request and answers what the script says, also what no server should.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"

namespace safeguard::http {

struct ReceivedRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> fields;  // by lower-case name
  std::string body;

  [[nodiscard]] std::string Field(const std::string& name) const {
    const auto at = fields.find(name);
    return at == fields.end() ? "" : at->second;
  }
};

// An answer with a status, more header fields ("Retry-After: 7\r\n") and a body.
inline std::string Answer(const std::string& status, const std::string& fields = "",
                          const std::string& body = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n" + fields + "\r\n" + body;
}

class TestReceiver {
 public:
  // The bytes to answer with; none: the connection is held open until the other side goes.
  using Script = std::function<std::string(const ReceivedRequest&)>;

  // Port 0: any that is free.
  explicit TestReceiver(Script script, std::uint16_t port = 0) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<struct sockaddr*>(&address);
    CHECK(listener_ >= 0 && ::bind(listener_, any, size) == 0 && ::listen(listener_, 64) == 0 &&
          ::getsockname(listener_, any, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~TestReceiver() {
    stop_.store(true);
    thread_.join();
    ::close(listener_);
  }
  TestReceiver(const TestReceiver&) = delete;
  TestReceiver& operator=(const TestReceiver&) = delete;

  [[nodiscard]] std::string Url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + "/hook";
  }
  [[nodiscard]] int port() const { return port_; }
  std::vector<ReceivedRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Run() {
    while (!stop_.load()) {
      struct pollfd wait{listener_, POLLIN, 0};
      if (::poll(&wait, 1, 5) <= 0) {
        continue;
      }
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) {
        Serve(fd);
        ::close(fd);
      }
    }
  }

  // Appends what comes next; false when the other side is gone or this is to end.
  bool More(int fd, std::string& text) const {
    char buffer[4096];
    while (!stop_.load()) {
      struct pollfd wait{fd, POLLIN, 0};
      if (::poll(&wait, 1, 5) <= 0) {
        continue;
      }
      const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
      if (count <= 0) {
        return false;
      }
      text.append(buffer, static_cast<std::size_t>(count));
      return true;
    }
    return false;
  }

  void Serve(int fd) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      if (!More(fd, text)) {
        return;
      }
    }
    ReceivedRequest request = Parse(text);
    request.body = text.substr(text.find("\r\n\r\n") + 4);
    const std::size_t length = std::strtoul(request.Field("content-length").c_str(), nullptr, 10);
    while (request.body.size() < length) {
      if (!More(fd, request.body)) {
        return;
      }
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    std::string_view answer;
    const std::string bytes = script_(request);
    for (answer = bytes; !answer.empty();) {
      const ssize_t count = ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return;
      }
      answer.remove_prefix(static_cast<std::size_t>(count));
    }
    if (!bytes.empty()) {
      ::shutdown(fd, SHUT_WR);
    }
    std::string rest;
    while (More(fd, rest)) {  // until the other side has all and goes
    }
  }

  static ReceivedRequest Parse(const std::string& text) {
    ReceivedRequest request;
    const std::size_t space = text.find(' ');
    request.method = text.substr(0, space);
    request.target = text.substr(space + 1, text.find(' ', space + 1) - space - 1);
    for (std::size_t begin = text.find("\r\n") + 2;;) {
      const std::size_t end = text.find("\r\n", begin);
      if (end == begin || end == std::string::npos) {
        return request;
      }
      const std::string line = text.substr(begin, end - begin);
      const std::size_t colon = line.find(':');
      std::string name = line.substr(0, colon);
      for (char& c : name) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      const std::size_t value = line.find_first_not_of(' ', colon + 1);
      request.fields[name] = value == std::string::npos ? "" : line.substr(value);
      begin = end + 2;
    }
  }

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::vector<ReceivedRequest> requests_;
  std::thread thread_;
};

}  // namespace safeguard::http
