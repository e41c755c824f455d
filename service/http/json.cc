#include "service/http/json.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include "service/base/check.h"

namespace viewcount {

namespace http = boost::beast::http;

absl::Status FromJson(std::string_view json, google::protobuf::Message& message) {
  const auto status = google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &message);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("the body is no JSON of a {}: {}", message.GetDescriptor()->name(), status.message().ToString()));
}

HttpResponse JsonResponse(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  HttpResponse response;
  response.set(http::field::content_type, "application/json");
  response.set(http::field::cache_control, "no-store");
  VIEWCOUNT_CHECK(google::protobuf::util::MessageToJsonString(message, &response.body(), options).ok());
  response.body() += '\n';
  return response;
}

}  // namespace viewcount
