// Where a server listens, and whether it may.
#pragma once

#include <cstdint>
#include <string>

#include "apps/command_line/serve_arguments.h"
#include "base/result.h"
#include "http/keys.h"
#include "http/server.h"

namespace safeguard::apps {

// A server that other machines reach needs keys.
Status CheckReach(const ServeArguments& arguments, const http::KeyRing& keys);

http::ServerOptions ServerOptionsOf(const ServeArguments& arguments);

// "http://127.0.0.1:8080"
std::string Address(const ServeArguments& arguments, std::uint16_t port);

}  // namespace safeguard::apps
