// Errors as HTTP answers: RFC 9457, application/problem+json.
#pragma once

#include <boost/beast/http/status.hpp>
#include <string_view>

#include "service/http/router.h"

namespace viewcount {

// {"type":"about:blank","title":"Not Found","status":404,"detail":"…"}. `detail` is for whoever sent the request: what
// is wrong and what to do; it may hold any bytes.
HttpResponse Problem(boost::beast::http::status status, std::string_view detail);

}  // namespace viewcount
