// Statuses over gRPC, google.rpc details included.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

namespace viewcount {

// The payloads that base/status.h attached travel as a google.rpc.Status in `grpc-status-details-bin`.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace viewcount
