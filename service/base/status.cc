#include "service/base/status.h"

#include <fmt/format.h>

#include "google/rpc/error_details.pb.h"

namespace viewcount {
namespace {

template <typename Detail>
std::string TypeUrlOf(const Detail& detail) {
  return "type.googleapis.com/" + detail.GetTypeName();
}

template <typename Detail>
void Attach(absl::Status& status, const Detail& detail) {
  status.SetPayload(TypeUrlOf(detail), absl::Cord(detail.SerializeAsString()));
}

// Returns the detail of this type, or an empty message if the status has none.
template <typename Detail>
Detail DetailOf(const absl::Status& status) {
  Detail detail;
  const auto payload = status.GetPayload(TypeUrlOf(detail));
  if (!payload || !detail.ParseFromString(std::string(*payload))) detail.Clear();
  return detail;
}

}  // namespace

absl::Status InvalidField(std::string_view field, std::string_view description) {
  absl::Status status(absl::StatusCode::kInvalidArgument, fmt::format("{}: {}", field, description));
  google::rpc::BadRequest detail;
  auto* violation = detail.add_field_violations();
  violation->set_field(std::string(field));
  violation->set_description(std::string(description));
  Attach(status, detail);
  return status;
}

absl::Status ErrorWithReason(absl::StatusCode code, std::string_view message, std::string_view reason,
                             std::initializer_list<std::pair<std::string_view, std::string>> metadata) {
  absl::Status status(code, ToAbsl(message));
  google::rpc::ErrorInfo detail;
  detail.set_reason(std::string(reason));
  detail.set_domain("viewcount");
  for (const auto& [key, value] : metadata) (*detail.mutable_metadata())[std::string(key)] = value;
  Attach(status, detail);
  return status;
}

absl::Status RetryLater(absl::StatusCode code, std::string_view message, std::chrono::milliseconds delay) {
  absl::Status status(code, ToAbsl(message));
  google::rpc::RetryInfo detail;
  detail.mutable_retry_delay()->set_seconds(delay.count() / 1000);
  detail.mutable_retry_delay()->set_nanos(static_cast<int32_t>(delay.count() % 1000 * 1'000'000));
  Attach(status, detail);
  return status;
}

absl::Status UnknownSite(std::string_view site) {
  return ErrorWithReason(
      absl::StatusCode::kNotFound,
      fmt::format("no site \"{}\"; create it with: viewcount site put {}", site, site.empty() ? "NAME" : site),
      "UNKNOWN_SITE");
}

absl::Status NotBuiltYet(std::string_view what) {
  return absl::UnimplementedError(fmt::format("{} is not built yet in this version", what));
}

std::string ReasonOf(const absl::Status& status) { return DetailOf<google::rpc::ErrorInfo>(status).reason(); }

std::string FieldOf(const absl::Status& status) {
  const auto detail = DetailOf<google::rpc::BadRequest>(status);
  return detail.field_violations().empty() ? "" : detail.field_violations(0).field();
}

std::optional<std::chrono::milliseconds> RetryDelayOf(const absl::Status& status) {
  const auto detail = DetailOf<google::rpc::RetryInfo>(status);
  if (!detail.has_retry_delay()) return std::nullopt;
  return std::chrono::seconds(detail.retry_delay().seconds()) +
         std::chrono::milliseconds(detail.retry_delay().nanos() / 1'000'000);
}

std::string MetadataOf(const absl::Status& status, std::string_view key) {
  const auto detail = DetailOf<google::rpc::ErrorInfo>(status);
  const auto entry = detail.metadata().find(std::string(key));
  return entry == detail.metadata().end() ? "" : entry->second;
}

}  // namespace viewcount
