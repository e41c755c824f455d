#include "service/metrics/metrics.h"

#include <prometheus/family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <utility>
#include <vector>

#include "service/base/check.h"
#include "service/base/log.h"
#include "service/base/mutex.h"
#include "service/base/version.h"
#include "service/metrics/process_metrics.h"

namespace viewcount {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;
using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

// In the order of the enumerations.
constexpr std::array<const char*, kRejectReasons> kRejectLabels = {
    "invalid",   "unknown_site",   "sequence",      "queue_full",   "journal_full", "shutting_down",
    "not_built", "foreign_origin", "not_trusted",   "prefetch",     "cool_down",    "excluded",
    "flood",     "new_articles",   "not_announced", "excluded_path"};
constexpr std::array<const char*, kFlushErrors> kFlushErrorLabels = {
    "connection", "timeout", "mismatch",    "fenced",        "out_of_memory", "busy",     "loading",
    "read_only",  "misconf", "no_replicas", "no_permission", "evicting",      "bad_data", "other"};
static_assert(static_cast<int>(RejectReason::kExcludedPath) == kRejectReasons - 1);
static_assert(static_cast<int>(FlushError::kOther) == kFlushErrors - 1);
constexpr std::array<const char*, kConnectionRefusals> kConnectionRefusalLabels = {"in_all", "per_address"};
static_assert(static_cast<int>(ConnectionRefusal::kPerAddress) == kConnectionRefusals - 1);
constexpr std::array<const char*, kAlertResults> kAlertResultLabels = {"delivered", "rejected", "given_up",
                                                                       "private_address", "queue_full"};
static_assert(static_cast<int>(AlertResult::kQueueFull) == kAlertResults - 1);

Counter& NewCounter(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

Gauge& NewGauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

Histogram& NewHistogram(Registry& registry, const char* name, const char* help, const Buckets& buckets) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

// Creates a counter for every value of a label, so that each series exists from the start. If a series appeared with
// its first error, rate() would miss that error.
template <size_t kValues>
std::array<Counter*, kValues> NewCounters(Registry& registry, const char* name, const char* help, const char* label,
                                          const std::array<const char*, kValues>& values) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  std::array<Counter*, kValues> counters{};
  for (size_t i = 0; i < kValues; ++i) counters[i] = &family.Add({{label, values[i]}});
  return counters;
}

// In seconds. The range is from a part with a few hundred HINCRBYs to a store that hangs until its time-out.
Buckets DurationBuckets() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

Buckets BatchBuckets() { return {1, 2, 5, 10, 25, 50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000}; }

}  // namespace

struct Metrics::State {
  Registry registry;
  ProcessMetrics process;

  std::array<Counter*, kRejectReasons> rejected =
      NewCounters(registry, "viewcount_views_rejected_total", "Views refused, by reason.", "reason", kRejectLabels);
  std::array<Counter*, kFlushErrors> flush_errors =
      NewCounters(registry, "viewcount_flush_errors_total", "Failed calls to the store, by kind. Views are kept.",
                  "kind", kFlushErrorLabels);
  std::array<Counter*, kConnectionRefusals> refused_connections =
      NewCounters(registry, "viewcount_http_connections_refused_total",
                  "Connections to the public HTTP address that were refused, by the limit that was met.", "reason",
                  kConnectionRefusalLabels);
  std::array<Counter*, kConnectionRefusals> refused_grpc_connections = NewCounters(
      registry, "viewcount_grpc_connections_refused_total",
      "Connections to the gRPC port that were refused, by the limit that was met.", "reason", kConnectionRefusalLabels);
  std::array<Counter*, kAlertResults> alerts_sent =
      NewCounters(registry, "viewcount_alerts_sent_total", "Messages of alerts to webhooks, by what became of them.",
                  "result", kAlertResultLabels);

