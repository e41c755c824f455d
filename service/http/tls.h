// The certificate and key of an HTTPS server.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

namespace viewcount {

// Reads a PEM file with the certificate and its chain, and a PEM file with the key. Allows TLS 1.2 and later. An
// error's message has one line with the file and the reason. The files' contents are kept, so call this again after a
// renewal.
absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> LoadTls(const std::string& certificate_file,
                                                                   const std::string& key_file);

}  // namespace viewcount
