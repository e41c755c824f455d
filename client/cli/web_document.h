// Fetches a document over HTTP.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "client/cli/byte_source.h"

namespace viewcount::cli {

// The size of what is fetched. A sitemap has at most 50 MB.
inline constexpr uint64_t kWebDocumentBytesMax = 64 << 20;
inline constexpr int kWebRedirectsMax = 5;
inline constexpr std::chrono::seconds kWebConnectTimeout{10};

struct WebFetch {
  // The address, with http or https. May have a user and a password.
  std::string address;
  // The time for the whole document.
  std::chrono::milliseconds timeout;
  // The only host to which a redirect may lead, as HostOf returns it. Empty for any.
  std::string only_host = {};
};

struct WebDocument {
  std::unique_ptr<ByteSource> source;
  // The host that sent it, which is another one after a redirect.
  std::string host;
};

// Fetches a document into a temporary file without a name, and opens that. Follows redirects to http and https only,
// and none from https to http. Uses what the environment names, as curl does: the proxy of http_proxy, https_proxy and
// no_proxy, and the certificates of authorities in SSL_CERT_FILE.
//
// FAILED_PRECONDITION, with the address without credentials in the message, if the server answers with an error or with
// a redirect that is refused. Also if the document is larger than kWebDocumentBytesMax, or cannot be had in time.
// Thread-safe.
absl::StatusOr<WebDocument> FetchWebDocument(const WebFetch& fetch);

}  // namespace viewcount::cli
