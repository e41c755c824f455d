// Errors as HTTP answers: application/problem+json (RFC 9457) with gRPC's canonical code.
#pragma once

#include <absl/status/status.h>

#include <boost/beast/http/status.hpp>
#include <string_view>

#include "service/http/router.h"

namespace viewcount {

// Returns an answer with a body such as {"type":"about:blank","title":"Not
// Found","status":404,"detail":"…","code":"NOT_FOUND"}. `detail` tells the sender of the request the error and the
// remedy. It may contain any bytes.
HttpResponse Problem(boost::beast::http::status status, std::string_view detail);

// Returns the answer for a status that is not OK, mapped as google.rpc.Code defines. BadRequest becomes `field`,
// ErrorInfo becomes `reason`, and RetryInfo becomes the header field Retry-After. A status made by ServiceFull becomes
// 503, any other RESOURCE_EXHAUSTED 429.
HttpResponse Problem(const absl::Status& status);

}  // namespace viewcount
