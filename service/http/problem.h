// Errors as HTTP answers: RFC 9457, application/problem+json, with the canonical code of gRPC.
#pragma once

#include <absl/status/status.h>

#include <boost/beast/http/status.hpp>
#include <string_view>

#include "service/http/router.h"

namespace viewcount {

// {"type":"about:blank","title":"Not Found","status":404,"detail":"…","code":"NOT_FOUND"}. `detail` is for whoever sent
// the request: what is wrong and what to do; it may hold any bytes.
HttpResponse Problem(boost::beast::http::status status, std::string_view detail);

// The same of a status that is not OK, mapped as google.rpc.Code says. Its BadRequest and ErrorInfo become `field` and
// `reason`, its RetryInfo the field Retry-After. A status of ServiceFull becomes 503, other RESOURCE_EXHAUSTED 429.
HttpResponse Problem(const absl::Status& status);

}  // namespace viewcount
