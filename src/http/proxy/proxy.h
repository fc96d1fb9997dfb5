// Proxy: the guarding proxy in front of one upstream. Each exchange has a thread of its own while
// it is at the upstream; their number is bounded.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/proxy/exchange.h"
#include "http/proxy/guarding.h"

namespace safeguard::http {

// Thread-safe.
class Proxy {
 public:
  Proxy(ExchangeParts parts, Guardings guardings);
  ~Proxy();  // Stop()
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // `pass_key`: the caller's Authorization is the upstream's, not ours.
  void Handle(guard::WireFormat format, const std::shared_ptr<Request>& request, const Reply& reply,
              bool pass_key);
  // Ends what is under way, and returns when it has ended.
  void Stop();

 private:
  // Counted as under way; false where more are than may.
  bool Enter();
  void Begin(const std::shared_ptr<Exchange>& exchange);
  void Leave();
  void JoinEnded();

  ExchangeParts parts_;
  Guardings guardings_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t under_way_ = 0;
  bool stopping_ = false;
  std::vector<std::weak_ptr<Exchange>> exchanges_;
  std::list<std::thread> threads_;
  std::vector<std::list<std::thread>::iterator> ended_;
};

}  // namespace safeguard::http
