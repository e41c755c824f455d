#include "service/server/grpc_admin_service.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/version.h"
#include "service/grpc/spawn.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;
using std::chrono::duration_cast, std::chrono::milliseconds;

namespace {

// A caller that gives no deadline of its own waits no longer than this.
constexpr milliseconds kFlushTimeout{60'000};

void Fill(const Site& site, v1::Site& message) {
  message.set_name(site.name);
  message.set_time_zone(site.time_zone);
}

uint64_t ValueOf(const prometheus::Counter& counter) { return static_cast<uint64_t>(counter.Value()); }

}  // namespace

grpc::ServerUnaryReactor* GrpcAdminService::PutSite(grpc::CallbackServerContext* context,
                                                    const v1::PutSiteRequest* request, v1::PutSiteResponse* response) {
  auto site = MakeSite(request->site().name(), request->site().time_zone());
  if (!site.ok()) return Answer(context, site.status());
  return Spawn(context, parts_.executor, [this, site = *std::move(site), response]() -> asio::awaitable<absl::Status> {
    const auto created = co_await parts_.keeper.Put(site);
    if (!created.ok()) co_return created.status();
    Fill(site, *response->mutable_site());
    response->set_created(*created);
    co_return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdminService::ListSites(grpc::CallbackServerContext* context, const v1::ListSitesRequest*,
                                                      v1::ListSitesResponse* response) {
  for (const auto& site : parts_.sites.All()) Fill(*site, *response->add_sites());
  return Answer(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* GrpcAdminService::GetStatus(grpc::CallbackServerContext* context, const v1::GetStatusRequest*,
                                                      v1::GetStatusResponse* response) {
  response->set_version(std::string(Version()));
  const auto uptime = duration_cast<milliseconds>(parts_.clock.Now() - parts_.started);
  *response->mutable_uptime() = TimeUtil::MillisecondsToDuration(uptime.count());
  response->set_data_set_id(ToHex(parts_.store.data_set()));
  const std::string problem = parts_.store.problem();
  response->set_store_state(problem.empty() ? v1::STORE_STATE_READY : v1::STORE_STATE_AWAY);
  response->set_store_message(problem);
  Metrics& metrics = parts_.metrics;
  uint64_t rejected = 0;
  for (int reason = 0; reason < kRejectReasons; ++reason) {
    rejected += ValueOf(metrics.Rejected(static_cast<RejectReason>(reason)));
  }
  response->set_received_views(ValueOf(metrics.views_received));
  response->set_counted_views(ValueOf(metrics.views_counted));
  response->set_duplicate_views(ValueOf(metrics.views_duplicate));
  response->set_rejected_views(rejected);
  response->set_pending_views(parts_.lanes.pending_views());
  const auto age = duration_cast<milliseconds>(parts_.lanes.oldest_pending_age());
  *response->mutable_oldest_pending_age() = TimeUtil::MillisecondsToDuration(age.count());
  for (const LaneSet::LaneState& state : parts_.lanes.states()) {
    auto* lane = response->add_lanes();
    lane->set_lane_id(ToHex(state.id));
    lane->set_position(state.totals.position.value);
    lane->set_flushed_position(state.totals.flushed.value);
    lane->set_pending_views(state.totals.pending_views);
    lane->set_sealed_chunks(state.totals.sealed ? 1 : 0);
    lane->set_writers(state.writers);
  }
  response->set_default_durability(v1::DURABILITY_MEMORY);
  return Answer(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* GrpcAdminService::Flush(grpc::CallbackServerContext* context, const v1::FlushRequest*,
                                                  v1::FlushResponse* response) {
  const auto left = duration_cast<milliseconds>(context->deadline() - std::chrono::system_clock::now());
  const milliseconds timeout = std::clamp(left, milliseconds(0), kFlushTimeout);
  return Spawn(context, parts_.executor, [this, timeout, response]() -> asio::awaitable<absl::Status> {
    const uint64_t pending = parts_.lanes.pending_views();
    const absl::Status status = co_await parts_.lanes.FlushNow(timeout);
    if (absl::IsDeadlineExceeded(status)) co_return status;
    if (!status.ok()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
    }
    response->set_flushed_views(pending);
    co_return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdminService::PutArticles(grpc::CallbackServerContext* context,
                                                        const v1::PutArticlesRequest*, v1::PutArticlesResponse*) {
  return Answer(context, NotBuiltYet("PutArticles"));
}

grpc::ServerUnaryReactor* GrpcAdminService::SetCounts(grpc::CallbackServerContext* context, const v1::SetCountsRequest*,
                                                      v1::SetCountsResponse*) {
  return Answer(context, NotBuiltYet("SetCounts"));
}

grpc::ServerUnaryReactor* GrpcAdminService::MergeArticles(grpc::CallbackServerContext* context,
                                                          const v1::MergeArticlesRequest*, v1::MergeArticlesResponse*) {
  return Answer(context, NotBuiltYet("MergeArticles"));
}

grpc::ServerUnaryReactor* GrpcAdminService::DeleteArticles(grpc::CallbackServerContext* context,
                                                           const v1::DeleteArticlesRequest*,
                                                           v1::DeleteArticlesResponse*) {
  return Answer(context, NotBuiltYet("DeleteArticles"));
}

grpc::ServerUnaryReactor* GrpcAdminService::ListAdjustments(grpc::CallbackServerContext* context,
                                                            const v1::ListAdjustmentsRequest*,
                                                            v1::ListAdjustmentsResponse*) {
  return Answer(context, NotBuiltYet("ListAdjustments"));
}

grpc::ServerUnaryReactor* GrpcAdminService::UndoAdjustment(grpc::CallbackServerContext* context,
                                                           const v1::UndoAdjustmentRequest*,
                                                           v1::UndoAdjustmentResponse*) {
  return Answer(context, NotBuiltYet("UndoAdjustment"));
}

}  // namespace viewcount
