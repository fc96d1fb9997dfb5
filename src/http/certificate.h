// What a PEM file of certificates says of time. For whoever looks after a server; see TlsFiles.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "http/server.h"

namespace safeguard::http {

// When the first of the file's certificates to end ends, in milliseconds since 1970 UTC.
// kInvalidInput: the file cannot be read, or holds no certificate.
Result<std::int64_t> CertificateEnd(const std::string& path);

// Whether a server could start with the files: readable, and the key is the certificate's.
Status CheckTlsFiles(const TlsFiles& files);

}  // namespace safeguard::http
