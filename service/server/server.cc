#include "service/server/server.h"

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>
#include <utility>

#include "service/base/address.h"
#include "service/base/address_ranges.h"
#include "service/base/files.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/grpc/cached_methods.h"
#include "service/grpc/ingest_methods.h"
#include "service/http/admin_routes.h"
#include "service/http/aqs_routes.h"
#include "service/http/change_routes.h"
#include "service/http/dashboard_routes.h"
#include "service/http/grafana_routes.h"
#include "service/http/list_routes.h"
#include "service/http/query_routes.h"
#include "service/instance/data_set_file.h"
#include "service/query/kept_windows.h"
#include "service/server/server_limits.h"
#include "service/server/setting_error.h"

namespace viewcount {
namespace asio = boost::asio;
using std::chrono::duration_cast, std::chrono::milliseconds;

namespace {

// The pause between two attempts while Redis is becoming available.
constexpr milliseconds kStorePause{100};
constexpr size_t kGrpcLoopsMax = 8;
// A spare segment that does not fit the disk fills it for a moment, until the file system takes the space back.
constexpr milliseconds kDiskPause{50};
constexpr milliseconds kDiskPatience{2'000};

// One event loop keeps up with one lane. The lanes, HTTP and the store have threads of their own.
size_t GrpcLoops() { return std::clamp<size_t>(std::thread::hardware_concurrency() / 4, 1, kGrpcLoopsMax); }

// Returns the names under which browsers may reach the admin address.
std::vector<std::string> AdminNames(const Config& config) {
  std::vector<std::string> names = config.admin_hosts;
  // The address was checked when the configuration was read.
  names.push_back(absl::AsciiStrToLower(ToAbsl(ParseHostPort(config.admin_address)->host)));
  return names;
}

}  // namespace

Server::Server(Config config, StopSignal& stop)
    : config_(std::move(config)), stop_(stop), own_pages_(AdminNames(config_)) {}

ClientTrust::Options Server::OperatorTrust() {
  const std::vector<std::string> everywhere = {"0.0.0.0/0", "::/0"};
  // These texts are ranges.
  const AddressRanges all = *AddressRanges::Parse(everywhere);
  return {.proxies = all, .backends = all, .is_private = true};
}

Server::~Server() {
  // After a failed start, the parts that were started are stopped here.
  watchdog_.Stop();
  StopWatching();
  if (webhooks_ != nullptr) webhooks_->Stop();
  if (grpc_ != nullptr) grpc_->Stop(milliseconds(0));
  for (HttpServer* const server : HttpServers()) server->Drain();
  if (lanes_ != nullptr) lanes_->StopTaking();
  CloseStore();
  // The coroutines that these parts wait for have ended.
  grpc_.reset();
  backend_http_.reset();
  http_.reset();
  if (admin_ != nullptr) admin_->Stop();
  metrics_.ClearSources();
}

absl::Status Server::Start() {
  for (const auto step : {&Server::OpenData, &Server::StartAdmin, &Server::OpenStore, &Server::StartLanes,
                          &Server::StartGrpc, &Server::StartHttp, &Server::StartWatchdog, &Server::WriteAddresses}) {
    if (auto status = (this->*step)(); !status.ok()) return status;
  }
  const std::string where = fmt::format("gRPC on {}, HTTP{} on {}, backends' HTTP on {}, admin on {}, data in {}",
                                        grpc_->address(), config_.tls_cert.empty() ? "" : "S", http_->address(),
                                        BackendAddress(), admin_address_, config_.data_dir);
  SetUnready(std::nullopt);
  if (const auto reason = WhyNotReady()) {
    spdlog::warn("taking views without Redis, which has not come yet ({}): {}", *reason, where);
  } else {
    spdlog::info("ready: {}", where);
  }
  return absl::OkStatus();
}

absl::Status Server::OpenData() {
  if (auto status = disk_.MakeFolder(config_.data_dir); !status.ok()) return status;
  sites_ = std::make_unique<SiteDirectory>();
  auto lanes = LaneSet::Open({disk_, *sites_, clock_, metrics_}, {.data_dir = config_.data_dir,
                                                                  .count = config_.lanes,
                                                                  .journal_budget_bytes = config_.journal_budget_bytes,
                                                                  .journal_retention = config_.journal_retention});
  if (!lanes.ok()) return lanes.status();
  lanes_ = *std::move(lanes);
  const auto data_set = ReadDataSet(disk_, config_.data_dir);
  if (!data_set.ok()) return data_set.status();
  data_set_ = *data_set;
  return absl::OkStatus();
}

absl::Status Server::StartAdmin() {
  AddAdminRoutes(admin_routes_, {.metrics = [this] { return metrics_.Serialize(); },
                                 .why_not_ready = [this] { return WhyNotReady(); },
                                 .why_not_healthy = [this] { return watchdog_.stuck(); },
                                 .page = DashboardPage});
  AddDashboardFiles(admin_routes_);
  descriptors_ = FitDescriptors(config_.lanes);
  admin_ = std::make_unique<HttpServer>(admin_routes_, HttpLimits{.connections_max = descriptors_.admin,
                                                                  .connections_per_address_max = descriptors_.admin,
                                                                  .drain_timeout = limits::kStopAdminWait});
  if (auto status = admin_->Start(config_.admin_address); !status.ok()) return SettingError("--admin-address", status);
  // The address was checked when the configuration was read.
  const HostPort given = *ParseHostPort(config_.admin_address);
  admin_address_ = HostPort{given.host, admin_->port()}.ToString();
  return absl::OkStatus();
}

absl::StatusOr<RedisAddress> Server::AddressOfRedis() {
  if (config_.redis != "embedded") return ParseRedisAddress(config_.redis);
  auto embedded =
      EmbeddedRedis::Start({.data_dir = config_.data_dir}, [this] { metrics_.redis_embedded_restarts.Increment(); });
  if (!embedded.ok()) return embedded.status();
  embedded_ = *std::move(embedded);
  RedisAddress address;
  address.socket_path = embedded_->socket_path();
  return address;
}

absl::Status Server::OpenStore() {
  const auto address = AddressOfRedis();
  if (!address.ok()) return address.status();
  store_ = std::make_unique<RedisStore>(
      store_thread_.executor(),
      RedisStore::Options{.address = *address,
                          .data_set = data_set_,
                          .keep_data_set = [this](DataSetId id) { return WriteDataSet(disk_, config_.data_dir, id); },
                          .waivers = config_.redis_waivers},
      metrics_);
  SetUnready("waiting for Redis");
  return absl::OkStatus();
}

absl::Status Server::AwaitStore(std::future<absl::Status> result) {
  constexpr milliseconds kPoll{20};
  while (!IsWithoutStore() && result.wait_for(milliseconds(0)) != std::future_status::ready) {
    if (stop_.Wait(kPoll)) return absl::CancelledError("asked to stop");
    std::string problem = store_->problem();
    if (problem.empty()) problem = store_->refused_writes();
    if (problem.empty()) continue;
    SetUnready(problem);
    if (clock_.Now() < start_store_until_) continue;
    if (auto status = store_thread_.Spawn(meeting_->GoOnWithout()).get(); !status.ok()) return status;
    const MutexLock lock(unready_mutex_);
    without_store_ = true;
  }
  return IsWithoutStore() ? absl::OkStatus() : result.get();
}

absl::Status Server::StartLanes() {
  const auto executor = store_thread_.executor();
  keeper_ = std::make_unique<SiteSync>(executor, *store_, *sites_, clock_);
  day_remover_ = std::make_unique<DayRemover>(executor, DayRemover::Dependencies{*store_, *keeper_, *sites_, clock_});
  salt_rotator_ = std::make_unique<SaltRotator>(executor, SaltRotator::Dependencies{*store_, clock_, salts_});
  sites_->Listen(*salt_rotator_);
  const auto fenced = [this](const absl::Status& status) {
    spdlog::critical("{}", ToStd(status.message()));
    stop_.Request(kExitFenced);
  };
  meeting_ = std::make_unique<StoreMeeting>(
      StoreMeeting::Dependencies{*store_, *sites_, *keeper_, *salt_rotator_, *lanes_, clock_},
      StoreMeeting::Options{.sites = config_.sites, .flush_interval = config_.flush_interval, .fenced = fenced});
  start_store_until_ = clock_.Now() + (embedded_ == nullptr ? limits::kStartStoreWait : limits::kStartEmbeddedWait);
  if (auto status = AwaitStore(store_thread_.Spawn(meeting_->Prepare())); !status.ok()) return status;
  MakeReaders();
  sites_->Listen(*lanes_);
  if (auto status = AwaitStore(store_thread_.Spawn(Meet())); !status.ok()) return status;
  lanes_->StartTaking();
  return absl::OkStatus();
}

void Server::MakeReaders() {
  const auto executor = store_thread_.executor();
  // Earlier is not allowed: until here a lane may give up its identity and be replaced.
  metrics_.SetSources({.pending_views = [this] { return lanes_->pending_views(); },
                       .oldest_unflushed_age_seconds = [this] { return lanes_->oldest_pending_age().count(); },
                       .queued_bytes = [this] { return lanes_->queued_bytes(); },
                       .writers = [this] { return lanes_->writers(); },
                       .chunk_bytes = [this] { return lanes_->chunk_bytes(); },
                       .journal_bytes = [this] { return lanes_->journal_bytes(); },
                       .journal_budget_bytes = [this] { return lanes_->journal_budget_bytes(); },
                       .refusing_lanes = [this] { return lanes_->refusing_lanes(); }});
  cache_ = std::make_unique<CountCache>(lanes_->cached_lanes());
  counts_ = std::make_unique<CountReader>(*store_, *cache_, clock_);
  catalog_ = std::make_unique<ArticleCatalog>(*sites_, *store_, clock_);
  article_labels_ = std::make_unique<ArticleLabels>(*store_, *catalog_, clock_);
  annotations_ = std::make_unique<Annotations>(*sites_, *store_);
  popular_ = std::make_unique<PopularReader>(*store_, *cache_, lanes_->ledgers(), clock_);
  site_totals_ = std::make_unique<SiteTotalReader>(*store_, *cache_, lanes_->ledgers());
  site_stats_ = std::make_unique<SiteStatsReader>(*store_, *site_totals_, clock_);
  exporter_ = std::make_unique<CountExporter>(
      *store_, *counts_, [this](milliseconds timeout) { return lanes_->FlushNow(timeout); },
      [this](const Site& site, const std::vector<Window>& windows) {
        return AreKept(windows, *sites_, site, clock_.UnixMillis());
      });
  query_api_ = std::make_unique<QueryApi>(
      QueryApi::Dependencies{*sites_, *counts_, *site_stats_, *site_totals_, *article_labels_, clock_});
  published_ = std::make_unique<PublishedArticles>(*catalog_, clock_);
  rising_ = std::make_unique<RisingReader>(*popular_, *counts_, *site_totals_, clock_);
  recent_ = std::make_unique<RecentReader>(*sites_, *store_, *popular_, clock_);
  list_api_ = std::make_unique<ListApi>(ListApi::Dependencies{*sites_, *counts_, *popular_, *exporter_, *catalog_,
                                                              *published_, *rising_, *recent_, clock_});
  const ReaderParts readers{.sites = *sites_,
                            .queries = *query_api_,
                            .lists = *list_api_,
                            .own_pages = &own_pages_,
                            .store = executor,
                            .clock = clock_};
  AddAqsRoutes(question_routes_, readers);
  AddGrafanaRoutes(question_routes_, readers);
  query_maintenance_ = std::make_unique<QueryMaintenance>(executor, *counts_, *popular_, *recent_);
  online_ = std::make_unique<OnlineReaders>(executor, *store_, clock_);
  watcher_ = std::make_unique<CountWatcher>(
      executor, CountWatcher::Dependencies{*sites_, *counts_, *site_stats_, clock_, metrics_});
  adjuster_ = std::make_unique<Adjuster>(executor, Adjuster::Dependencies{.sites = *sites_,
                                                                          .store = *store_,
                                                                          .site_store = *store_,
                                                                          .counts = *counts_,
                                                                          .totals = *site_totals_,
                                                                          .lanes = lanes_->lanes(),
                                                                          .ledgers = lanes_->ledgers(),
                                                                          .clock = clock_});
  importer_ = std::make_unique<CountImporter>(
      CountImporter::Dependencies{.sites = *sites_,
                                  .store = *store_,
                                  .counts = *counts_,
                                  .adjuster = *adjuster_,
                                  .totals = *site_totals_,
                                  .imports = *store_,
                                  .lanes = lanes_->lanes().size(),
                                  .ledgers = lanes_->ledgers(),
                                  .flush = [this](milliseconds timeout) { return lanes_->FlushNow(timeout); },
                                  .clock = clock_});
  snapshots_ = std::make_unique<SnapshotExporter>(SnapshotExporter::Dependencies{.sites = *sites_,
                                                                                 .store = *store_,
                                                                                 .snapshots = *store_,
                                                                                 .articles = *store_,
                                                                                 .counts = *counts_,
                                                                                 .totals = *site_totals_,
                                                                                 .adjuster = *adjuster_,
                                                                                 .exporter = *exporter_,
                                                                                 .ledgers = lanes_->ledgers(),
                                                                                 .clock = clock_});
  AddSiteList(question_routes_, *sites_, own_pages_);
  questions_by_site_.emplace(question_routes_, *sites_, &own_pages_);
  AddQueryRoutes(*questions_by_site_, *query_api_, operators_, executor);
  AddListRoutes(*questions_by_site_, *list_api_, operators_, executor);
  AddArticleRoute(*questions_by_site_, *catalog_, executor, ArticleReaders::kOperators);
  AddChangeRoutes(*questions_by_site_, own_pages_, *adjuster_, *annotations_, executor);
  admin_routes_.AddTable(question_routes_);
  MakeAlerts();
}

void Server::MakeAlerts() {
  const auto executor = store_thread_.executor();
  // The ranges were checked when the configuration was read.
  const AddressRanges allowed = *AddressRanges::Parse(config_.alert_private_addresses);
  webhooks_ = std::make_unique<WebhookSender>(WebhookSender::Options{.private_addresses = allowed}, clock_, metrics_);
  alert_reader_ = std::make_unique<AlertReader>(
      AlertReader::Dependencies{*counts_, *site_totals_, *popular_, *catalog_, *list_api_});
  alert_checker_ = std::make_unique<AlertChecker>(
      executor, AlertChecker::Dependencies{*sites_, *store_, *alert_reader_, *catalog_, *webhooks_, clock_, metrics_});
  alerts_ = std::make_unique<AlertApi>(
      executor, AlertApi::Dependencies{*sites_, *store_, *alert_reader_, *alert_checker_, clock_, allowed});
}

asio::awaitable<absl::Status> Server::Meet() {
  keeping_ = std::make_unique<WaitGroup>(co_await asio::this_coro::executor);
  keeping_->Spawn(watcher_->Run());
  keeping_->Spawn(query_maintenance_->Run());
  absl::Status status = co_await meeting_->Recover(*cache_);
  if (status.ok() && store_closed_) status = absl::CancelledError("the service is stopping");
  if (!status.ok()) co_return status;
  keeping_->Spawn(keeper_->Run());
  keeping_->Spawn(day_remover_->Run());
  keeping_->Spawn(online_->Run());
  keeping_->Spawn(salt_rotator_->Run());
  keeping_->Spawn(alert_checker_->Run());
  NoteMet();
  co_return status;
}

bool Server::IsWithoutStore() {
  const MutexLock lock(unready_mutex_);
  return without_store_;
}

void Server::NoteMet() {
  bool late = false;
  {
    const MutexLock lock(unready_mutex_);
    met_ = true;
    late = without_store_;
  }
  if (late) spdlog::info("ready: Redis has come, and what it lacks is taken from the journals");
}

absl::Status Server::StartGrpc() {
  const auto executor = store_thread_.executor();
  ingestor_ = std::make_unique<Ingestor>(lanes_->lanes(), *sites_, clock_, metrics_);
  ingest_service_ = std::make_unique<v1::IngestService::Service>();
  query_service_ = std::make_unique<GrpcQueryService>(
      GrpcQueryService::Dependencies{executor, *sites_, *query_api_, *list_api_, *watcher_, *exporter_, clock_});
  admin_service_ = std::make_unique<GrpcAdminService>(GrpcAdminService::Dependencies{
      executor, *sites_, *keeper_, *adjuster_, *importer_, *snapshots_, *catalog_, *annotations_, *lanes_, *store_,
      *site_totals_, *alerts_, clock_, metrics_, started_});
  auto server = GrpcServer::Start({.address = config_.grpc_address,
                                   .services = {ingest_service_.get(), query_service_.get(), admin_service_.get()},
                                   .methods = [this](const Method& others) { return GrpcMethods(others); },
                                   .loops = GrpcLoops(),
                                   .limits = {.connections_max = descriptors_.grpc},
                                   .observer = GrpcObserver()});
  if (!server.ok()) return server.status();
  grpc_ = *std::move(server);
  return absl::OkStatus();
}

AcceptedPeers::Observer Server::GrpcObserver() {
  return {.open = [this](size_t open) { metrics_.grpc_connections.Set(static_cast<double>(open)); },
          .refused =
              [this](AcceptedPeers::Refusal refusal) {
                const bool in_all = refusal == AcceptedPeers::Refusal::kTooMany;
                metrics_.GrpcConnectionRefused(in_all ? ConnectionRefusal::kInAll : ConnectionRefusal::kPerAddress)
                    .Increment();
              },
          .displaced = [this] { metrics_.grpc_connections_displaced.Increment(); }};
}

Methods Server::GrpcMethods(const Method& others) {
  return {{kRecordViewsPath, RecordViewsMethod(*ingestor_)},
          {kStreamViewsPath, StreamViewsMethod(*ingestor_)},
          {kGetCountsPath, GetCountsMethod(*query_api_, others)},
          {kListPopularPath, ListPopularMethod(*list_api_, others)}};
}

absl::Status Server::StartHttp() {
  bots_ = std::make_unique<const BotPatterns>();
  const HttpPort::Dependencies parts{.sites = *sites_,
                                     .ingestor = *ingestor_,
                                     .queries = *query_api_,
                                     .lists = *list_api_,
                                     .counts = *counts_,
                                     .watcher = *watcher_,
                                     .stats = *site_stats_,
                                     .online = *online_,
                                     .catalog = *catalog_,
                                     .exporter = *exporter_,
                                     .bots = *bots_,
                                     .salts = salts_,
                                     .store = store_thread_.executor(),
                                     .clock = clock_,
                                     .metrics = metrics_};
  ReportFewDescriptors(descriptors_);
  http_ = std::make_unique<HttpPort>(parts, HttpPort::Audience::kPublic, config_);
  if (auto status = http_->Start(config_, descriptors_.http); !status.ok()) return status;
  if (config_.backend_address == kNoListener) return absl::OkStatus();
  backend_http_ = std::make_unique<HttpPort>(parts, HttpPort::Audience::kBackends, config_);
  return backend_http_->Start(config_, descriptors_.backend_http);
}

std::vector<HttpServer*> Server::HttpServers() {
  std::vector<HttpServer*> servers;
  for (HttpPort* const port : {http_.get(), backend_http_.get()}) {
    if (port != nullptr && port->server() != nullptr) servers.push_back(port->server());
  }
  return servers;
}

absl::Status Server::StartWatchdog() {
  size_t number = 0;
  for (const Lane* lane : lanes_->lanes()) {
    watchdog_.Watch(fmt::format("lane {}", number++), [lane] { return lane->steps(); });
  }
  watchdog_.Watch("the store thread", store_thread_.executor());
  watchdog_.Watch("the HTTP thread", http_->server()->executor());
  if (backend_http_ != nullptr) watchdog_.Watch("the backends' HTTP thread", backend_http_->server()->executor());
  watchdog_.Start();
  return absl::OkStatus();
}

absl::Status Server::WriteAddresses() {
  const std::string text = fmt::format("grpc={}\nhttp={}\nbackend={}\nadmin={}\n", grpc_->address(), http_->address(),
                                       BackendAddress(), admin_address_);
  const SteadyTime end = clock_.Now() + kDiskPatience;
  while (true) {
    const absl::Status status = WriteFileDurably(disk_, config_.data_dir + "/addresses", text);
    if (!absl::IsResourceExhausted(status) || clock_.Now() >= end) return status;
    std::this_thread::sleep_for(kDiskPause);
  }
}

std::string Server::BackendAddress() const {
  return backend_http_ == nullptr ? std::string(kNoListener) : backend_http_->address();
}

ExitCode Server::Stop() {
  SetUnready("stopping");
  // A lane that another process uses must not continue, so there is no delay then.
  if (http_ != nullptr && config_.shutdown_delay.count() > 0 && stop_.exit_code() == kExitOk) {
    if (grpc_ != nullptr) grpc_->SayNotServing();
    spdlog::info("serving on for {} ms before the stop; another SIGTERM ends the wait", config_.shutdown_delay.count());
    stop_.WaitForAnother(config_.shutdown_delay);
  }
  const SteadyTime end = clock_.Now() + limits::kStopWait;
  watchdog_.Stop();
  StopWatching();
  // A call may wait for a webhook.
  if (webhooks_ != nullptr) webhooks_->Stop();
  for (HttpServer* const server : HttpServers()) server->BeginDrain();
  if (grpc_ != nullptr) grpc_->Stop(limits::kStopCallsWait);
  for (HttpServer* const server : HttpServers()) server->Drain();
  lanes_->StopTaking();
  ExitCode code = stop_.exit_code();
  // Calls that wait for a silent Redis end when their command times out. That may take longer than kStopCallsWait.
  const SteadyTime flush_end =
      std::min(clock_.Now() + limits::kStopFlushWait, end - 2 * limits::kStopStoreWait - limits::kStopHttpWait -
                                                          limits::kStopEmbeddedWait - limits::kStopAdminWait);
  if (grpc_ != nullptr && !FlushAll(flush_end) && code == kExitOk) code = kExitUnflushed;
  CloseStore();
  for (HttpServer* const server : HttpServers()) server->Stop();
  if (embedded_ != nullptr) embedded_->Stop(clock_.Now() + limits::kStopEmbeddedWait);
  admin_->Stop();
  spdlog::info("stopped");
  return code;
}

bool Server::FlushAll(SteadyTime deadline) {
  auto flushed = store_thread_.Spawn([](Server& self, SteadyTime until) -> asio::awaitable<absl::Status> {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (true) {
      const auto left = duration_cast<milliseconds>(until - self.clock_.Now());
      absl::Status status = co_await self.lanes_->FlushNow(std::max(left, milliseconds(0)));
      // Redis may be becoming available, and this is the last chance to flush.
      if (!IsTransient(status) || self.clock_.Now() + kStorePause >= until) co_return status;
      pause.expires_after(kStorePause);
      co_await pause.async_wait(asio::use_awaitable);
    }
  }(*this, deadline));
  const absl::Status status = flushed.get();
  if (status.ok()) return true;
  bool met = false;
  {
    const MutexLock lock(unready_mutex_);
    met = met_;
  }
  // The pending views of earlier starts are not known before the store is available.
  spdlog::warn("{}{} views are not in Redis yet; they stay in the journal for the next start: {}",
               met ? "" : "at least ", lanes_->pending_views(), ToStd(status.message()));
  return false;
}

void Server::StopWatching() {
  if (watcher_ == nullptr || store_closed_) return;
  exporter_->Stop();
  importer_->Stop();
  asio::post(store_thread_.executor(), [this] { watcher_->Stop(); });
}

void Server::CloseStore() {
  if (store_ == nullptr || store_closed_.exchange(true)) return;
  auto closed = store_thread_.Spawn([](Server& self) -> asio::awaitable<void> {
    if (self.meeting_ != nullptr) co_await self.meeting_->Stop();
    if (self.keeping_ != nullptr) {
      self.keeper_->Stop();
      self.day_remover_->Stop();
      self.salt_rotator_->Stop();
      self.query_maintenance_->Stop();
      self.online_->Stop();
      self.alert_checker_->Stop();
      co_await self.keeping_->Wait();
    }
    co_await self.lanes_->StopFlushing();
    self.store_->Close();
  }(*this));
  if (closed.wait_for(limits::kStopStoreWait) != std::future_status::ready)
    spdlog::warn("Redis does not answer any more");
  store_thread_.Drain(limits::kStopStoreWait);
}

std::optional<std::string> Server::WhyNotReady() {
  {
    const MutexLock lock(unready_mutex_);
    if (unready_) return unready_;
    if (!met_) {
      const std::string problem = store_->problem();
      return problem.empty() ? "what the journals hold is being compared with Redis" : problem;
    }
  }
  const auto refusal = lanes_->refusal();
  return refusal ? std::optional("views are refused: " + *refusal) : std::nullopt;
}

void Server::SetUnready(std::optional<std::string> reason) {
  const MutexLock lock(unready_mutex_);
  unready_ = std::move(reason);
}

}  // namespace viewcount
