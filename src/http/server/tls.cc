#include "http/server/tls.h"

#include <string>

namespace safeguard::http {
namespace {

namespace ssl = boost::asio::ssl;

std::unexpected<Error> Unusable(const std::string& what, const std::string& path,
                                const boost::system::error_code& failure) {
  return Fail(ErrorCode::kInvalidInput,
              "the " + what + " " + path + " cannot be used: " + failure.message(),
              "give PEM files: the certificate with its chain, its private key, and authorities");
}

}  // namespace

Result<std::shared_ptr<ssl::context>> ReadTls(const TlsFiles& files) {
  if (files.certificate.empty() && files.key.empty() && files.client_authorities.empty()) {
    return nullptr;
  }
  if (files.certificate.empty() || files.key.empty()) {
    return Fail(ErrorCode::kInvalidInput, "TLS needs both a certificate and its private key",
                "give --tls-certificate and --tls-key");
  }
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code failure;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                           ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                           ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                       failure);
  context->use_certificate_chain_file(files.certificate, failure);
  if (failure) {
    return Unusable("certificate", files.certificate, failure);
  }
  context->use_private_key_file(files.key, ssl::context::pem, failure);
  if (failure) {
    return Unusable("private key", files.key, failure);
  }
  if (!files.client_authorities.empty()) {
    context->load_verify_file(files.client_authorities, failure);
    if (failure) {
      return Unusable("file of authorities", files.client_authorities, failure);
    }
    context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, failure);
  }
  return context;
}

}  // namespace safeguard::http
