// HTTPS: a server's certificate and key.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

namespace viewcount {

// Reads a PEM file with the certificate and those that vouch for it, and one with its key. TLS 1.2 and later. Errors in
// one line: which file, and why. What is read is kept: after a renewal call it again.
absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> LoadTls(const std::string& certificate_file,
                                                                   const std::string& key_file);

}  // namespace viewcount
