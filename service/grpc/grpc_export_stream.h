// One call of ExportCounts: an export whose pieces are written to the client as fast as it reads them.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "service/base/async_event.h"
#include "service/query/count_export.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Writes all pending views to the store. Returns DEADLINE_EXCEEDED if that takes longer.
using FlushFunction = std::function<boost::asio::awaitable<absl::Status>(std::chrono::milliseconds)>;

// Thread-safe, as gRPC requires. It owns itself until the call is done. A coroutine on the store's executor does all
// the work; the callbacks of gRPC only wake it.
class GrpcExportStream final : public grpc::ServerWriteReactor<v1::ExportCountsResponse> {
 public:
  // `exporter` must outlive the call. It must be stopped before the server waits for its calls. The export begins when
  // `flush` has succeeded.
  static GrpcExportStream* Begin(CountExporter& exporter, const boost::asio::any_io_executor& executor,
                                 std::shared_ptr<const Site> site, Window window, FlushFunction flush);

  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  explicit GrpcExportStream(const boost::asio::any_io_executor& executor) : executor_(executor), written_(executor) {}

  // Writes all pieces, then ends the call.
  boost::asio::awaitable<void> Run(CountExporter& exporter, std::shared_ptr<const Site> site, Window window,
                                   FlushFunction flush);
  // Flushes until everything is in the store or the service stops. Returns UNAVAILABLE with RetryInfo otherwise.
  static boost::asio::awaitable<absl::Status> Flush(const CountExporter& exporter, const FlushFunction& flush);
  boost::asio::awaitable<absl::Status> WriteAll(CountExporter& exporter, std::shared_ptr<const Site> site,
                                                Window window, FlushFunction flush);

  const boost::asio::any_io_executor executor_;
  // The members below are used on the executor only.
  AsyncEvent written_;
  bool writing_ = false;
  bool broken_ = false;
  v1::ExportCountsResponse response_;
};

}  // namespace viewcount
