// The whole service: owns all parts, and starts and stops them in the right order.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/adjustments/adjuster.h"
#include "service/adjustments/count_import.h"
#include "service/adjustments/snapshot_export.h"
#include "service/alerts/alert_api.h"
#include "service/alerts/alert_checker.h"
#include "service/alerts/alert_reader.h"
#include "service/alerts/webhook_sender.h"
#include "service/annotations/annotations.h"
#include "service/articles/article_catalog.h"
#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/mutex.h"
#include "service/base/store_thread.h"
#include "service/config/config.h"
#include "service/grpc/grpc_admin_service.h"
#include "service/grpc/grpc_query_service.h"
#include "service/grpc/http2/grpc_server.h"
#include "service/http/client_trust.h"
#include "service/http/own_pages.h"
#include "service/http/router.h"
#include "service/http/server.h"
#include "service/http/site_routes.h"
#include "service/ingest/ingestor.h"
#include "service/instance/day_remover.h"
#include "service/instance/lane_set.h"
#include "service/instance/salt_rotator.h"
#include "service/instance/site_sync.h"
#include "service/metrics/metrics.h"
#include "service/query/count_cache.h"
#include "service/query/count_export.h"
#include "service/query/count_reader.h"
#include "service/query/count_watcher.h"
#include "service/query/list_api.h"
#include "service/query/online_readers.h"
#include "service/query/popular_reader.h"
#include "service/query/query_api.h"
#include "service/query/query_maintenance.h"
#include "service/query/site_stats_reader.h"
#include "service/query/site_total_reader.h"
#include "service/server/descriptor_limit.h"
#include "service/server/http_port.h"
#include "service/server/stop_signal.h"
#include "service/server/store_meeting.h"
#include "service/server/watchdog.h"
#include "service/sites/site_directory.h"
#include "service/store/embedded/embedded_redis.h"
#include "service/store/redis/redis_store.h"
#include "service/visitors/bot_patterns.h"
#include "service/visitors/viewer_salts.h"
#include "viewcount/v1/ingest.grpc.pb.h"

namespace viewcount {

// The service of one process. Used by the main thread only, except where stated otherwise.
class Server {
 public:
  Server(Config config, StopSignal& stop);
  ~Server();

  // Starts everything and returns when the service is ready. If a stop is requested meanwhile it returns CANCELLED. Any
  // other error is one line for the operator.
  //
  // If the store is unavailable, it returns as soon as views are taken, and continues to wait in the background. The
  // admin address reports that the service is not ready.
  //
  // Writes the addresses to <data-dir>/addresses, as lines `grpc=…`, `http=…`, `backend=…`, `admin=…`.
  absl::Status Start();
  // Applies those settings of `fresh` that a running service can change, and reads the certificate files again. A
  // setting that cannot be applied is logged and stays as it was. Call it after Start.
  void Reload(const Config& fresh);
  // Reports that the service is not ready, and serves on for the shutdown delay. Then it accepts no new calls, flushes,
  // and ends everything within 10 s. Returns the exit code of the process.
  ExitCode Stop();

 private:
  // Everybody who reaches the admin address is an operator, also through a proxy.
  static ClientTrust::Options OperatorTrust();
  absl::Status OpenData();
  absl::Status StartAdmin();
  absl::Status OpenStore();
  absl::StatusOr<RedisAddress> AddressOfRedis();
  // Waits for a coroutine of the store thread. If a stop is requested meanwhile, it returns CANCELLED and the coroutine
  // continues. It also returns OK if the store is unavailable for too long: then views are taken without it.
  absl::Status AwaitStore(std::future<absl::Status> result);
  bool IsWithoutStore();
  absl::Status StartLanes();
  void MakeReaders();
  void MakeAlerts();
  absl::Status StartGrpc();
  Methods GrpcMethods(const Method& others);
  AcceptedPeers::Observer GrpcObserver();
  absl::Status StartHttp();
  // Returns how the public address is served according to `config`, or the error of an unusable certificate.
  // Returns the servers of HTTP that are started.
  std::vector<HttpServer*> HttpServers();
  // Returns "none" if there is no port for backends.
  std::string BackendAddress() const;
  // Makes /healthz report stuck threads.
  absl::Status StartWatchdog();
  absl::Status WriteAddresses();
  // Compares the journals with the store, brings the missing views into the store, and begins to flush.
  boost::asio::awaitable<absl::Status> Meet();
  void NoteMet();
  // Repeats the flush until `deadline`. Returns true if all views are in the store.
  bool FlushAll(SteadyTime deadline);
  // Ends all streams of watched counts, which would otherwise never end.
  void StopWatching();
  void CloseStore();
  void SetUnready(std::optional<std::string> reason);
  std::optional<std::string> WhyNotReady();

