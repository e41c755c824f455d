// Requests that are refused before anybody looks at what they ask.
#pragma once

#include <boost/beast/core/error.hpp>
#include <cstddef>
#include <optional>

#include "service/http/http_limits.h"
#include "service/http/router.h"

namespace viewcount {

HttpResponse TooLarge(size_t body_bytes_max);

// The answer to a request that the parser refused with `error`; nothing when the connection itself failed.
std::optional<HttpResponse> RefusalOf(const boost::beast::error_code& error, const HttpLimits& limits,
                                      size_t body_bytes_max);

// What the parser lets pass, but two servers in a row may read in two ways (RFC 9112, sections 3.2 and 6.3).
std::optional<HttpResponse> RefusalOf(const HttpFields& header);

}  // namespace viewcount
