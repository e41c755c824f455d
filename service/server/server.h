// The whole service: owns every part, and knows in which order they begin and end.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "service/adjustments/adjuster.h"
#include "service/articles/article_catalog.h"
#include "service/base/clock.h"
#include "service/base/disk.h"
#include "service/base/store_thread.h"
#include "service/config/config.h"
#include "service/http/client_trust.h"
#include "service/http/gate.h"
#include "service/http/server.h"
#include "service/http/site_routes.h"
#include "service/http/visitor.h"
#include "service/http2/grpc_server.h"
#include "service/ingest/ingestor.h"
#include "service/metrics/metrics.h"
#include "service/query/count_cache.h"
#include "service/query/count_reader.h"
#include "service/query/count_watcher.h"
#include "service/query/grpc_query_service.h"
#include "service/query/popular_reader.h"
#include "service/query/query_api.h"
#include "service/query/query_upkeep.h"
#include "service/query/site_stats_reader.h"
#include "service/query/site_total_reader.h"
#include "service/server/descriptor_limit.h"
#include "service/server/grpc_admin_service.h"
#include "service/server/lane_set.h"
#include "service/server/salt_keeper.h"
#include "service/server/site_keeper.h"
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

// Main thread only.
class Server {
 public:
  Server(Config config, StopSignal& stop);
  ~Server();

  // Starts everything and returns when it is ready, or when it is asked to stop meanwhile (CANCELLED). Any other error
  // is one line for the operator. If the store is away it returns as soon as views are taken, and goes on waiting; the
  // admin address says that it is not ready. Writes the addresses to <data-dir>/addresses: lines `grpc=…`, `http=…`,
  // `admin=…`.
  absl::Status Start();
  // Takes over the settings of `fresh` that a running service can change, and the certificate files as they are now.
  // What cannot be used is logged, and stays as it was. After Start.
  void Reload(const Config& fresh);
  // Says that it is not ready, serves on for the shutdown delay, then takes no new calls, flushes, and ends everything
  // within 10 s.
  ExitCode Stop();

 private:
  absl::Status OpenData();
  absl::Status StartAdmin();
  absl::Status OpenStore();
  absl::StatusOr<RedisAddress> AddressOfRedis();
  // Waits for a coroutine of the store's thread; CANCELLED if asked to stop meanwhile (the coroutine goes on). OK too
  // if the store is away for too long: then views are taken without it.
  absl::Status AwaitStore(std::future<absl::Status> result);
  absl::Status StartLanes();
  void MakeReaders();
  absl::Status StartGrpc();
  Methods GrpcMethods(const Method& others);
  AcceptedPeers::Observer GrpcObserver();
  absl::Status StartHttp();
  // How the public address is served by `config`; the error of a certificate that cannot be used.
  static absl::StatusOr<HttpAccess> AccessBy(const Config& config);
  // Has /healthz look at the threads.
  absl::Status StartWatchdog();
  absl::Status WriteAddresses();
  // Brings what the journals hold together with what the store holds, and begins to flush.
  boost::asio::awaitable<absl::Status> Meet();
  void NoteMet();
  // Tries until `deadline`. True if everything is in the store.
  bool FlushAll(SteadyTime deadline);
  // Ends all streams of watched counts, which else would go on for ever.
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

  std::mutex unready_mutex_;
  std::optional<std::string> unready_ = "starting";
  // Views were taken before the store had come. Written by the main thread only.
  bool without_store_ = false;
  // The store has come, and everything in the journals is on its way to it.
  bool met_ = false;

  // When a start gives up waiting for the store.
  SteadyTime start_store_until_;

  // In the order they are made; they go in the opposite one.
  PosixDisk disk_;
  StoreThread store_thread_;
  ViewerSalts salts_;
  std::unique_ptr<SiteDirectory> sites_;
  std::unique_ptr<LaneSet> lanes_;
  HttpRouter admin_routes_;
  std::string admin_address_;
  std::unique_ptr<HttpServer> admin_;
  std::unique_ptr<EmbeddedRedis> embedded_;
  std::unique_ptr<RedisStore> store_;
  std::unique_ptr<CountCache> cache_;
  std::unique_ptr<CountReader> counts_;
  std::unique_ptr<ArticleCatalog> catalog_;
  std::unique_ptr<PopularReader> popular_;
  std::unique_ptr<SiteTotalReader> site_totals_;
  std::unique_ptr<SiteStatsReader> site_stats_;
  std::unique_ptr<QueryApi> query_api_;
  std::unique_ptr<QueryUpkeep> query_upkeep_;
  std::unique_ptr<CountWatcher> watcher_;
  std::unique_ptr<SiteKeeper> keeper_;
  std::unique_ptr<SaltKeeper> salt_keeper_;
  std::unique_ptr<StoreMeeting> meeting_;
  std::unique_ptr<Adjuster> adjuster_;
  std::unique_ptr<WaitGroup> keeping_;
  std::unique_ptr<Ingestor> ingestor_;
  // Known to gRPC for reflection only: its methods are answered before they come there.
  std::unique_ptr<v1::IngestService::Service> ingest_service_;
  std::unique_ptr<GrpcQueryService> query_service_;
  std::unique_ptr<GrpcAdminService> admin_service_;
  std::unique_ptr<GrpcServer> grpc_;
  HttpRouter http_routes_;
  std::unique_ptr<ClientTrust> trust_;
  std::unique_ptr<const BotPatterns> bots_;
  std::unique_ptr<VisitorFinder> visitors_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<SiteRoutes> site_routes_;
  std::string http_address_;
  std::unique_ptr<HttpServer> http_;
  DescriptorPlan descriptors_;
  Watchdog watchdog_;
};

}  // namespace viewcount
