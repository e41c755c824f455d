// QueryService over gRPC: passes each call to QueryApi or to CountWatcher.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <utility>

#include "service/base/clock.h"
#include "service/grpc/grpc_export_stream.h"
#include "service/query/count_export.h"
#include "service/query/count_watcher.h"
#include "service/query/list_api.h"
#include "service/query/query_api.h"
#include "service/sites/site_directory.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount {

// Thread-safe, as gRPC requires. Everything that it refers to must outlive it.
class GrpcQueryService final : public v1::QueryService::CallbackService {
 public:
  struct Dependencies {
    // The store's executor.
    boost::asio::any_io_executor executor;
    const SiteDirectory& sites;
    QueryApi& api;
    ListApi& lists;
    CountWatcher& watcher;
    CountExporter& exporter;
    const Clock& clock;
  };

  explicit GrpcQueryService(Dependencies parts) : parts_(std::move(parts)) {}

  grpc::ServerUnaryReactor* GetCounts(grpc::CallbackServerContext* context, const v1::GetCountsRequest* request,
                                      v1::GetCountsResponse* response) override;
  grpc::ServerUnaryReactor* ListPopular(grpc::CallbackServerContext* context, const v1::ListPopularRequest* request,
                                        v1::ListPopularResponse* response) override;

  grpc::ServerUnaryReactor* ListTrending(grpc::CallbackServerContext* context, const v1::ListTrendingRequest* request,
                                         v1::ListTrendingResponse* response) override;
  grpc::ServerUnaryReactor* ListRising(grpc::CallbackServerContext* context, const v1::ListRisingRequest* request,
                                       v1::ListRisingResponse* response) override;
  grpc::ServerUnaryReactor* ListNow(grpc::CallbackServerContext* context, const v1::ListNowRequest* request,
                                    v1::ListNowResponse* response) override;
  grpc::ServerUnaryReactor* ListArticles(grpc::CallbackServerContext* context, const v1::ListArticlesRequest* request,
                                         v1::ListArticlesResponse* response) override;
  grpc::ServerUnaryReactor* GetSeries(grpc::CallbackServerContext* context, const v1::GetSeriesRequest* request,
                                      v1::GetSeriesResponse* response) override;
  grpc::ServerUnaryReactor* GetSiteStats(grpc::CallbackServerContext* context, const v1::GetSiteStatsRequest* request,
                                         v1::GetSiteStatsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchCountsResponse>* WatchCounts(grpc::CallbackServerContext* context,
                                                                 const v1::WatchCountsRequest* request) override;

  grpc::ServerWriteReactor<v1::ExportCountsResponse>* ExportCounts(grpc::CallbackServerContext* context,
                                                                   const v1::ExportCountsRequest* request) override;

 private:
  const Dependencies parts_;
};

}  // namespace viewcount
