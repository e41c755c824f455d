// One call of ExportCounts: an export whose pieces are written to the client as fast as it reads them.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "service/base/async_event.h"
#include "service/base/limits.h"
#include "service/query/count_export.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Thread-safe, as gRPC requires. It owns itself until the call is done. A coroutine on the store's executor does all
// the work; the callbacks of gRPC only wake it.
class GrpcExportStream final : public grpc::ServerWriteReactor<v1::ExportCountsResponse> {
 public:
  // `exporter` must outlive the call. It must be stopped before the server waits for its calls. The call is
  // cancelled if its client takes longer than `patience` for one piece, because it
  // keeps one of few places. `context` is that of the call.
  static GrpcExportStream* Begin(grpc::CallbackServerContext* context, CountExporter& exporter,
                                 const boost::asio::any_io_executor& executor, std::shared_ptr<const Site> site,
                                 std::vector<Window> windows,
                                 std::chrono::milliseconds patience = limits::kExportPatience);

  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  GrpcExportStream(grpc::CallbackServerContext* context, const boost::asio::any_io_executor& executor,
                   std::chrono::milliseconds patience)
      : context_(context), executor_(executor), patience_(patience), written_(executor), patience_timer_(executor) {}

  // Writes all pieces, then ends the call.
  boost::asio::awaitable<void> Run(CountExporter& exporter, std::shared_ptr<const Site> site,
                                   std::vector<Window> windows);
  boost::asio::awaitable<absl::Status> WriteAll(CountExporter& exporter, std::shared_ptr<const Site> site,
                                                std::vector<Window> windows);
  // Writes response_. Returns false if the client is gone or too slow.
  boost::asio::awaitable<bool> Write();

  grpc::CallbackServerContext* const context_;
  const boost::asio::any_io_executor executor_;
  const std::chrono::milliseconds patience_;
  // The members below are used on the executor only.
  AsyncEvent written_;
  boost::asio::steady_timer patience_timer_;
  bool writing_ = false;
  bool broken_ = false;
  v1::ExportCountsResponse response_;
};

}  // namespace viewcount
