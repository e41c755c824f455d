#include "service/grpc/grpc_admin_service.h"

#include <absl/cleanup/cleanup.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "service/addresses/rule_message.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/version.h"
#include "service/grpc/grpc_export_stream.h"
#include "service/grpc/grpc_import_stream.h"
#include "service/grpc/spawn.h"
#include "service/instance/audit.h"
#include "service/instance/audit_repair.h"
#include "service/sites/agent_message.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;
using std::chrono::duration_cast, std::chrono::milliseconds;

namespace {

// The longest wait of a flush. A caller's earlier deadline shortens it.
constexpr milliseconds kFlushTimeout{60'000};

// The state after a start without the store, when the store has just become available.
constexpr char kBeingCompared[] = "what the journals hold is being compared with Redis";

void Fill(const Site& site, v1::Site& message) {
  message.set_name(site.name);
  message.set_time_zone(site.settings.time_zone);
  for (const std::string& origin : site.settings.allowed_origins) message.add_allowed_origins(origin);
  const auto cool_down = site.settings.cool_down.count();
  if (cool_down > 0) *message.mutable_cool_down() = TimeUtil::SecondsToDuration(cool_down);
  for (const std::string& range : site.settings.excluded_addresses) message.add_excluded_addresses(range);
  message.set_announced_articles_only(site.settings.announced_articles_only);
  FillRule(site.settings.articles, message);
  FillAgents(site.settings.agents, message);
  message.set_session_viewers(site.settings.session_viewers);
  if (site.settings.hours_kept_days != kHoursKeptDaysMin) {
    *message.mutable_hours_kept() = TimeUtil::HoursToDuration(24 * int64_t{site.settings.hours_kept_days});
  }
  if (site.settings.days_kept_days != 0) {
    *message.mutable_days_kept() = TimeUtil::HoursToDuration(24 * int64_t{site.settings.days_kept_days});
  }
  message.set_public_reads(site.settings.public_reads);
  message.set_page_announcements(site.settings.page_announcements);
  for (const EarlierZone& zone : site.settings.earlier_zones) {
    auto& earlier = *message.add_earlier_time_zones();
    earlier.set_time_zone(zone.time_zone);
    *earlier.mutable_until() = TimeUtil::MillisecondsToTimestamp(zone.until_unix_ms);
  }
}

// Returns the number of days. Returns one that no setting may have if the duration is not a whole number of days.
uint32_t WholeDays(const google::protobuf::Duration& duration) {
  constexpr int64_t kSecondsOfDay = 86'400;
  const int64_t days = duration.seconds() / kSecondsOfDay;
  const bool whole = duration.nanos() == 0 && duration.seconds() % kSecondsOfDay == 0;
  return whole && days > 0 && days <= kDaysKeptDaysMax ? static_cast<uint32_t>(days) : kDaysKeptDaysMax + 1;
}

SiteSettings SettingsOf(const v1::Site& message) {
  SiteSettings settings{.time_zone = message.time_zone()};
  settings.allowed_origins.assign(message.allowed_origins().begin(), message.allowed_origins().end());
  // A fraction of a second is rounded up, so that the cool-down is at least as long as requested.
  const int64_t seconds = std::min(message.cool_down().seconds(), limits::kCoolDownMax.count() + 1);
  settings.cool_down = std::chrono::seconds(seconds + (message.cool_down().nanos() > 0 ? 1 : 0));
  settings.excluded_addresses.assign(message.excluded_addresses().begin(), message.excluded_addresses().end());
  settings.announced_articles_only = message.announced_articles_only();
  settings.articles = RuleSettingsOf(message);
  settings.agents = AgentSettingsOf(message);
  settings.session_viewers = message.session_viewers();
  if (message.has_hours_kept()) settings.hours_kept_days = WholeDays(message.hours_kept());
  if (message.has_days_kept()) settings.days_kept_days = WholeDays(message.days_kept());
  settings.public_reads = message.public_reads();
  settings.page_announcements = message.page_announcements();
  return settings;
}

void Fill(const LaneAudit& lane, v1::LaneAudit& message) {
  message.set_lane_id(ToHex(lane.state.identity.id));
  message.set_received_views(lane.state.counters.received);
  message.set_counted_views(lane.state.counters.counted);
  message.set_duplicate_views(lane.state.counters.duplicate);
  message.set_rejected_views(lane.state.counters.rejected);
  message.set_waiting_views(lane.state.counters.waiting);
  message.set_journaled_views(lane.journaled);
  message.set_pending_views(lane.state.totals.pending_views);
  message.set_stored_views(lane.stored.views);
  message.set_set_aside_views(lane.stored.set_aside);
  message.set_lost_views(lane.stored.lost);
  message.set_adjusted_views(lane.stored.adjusted);
}

void Fill(const Audit& audit, v1::AuditResponse& message) {
  message.set_agrees(audit.agrees());
  for (const auto* differences : {&audit.differences, &audit.store.differences}) {
    for (const std::string& difference : *differences) message.add_differences(difference);
  }
  message.set_more_differences(audit.store.more_differences);
  for (const auto* names : {&audit.busy, &audit.store.busy}) {
    for (const std::string& name : *names) message.add_busy(name);
  }
  for (const LaneAudit& lane : audit.lanes) Fill(lane, *message.add_lanes());
  message.set_hashes(audit.store.hashes);
  message.set_counts(audit.store.articles);
}

uint64_t ValueOf(const prometheus::Counter& counter) { return static_cast<uint64_t>(counter.Value()); }

}  // namespace

grpc::ServerUnaryReactor* GrpcAdminService::PutSite(grpc::CallbackServerContext* context,
                                                    const v1::PutSiteRequest* request, v1::PutSiteResponse* response) {
  auto site = MakeSite(request->site().name(), SettingsOf(request->site()));
  if (!site.ok()) return Answer(context, site.status());
  return Spawn(context, parts_.executor, [this, site = *std::move(site), response]() -> asio::awaitable<absl::Status> {
    // Another instance may have changed the settings a moment ago, and the new ones remember the present ones.
    if (auto status = co_await parts_.keeper.Refresh(); !status.ok()) co_return status;
    SiteSettings settings = site.settings;
    auto earlier = co_await EarlierZonesOf(site);
    if (!earlier.ok()) co_return earlier.status();
    settings.earlier_zones = *std::move(earlier);
    const auto present = parts_.sites.Find(site.name);
    if (present != nullptr) RememberRetention(*present, parts_.clock.UnixMillis(), settings);
    const auto changed = MakeSite(site.name, std::move(settings));
    if (!changed.ok()) co_return changed.status();
    const auto created = co_await parts_.keeper.Put(*changed);
    if (!created.ok()) co_return created.status();
    Fill(*changed, *response->mutable_site());
    response->set_created(*created);
    co_return absl::OkStatus();
  });
}

asio::awaitable<absl::StatusOr<std::vector<EarlierZone>>> GrpcAdminService::EarlierZonesOf(const Site& wanted) const {
  const auto present = parts_.sites.Find(wanted.name);
  if (present == nullptr) co_return std::vector<EarlierZone>();
  std::vector<EarlierZone> earlier = present->settings.earlier_zones;
  if (present->settings.time_zone == wanted.settings.time_zone) co_return earlier;
  std::vector<Window> all_time = {Window{}};
  const auto totals = co_await parts_.totals.Read(present, std::move(all_time));
  if (!totals.ok()) co_return totals.status();
  // Without views, no day has been counted in the present zone.
  if (totals->views.front() == 0) co_return earlier;
  constexpr int64_t kHourMs = 3'600'000;
  const int64_t now = parts_.clock.UnixMillis();
  if (!earlier.empty() && earlier.back().until_unix_ms > now) {
    // The last change has not taken effect yet, so this one takes its place.
    if (earlier.back().time_zone == wanted.settings.time_zone) earlier.pop_back();
    co_return earlier;
  }
  // Days and hours divide at a full hour of UTC. Instances that can reach the store know of the change by then.
  const int64_t known = now + std::chrono::milliseconds(kSettingsKnownAfter).count();
  earlier.push_back({present->settings.time_zone, (known / kHourMs + 1) * kHourMs});
  co_return earlier;
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
  std::string problem = parts_.store.problem();
  if (problem.empty() && !parts_.lanes.flushes()) problem = kBeingCompared;
  const std::string refused = parts_.store.refused_writes();
  response->set_store_state(!problem.empty()   ? v1::STORE_STATE_AWAY
                            : !refused.empty() ? v1::STORE_STATE_REFUSING
                                               : v1::STORE_STATE_READY);
  response->set_store_message(!problem.empty() ? problem : refused);
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
    lane->set_lane_id(ToHex(state.identity.id));
    lane->set_position(state.totals.position.value);
    lane->set_flushed_position(state.totals.flushed.value);
    lane->set_pending_views(state.totals.pending_views);
    lane->set_sealed_chunks(static_cast<uint32_t>(state.totals.sealed));
    lane->set_writers(state.writers);
  }
  response->set_default_durability(v1::DURABILITY_JOURNALED);
  response->set_refusal_message(parts_.lanes.refusal().value_or(""));
  for (const auto& site : parts_.sites.All()) {
    std::string hint = site->rule.DroppedHint(site->name);
    if (!hint.empty()) response->add_hints("site " + site->name + ": " + hint);
  }
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

grpc::ServerUnaryReactor* GrpcAdminService::Audit(grpc::CallbackServerContext* context, const v1::AuditRequest* request,
                                                  v1::AuditResponse* response) {
  return Spawn(context, parts_.executor, [this, request, response]() -> asio::awaitable<absl::Status> {
    if (!request->repair() && request->has_provenance()) co_return InvalidField("provenance", "is for a repair only");
    // Two concurrent repairs would book one difference twice.
    if (request->repair() && std::exchange(repairing_, true)) {
      co_return RetryLater(absl::StatusCode::kUnavailable, "another repair is under way", limits::kRetryDelay);
    }
    const absl::Cleanup done = [this, repairs = request->repair()] {
      if (repairs) repairing_ = false;
    };
    auto audit = co_await RunAudit(parts_.lanes, parts_.store);
    if (audit.ok() && request->repair() && !audit->agrees()) {
      auto status = co_await RepairAudit(*audit, request->provenance(), parts_.sites, parts_.adjuster, parts_.store);
      if (!status.ok()) co_return status;
      for (const auto* differences : {&audit->differences, &audit->store.differences}) {
        for (const std::string& difference : *differences) response->add_repaired(difference);
      }
      audit = co_await RunAudit(parts_.lanes, parts_.store);
    }
    if (!audit.ok()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(audit.status().message()), limits::kRetryDelay);
    }
    Fill(*audit, *response);
    co_return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdminService::PutArticles(grpc::CallbackServerContext* context,
                                                        const v1::PutArticlesRequest* request,
                                                        v1::PutArticlesResponse*) {
  return Spawn(context, parts_.executor, [this, request] { return parts_.catalog.Put(*request); });
}

grpc::ServerUnaryReactor* GrpcAdminService::SetCounts(grpc::CallbackServerContext* context,
                                                      const v1::SetCountsRequest* request,
                                                      v1::SetCountsResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.adjuster.Set(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::MergeArticles(grpc::CallbackServerContext* context,
                                                          const v1::MergeArticlesRequest* request,
                                                          v1::MergeArticlesResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.adjuster.Merge(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::DeleteArticles(grpc::CallbackServerContext* context,
                                                           const v1::DeleteArticlesRequest* request,
                                                           v1::DeleteArticlesResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.adjuster.Delete(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::NormalizeArticles(grpc::CallbackServerContext* context,
                                                              const v1::NormalizeArticlesRequest* request,
                                                              v1::NormalizeArticlesResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.adjuster.Normalize(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::ListAdjustments(grpc::CallbackServerContext* context,
                                                            const v1::ListAdjustmentsRequest* request,
                                                            v1::ListAdjustmentsResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.adjuster.List(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::UndoAdjustment(grpc::CallbackServerContext* context,
                                                           const v1::UndoAdjustmentRequest* request,
                                                           v1::UndoAdjustmentResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.adjuster.Undo(*request, *response); });
}

grpc::ServerWriteReactor<v1::ExportSnapshotResponse>* GrpcAdminService::ExportSnapshot(
    grpc::CallbackServerContext* context, const v1::ExportSnapshotRequest* request) {
  auto site = parts_.sites.Find(request->site());
  v1::ExportSnapshotResponse first;
  if (site == nullptr) {
    // A call with an error is a stream without messages.
    auto refuse = [status = parts_.sites.Unknown(request->site())](auto&) -> asio::awaitable<absl::Status> {
      co_return status;
    };
    return GrpcWriteStream<v1::ExportSnapshotResponse>::Begin(context, parts_.executor, std::move(refuse));
  }
  Fill(*site, *first.mutable_site());
  *first.mutable_time() = TimeUtil::MillisecondsToTimestamp(parts_.clock.UnixMillis());
  return viewcount::ExportSnapshot(context, parts_.snapshots, parts_.executor, std::move(site), std::move(first));
}

grpc::ServerReadReactor<v1::ImportCountsRequest>* GrpcAdminService::ImportCounts(grpc::CallbackServerContext* context,
                                                                                 v1::ImportCountsResponse* response) {
  return GrpcImportStream::Begin(context, parts_.importer, parts_.executor, response);
}

grpc::ServerUnaryReactor* GrpcAdminService::PutAnnotation(grpc::CallbackServerContext* context,
                                                          const v1::PutAnnotationRequest* request,
                                                          v1::PutAnnotationResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.annotations.Put(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::ListAnnotations(grpc::CallbackServerContext* context,
                                                            const v1::ListAnnotationsRequest* request,
                                                            v1::ListAnnotationsResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.annotations.List(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::DeleteAnnotation(grpc::CallbackServerContext* context,
                                                             const v1::DeleteAnnotationRequest* request,
                                                             v1::DeleteAnnotationResponse* response) {
  return Spawn(context, parts_.executor,
               [this, request, response] { return parts_.annotations.Delete(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::PutAlert(grpc::CallbackServerContext* context,
                                                     const v1::PutAlertRequest* request,
                                                     v1::PutAlertResponse* response) {
  return Spawn(context, parts_.executor, [this, request, response] { return parts_.alerts.Put(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::ListAlerts(grpc::CallbackServerContext* context,
                                                       const v1::ListAlertsRequest* request,
                                                       v1::ListAlertsResponse* response) {
  return Spawn(context, parts_.executor, [this, request, response] { return parts_.alerts.List(*request, *response); });
}

grpc::ServerUnaryReactor* GrpcAdminService::DeleteAlert(grpc::CallbackServerContext* context,
                                                        const v1::DeleteAlertRequest* request,
                                                        v1::DeleteAlertResponse*) {
  return Spawn(context, parts_.executor, [this, request] { return parts_.alerts.Delete(*request); });
}

grpc::ServerUnaryReactor* GrpcAdminService::TestAlert(grpc::CallbackServerContext* context,
                                                      const v1::TestAlertRequest* request,
                                                      v1::TestAlertResponse* response) {
  return Spawn(context, parts_.executor, [this, request, response] { return parts_.alerts.Test(*request, *response); });
}

}  // namespace viewcount
