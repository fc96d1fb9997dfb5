#include "apps/serve/listening.h"

#include <fmt/format.h>

#include <chrono>

namespace safeguard::apps {

Status CheckReach(const ServeArguments& arguments, const http::KeyRing& keys) {
  if (http::IsLoopback(arguments.host) || keys.size() > 0) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              "a server that other machines reach needs keys, and there are none",
              "make one: safeguard key new NAME --scope admin --data-dir DIR, and serve with this "
              "--data-dir; or stay on 127.0.0.1");
}

http::ServerOptions ServerOptionsOf(const ServeArguments& arguments) {
  http::ServerOptions options;
  options.host = arguments.host;
  options.port = static_cast<std::uint16_t>(arguments.port);
  options.connections_max = arguments.connections;
  options.body_bytes_max = std::uint64_t{arguments.body_kib} << 10U;
  options.drain_time = std::chrono::seconds(arguments.drain_s);
  options.tls = {arguments.tls_certificate, arguments.tls_key, arguments.tls_client_ca};
  return options;
}

std::string Address(const ServeArguments& arguments, std::uint16_t port) {
  const char* scheme = arguments.tls_certificate.empty() ? "http" : "https";
  return arguments.host.find(':') == std::string::npos
             ? fmt::format("{}://{}:{}", scheme, arguments.host, port)
             : fmt::format("{}://[{}]:{}", scheme, arguments.host, port);
}

}  // namespace safeguard::apps
