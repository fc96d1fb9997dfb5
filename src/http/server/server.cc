#include "http/server.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "http/server/asio.h"
#include "http/server/connection.h"
#include "http/server/tls.h"

namespace safeguard::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int kBacklog = 4096;  // a connection beyond it waits a second for another try
constexpr int kAcceptAtOnce = 64;
constexpr std::chrono::milliseconds kAcceptPause{50};  // when the process has no descriptors left
constexpr std::size_t kRefusalsMax = 64;  // told so at once; beyond these, connections are dropped

// A thread with its own queue of events, and the connections that live on it.
class Loop {
 public:
  Loop() : work_(context_.get_executor()), thread_([this] { context_.run(); }) {}
  ~Loop() { Stop(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Coroutines that this cuts off go with the context.
  void Stop() {
    if (thread_.joinable()) {
      context_.stop();
      thread_.join();
    }
  }

  [[nodiscard]] asio::io_context& context() { return context_; }

  // On this loop's thread.
  void Add(const std::shared_ptr<Connection>& connection) {
    if (connections_.size() >= sweep_at_) {
      std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
      sweep_at_ = std::max<std::size_t>(64, 2 * connections_.size());
    }
    connections_.push_back(connection);
  }
  // From any thread.
  void CloseIdle() { ForEach(&Connection::CloseIfIdle); }
  void CloseAll() { ForEach(&Connection::Close); }

 private:
  void ForEach(void (Connection::*what)()) {
    asio::post(context_, [this, what] {
      for (const std::weak_ptr<Connection>& weak : connections_) {
        if (const auto connection = weak.lock()) {
          ((*connection).*what)();
        }
      }
    });
  }

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::weak_ptr<Connection>> connections_;
  std::size_t sweep_at_ = 64;
  std::thread thread_;
};

class BeastServer final : public Server {
 public:
  BeastServer(const ServerOptions& options, Handler handler, BodyPlanner planner)
      : shared_(std::make_shared<ServerShared>()) {
    shared_->options = options;
    shared_->handler = std::move(handler);
    shared_->planner = std::move(planner);
    for (std::size_t t = 0; t < options.threads; ++t) {
      loops_.push_back(std::make_unique<Loop>());
    }
    acceptor_ = std::make_unique<tcp::acceptor>(loops_[0]->context());
  }

  ~BeastServer() override {
    shared_->draining.store(true);
    CloseAcceptor();
    for (const auto& loop : loops_) {
      loop->Stop();
    }
    acceptor_.reset();  // before the context that it belongs to
    loops_.clear();
  }

  Status ReloadTls() override {
    Result<std::shared_ptr<ClientStream::Context>> tls = ReadTls(shared_->options.tls);
    if (!tls) {
      return std::unexpected(tls.error());
    }
    shared_->SetTls(std::move(*tls));
    return {};
  }

  Status Listen() {
    boost::system::error_code failure;
    const std::string& host =
        shared_->options.host == "localhost" ? kLoopback : shared_->options.host;
    const auto address = asio::ip::make_address(host, failure);
    if (failure) {
      return Fail(ErrorCode::kInvalidInput, "\"" + host + "\" is no address to listen on",
                  "give an IP address: 127.0.0.1 for this machine alone, 0.0.0.0 for all");
    }
    const tcp::endpoint endpoint(address, shared_->options.port);
    acceptor_->open(endpoint.protocol(), failure);
    if (!failure) {
      acceptor_->set_option(tcp::acceptor::reuse_address(true), failure);
    }
    if (!failure) {
      acceptor_->bind(endpoint, failure);
    }
    if (!failure) {
      acceptor_->listen(kBacklog, failure);
    }
    if (!failure) {
      acceptor_->non_blocking(true, failure);
    }
    if (failure) {
      return Fail(ErrorCode::kUnavailable,
                  "cannot listen on " + host + " port " + std::to_string(shared_->options.port) +
                      ": " + failure.message(),
                  "is another server running there? choose another --port, or 0 for any");
    }
    port_ = acceptor_->local_endpoint(failure).port();
    asio::co_spawn(loops_[0]->context(), Accept(), asio::detached);
    return {};
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }
  [[nodiscard]] std::size_t connections() const override { return shared_->connections.load(); }

  bool Drain() override {
    shared_->draining.store(true);
    CloseAcceptor();
    const auto end = std::chrono::steady_clock::now() + shared_->options.drain_time;
    while (connections() > 0 && std::chrono::steady_clock::now() < end) {
      for (const auto& loop : loops_) {
        loop->CloseIdle();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const bool all = connections() == 0;
    for (const auto& loop : loops_) {
      loop->CloseAll();
    }
    return all;
  }

 private:
  asio::awaitable<void> Accept() {
    std::size_t turn = 0;
    while (acceptor_->is_open()) {
      Loop& loop = *loops_[turn++ % loops_.size()];
      boost::system::error_code failure;
      tcp::socket socket = co_await acceptor_->async_accept(
          loop.context(), asio::redirect_error(asio::use_awaitable, failure));
      if (failure == asio::error::operation_aborted) {
        break;
      }
      if (failure) {
        asio::steady_timer pause(loops_[0]->context(), kAcceptPause);
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        continue;
      }
      Serve(loop, std::move(socket));
      AcceptMore(turn);
    }
  }

  // Who waits already need not wait for their turn among the busy connections.
  void AcceptMore(std::size_t& turn) {
    boost::system::error_code failure;
    for (int more = 0; more < kAcceptAtOnce && !failure; ++more) {
      Loop& loop = *loops_[turn % loops_.size()];
      tcp::socket socket(loop.context());
      acceptor_->accept(socket, failure);  // does not block: see Listen()
      if (!failure) {
        ++turn;
        Serve(loop, std::move(socket));
      }
    }
  }

  void Serve(Loop& loop, tcp::socket socket) {
    const std::size_t max = shared_->options.connections_max;
    const std::size_t now = shared_->connections.load();
    if (now >= max + kRefusalsMax) {
      return;  // the socket closes
    }
    auto connection = std::make_shared<Connection>(std::move(socket), shared_);
    const bool refuse = now >= max;
    asio::post(loop.context(), [&loop, connection, refuse] {
      loop.Add(connection);
      asio::co_spawn(loop.context(),
                     refuse ? Connection::Refuse(connection) : Connection::Run(connection),
                     asio::detached);
    });
  }

  void CloseAcceptor() {
    std::mutex mutex;
    std::condition_variable closed;
    bool done = false;
    asio::post(loops_[0]->context(), [&] {
      boost::system::error_code ignored;  // it is closed either way
      acceptor_->close(ignored);
      const std::lock_guard lock(mutex);
      done = true;
      closed.notify_one();
    });
    std::unique_lock lock(mutex);
    closed.wait(lock, [&] { return done; });
  }

  const std::string kLoopback = "127.0.0.1";
  std::shared_ptr<ServerShared> shared_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::uint16_t port_ = 0;
};

}  // namespace

bool IsLoopback(const std::string& host) {
  boost::system::error_code failure;
  const auto address = asio::ip::make_address(host, failure);
  return host == "localhost" || (!failure && address.is_loopback());
}

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Handler handler,
                                              BodyPlanner planner) {
  CHECK(options.threads >= 1);
  auto server = std::make_unique<BeastServer>(options, std::move(handler), std::move(planner));
  const Status secured = server->ReloadTls();
  const Status listening = secured ? server->Listen() : secured;
  if (!listening) {
    return std::unexpected(listening.error());
  }
  return server;
}

}  // namespace safeguard::http
