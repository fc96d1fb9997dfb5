// Server: HTTP/1.1 over TCP. Everything a client can do is bounded: how many connections, how many
// bytes of header and body, and how long each phase may take from its beginning, so that a client
// that sends or reads a byte a minute is cut off like one that sends none.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/body_sink.h"
#include "http/message.h"

namespace safeguard::http {

// PEM files; all empty: HTTP without TLS.
struct TlsFiles {
  std::string certificate;  // with its chain
  std::string key;          // of the certificate
  std::string
      client_authorities;  // who must have signed a client's certificate; empty: none needed
};

struct ServerOptions {
  std::string host = "127.0.0.1";      // an address, or "localhost"
  std::uint16_t port = 8080;           // 0: any free one
  std::size_t threads = 1;             // that read and write; >= 1
  std::size_t connections_max = 4096;  // one more is answered 503 at once and closed
  std::uint32_t header_bytes_max = 16 << 10;
  std::uint64_t body_bytes_max = std::uint64_t{4} << 20;
  std::chrono::milliseconds header_time{10'000};   // from a request's first byte
  std::chrono::milliseconds body_time{30'000};     // from the end of the header
  std::chrono::milliseconds write_time{30'000};    // of a whole answer
  std::chrono::milliseconds idle_time{75'000};     // between requests
  std::chrono::milliseconds answer_time{120'000};  // of the handler; then 503
  std::chrono::milliseconds drain_time{30'000};    // for requests under way when Drain() is called
  TlsFiles tls{};
};

// Whether only this machine can reach `host`.
bool IsLoopback(const std::string& host);

class Server {
 public:
  // Listens and serves until Drain(). Fails when the address is unknown, taken or not allowed,
  // or the TLS files cannot be used.
  // Every Reply must have been called or dropped before the server is destroyed, and so must every
  // BodySink::Taken. Without a planner all bodies are in memory.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Handler handler,
                                               BodyPlanner planner = nullptr);

  virtual ~Server() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  [[nodiscard]] virtual std::size_t connections() const = 0;
  // Reads the TLS files again, for connections that come from now on. What cannot be used changes
  // nothing.
  virtual Status ReloadTls() = 0;
  // Stops listening, closes idle connections, lets requests under way finish (at most drain_time)
  // and returns when all are closed: true when none was cut off. To be called once, from a thread
  // that is none of the handler's.
  virtual bool Drain() = 0;
};

}  // namespace safeguard::http
