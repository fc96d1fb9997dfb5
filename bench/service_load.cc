// Load on an HTTP server, from one thread.
//   service_load URL [--body TEXT] [--connections N] [--seconds S] [--rate R] [--hold]
// Without --rate the loop is closed: each connection sends, waits for the answer, sends again. With
// --rate it is open: requests come at random moments, R a second on average, whether or not earlier
// ones were answered; one that finds no free connection waits, and its latency counts from the
// moment when it came. So a server that falls behind cannot hide it.
// With --hold each connection asks once for a stream and keeps it: prints "held N" once every one
// has begun, and ends with standard input.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void Give(const std::string& what) {
  std::fprintf(stderr, "service_load: %s\n", what.c_str());
  std::exit(2);
}

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string path = "/";
  std::string body;
  std::size_t connections = 1;
  double seconds = 5;
  double rate = 0;  // 0: a closed loop
  bool hold = false;
};

double Number(const std::string& text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number < 0) {
    Give(text + " is no number");
  }
  return number;
}

Options Read(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&] {
      return i + 1 < words.size() ? words[++i] : (Give(word + " needs a value"), "");
    };
    if (word == "--body") {
      options.body = value();
    } else if (word == "--connections") {
      options.connections = static_cast<std::size_t>(Number(value()));
    } else if (word == "--seconds") {
      options.seconds = Number(value());
    } else if (word == "--rate") {
      options.rate = Number(value());
    } else if (word == "--hold") {
      options.hold = true;
    } else if (word.starts_with("http://")) {
      const std::size_t colon = word.find(':', 7);
      const std::size_t slash = std::min(word.find('/', 7), word.size());
      if (colon >= slash) {
        Give("give the port: http://127.0.0.1:8080/path");
      }
      options.host = word.substr(7, colon - 7);
      options.port = static_cast<std::uint16_t>(Number(word.substr(colon + 1, slash - colon - 1)));
      options.path = slash == word.size() ? "/" : word.substr(slash);
    } else {
      Give(word + " is not understood");
    }
  }
  if (options.port == 0 || options.connections == 0) {
    Give("service_load URL [--body TEXT] [--connections N] [--seconds S] [--rate R] [--hold]");
  }
  return options;
}

std::string RequestText(const Options& options) {
  std::string text = options.body.empty() ? "GET " : "POST ";
  text += options.path + " HTTP/1.1\r\nHost: " + options.host + "\r\n";
  if (!options.body.empty()) {
    text +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(options.body.size()) +
        "\r\n";
  }
  return text + "\r\n" + options.body;
}

struct Connection {
  int socket = -1;
  bool open = false;
  bool asking = false;
  Clock::time_point since;  // when the request that it carries came
  std::string answer;       // what has come of the answer
};

// The length of the first answer in `bytes`; 0: it is not all there yet.
std::size_t AnswerLength(const std::string& bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  if (head == std::string::npos) {
    return 0;
  }
  constexpr std::string_view kLength = "\r\ncontent-length:";
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20) || a == b; };
  const auto begin = bytes.begin();
  const auto found = std::search(begin, begin + static_cast<std::ptrdiff_t>(head), kLength.begin(),
                                 kLength.end(), same);
  if (found == begin + static_cast<std::ptrdiff_t>(head)) {
    Give("an answer without Content-Length: " + bytes.substr(0, head));
  }
  const auto at = static_cast<std::size_t>(found - begin) + kLength.size();
  const std::size_t length = head + 4 + std::strtoul(bytes.c_str() + at, nullptr, 10);
  return bytes.size() >= length ? length : 0;
}

bool IsGood(const std::string& answer) {
  return answer.size() > 12 && answer[9] == '2';  // "HTTP/1.1 2.."
}

class Load {
 public:
  explicit Load(Options options)
      : options_(std::move(options)),
        request_(RequestText(options_)),
        epoll_(epoll_create1(0)),
        connections_(options_.connections) {
    for (std::size_t c = 0; c < connections_.size(); ++c) {
      Connect(c);
    }
  }

  int Hold() {
    for (std::size_t c = 0; c < connections_.size(); ++c) {
      Ask(c, Clock::now());
    }
    const auto end = Clock::now() + std::chrono::duration<double>(options_.seconds);
    while (begun_ < connections_.size() && Clock::now() < end) {
      Wait(std::chrono::milliseconds(100));
    }
    std::printf("held %zu\n", begun_);
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return begun_ == connections_.size() && errors_ == 0 ? 0 : 1;
  }

