#include "service/http/problem.h"

#include <fmt/format.h>

#include "service/base/log.h"
#include "service/base/status.h"

namespace viewcount {

namespace http = boost::beast::http;

HttpResponse Problem(http::status status, std::string_view detail) {
  HttpResponse response;
  response.result(status);
  response.set(http::field::content_type, "application/problem+json");
  const auto title = http::obsolete_reason(status);
  response.body() =
      fmt::format(R"({{"type":"about:blank","title":"{}","status":{},"detail":"{}"}})"
                  "\n",
                  std::string_view(title.data(), title.size()), static_cast<unsigned>(status), EscapeForJson(detail));
  return response;
}

}  // namespace viewcount
