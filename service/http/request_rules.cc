#include "service/http/request_rules.h"

#include <fmt/format.h>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include "service/http/problem.h"

namespace viewcount {

namespace beast = boost::beast;
namespace http = beast::http;
using http::field;
using http::status;

HttpResponse TooLarge(size_t body_bytes_max) {
  return Problem(status::payload_too_large, fmt::format("the body may have {} bytes", body_bytes_max));
}

std::optional<HttpResponse> RefusalOf(const beast::error_code& error, const HttpLimits& limits, size_t body_bytes_max) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Problem(status::request_header_fields_too_large,
                   fmt::format("the header may have {} bytes", limits.header_bytes_max));
  }
  if (error == http::error::body_limit) return TooLarge(body_bytes_max);
  if (error == http::error::bad_version) {
    return Problem(status::http_version_not_supported, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() != beast::error_code(http::error::bad_method).category()) return std::nullopt;
  return Problem(status::bad_request, "this is no HTTP/1.1 request: " + error.message());
}

std::optional<HttpResponse> RefusalOf(const HttpFields& header) {
  if (header.version() == 11 && header.count(field::host) != 1) {
    return Problem(status::bad_request, "there must be one Host field");
  }
  const auto encodings = header.count(field::transfer_encoding);
  if (encodings > 0 && header.count(field::content_length) > 0) {
    return Problem(status::bad_request, "Content-Length and Transfer-Encoding exclude each other");
  }
  if (encodings > 0 && (encodings > 1 || !beast::iequals(header[field::transfer_encoding], "chunked"))) {
    return Problem(status::bad_request, "the only Transfer-Encoding known here is chunked");
  }
  return std::nullopt;
}

}  // namespace viewcount
