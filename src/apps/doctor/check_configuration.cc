#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>

#include "apps/commands/serve_parts.h"
#include "apps/doctor/finding.h"
#include "apps/input/key_file.h"
#include "apps/route/open_route.h"
#include "apps/serve/route_guarding.h"
#include "base/utc_time.h"
#include "http/certificate.h"
#include "http/upstream.h"

namespace safeguard::apps {
namespace {

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr std::int64_t kSoonDays = 21;
constexpr std::chrono::seconds kUpstreamTime{5};

// 0, or why nobody can listen there now. Tries it, and lets go.
int TryPort(const std::string& host, int port) {
  sockaddr_storage address{};
  socklen_t size = 0;
  auto* four = reinterpret_cast<sockaddr_in*>(&address);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address);
  const std::string name = host == "localhost" ? "127.0.0.1" : host;
  if (::inet_pton(AF_INET, name.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof(sockaddr_in);
  } else if (::inet_pton(AF_INET6, name.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof(sockaddr_in6);
  } else {
    return EADDRNOTAVAIL;
  }
  const int socket = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool bound =
      socket >= 0 && ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0;
  const int failure = bound ? 0 : errno;
  if (socket >= 0) {
    ::close(socket);
  }
  return failure;
}

void CheckPort(const ServeArguments& serve, Findings& findings) {
  const std::string place = fmt::format("{} port {}", serve.host, serve.port);
  const int failure = serve.port == 0 ? 0 : TryPort(serve.host, serve.port);
  if (failure == 0) {
    findings.Ok(place + " is free");
  } else if (failure == EADDRINUSE) {
    findings.Warn(place + " is taken",
                  "fine if that is the running service; else choose another --port");
  } else if (failure == EACCES) {
    findings.Fault(place + " may not be listened on by this user",
                   "take a port from 1024 on, or give the unit AmbientCapabilities="
                   "CAP_NET_BIND_SERVICE");
  } else {
    findings.Fault(place + ": " + std::strerror(failure), "give an address of this machine");
  }
}

void CheckReach(const ServeArguments& serve, const std::string& data_folder, Findings& findings) {
  if (http::IsLoopback(serve.host)) {
    findings.Ok("only this machine reaches it");
    return;
  }
  const auto keys =
      data_folder.empty() ? Result<std::vector<http::ApiKey>>{} : LoadKeys(data_folder);
  if (!keys || keys->empty()) {
    findings.Fault("other machines reach it, and there are no keys: it will not start",
                   "safeguard key new NAME --scope judge --data-dir DIR");
  }
  if (serve.tls_certificate.empty()) {
    findings.Warn("other machines reach it without TLS: keys and contents travel readable",
                  "give --tls-certificate and --tls-key, or let only a proxy that speaks TLS reach "
                  "it");
  }
}

// Whether only its owner can read it.
void CheckSecretFile(const std::string& path, const char* what, Findings& findings) {
  struct stat status{};
  if (path.empty()) {
    return;
  }
  if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), R_OK) != 0) {
    findings.Fault(fmt::format("{} {} cannot be read: {}", what, path, std::strerror(errno)),
                   "name a file that this user can read");
  } else if ((status.st_mode & 077U) != 0) {
    findings.Warn(
        fmt::format("{} {} has mode {:o}: others can read it", what, path, status.st_mode & 0777U),
        "chmod 600 " + path);
  }
}

void CheckTls(const ServeArguments& serve, std::int64_t now, Findings& findings) {
  if (serve.tls_certificate.empty() && serve.tls_key.empty() && serve.tls_client_ca.empty()) {
    return;
  }
  CheckSecretFile(serve.tls_key, "the private key", findings);
  const http::TlsFiles files{serve.tls_certificate, serve.tls_key, serve.tls_client_ca};
  if (const Status usable = http::CheckTlsFiles(files); !usable) {
    findings.Fault(usable.error());
    return;
  }
  const Result<std::int64_t> end = http::CertificateEnd(serve.tls_certificate);
  if (!end) {
    findings.Fault(end.error());
    return;
  }
  const std::int64_t days = (*end - now) / kDayMs;
  const std::string what = fmt::format("the certificate {} ends on {}", serve.tls_certificate,
                                       UtcText(*end).substr(0, 10));
  if (*end <= now) {
    findings.Fault(what + ": it has ended",
                   "renew it; SIGHUP makes a running service read it again");
  } else if (days < kSoonDays) {
    findings.Warn(fmt::format("{}, in {} {}", what, days, days == 1 ? "day" : "days"),
                  "renew it; SIGHUP makes a running service read it again");
  } else {
    findings.Ok(fmt::format("{}, in {} days", what, days));
  }
}

