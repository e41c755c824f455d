// Rules for refusing requests before they are routed.
#pragma once

#include <boost/beast/core/error.hpp>
#include <cstddef>
#include <optional>

#include "service/http/http_limits.h"
#include "service/http/router.h"

namespace viewcount {

HttpResponse TooLarge(size_t body_bytes_max);

// Returns the answer to a request that the parser rejected with `error`. Returns nothing if the connection itself
// failed.
std::optional<HttpResponse> RefusalOf(const boost::beast::error_code& error, const HttpLimits& limits,
                                      size_t body_bytes_max);

// Checks rules that the parser does not: without them, two servers in a row may interpret a request differently (RFC
// 9112, sections 3.2 and 6.3). Returns the answer that refuses the request, or nothing if the request is fine.
std::optional<HttpResponse> RefusalOf(const HttpFields& header);

}  // namespace viewcount
