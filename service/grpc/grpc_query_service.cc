#include "service/grpc/grpc_query_service.h"

#include <string>
#include <vector>

#include "service/base/status.h"
#include "service/grpc/grpc_watch_stream.h"
#include "service/grpc/spawn.h"
#include "service/query/window.h"

namespace viewcount {
namespace {

template <typename Response>
class RefusedStream final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit RefusedStream(const absl::Status& status) { this->Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerUnaryReactor* GrpcQueryService::GetCounts(grpc::CallbackServerContext* context,
                                                      const v1::GetCountsRequest* request,
                                                      v1::GetCountsResponse* response) {
  if (const auto answered = parts_.api.GetCountsCached(*request, *response)) return Answer(context, *answered);
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.api.GetCounts(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcQueryService::ListPopular(grpc::CallbackServerContext* context,
                                                        const v1::ListPopularRequest* request,
                                                        v1::ListPopularResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.lists.ListPopular(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcQueryService::ListTrending(grpc::CallbackServerContext* context,
                                                         const v1::ListTrendingRequest* request,
                                                         v1::ListTrendingResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.lists.ListTrending(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcQueryService::ListRising(grpc::CallbackServerContext* context,
                                                       const v1::ListRisingRequest* request,
                                                       v1::ListRisingResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.lists.ListRising(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcQueryService::ListNow(grpc::CallbackServerContext* context,
                                                    const v1::ListNowRequest* request, v1::ListNowResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.lists.ListNow(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcQueryService::ListArticles(grpc::CallbackServerContext* context,
                                                         const v1::ListArticlesRequest* request,
                                                         v1::ListArticlesResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.lists.ListArticles(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcQueryService::GetSeries(grpc::CallbackServerContext* context,
                                                      const v1::GetSeriesRequest* request,
                                                      v1::GetSeriesResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.api.GetSeries(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcQueryService::GetSiteStats(grpc::CallbackServerContext* context,
                                                         const v1::GetSiteStatsRequest* request,
                                                         v1::GetSiteStatsResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.api.GetSiteStats(*request, *response); });
}

grpc::ServerWriteReactor<v1::WatchCountsResponse>* GrpcQueryService::WatchCounts(
    grpc::CallbackServerContext*, const v1::WatchCountsRequest* request) {
  const auto site = parts_.sites.Find(request->site());
  if (site == nullptr) return new RefusedStream<v1::WatchCountsResponse>(parts_.sites.Unknown(request->site()));
  return GrpcWatchStream::Begin(parts_.watcher, parts_.executor, site, *request);
}

grpc::ServerWriteReactor<v1::ExportCountsResponse>* GrpcQueryService::ExportCounts(
    grpc::CallbackServerContext* context, const v1::ExportCountsRequest* request) {
  using Refused = RefusedStream<v1::ExportCountsResponse>;
  const auto site = parts_.sites.Find(request->site());
  if (site == nullptr) return new Refused(parts_.sites.Unknown(request->site()));
  auto asked = WindowsOf(request->window(), *site, parts_.clock.UnixMillis());
  if (!asked.ok()) return new Refused(asked.status());
  return viewcount::ExportCounts(context, parts_.exporter, parts_.executor, site, std::move(asked->windows));
}

}  // namespace viewcount
