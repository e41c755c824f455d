// What an RPC's error says beyond its code: the google.rpc details of the `grpc-status-details-bin` trailer.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace viewcount::client {

// The details that viewcount sends, decoded. A value; all of it is empty for an error that no viewcount service made.
struct ErrorDetails {
  // Of ErrorInfo, in UPPER_SNAKE_CASE.
  std::string reason;
  std::map<std::string, std::string> metadata;
  // Of RetryInfo: wait at least this long before the same request is sent again. Never negative.
  std::optional<std::chrono::milliseconds> retry_delay;
  // True if the trailer was there: then a service answered, and not the network on its behalf.
  bool answered = false;
};

// The details of `status`; what cannot be parsed is left out. Thread safe.
ErrorDetails DetailsOf(const grpc::Status& status);

// The same code and message, with the details as payloads under their type URLs. Thread safe.
absl::Status ToAbslStatus(const grpc::Status& status);

}  // namespace viewcount::client
