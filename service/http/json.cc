#include "service/http/json.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <string>
#include <vector>

#include "service/base/check.h"
#include "service/base/status.h"
#include "service/base/unknown_name.h"
#include "service/http/field_names.h"

namespace viewcount {

namespace http = boost::beast::http;

namespace {

// Returns the message type at a path such as views[0].address, or null if a part of it is none.
const google::protobuf::Descriptor* TypeAt(const google::protobuf::Descriptor* type, std::string_view path) {
  while (type != nullptr && !path.empty()) {
    const std::string_view step = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), step.size() + 1));
    const auto* const field = type->FindFieldByName(std::string(step.substr(0, step.find('['))));
    type = field == nullptr ? nullptr : field->message_type();
  }
  return type;
}

// Translates Protobuf's report of an unknown field, which is "(PATH) NAME: Cannot find field." without the first part
// for a field of the message itself. Returns OK for any other report.
absl::Status UnknownField(const google::protobuf::Descriptor& message, std::string_view report) {
  constexpr std::string_view kEnd = ": Cannot find field.";
  if (report.size() < kEnd.size() || report.substr(report.size() - kEnd.size()) != kEnd) return absl::OkStatus();
  report.remove_suffix(kEnd.size());
  std::string_view path;
  if (report.substr(0, 1) == "(") {
    path = report.substr(1, report.find(") ") - 1);
    report.remove_prefix(std::min(report.size(), path.size() + 3));
  }
  const google::protobuf::Descriptor* const type = TypeAt(&message, path);
  if (type == nullptr) return absl::OkStatus();
  std::vector<std::string_view> known;
  for (int i = 0; i < type->field_count(); ++i) known.push_back(type->field(i)->json_name());
  const std::string place = path.empty() ? "" : JsonNameOf(path) + ".";
  return InvalidField(place + std::string(report), UnknownName(report, known));
}

}  // namespace

absl::Status FromJson(std::string_view json, google::protobuf::Message& message) {
  const auto status = google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &message);
  if (status.ok()) return absl::OkStatus();
  const std::string report = status.message().ToString();
  if (auto unknown = UnknownField(*message.GetDescriptor(), report); !unknown.ok()) return unknown;
  return absl::InvalidArgumentError(
      fmt::format("the body is no JSON of a {}: {}", message.GetDescriptor()->name(), report));
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