void AskUpstream(http::Upstream& upstream, const std::string& url, Findings& findings) {
  const auto call = upstream.Post({.path = "/models", .headers = {}, .body = "{}"});
  const auto until = std::chrono::steady_clock::now() + kUpstreamTime;
  http::UpstreamEvent event;
  do {
    event = call->Next(until, true);
  } while (event.kind == http::UpstreamEvent::Kind::kNothing &&
           std::chrono::steady_clock::now() < until);
  if (event.kind == http::UpstreamEvent::Kind::kHead) {
    findings.Ok(
        fmt::format("the upstream {} answers (with status {} to a request that means "
                    "nothing)",
                    url, event.status));
  } else {
    findings.Fault(fmt::format("the upstream {} does not answer: {}", url,
                               event.problem.empty() ? "no answer in 5 seconds" : event.problem),
                   "is it running, and may this machine reach it?");
  }
}

void CheckUpstream(const ServeArguments& serve, bool network, Findings& findings) {
  if (serve.talk.upstream.empty()) {
    return;
  }
  const auto upstream =
      http::OpenUpstream({.url = serve.talk.upstream, .allowed = serve.talk.upstream_allow});
  if (!upstream) {
    findings.Fault(upstream.error());
  } else if (network) {
    AskUpstream(**upstream, serve.talk.upstream, findings);
  } else {
    findings.Ok("the upstream " + serve.talk.upstream + " was not tried (--network does)");
  }
}

// Of a route that guards traffic: what it promises, and whether somebody is there to keep it.
void CheckGuard(const ServeArguments& serve, const LoadedRoute& route, Findings& findings) {
  if (!route.file.guard) {
    return;
  }
  const moderation::RouteGuard& guard = *route.file.guard;
  const std::string& name = route.file.settings.name;
  if (serve.talk.upstream.empty()) {
    findings.Warn("the route " + name + " guards traffic, and there is no upstream",
                  "say where it is with --upstream");
  }
  if (Degrades(guard) && serve.talk.slow_judge.empty() && route.file.settings.reasoners.empty()) {
    findings.Fault(
        "the guard of the route " + name + " degrades to a slow judge, and there is none",
        "give the route a reasoner, or the server one with --slow-judge");
  }
  findings.Ok(fmt::format("the route {} guards traffic: {}", name, GuardText(guard)));
}

}  // namespace

void CheckRoutes(const ServeArguments& serve, const std::string& data_folder, Services& services,
                 Findings& findings) {
  std::set<std::string> names;
  for (const std::string& file : serve.routes) {
    RouteRequest request;
    request.path = file;
    request.data_dir = data_folder;
    const Result<LoadedRoute> route = LoadRoute(request, services);
    if (!route) {
      findings.Fault(route.error());
    } else if (const std::string& name = route->file.settings.name; !names.insert(name).second) {
      findings.Fault("two routes are called " + name, "give each its own name with `route:`");
    } else {
      findings.Ok(fmt::format("the route {} of {} can be read, {} {}", name, file,
                              route->policies.size(),
                              route->policies.size() == 1 ? "policy" : "policies"));
      CheckGuard(serve, *route, findings);
    }
  }
}

void CheckConfiguration(const ServeArguments& serve, const std::string& data_folder,
                        std::int64_t now, bool network, Findings& findings) {
  findings.Ok(serve.config.empty()
                  ? std::string("safeguard serve, as it is without a configuration")
                  : serve.config + " can be read");
  CheckPort(serve, findings);
  CheckReach(serve, data_folder, findings);
  CheckTls(serve, now, findings);
  CheckSecretFile(serve.webhook.secret_file, "the webhooks' secret file", findings);
  if (const auto sender = OpenSender(serve.webhook); !sender) {
    findings.Fault(sender.error());
  }
  CheckUpstream(serve, network, findings);
}

}  // namespace safeguard::apps
