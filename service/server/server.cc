#include "service/server/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "service/base/address.h"
#include "service/base/files.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/http/admin_routes.h"

namespace viewcount {
namespace asio = boost::asio;
using std::chrono::milliseconds;

Server::Server(Config config, StopSignal& stop) : config_(std::move(config)), stop_(stop) {}

Server::~Server() {
  // After a start that failed half way, what was started ends here.
  grpc_.reset();
  if (lanes_ != nullptr) lanes_->StopTaking();
  CloseStore();
  if (admin_ != nullptr) admin_->Stop();
  metrics_.ClearSources();
}

absl::Status Server::Start() {
  for (const auto step : {&Server::OpenData, &Server::StartAdmin, &Server::OpenStore, &Server::StartLanes,
                          &Server::StartGrpc, &Server::WriteAddresses}) {
    if (auto status = (this->*step)(); !status.ok()) return status;
  }
  SetUnready(std::nullopt);
  spdlog::info("ready: gRPC on {}, admin on {}, data in {}", grpc_->address(), admin_address_, config_.data_dir);
  return absl::OkStatus();
}

absl::Status Server::OpenData() {
  if (auto status = MakeFolder(config_.data_dir); !status.ok()) return status;
  auto lanes = LaneSet::Open(config_.data_dir, config_.lanes, clock_, metrics_);
  if (!lanes.ok()) return lanes.status();
  lanes_ = *std::move(lanes);
  const std::string path = config_.data_dir + "/DATASET";
  const auto text = ReadFile(path);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  const auto id = IdFromHex<DataSetId>(std::string_view(*text).substr(0, 32));
  if (!id) return absl::FailedPreconditionError(fmt::format("{} holds no data set ID; restore it", path));
  data_set_ = *id;
  return absl::OkStatus();
}

absl::Status Server::StartAdmin() {
  AddAdminRoutes(admin_routes_, {.metrics = [this] { return metrics_.Serialize(); },
                                 .why_not_ready = [this]() -> std::optional<std::string> {
                                   std::lock_guard lock(unready_mutex_);
                                   return unready_;
                                 }});
  metrics_.SetSources({.pending_views = [this] { return lanes_->pending_views(); },
                       .oldest_unflushed_age_seconds = [this] { return lanes_->oldest_pending_age().count(); },
                       .queued_bytes = [this] { return lanes_->queued_bytes(); },
                       .writers = [this] { return lanes_->writers(); },
                       .chunk_bytes = [this] { return lanes_->chunk_bytes(); }});
  admin_ = std::make_unique<HttpServer>(admin_routes_, HttpLimits{.drain_timeout = limits::kStopAdminWait});
  if (auto status = admin_->Start(config_.admin_address); !status.ok()) {
    return absl::FailedPreconditionError(fmt::format("--admin-address: {}", ToStd(status.message())));
  }
  // Checked when the configuration was read.
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
                          .keep_data_set = [path = config_.data_dir + "/DATASET"](
                                               DataSetId id) { return WriteFileDurably(path, ToHex(id) + "\n"); }},
      metrics_);
  SetUnready("waiting for Redis");
  return Await(store_thread_.Spawn(store_->Open()));
}

absl::Status Server::Await(std::future<absl::Status> result) {
  constexpr milliseconds kPoll{20};
  while (result.wait_for(milliseconds(0)) != std::future_status::ready) {
    if (stop_.Wait(kPoll)) return absl::CancelledError("asked to stop");
    if (const std::string problem = store_->problem(); !problem.empty()) SetUnready(problem);
  }
  return result.get();
}

