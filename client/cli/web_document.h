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

// Fetches the document at `address` into a temporary file without a name, and opens that. Follows redirects to http and
// https only. Uses the proxy that the environment names, as curl does: http_proxy, https_proxy, no_proxy.
//
// FAILED_PRECONDITION, with the address without credentials in the message, if the server answers with an error. Also
// if the document is larger than kWebDocumentBytesMax, or cannot be had within `timeout`. Thread-safe.
absl::StatusOr<std::unique_ptr<ByteSource>> FetchWebDocument(const std::string& address,
                                                             std::chrono::milliseconds timeout);

}  // namespace viewcount::cli
