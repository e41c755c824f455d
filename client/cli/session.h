// The connection of a command to the service: one channel, a deadline for every call, and errors that say what to do.
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

// Not thread-safe.
class Session {
 public:
  explicit Session(GlobalOptions options);

  // Calls `method` of `stub` within the time-out. Returns the service's own error with its details as payloads. If the
  // service cannot be reached, the error names its address and says what to do.
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

  // Calls a streaming `method` of `stub` and passes each response to `take` until `take` returns false. There is no
  // time-out: the stream ends when the service or the user ends it. Returns the errors of Call.
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
      // The status is the cancellation that was requested above.
      static_cast<void>(reader->Finish());
      return absl::OkStatus();
    }
    const auto status = reader->Finish();
    return status.ok() ? absl::OkStatus() : Explain(status);
  }

  // Returns the site of the command: the given site without a check that it exists, or the only site of the service.
  absl::StatusOr<std::string> Site();
  // Returns the site of the command with its settings, after a check that it exists.
  absl::StatusOr<v1::Site> ExistingSite();
  // Returns the IDs of the articles that `addresses` name by the rule of the command's site.
  absl::StatusOr<std::vector<std::string>> ArticlesAt(const std::vector<std::string>& addresses);

  // Returns the error of a call. If the service cannot be reached, the error names its address and says what to do.
  absl::Status Explain(const grpc::Status& status) const;

  const GlobalOptions& options() const { return options_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::IngestService::Stub& ingest() { return *ingest_; }
  v1::QueryService::Stub& query() { return *query_; }
  v1::AdminService::Stub& admin() { return *admin_; }

 private:
  const GlobalOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::IngestService::Stub> ingest_;
  const std::unique_ptr<v1::QueryService::Stub> query_;
  const std::unique_ptr<v1::AdminService::Stub> admin_;
};

}  // namespace viewcount::cli