  Gauge& pending_views =
      NewGauge(registry, "viewcount_views_pending", "Views counted that the store does not have yet.");
  Gauge& oldest_age = NewGauge(registry, "viewcount_oldest_unflushed_view_age_seconds",
                               "Age of the oldest counted view that the store does not have yet; 0 without one.");
  Gauge& queued_bytes = NewGauge(registry, "viewcount_ingest_queue_bytes", "Bytes of batches waiting for their lane.");
  Gauge& writers = NewGauge(registry, "viewcount_writers", "Writers whose last sequence is remembered.");
  Gauge& chunk_bytes = NewGauge(registry, "viewcount_chunk_bytes", "Memory of open and sealed chunks, in bytes.");

  Gauge& journal_bytes = NewGauge(registry, "viewcount_journal_bytes", "Size of the journals' files, in bytes.");
  Gauge& journal_budget =
      NewGauge(registry, "viewcount_journal_budget_bytes", "What the journals' files may take, in bytes.");
  Gauge& refusing_lanes = NewGauge(registry, "viewcount_lanes_refusing",
                                   "Lanes that refuse all views because disk, budget or memory is full.");
  Counter& log_lines_dropped =
      NewCounter(registry, "viewcount_log_lines_dropped_total", "Log lines that standard error did not take.");
  // Held while the sources are called, so that ClearSources returns only when none of them runs.
  Mutex sources_mutex;
  MetricsSources sources ABSL_GUARDED_BY(sources_mutex);

  State() {
    prometheus::BuildGauge()
        .Name("viewcount_build_info")
        .Help("Always 1; the labels tell what was built.")
        .Register(registry)
        .Add({{"version", std::string(Version())},
              {"revision", std::string(Revision())},
              {"compiler", std::string(Compiler())}})
        .Set(1);
  }

  void AskSources() {
    const auto set = [](Gauge& gauge, const auto& source) { gauge.Set(source ? static_cast<double>(source()) : 0.0); };
    const MutexLock lock(sources_mutex);
    set(pending_views, sources.pending_views);
    set(oldest_age, sources.oldest_unflushed_age_seconds);
    set(queued_bytes, sources.queued_bytes);
    set(writers, sources.writers);
    set(chunk_bytes, sources.chunk_bytes);
    set(journal_bytes, sources.journal_bytes);
    set(journal_budget, sources.journal_budget_bytes);
    set(refusing_lanes, sources.refusing_lanes);
    const auto dropped = static_cast<double>(DroppedLogLines());
    log_lines_dropped.Increment(dropped - log_lines_dropped.Value());
  }
};

