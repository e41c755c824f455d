// Implements AdminService for gRPC's callback API.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "service/adjustments/adjuster.h"
#include "service/adjustments/count_import.h"
#include "service/adjustments/snapshot_export.h"
#include "service/alerts/alert_api.h"
#include "service/annotations/annotations.h"
#include "service/articles/article_catalog.h"
#include "service/base/clock.h"
#include "service/instance/lane_set.h"
#include "service/instance/site_sync.h"
#include "service/metrics/metrics.h"
#include "service/query/site_total_reader.h"
#include "service/sites/site_directory.h"
#include "service/store/redis/redis_store.h"
#include "viewcount/v1/admin.grpc.pb.h"

namespace viewcount {

// Thread-safe, as gRPC requires. The objects that it refers to must outlive it.
class GrpcAdminService final : public v1::AdminService::CallbackService {
 public:
  struct Dependencies {
    // The executor of the store thread.
    boost::asio::any_io_executor executor;
    const SiteDirectory& sites;
    SiteSync& keeper;
    Adjuster& adjuster;
    CountImporter& importer;
    SnapshotExporter& snapshots;
    ArticleCatalog& catalog;
    Annotations& annotations;
    LaneSet& lanes;
    RedisStore& store;
    SiteTotalReader& totals;
    AlertApi& alerts;
    const Clock& clock;
    Metrics& metrics;
    SteadyTime started;
  };

  explicit GrpcAdminService(Dependencies parts) : parts_(std::move(parts)) {}

  grpc::ServerUnaryReactor* PutSite(grpc::CallbackServerContext* context, const v1::PutSiteRequest* request,
                                    v1::PutSiteResponse* response) override;
  grpc::ServerUnaryReactor* ListSites(grpc::CallbackServerContext* context, const v1::ListSitesRequest* request,
                                      v1::ListSitesResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const v1::GetStatusRequest* request,
                                      v1::GetStatusResponse* response) override;
  grpc::ServerUnaryReactor* Flush(grpc::CallbackServerContext* context, const v1::FlushRequest* request,
                                  v1::FlushResponse* response) override;
  grpc::ServerUnaryReactor* Audit(grpc::CallbackServerContext* context, const v1::AuditRequest* request,
                                  v1::AuditResponse* response) override;

  grpc::ServerUnaryReactor* PutArticles(grpc::CallbackServerContext* context, const v1::PutArticlesRequest* request,
                                        v1::PutArticlesResponse* response) override;
  grpc::ServerUnaryReactor* SetCounts(grpc::CallbackServerContext* context, const v1::SetCountsRequest* request,
                                      v1::SetCountsResponse* response) override;
  grpc::ServerUnaryReactor* MergeArticles(grpc::CallbackServerContext* context, const v1::MergeArticlesRequest* request,
                                          v1::MergeArticlesResponse* response) override;
  grpc::ServerUnaryReactor* DeleteArticles(grpc::CallbackServerContext* context,
                                           const v1::DeleteArticlesRequest* request,
                                           v1::DeleteArticlesResponse* response) override;
  grpc::ServerUnaryReactor* NormalizeArticles(grpc::CallbackServerContext* context,
                                              const v1::NormalizeArticlesRequest* request,
                                              v1::NormalizeArticlesResponse* response) override;
  grpc::ServerUnaryReactor* ListAdjustments(grpc::CallbackServerContext* context,
                                            const v1::ListAdjustmentsRequest* request,
                                            v1::ListAdjustmentsResponse* response) override;
  grpc::ServerUnaryReactor* UndoAdjustment(grpc::CallbackServerContext* context,
                                           const v1::UndoAdjustmentRequest* request,
                                           v1::UndoAdjustmentResponse* response) override;
  grpc::ServerWriteReactor<v1::ExportSnapshotResponse>* ExportSnapshot(
      grpc::CallbackServerContext* context, const v1::ExportSnapshotRequest* request) override;
  grpc::ServerReadReactor<v1::ImportCountsRequest>* ImportCounts(grpc::CallbackServerContext* context,
                                                                 v1::ImportCountsResponse* response) override;
  grpc::ServerUnaryReactor* PutAnnotation(grpc::CallbackServerContext* context, const v1::PutAnnotationRequest* request,
                                          v1::PutAnnotationResponse* response) override;
  grpc::ServerUnaryReactor* ListAnnotations(grpc::CallbackServerContext* context,
                                            const v1::ListAnnotationsRequest* request,
                                            v1::ListAnnotationsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteAnnotation(grpc::CallbackServerContext* context,
                                             const v1::DeleteAnnotationRequest* request,
                                             v1::DeleteAnnotationResponse* response) override;
  grpc::ServerUnaryReactor* PutAlert(grpc::CallbackServerContext* context, const v1::PutAlertRequest* request,
                                     v1::PutAlertResponse* response) override;
  grpc::ServerUnaryReactor* ListAlerts(grpc::CallbackServerContext* context, const v1::ListAlertsRequest* request,
                                       v1::ListAlertsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteAlert(grpc::CallbackServerContext* context, const v1::DeleteAlertRequest* request,
                                        v1::DeleteAlertResponse* response) override;
  grpc::ServerUnaryReactor* TestAlert(grpc::CallbackServerContext* context, const v1::TestAlertRequest* request,
                                      v1::TestAlertResponse* response) override;

 private:
  // Returns the zones that a site has had, the present one among them if `wanted` has another and views were counted.
  boost::asio::awaitable<absl::StatusOr<std::vector<EarlierZone>>> EarlierZonesOf(const Site& wanted) const;

  const Dependencies parts_;
  // True while a repair is running. Used by the store thread only.
  bool repairing_ = false;
};

}  // namespace viewcount
