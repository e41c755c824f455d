// QueryService over gRPC: checks requests, asks the readers, fills responses.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/base/clock.h"
#include "service/query/count_reader.h"
#include "service/query/popular_reader.h"
#include "service/sites/site_directory.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount {

// Thread safe, as gRPC asks. What it refers to must outlive it.
class GrpcQueryService final : public v1::QueryService::CallbackService {
 public:
  struct Parts {
    // The store's.
    boost::asio::any_io_executor executor;
    const SiteDirectory& sites;
    CountReader& counts;
    PopularReader& popular;
    const Clock& clock;
  };

  explicit GrpcQueryService(Parts parts) : parts_(std::move(parts)) {}

  grpc::ServerUnaryReactor* GetCounts(grpc::CallbackServerContext* context, const v1::GetCountsRequest* request,
                                      v1::GetCountsResponse* response) override;
  grpc::ServerUnaryReactor* ListPopular(grpc::CallbackServerContext* context, const v1::ListPopularRequest* request,
                                        v1::ListPopularResponse* response) override;

  grpc::ServerUnaryReactor* ListTrending(grpc::CallbackServerContext* context, const v1::ListTrendingRequest*,
                                         v1::ListTrendingResponse*) override;
  grpc::ServerUnaryReactor* ListRising(grpc::CallbackServerContext* context, const v1::ListRisingRequest*,
                                       v1::ListRisingResponse*) override;
  grpc::ServerUnaryReactor* ListArticles(grpc::CallbackServerContext* context, const v1::ListArticlesRequest*,
                                         v1::ListArticlesResponse*) override;
  grpc::ServerUnaryReactor* GetSeries(grpc::CallbackServerContext* context, const v1::GetSeriesRequest*,
                                      v1::GetSeriesResponse*) override;
  grpc::ServerUnaryReactor* GetSiteStats(grpc::CallbackServerContext* context, const v1::GetSiteStatsRequest*,
                                         v1::GetSiteStatsResponse*) override;
  grpc::ServerWriteReactor<v1::WatchCountsResponse>* WatchCounts(grpc::CallbackServerContext* context,
                                                                 const v1::WatchCountsRequest*) override;

 private:
  boost::asio::awaitable<absl::Status> AnswerPopular(std::shared_ptr<const Site> site,
                                                     const v1::ListPopularRequest& request,
                                                     v1::ListPopularResponse& response);

  const Parts parts_;
};

}  // namespace viewcount
