// All metrics of the service in one struct, registered once. Articles and viewers are never labels.
//
// Thread-safe: the counters and gauges of prometheus-cpp are atomic. Update metrics once per batch, group or part,
// never per view.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace viewcount {

// The reason why views were refused. It is the label `reason` of viewcount_views_rejected_total.
enum class RejectReason {
  kInvalid,
  kUnknownSite,
  kSequence,
  kQueueFull,
  kJournalFull,
  kShuttingDown,
  kNotBuilt,
  // The view comes from a page with an origin that the site does not allow.
  kForeignOrigin,
  // The request uses fields that only trusted backends may send.
  kNotTrusted,
  // A browser fetched the page ahead, so no person viewed it.
  kPrefetch,
  // The viewer's view of the article was counted recently, and the site has a cool-down.
  kCoolDown,
  // The view comes from an address that the site excludes.
  kExcluded,
  // There are more views from one address than it may send.
  kFlood,
  // Browsers bring more new articles than the site may get.
  kNewArticles,
  // A browser's view is of an article that was not announced, and the site counts announced articles only.
  kNotAnnounced,
  // The address of the viewed page has a path whose views do not count.
  kExcludedPath
};
inline constexpr int kRejectReasons = 16;

// The error of a failed call to the store. It is the label `kind` of viewcount_flush_errors_total.
enum class FlushError {
  kConnection,
  kTimeout,
  kMismatch,
  kFenced,
  kOutOfMemory,
  kBusy,
  kLoading,
  kReadOnly,
  // Redis cannot write to its disk.
  kMisconf,
  kNoReplicas,
  // The user may not run a command, or Redis does not have it.
  kNoPermission,
  // The eviction policy would delete counts.
  kEvicting,
  kBadData,
  kOther
};
inline constexpr int kFlushErrors = 14;

// The reason why a connection was refused. It is the label `reason` of viewcount_http_connections_refused_total and
// viewcount_grpc_connections_refused_total.
enum class ConnectionRefusal {
  // All peers together have the maximum number of connections.
  kInAll,
  // The address has the maximum number of connections.
  kPerAddress
};
inline constexpr int kConnectionRefusals = 2;

// The fate of an alert's message. It is the label `result` of viewcount_alerts_sent_total.
enum class AlertResult {
  kDelivered,
  // The webhook refused it, or redirected it.
  kRejected,
  // All attempts failed.
  kGivenUp,
  // The webhook's address is a private one.
  kPrivateAddress,
  // Too many messages waited. An alert's message stays due, and the next check tries again.
  kQueueFull
};
inline constexpr int kAlertResults = 5;

// Functions that return values at scrape time, for gauges that are not updated otherwise.
struct MetricsSources {
  std::function<uint64_t()> pending_views;
  std::function<double()> oldest_unflushed_age_seconds;
  std::function<uint64_t()> queued_bytes;
  std::function<uint64_t()> writers;
  std::function<uint64_t()> chunk_bytes;
  std::function<uint64_t()> journal_bytes;
  std::function<uint64_t()> journal_budget_bytes;
  std::function<uint64_t()> refusing_lanes;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // The sum of `count` of all received views. Received = counted + duplicate + rejected + queued.
  prometheus::Counter& views_received;
  prometheus::Counter& views_counted;
  prometheus::Counter& views_duplicate;
  prometheus::Counter& bot_views_counted;
  prometheus::Counter& batches_received;
  prometheus::Counter& batches_duplicate;
  prometheus::Histogram& batch_views;

  prometheus::Histogram& flush_duration_seconds;
  prometheus::Histogram& flush_part_duration_seconds;
  prometheus::Counter& flush_chunks;
  prometheus::Counter& flush_parts;
  prometheus::Counter& flush_articles;
  // Views (the sum of counts) that reached the store.
  prometheus::Counter& flush_views;
  // Views of articles that were set aside, because the store holds a value that is not a count.
  prometheus::Counter& flush_set_aside_views;
  // How often a shard was found in an earlier state than this process had left it in.
  prometheus::Counter& store_rollbacks;
  // Keys that the store evicted while it was in use. Their counts are lost, or wrong from then on.
  prometheus::Counter& store_evicted_keys;
  // Torn parts that were undone; see scripts/restore.lua.
  prometheus::Counter& store_torn_parts;

  // Acknowledged views that neither the store nor the journal holds any more.
  prometheus::Counter& lost_views;

  // The number of shards whose totals in the store differ from the journal's.
  prometheus::Gauge& audit_differences;

  prometheus::Histogram& journal_sync_seconds;

  // Open stream subscriptions to counts.
  prometheus::Gauge& watchers;

  // Requests with views of trusted proxies that do not name their client.
  prometheus::Counter& http_unnamed_clients;

  // Open connections of the public HTTP address and of the gRPC port.
  prometheus::Gauge& http_connections;
  prometheus::Gauge& grpc_connections;
  // Connections of the gRPC port that were closed to make room, because they had not sent an HTTP/2 frame.
  prometheus::Counter& grpc_connections_displaced;

  prometheus::Gauge& redis_up;
  prometheus::Counter& redis_reconnects;
  prometheus::Counter& redis_embedded_restarts;

  // Checks of alerts that could decide nothing, because the views could not be read exactly.
  prometheus::Counter& alert_checks_failed;

  prometheus::Counter& AlertSent(AlertResult result);
  prometheus::Counter& Rejected(RejectReason reason);
  prometheus::Counter& FlushFailed(FlushError kind);
  prometheus::Counter& ConnectionRefused(ConnectionRefusal reason);
  prometheus::Counter& GrpcConnectionRefused(ConnectionRefusal reason);

  // Sets the functions that gauges call at each scrape. Must be called once, before the first scrape. The functions run
  // on the scraping thread and must stay valid until `ClearSources` returns.
  void SetSources(MetricsSources sources);
  void ClearSources();

  // Returns the whole registry in Prometheus' text format, including process metrics. Thread-safe.
  std::string Serialize();

 private:
  struct State;
  explicit Metrics(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace viewcount
