#include "client/cpp/rpc_error.h"

#include <algorithm>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace viewcount::client {
namespace {

// Longer delays are not trusted. The limit keeps sums of delays in milliseconds within their type.
constexpr std::chrono::seconds kRetryDelayMax = std::chrono::hours(24);

std::chrono::milliseconds MillisecondsOf(const google::protobuf::Duration& duration) {
  const auto seconds = std::chrono::seconds(std::clamp<int64_t>(duration.seconds(), 0, kRetryDelayMax.count()));
  return seconds + std::chrono::milliseconds(std::max(duration.nanos(), 0) / 1'000'000);
}

}  // namespace

ErrorDetails DetailsOf(const grpc::Status& status) {
  ErrorDetails details;
  google::rpc::Status trailer;
  if (status.error_details().empty() || !trailer.ParseFromString(status.error_details())) return details;
  details.answered = true;
  for (const auto& any : trailer.details()) {
    if (google::rpc::ErrorInfo info; any.Is<google::rpc::ErrorInfo>() && any.UnpackTo(&info)) {
      details.reason = info.reason();
      details.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (google::rpc::RetryInfo retry; any.Is<google::rpc::RetryInfo>() && any.UnpackTo(&retry)) {
      details.retry_delay = MillisecondsOf(retry.retry_delay());
    }
  }
  return details;
}

absl::Status ToAbslStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status trailer;
  if (!status.error_details().empty() && trailer.ParseFromString(status.error_details())) {
    for (const auto& any : trailer.details()) result.SetPayload(any.type_url(), absl::Cord(any.value()));
  }
  return result;
}

}  // namespace viewcount::client