  // Changed by Reload only.
  Config config_;
  StopSignal& stop_;
  const SystemClock clock_;
  const SteadyTime started_ = clock_.Now();
  Metrics metrics_;
  DataSetId data_set_;
  std::atomic<bool> store_closed_{false};

  Mutex unready_mutex_;
  std::optional<std::string> unready_ ABSL_GUARDED_BY(unready_mutex_) = "starting";
  // True if views were taken before the store was available.
  bool without_store_ ABSL_GUARDED_BY(unready_mutex_) = false;
  // True after the store became available and all views of the journals were on their way to it.
  bool met_ ABSL_GUARDED_BY(unready_mutex_) = false;

  // The time at which a start stops waiting for the store.
  SteadyTime start_store_until_;

  // The parts in the order in which they are made. They are destroyed in the opposite order.
  PosixDisk disk_;
  StoreThread store_thread_;
  ViewerSalts salts_;
  std::unique_ptr<SiteDirectory> sites_;
  std::unique_ptr<LaneSet> lanes_;
  HttpRouter admin_routes_;
  // The dashboard's questions, which the admin address answers as soon as the readers are made.
  ClientTrust operators_{OperatorTrust()};
  OwnPages own_pages_;
  HttpRouter question_routes_;
  std::optional<SiteRoutes> questions_by_site_;
  std::string admin_address_;
  std::unique_ptr<HttpServer> admin_;
  std::unique_ptr<EmbeddedRedis> embedded_;
  std::unique_ptr<RedisStore> store_;
  std::unique_ptr<CountCache> cache_;
  std::unique_ptr<CountReader> counts_;
  std::unique_ptr<ArticleCatalog> catalog_;
  std::unique_ptr<ArticleLabels> article_labels_;
  std::unique_ptr<Annotations> annotations_;
  std::unique_ptr<PopularReader> popular_;
  std::unique_ptr<SiteTotalReader> site_totals_;
  std::unique_ptr<SiteStatsReader> site_stats_;
  std::unique_ptr<QueryApi> query_api_;
  std::unique_ptr<PublishedArticles> published_;
  std::unique_ptr<RisingReader> rising_;
  std::unique_ptr<RecentReader> recent_;
  std::unique_ptr<ListApi> list_api_;
  std::unique_ptr<QueryMaintenance> query_maintenance_;
  std::unique_ptr<CountWatcher> watcher_;
  std::unique_ptr<OnlineReaders> online_;
  std::unique_ptr<CountExporter> exporter_;
  std::unique_ptr<SiteSync> keeper_;
  std::unique_ptr<SaltRotator> salt_rotator_;
  std::unique_ptr<DayRemover> day_remover_;
  std::unique_ptr<StoreMeeting> meeting_;
  std::unique_ptr<Adjuster> adjuster_;
  std::unique_ptr<CountImporter> importer_;
  std::unique_ptr<SnapshotExporter> snapshots_;
  std::unique_ptr<AlertReader> alert_reader_;
  std::unique_ptr<AlertChecker> alert_checker_;
  // Its thread calls the checker, so it is stopped and destroyed first.
  std::unique_ptr<WebhookSender> webhooks_;
  std::unique_ptr<AlertApi> alerts_;
  std::unique_ptr<WaitGroup> keeping_;
  std::unique_ptr<Ingestor> ingestor_;
  // Registered with gRPC for reflection only, since the methods of GrpcMethods answer its calls before they reach it.
  std::unique_ptr<v1::IngestService::Service> ingest_service_;
  std::unique_ptr<GrpcQueryService> query_service_;
  std::unique_ptr<GrpcAdminService> admin_service_;
  std::unique_ptr<GrpcServer> grpc_;
  std::unique_ptr<const BotPatterns> bots_;
  std::unique_ptr<HttpPort> http_;
  // Null without --backend-address.
  std::unique_ptr<HttpPort> backend_http_;
  DescriptorPlan descriptors_;
  Watchdog watchdog_;
};

}  // namespace viewcount
