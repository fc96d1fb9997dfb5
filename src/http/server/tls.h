// What a server shows and asks for in TLS.
#pragma once

#include <memory>

#include "base/result.h"
#include "http/server.h"
#include "http/server/asio.h"

namespace safeguard::http {

// TLS 1.2 or newer. Null where `files` names no certificate. kInvalidInput for files that cannot be
// read, or do not belong together.
Result<std::shared_ptr<boost::asio::ssl::context>> ReadTls(const TlsFiles& files);

}  // namespace safeguard::http
