// For tests: an HTTP server on a loopback port that does as it is told, also what no server should.
// A thread for each connection, one request each; everything it sends is up to the script.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"

namespace safeguard::apps::pull {

struct ServedRequest {
  std::string target;                         // path and query
  std::map<std::string, std::string> fields;  // by lower-case name

  [[nodiscard]] std::string Field(const std::string& name) const {
    const auto at = fields.find(name);
    return at == fields.end() ? "" : at->second;
  }
};

class ServedConnection {
 public:
  ServedConnection(int fd, const std::atomic<bool>& stop) : fd_(fd), stop_(stop) {}

  // False when the other side is gone.
  bool Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  bool Answer(const std::string& status, const std::string& body,
              const std::string& fields = "") const {
    return Send("HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\nConnection: close\r\n" + fields + "\r\n" + body);
  }
  // Until the other side goes away, or the server does.
  void Hang() const {
    while (!stop_.load()) {
      struct pollfd wait{fd_, POLLIN, 0};
      char byte = 0;
      if (::poll(&wait, 1, 5) > 0 && ::recv(fd_, &byte, 1, MSG_DONTWAIT) == 0) {
        return;
      }
    }
  }
  [[nodiscard]] bool stopping() const { return stop_.load(); }

 private:
  int fd_;
  const std::atomic<bool>& stop_;
};

class TestServer {
 public:
  using Script = std::function<void(const ServedRequest&, ServedConnection&)>;

  explicit TestServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<struct sockaddr*>(&address);
    CHECK(listener_ >= 0 && ::bind(listener_, any, size) == 0 && ::listen(listener_, 64) == 0 &&
          ::getsockname(listener_, any, &size) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~TestServer() {
    stop_.store(true);
    acceptor_.join();
    for (std::thread& thread : threads_) {
      thread.join();
    }
    ::close(listener_);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // "http://127.0.0.1:PORT"; by another name of the same host where one is given.
  [[nodiscard]] std::string Url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_);
  }
  std::vector<ServedRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Accept() {
    while (!stop_.load()) {
      struct pollfd wait{listener_, POLLIN, 0};
      if (::poll(&wait, 1, 5) <= 0) {
        continue;
      }
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) {
        threads_.emplace_back([this, fd] {
          Serve(fd);
          ::close(fd);
        });
      }
    }
  }

  void Serve(int fd) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      struct pollfd wait{fd, POLLIN, 0};
      char buffer[4096];
      if (stop_.load()) {
        return;
      }
      if (::poll(&wait, 1, 5) <= 0) {
        continue;
      }
      const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
      if (count <= 0) {
        return;
      }
      text.append(buffer, static_cast<std::size_t>(count));
    }
    const ServedRequest request = Parse(text);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    ServedConnection connection(fd, stop_);
    script_(request, connection);
    ::shutdown(fd, SHUT_WR);
    connection.Hang();  // so that closing does not take back what is still on its way
  }

  static ServedRequest Parse(const std::string& text) {
    ServedRequest request;
    std::size_t begin = text.find("\r\n") + 2;
    const std::size_t space = text.find(' ');
    request.target = text.substr(space + 1, text.find(' ', space + 1) - space - 1);
    while (true) {
      const std::size_t end = text.find("\r\n", begin);
      if (end == begin) {
        return request;
      }
      const std::string line = text.substr(begin, end - begin);
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      request.fields[name] = line.substr(line.find(": ") + 2);
      begin = end + 2;
    }
  }

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread acceptor_;
  std::vector<std::thread> threads_;  // of the acceptor, until it is joined
  std::mutex mutex_;
  std::vector<ServedRequest> requests_;
};

}  // namespace safeguard::apps::pull
