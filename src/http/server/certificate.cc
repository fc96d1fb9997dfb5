#include "http/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <limits>
#include <memory>

#include "http/server/tls.h"

namespace safeguard::http {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

}  // namespace

Result<std::int64_t> CertificateEnd(const std::string& path) {
  const File file(std::fopen(path.c_str(), "re"),
                  [](std::FILE* open) { return std::fclose(open); });
  std::int64_t end = std::numeric_limits<std::int64_t>::max();
  bool any = false;
  while (file != nullptr) {
    const Certificate certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
    std::tm time{};
    if (certificate == nullptr ||
        ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &time) != 1) {
      break;
    }
    any = true;
    end = std::min(end, std::int64_t{::timegm(&time)} * 1000);
  }
  if (!any) {
    return Fail(ErrorCode::kInvalidInput, path + " holds no certificate that can be read",
                "give a PEM file: the certificate, then its chain");
  }
  return end;
}

Status CheckTlsFiles(const TlsFiles& files) {
  const auto context = ReadTls(files);
  return context ? Status{} : std::unexpected(context.error());
}

}  // namespace safeguard::http
