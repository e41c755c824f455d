// The calls of ExportCounts and ExportSnapshot.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "service/adjustments/snapshot_export.h"
#include "service/grpc/grpc_write_stream.h"
#include "service/query/count_export.h"
#include "viewcount/v1/admin.pb.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Each function begins a call, and returns its reactor. The exporter must outlive the call. It must be stopped before
// the server waits for its calls. `patience` is that of GrpcWriteStream.
grpc::ServerWriteReactor<v1::ExportCountsResponse>* ExportCounts(
    grpc::CallbackServerContext* context, CountExporter& exporter, const boost::asio::any_io_executor& executor,
    std::shared_ptr<const Site> site, std::vector<Window> windows,
    std::chrono::milliseconds patience = limits::kExportPatience);

// `first` is written before everything else.
grpc::ServerWriteReactor<v1::ExportSnapshotResponse>* ExportSnapshot(
    grpc::CallbackServerContext* context, SnapshotExporter& exporter, const boost::asio::any_io_executor& executor,
    std::shared_ptr<const Site> site, v1::ExportSnapshotResponse first,
    std::chrono::milliseconds patience = limits::kExportPatience);

}  // namespace viewcount
