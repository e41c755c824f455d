// Decodes the details of an RPC's error: the google.rpc messages of the `grpc-status-details-bin` trailer.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace viewcount::client {

// The decoded details of an error from viewcount. A plain value. Every field is empty for an error that no viewcount
// service produced.
struct ErrorDetails {
  // The reason in ErrorInfo, in UPPER_SNAKE_CASE.
  std::string reason;
  std::map<std::string, std::string> metadata;
  // The delay in RetryInfo: the caller must wait at least this long before it sends the same request again. Never
  // negative.
  std::optional<std::chrono::milliseconds> retry_delay;
  // True if the trailer was present. In that case a service answered, not the network in its place.
  bool answered = false;
};

// Returns the details of `status`. Details that cannot be parsed are left out. Thread-safe.
ErrorDetails DetailsOf(const grpc::Status& status);

// Converts `status` with its code and message. The details become payloads under their type URLs. Thread-safe.
absl::Status ToAbslStatus(const grpc::Status& status);

}  // namespace viewcount::client
