// The service as a command sees it: one channel, a deadline for every call, errors that say what to do.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <memory>
#include <string>

#include "client/cli/command_line.h"
#include "viewcount/v1/admin.grpc.pb.h"
#include "viewcount/v1/ingest.grpc.pb.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount::cli {

// Not thread safe.
class Session {
 public:
  explicit Session(GlobalOptions options);

  // Calls `method` of `stub` within the time-out. Errors: the service's own, with its details as payloads; for a
  // service that is not there, the address and what to do.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + options_.call_timeout());
    Response response;
    const auto status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return Explain(status);
    return response;
  }

  // Calls a streaming `method` of `stub` and hands over each response until `take` returns false. Without a time-out:
  // it is the service that ends, or the user. Errors as those of Call.
  template <typename Stub, typename Request, typename Response, typename Take>
  absl::Status Follow(Stub& stub,
                      std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(grpc::ClientContext*,
                                                                                    const Request&),
                      const Request& request, Take take) {
    grpc::ClientContext context;
    const auto reader = (stub.*method)(&context, request);
    for (Response response; reader->Read(&response);) {
      if (take(response)) continue;
      context.TryCancel();
      // The cancellation that was just asked for.
      static_cast<void>(reader->Finish());
      return absl::OkStatus();
    }
    const auto status = reader->Finish();
    return status.ok() ? absl::OkStatus() : Explain(status);
  }

  // The site that is meant: the one given, not looked up, or the only one there is.
  absl::StatusOr<std::string> Site();
  // The same, and it is known to exist.
  absl::StatusOr<std::string> ExistingSite();

  const GlobalOptions& options() const { return options_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::IngestService::Stub& ingest() { return *ingest_; }
  v1::QueryService::Stub& query() { return *query_; }
  v1::AdminService::Stub& admin() { return *admin_; }

 private:
  absl::Status Explain(const grpc::Status& status) const;

  const GlobalOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::IngestService::Stub> ingest_;
  const std::unique_ptr<v1::QueryService::Stub> query_;
  const std::unique_ptr<v1::AdminService::Stub> admin_;
};

}  // namespace viewcount::cli