  int Run() {
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(options_.seconds));
    for (std::size_t c = 0; c < connections_.size(); ++c) {
      options_.rate > 0 ? free_.push_back(c) : Ask(c, begin);
    }
    next_ = begin;
    while (Clock::now() < end) {
      Wait(options_.rate > 0 ? SendDue() : std::chrono::milliseconds(100));
    }
    Print(std::chrono::duration<double>(Clock::now() - begin).count());
    return errors_ == 0 ? 0 : 1;
  }

 private:
  void Connect(std::size_t c) {
    Connection& connection = connections_[c];
    connection.socket = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    if (inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1) {
      Give(options_.host + " is no IPv4 address");
    }
    if (connection.socket < 0 ||
        connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      Give("connection " + std::to_string(c + 1) + ": " + std::strerror(errno));
    }
    const int on = 1;
    setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = c;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event) != 0) {
      Give(std::strerror(errno));
    }
    connection.open = true;
  }

  void Ask(std::size_t c, Clock::time_point since) {
    Connection& connection = connections_[c];
    connection.asking = true;
    connection.since = since;
    connection.answer.clear();
    // A request fits the socket's buffer, which is empty: the last one was answered.
    const auto sent =
        send(connection.socket, request_.data(), request_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != static_cast<ssize_t>(request_.size())) {
      Lose(connection);
    }
  }

  // Sends what has come due, and says how long until the next comes.
  Clock::duration SendDue() {
    const auto now = Clock::now();
    while (next_ <= now) {
      due_.push_back(next_);
      next_ += std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(-std::log(1 - uniform_(random_)) / options_.rate));
    }
    while (!due_.empty() && !free_.empty()) {
      const std::size_t c = free_.back();
      free_.pop_back();
      Ask(c, due_.front());
      due_.pop_front();
    }
    return next_ - now;
  }

  void Wait(Clock::duration time) {
    epoll_event events[256];
    const auto nanoseconds = std::chrono::nanoseconds(time).count();
    const timespec limit{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    const int count = epoll_pwait2(epoll_, events, std::size(events), &limit, nullptr);
    for (int i = 0; i < count; ++i) {
      Receive(events[i].data.u64);
    }
  }

  void Receive(std::size_t c) {
    Connection& connection = connections_[c];
    char bytes[16384];
    const auto got = recv(connection.socket, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got <= 0) {
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        Lose(connection);
      }
      return;
    }
    const bool first = connection.answer.empty();
    connection.answer.append(bytes, static_cast<std::size_t>(got));
    if (options_.hold) {
      begun_ += first ? 1 : 0;
      errors_ += first && !IsGood(connection.answer) ? 1 : 0;
      return;
    }
    if (AnswerLength(connection.answer) == 0) {
      return;
    }
    errors_ += IsGood(connection.answer) ? 0 : 1;
    const auto now = Clock::now();
    const std::chrono::duration<float, std::micro> took = now - connection.since;
    microseconds_.push_back(took.count());
    connection.asking = false;
    options_.rate > 0 ? free_.push_back(c) : Ask(c, now);
  }

  void Lose(Connection& connection) {
    if (connection.open) {
      connection.open = false;
      ++errors_;
      close(connection.socket);
    }
  }

  void Print(double seconds) {
    std::ranges::sort(microseconds_);
    const auto at = [&](double share) {
      const auto count = static_cast<double>(microseconds_.size());
      const auto place = static_cast<std::size_t>(std::max(0.0, std::ceil(share * count) - 1));
      return microseconds_.empty() ? std::numeric_limits<double>::quiet_NaN()
                                   : static_cast<double>(microseconds_[place]);
    };
    std::printf(
        "{\"connections\": %zu, \"rate\": %.0f, \"answers\": %zu, \"per_second\": %.0f, "
        "\"p50_us\": %.0f, \"p99_us\": %.0f, \"p999_us\": %.0f, \"max_us\": %.0f, "
        "\"errors\": %zu, \"unsent\": %zu}\n",
        connections_.size(), options_.rate, microseconds_.size(),
        static_cast<double>(microseconds_.size()) / seconds, at(0.5), at(0.99), at(0.999), at(1),
        errors_, due_.size());
  }

  Options options_;
  std::string request_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<std::size_t> free_;      // of an open loop: connections that carry no request
  std::deque<Clock::time_point> due_;  // requests that came and found no free connection
  Clock::time_point next_;             // when the next request comes
  std::mt19937_64 random_{20261129};
  std::uniform_real_distribution<double> uniform_{0, 1};
  std::vector<float> microseconds_;
  std::size_t errors_ = 0;
  std::size_t begun_ = 0;  // streams
};

}  // namespace

int main(int argc, char** argv) {
  Load load(Read({argv + 1, argv + argc}));
  const bool hold = std::ranges::count(std::vector<std::string>(argv + 1, argv + argc),
                                       std::string("--hold")) > 0;
  return hold ? load.Hold() : load.Run();
}