absl::Status Server::StartLanes() {
  const auto executor = store_thread_.executor();
  sites_ = std::make_unique<SiteDirectory>(std::vector<SiteListener*>{lanes_.get()});
  cache_ = std::make_unique<CountCache>(lanes_->cached_lanes());
  counts_ = std::make_unique<CountReader>(*store_, *cache_, clock_);
  popular_ = std::make_unique<PopularReader>(*store_, *cache_, *counts_, lanes_->ledgers(), clock_);
  keeper_ = std::make_unique<SiteKeeper>(executor, *store_, *sites_);
  return Await(store_thread_.Spawn([](Server& self) -> asio::awaitable<absl::Status> {
    if (auto status = co_await self.keeper_->Refresh(); !status.ok()) co_return status;
    if (auto status = co_await self.keeper_->Create(self.config_.sites); !status.ok()) co_return status;
    if (auto status = co_await self.lanes_->ForgetRetired(*self.store_); !status.ok()) co_return status;
    self.lanes_->StartFlushing(co_await asio::this_coro::executor, {.store = *self.store_,
                                                                    .sites = *self.sites_,
                                                                    .listener = *self.cache_,
                                                                    .interval = self.config_.flush_interval,
                                                                    .fenced = [&self](const absl::Status& status) {
                                                                      spdlog::critical("{}", ToStd(status.message()));
                                                                      self.stop_.Request(kExitFenced);
                                                                    }});
    self.keeping_ = std::make_unique<WaitGroup>(co_await asio::this_coro::executor);
    self.keeping_->Spawn(self.keeper_->Run());
    co_return absl::OkStatus();
  }(*this)));
}

absl::Status Server::StartGrpc() {
  const auto executor = store_thread_.executor();
  ingestor_ = std::make_unique<Ingestor>(lanes_->lanes(), *sites_, clock_, metrics_);
  ingest_service_ = std::make_unique<GrpcIngestService>(*ingestor_);
  query_service_ =
      std::make_unique<GrpcQueryService>(GrpcQueryService::Parts{executor, *sites_, *counts_, *popular_, clock_});
  admin_service_ = std::make_unique<GrpcAdminService>(
      GrpcAdminService::Parts{executor, *sites_, *keeper_, *lanes_, *store_, clock_, metrics_, started_});
  auto server =
      GrpcServer::Start(config_.grpc_address, {ingest_service_.get(), query_service_.get(), admin_service_.get()});
  if (!server.ok()) return server.status();
  grpc_ = *std::move(server);
  return absl::OkStatus();
}

absl::Status Server::WriteAddresses() {
  return WriteFileDurably(config_.data_dir + "/addresses",
                          fmt::format("grpc={}\nadmin={}\n", grpc_->address(), admin_address_));
}

ExitCode Server::Stop() {
  SetUnready("stopping");
  if (grpc_ != nullptr) grpc_->Stop(limits::kStopCallsWait);
  lanes_->StopTaking();
  ExitCode code = stop_.exit_code();
  if (grpc_ != nullptr && !FlushAll() && code == kExitOk) code = kExitUnflushed;
  CloseStore();
  if (embedded_ != nullptr) embedded_->Stop(clock_.Now() + limits::kStopEmbeddedWait);
  admin_->Stop();
  spdlog::info("stopped");
  return code;
}

bool Server::FlushAll() {
  using std::chrono::duration_cast;
  constexpr milliseconds kRetryEvery{100};
  const SteadyTime deadline = clock_.Now() + limits::kStopFlushWait;
  absl::Status status;
  // Nobody could ask again, so a store that is away for a moment is waited for.
  do {
    if (!status.ok()) std::this_thread::sleep_for(kRetryEvery);
    const auto left = duration_cast<milliseconds>(deadline - clock_.Now());
    status = store_thread_.Spawn(lanes_->FlushNow(std::max(left, milliseconds(0)))).get();
  } while (!status.ok() && clock_.Now() < deadline && stop_.exit_code() != kExitFenced);
  if (status.ok()) return true;
  spdlog::error("{} views were not flushed and are lost: {}", lanes_->pending_views(), ToStd(status.message()));
  return false;
}

void Server::CloseStore() {
  if (store_ == nullptr || std::exchange(store_closed_, true)) return;
  auto closed = store_thread_.Spawn([](Server& self) -> asio::awaitable<void> {
    if (self.keeping_ != nullptr) {
      self.keeper_->Stop();
      co_await self.keeping_->Wait();
      co_await self.lanes_->StopFlushing();
      if (self.lanes_->pending_views() == 0 && self.store_->problem().empty()) {
        // Only tidying: the next start would do it.
        (co_await self.lanes_->Retire(*self.store_)).IgnoreError();
      }
    }
    self.store_->Close();
  }(*this));
  if (closed.wait_for(limits::kStopStoreWait) != std::future_status::ready)
    spdlog::warn("Redis does not answer any more");
  store_thread_.Drain(limits::kStopStoreWait);
}

void Server::SetUnready(std::optional<std::string> reason) {
  std::lock_guard lock(unready_mutex_);
  unready_ = std::move(reason);
}

}  // namespace viewcount