Metrics::Metrics() : Metrics(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Metrics::Metrics(std::unique_ptr<State> state)
    : views_received(NewCounter(state->registry, "viewcount_views_received_total", "Views that arrived, of any fate.")),
      views_counted(NewCounter(state->registry, "viewcount_views_counted_total", "Views counted, of people and bots.")),
      views_duplicate(NewCounter(state->registry, "viewcount_views_duplicate_total",
                                 "Views of batches that were counted before and therefore not again.")),
      bot_views_counted(NewCounter(state->registry, "viewcount_bot_views_counted_total",
                                   "Views counted as a bot's; part of viewcount_views_counted_total.")),
      batches_received(NewCounter(state->registry, "viewcount_batches_received_total", "Batches that arrived.")),
      batches_duplicate(NewCounter(state->registry, "viewcount_batches_duplicate_total", "Batches counted before.")),
      batch_views(NewHistogram(state->registry, "viewcount_batch_views", "Entries of a batch.", BatchBuckets())),
      flush_duration_seconds(NewHistogram(state->registry, "viewcount_flush_duration_seconds",
                                          "From a chunk's first part sent to its last part applied.",
                                          DurationBuckets())),
      flush_part_duration_seconds(NewHistogram(state->registry, "viewcount_flush_part_duration_seconds",
                                               "One call that applies one part of a chunk.", DurationBuckets())),
      flush_chunks(NewCounter(state->registry, "viewcount_flush_chunks_total", "Chunks wholly applied.")),
      flush_parts(NewCounter(state->registry, "viewcount_flush_parts_total", "Parts of chunks applied.")),
      flush_articles(NewCounter(state->registry, "viewcount_flush_articles_total", "Articles' counts applied.")),
      flush_views(NewCounter(state->registry, "viewcount_flush_views_total", "Views that reached the store.")),
      flush_set_aside_views(NewCounter(state->registry, "viewcount_flush_set_aside_views_total",
                                       "Views set aside because the store holds something that is no count.")),
      store_rollbacks(NewCounter(state->registry, "viewcount_store_rollbacks_total",
                                 "Times a shard was found at an earlier state than it had been left in.")),
      store_evicted_keys(NewCounter(state->registry, "viewcount_store_evicted_keys_total",
                                    "Keys that Redis evicted while it was in use: counts that may be wrong.")),
      store_torn_parts(NewCounter(state->registry, "viewcount_store_torn_parts_total",
                                  "Half parts undone, because a script of Redis had failed in the middle.")),
      lost_views(NewCounter(state->registry, "viewcount_lost_views_total",
                            "Views acknowledged that neither the store nor the journal holds any more.")),
      audit_differences(NewGauge(state->registry, "viewcount_audit_differences",
                                 "Shards whose totals in the store are not what the journal has; 0 when all is well.")),
      journal_sync_seconds(NewHistogram(state->registry, "viewcount_journal_sync_seconds",
                                        "Making a group of batches durable.", DurationBuckets())),
      watchers(NewGauge(state->registry, "viewcount_watchers", "Streams that get counts as they change.")),
      http_unnamed_clients(NewCounter(state->registry, "viewcount_http_unnamed_clients_total",
                                      "Requests with views from trusted proxies that did not name their client.")),
      http_connections(
          NewGauge(state->registry, "viewcount_http_connections", "Open connections of the public HTTP address.")),
      grpc_connections(NewGauge(state->registry, "viewcount_grpc_connections", "Open connections of the gRPC port.")),
      grpc_connections_displaced(
          NewCounter(state->registry, "viewcount_grpc_connections_displaced_total",
                     "Connections of the gRPC port that said nothing and made room for others.")),
      redis_up(NewGauge(state->registry, "viewcount_redis_up", "1 while Redis answers, else 0.")),
      redis_reconnects(NewCounter(state->registry, "viewcount_redis_reconnects_total", "Connections made again.")),
      redis_embedded_restarts(NewCounter(state->registry, "viewcount_redis_embedded_restarts_total",
                                         "Times the embedded redis-server died and was started again.")),
      alert_checks_failed(NewCounter(state->registry, "viewcount_alert_checks_failed_total",
                                     "Checks of alerts that decided nothing, for lack of exact views.")),
      state_(std::move(state)) {}

Counter& Metrics::Rejected(RejectReason reason) {
  const auto index = static_cast<size_t>(reason);
  VIEWCOUNT_CHECK(index < state_->rejected.size());
  return *state_->rejected[index];
}

Counter& Metrics::FlushFailed(FlushError kind) {
  const auto index = static_cast<size_t>(kind);
  VIEWCOUNT_CHECK(index < state_->flush_errors.size());
  return *state_->flush_errors[index];
}

Counter& Metrics::ConnectionRefused(ConnectionRefusal reason) {
  const auto index = static_cast<size_t>(reason);
  VIEWCOUNT_CHECK(index < state_->refused_connections.size());
  return *state_->refused_connections[index];
}

Counter& Metrics::GrpcConnectionRefused(ConnectionRefusal reason) {
  const auto index = static_cast<size_t>(reason);
  VIEWCOUNT_CHECK(index < state_->refused_grpc_connections.size());
  return *state_->refused_grpc_connections[index];
}

Counter& Metrics::AlertSent(AlertResult result) {
  const auto index = static_cast<size_t>(result);
  VIEWCOUNT_CHECK(index < state_->alerts_sent.size());
  return *state_->alerts_sent[index];
}

void Metrics::SetSources(MetricsSources sources) {
  const MutexLock lock(state_->sources_mutex);
  state_->sources = std::move(sources);
}

void Metrics::ClearSources() { SetSources({}); }

std::string Metrics::Serialize() {
  state_->AskSources();
  auto families = state_->registry.Collect();
  for (auto& family : state_->process.Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace viewcount
