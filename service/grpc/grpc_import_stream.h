// One call of ImportCounts: an import whose rows are read from the client as fast as they are journaled.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "service/adjustments/count_import.h"
#include "service/adjustments/transfer_limits.h"
#include "service/base/async_event.h"
#include "viewcount/v1/transfer.pb.h"

namespace viewcount {

// Thread-safe, as gRPC requires. It owns itself until the call is done. A coroutine on the store's executor does all
// the work; the callbacks of gRPC only wake it. It asks gRPC for one message at a time, so a fast client waits.
class GrpcImportStream final : public grpc::ServerReadReactor<v1::ImportCountsRequest> {
 public:
  // `importer` must outlive the call. It must be stopped before the server waits for its calls. The call is cancelled
  // if its client takes longer than `patience` for one message. `context` and `response` are those of the call.
  static GrpcImportStream* Begin(grpc::CallbackServerContext* context, CountImporter& importer,
                                 const boost::asio::any_io_executor& executor, v1::ImportCountsResponse* response,
                                 std::chrono::milliseconds patience = kImportPatience);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  GrpcImportStream(grpc::CallbackServerContext* context, const boost::asio::any_io_executor& executor,
                   v1::ImportCountsResponse* response, std::chrono::milliseconds patience)
      : context_(context),
        executor_(executor),
        response_(response),
        patience_(patience),
        read_(executor),
        patience_timer_(executor) {}

  // Reads all messages, then ends the call.
  boost::asio::awaitable<void> Run(CountImporter& importer);
  boost::asio::awaitable<absl::Status> ReadAll(CountImporter& importer);
  // Reads the next message into request_. Returns false after the last one, and when the client is gone or too slow.
  boost::asio::awaitable<bool> Read();

  grpc::CallbackServerContext* const context_;
  const boost::asio::any_io_executor executor_;
  v1::ImportCountsResponse* const response_;
  const std::chrono::milliseconds patience_;
  // The members below are used on the executor only.
  AsyncEvent read_;
  boost::asio::steady_timer patience_timer_;
  bool reading_ = false;
  bool ended_ = false;
  v1::ImportCountsRequest request_;
};

}  // namespace viewcount
