#include "service/http/tls.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "service/base/log.h"

namespace viewcount {

namespace ssl = boost::asio::ssl;

absl::StatusOr<std::shared_ptr<ssl::context>> LoadTls(const std::string& certificate_file,
                                                      const std::string& key_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // Idle connections keep no buffers, because there may be thousands.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  boost::system::error_code error;
  context->use_certificate_chain_file(certificate_file, error);
  if (error) {
    return absl::FailedPreconditionError(
        fmt::format("cannot use the certificate {}: {}", EscapeForText(certificate_file), error.message()));
  }
  // This also checks that the key belongs to the certificate.
  context->use_private_key_file(key_file, ssl::context::pem, error);
  if (error) {
    return absl::FailedPreconditionError(
        fmt::format("cannot use the key {}: {}", EscapeForText(key_file), error.message()));
  }
  return context;
}

}  // namespace viewcount
