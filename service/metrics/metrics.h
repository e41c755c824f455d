// Every metric of the service in one struct, registered once. No article and no viewer ever becomes a label.
//
// Thread safe: prometheus-cpp's counters and gauges are atomic. Observe per batch, group or part, never per view.
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

// Why views were refused: the label `reason` of viewcount_views_rejected_total.
enum class RejectReason {
  kInvalid,
  kUnknownSite,
  kSequence,
  kQueueFull,
  kJournalFull,
  kShuttingDown,
  kNotBuilt,
  // From a page of an origin that the site does not allow.
  kForeignOrigin,
  // With what only trusted backends may send.
  kNotTrusted,
  // A browser asked ahead: nobody looked.
  kPrefetch,
  // The viewer's view of the article was counted a moment ago, and the site has a cool-down.
  kCoolDown,
  // From an address that the site does not count.
  kExcluded,
  // More from one address than it may send.
  kFlood,
  // More new articles from browsers than a site may get.
  kNewArticles,
  // From a browser, of an article that was not announced, on a site that counts no others.
  kNotAnnounced
};
inline constexpr int kRejectReasons = 15;

// What went wrong on the way to the store: the label `kind` of viewcount_flush_errors_total.
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

// Why a connection was refused: the label `reason` of viewcount_http_connections_refused_total and of
// viewcount_grpc_connections_refused_total.
enum class ConnectionRefusal {
  // As many are open as all peers together may have.
  kInAll,
  // As many are open as one address may have.
  kPerAddress
};
inline constexpr int kConnectionRefusals = 2;

// Numbers that are asked for at scrape time instead of being kept up to date.
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

  // Views received = counted + duplicate + rejected + queued, each the sum of `count`.
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
  // Views of articles that were set aside because the store holds something that is no count.
  prometheus::Counter& flush_set_aside_views;
  // Times a shard was found at an earlier state than this process had left it in.
  prometheus::Counter& store_rollbacks;
  // Keys that the store evicted while it was in use: counts that are lost, or wrong from then on.
  prometheus::Counter& store_evicted_keys;
  // Half parts that were undone: see scripts/restore.lua.
  prometheus::Counter& store_torn_parts;

  // Views that were acknowledged, but that neither the store nor the journal holds any more.
  prometheus::Counter& lost_views;

  // Sums that do not agree: shards whose totals in the store are not what the journal has.
  prometheus::Gauge& audit_differences;

  prometheus::Histogram& journal_sync_seconds;

  // Streams that are told of counts as they change.
  prometheus::Gauge& watchers;

  // Open connections of the public HTTP address, and of the gRPC port.
  prometheus::Gauge& http_connections;
  prometheus::Gauge& grpc_connections;
  // Connections of the gRPC port that were closed to make room, because they had not said a word of HTTP/2.
  prometheus::Counter& grpc_connections_displaced;

  prometheus::Gauge& redis_up;
  prometheus::Counter& redis_reconnects;
  prometheus::Counter& redis_embedded_restarts;

  prometheus::Counter& Rejected(RejectReason reason);
  prometheus::Counter& FlushFailed(FlushError kind);
  prometheus::Counter& ConnectionRefused(ConnectionRefusal reason);
  prometheus::Counter& GrpcConnectionRefused(ConnectionRefusal reason);

  // Sets what gauges ask at each scrape. Call once, before the first scrape; the functions are called from the
  // scraping thread and must stay valid until `ClearSources`.
  void SetSources(MetricsSources sources);
  void ClearSources();

  // The whole registry in Prometheus' text format, process metrics included. Thread safe.
  std::string Serialize();

 private:
  struct State;
  explicit Metrics(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace viewcount
