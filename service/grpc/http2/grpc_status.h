// Converts statuses to gRPC, including google.rpc details.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

namespace viewcount {

// Converts a status. Payloads attached by base/status.h become a google.rpc.Status in `grpc-status-details-bin`.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace viewcount
