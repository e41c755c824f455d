#include "service/http/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "service/base/log.h"
#include "service/base/service_full.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using absl::StatusCode;

// The mapping of https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
http::status HttpStatusOf(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kOutOfRange:
      return http::status::bad_request;
    case StatusCode::kUnauthenticated:
      return http::status::unauthorized;
    case StatusCode::kPermissionDenied:
      return http::status::forbidden;
    case StatusCode::kNotFound:
      return http::status::not_found;
    case StatusCode::kAborted:
    case StatusCode::kAlreadyExists:
      return http::status::conflict;
    case StatusCode::kResourceExhausted:
      return http::status::too_many_requests;
    case StatusCode::kUnimplemented:
      return http::status::not_implemented;
    case StatusCode::kUnavailable:
    case StatusCode::kCancelled:
      return http::status::service_unavailable;
    case StatusCode::kDeadlineExceeded:
      return http::status::gateway_timeout;
    default:
      return http::status::internal_server_error;
  }
}

// Returns the code of a request that the server itself refuses.
StatusCode CodeOf(http::status status) {
  switch (status) {
    case http::status::not_found:
      return StatusCode::kNotFound;
    case http::status::forbidden:
      return StatusCode::kPermissionDenied;
    case http::status::method_not_allowed:
    case http::status::http_version_not_supported:
      return StatusCode::kUnimplemented;
    case http::status::payload_too_large:
    case http::status::request_header_fields_too_large:
      return StatusCode::kOutOfRange;
    case http::status::service_unavailable:
      return StatusCode::kUnavailable;
    case http::status::internal_server_error:
      return StatusCode::kInternal;
    default:
      return StatusCode::kInvalidArgument;
  }
}

HttpResponse Answer(http::status status, StatusCode code, std::string_view detail, std::string_view more) {
  HttpResponse response;
  response.result(status);
  response.set(http::field::content_type, "application/problem+json");
  response.set(http::field::cache_control, "no-store");
  const auto title = http::obsolete_reason(status);
  response.body() = fmt::format(R"({{"type":"about:blank","title":"{}","status":{},"detail":"{}","code":"{}"{}}})"
                                "\n",
                                std::string_view(title.data(), title.size()), static_cast<unsigned>(status),
                                EscapeForJson(detail), absl::StatusCodeToString(code), more);
  return response;
}

}  // namespace

HttpResponse Problem(http::status status, std::string_view detail) {
  return Answer(status, CodeOf(status), detail, "");
}

HttpResponse Problem(const absl::Status& status) {
  std::string more;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) more += fmt::format(R"(,"{}":"{}")", name, EscapeForJson(value));
  };
  add("reason", ReasonOf(status));
  add("field", FieldOf(status));
  // RESOURCE_EXHAUSTED becomes 429 if the caller sends too much, but 503 if the service has reached its own limit.
  const auto code = FullOf(status).empty() ? HttpStatusOf(status.code()) : http::status::service_unavailable;
  HttpResponse response = Answer(code, status.code(), ToStd(status.message()), more);
  if (const auto delay = RetryDelayOf(status)) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*delay).count();
    response.set(http::field::retry_after, std::to_string(std::max<int64_t>(seconds, 1)));
  }
  return response;
}

}  // namespace viewcount
