// The store of counts, sites, salts and alerts on a standalone Redis 7. KEYS.md describes the keys; scripts/ holds the
// atomic steps.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "service/base/async_event.h"
#include "service/base/log_throttle.h"
#include "service/base/mutex.h"
#include "service/base/redis_address.h"
#include "service/base/redis_waivers.h"
#include "service/metrics/metrics.h"
#include "service/store/alert_store.h"
#include "service/store/annotation_store.h"
#include "service/store/count_store.h"
#include "service/store/day_store.h"
#include "service/store/import_store.h"
#include "service/store/ranked_limits.h"
#include "service/store/redis/audit_report.h"
#include "service/store/redis/connection.h"
#include "service/store/redis/host_resolver.h"
#include "service/store/redis/preflight.h"
#include "service/store/redis/redis_limits.h"
#include "service/store/redis/store_scripts.h"
#include "service/store/salt_store.h"
#include "service/store/site_store.h"
#include "service/store/snapshot_store.h"

namespace viewcount {

// Used by the thread of one executor, as its coroutines are. Functions that other threads may call are marked as
// thread-safe. Destroy it when none of its coroutines runs any more.
//
// It has two connections: one for writes and one for reads, so that no read waits for a queue of parts. Both lead to
// the same run of one server. At every interval the store checks that the server is still a master that may be trusted
// (redis_store_watch.cc).
class RedisStore final : public CountStore,
                         public SiteStore,
                         public SaltStore,
                         public DayStore,
                         public SnapshotStore,
                         public AnnotationStore,
                         public AlertStore,
                         public ImportStore {
 public:
  struct Options {
    RedisAddress address;
    // None for a data directory that has never been connected to a store.
    DataSetId data_set;
    // Called once with the ID of the data set if `data_set` was none. It must store the ID durably. If it returns an
    // error, the store is refused.
    std::function<absl::Status(DataSetId)> keep_data_set;
    RankedLimits ranked = {};
    RedisWaivers waivers = {};
    // How often the server is examined while it is used (server_look.h).
    std::chrono::milliseconds look_interval = limits::kStoreLookInterval;
    // See RedisConnection.
    HostResolver resolve = nullptr;
    // See StoreScripts.
    ScriptEdit edit_script = {};
  };

  RedisStore(boost::asio::any_io_executor executor, Options options, Metrics& metrics);
  ~RedisStore() override;

  // Connects, and returns when the store is ready. Logs every 10 s while it waits. An error means that waiting does not
  // help (see Preflight). The store goes on connecting, and a later call returns OK if an operator has fixed the cause.
  // After Open has returned OK, the store reconnects by itself.
  boost::asio::awaitable<absl::Status> Open();
  void Close();

  // Thread-safe. Returns an empty text if the store is ready, else one line that gives the reason.
  std::string problem() const;
  // Thread-safe. Returns an empty text unless the store is ready but refuses writes. Then it returns one line with the
  // error and its explanation.
  std::string refused_writes() const;
  // Thread-safe. Valid after Open.
  DataSetId data_set() const;

  boost::asio::awaitable<absl::StatusOr<Claimed>> Claim(Shard shard, const LaneIdentity& lane) override;
  boost::asio::awaitable<absl::StatusOr<StoredLane>> ReadLane(Shard shard, const LaneId& lane) override;
  boost::asio::awaitable<absl::StatusOr<ApplyResult>> Apply(const Part& part) override;
  boost::asio::awaitable<absl::Status> RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) override;
  boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                 std::string_view site,
                                                                 const std::vector<Window>& windows,
                                                                 const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::Status> AddViewers(Shard shard, const std::vector<ViewerSet>& sets) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> EstimateViewers(
      Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) override;
  boost::asio::awaitable<absl::StatusOr<ShardWindows>> ReadWindows(Shard shard, const std::vector<LaneId>& lanes,
                                                                   std::string_view site,
                                                                   const std::vector<WindowRead>& reads) override;
  boost::asio::awaitable<absl::StatusOr<ArticleScan>> ScanArticles(Shard shard, std::string_view site, Window window,
                                                                   std::string_view cursor) override;
  boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows(std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> ReadNotes(Shard shard,
                                                                            std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<std::map<Window, int64_t>>> ReadStartValues(Shard shard,
                                                                                    std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<std::string>> ClaimImport(Shard shard, std::string_view site,
                                                                  std::string_view import_id, std::string_view expected,
                                                                  std::string_view claim) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> ReadSites() override;
  boost::asio::awaitable<absl::Status> WriteSite(const StoredSite& site) override;
  boost::asio::awaitable<absl::StatusOr<bool>> SwapSite(const StoredSite& site, const SiteSettings& expected) override;
  boost::asio::awaitable<absl::Status> WriteAliases(std::string_view site, const AliasEntries& aliases) override;
  boost::asio::awaitable<absl::Status> WriteArticles(Shard shard, std::string_view site,
                                                     const std::map<std::string, std::string>& articles) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::StatusOr<TextScan>> ScanArticleTexts(Shard shard, std::string_view site,
                                                                    std::string_view cursor) override;
  boost::asio::awaitable<absl::Status> WritePublications(
      Shard shard, std::string_view site, const std::map<std::string, std::optional<int64_t>>& articles) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<Publication>>> ReadPublications(
      Shard shard, std::string_view site, const PublicationRange& range) override;
  boost::asio::awaitable<absl::Status> WritePageArticle(Shard shard, std::string_view site, std::string_view id,
                                                        std::string_view text) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadPageArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::StatusOr<std::map<std::string, std::string>>> ReadAnnotations(
      Shard shard, std::string_view site) override;
  boost::asio::awaitable<absl::Status> WriteAnnotation(Shard shard, std::string_view site, std::string_view id,
                                                       std::string_view text) override;
  boost::asio::awaitable<absl::StatusOr<bool>> RemoveAnnotation(Shard shard, std::string_view site,
                                                                std::string_view id) override;
  boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainSalt(std::string_view site, uint32_t day,
                                                                const ViewerSalt& fresh) override;
  boost::asio::awaitable<absl::Status> RemoveSalts(const SiteDays& first_days) override;
  boost::asio::awaitable<absl::StatusOr<std::set<StoredDay>>> ListDaysBefore(const SiteDays& first_days) override;
  boost::asio::awaitable<absl::Status> RemoveDay(std::string_view site, uint32_t day) override;
  boost::asio::awaitable<absl::StatusOr<std::map<AlertKey, StoredAlert>>> ReadAlerts() override;
  boost::asio::awaitable<absl::StatusOr<bool>> SwapAlert(const AlertKey& key, std::string_view expected,
                                                         std::string_view next) override;
  boost::asio::awaitable<absl::StatusOr<bool>> RemoveAlert(const AlertKey& key) override;
  boost::asio::awaitable<absl::Status> RemoveAlertState(const AlertKey& key) override;
  boost::asio::awaitable<absl::StatusOr<bool>> SwapAlertState(const AlertKey& key, std::string_view expected,
                                                              std::string_view next) override;
  // Checks everything in the store, for seconds or minutes; see StoreAudit.
  boost::asio::awaitable<absl::StatusOr<AuditReport>> Audit();
  // Changes the totals to agree with the counts, and the rankings to agree with their hashes. No count changes. A
  // difference stays the same while flushes go on, so the result of an earlier audit may be repaired later; but only
  // once.
  boost::asio::awaitable<absl::Status> Repair(const StoreRepairs& repairs);
  uint64_t generation() const override { return generation_.load(); }
  void NoteRollback() override;

 private:
  // One of the two connections and its state.
  struct Channel {
    std::unique_ptr<RedisConnection> connection;
    bool ready = false;
    // How often the connection has been up. An answer from an earlier life says nothing about this one.
    uint64_t life = 0;
    // Identifies the run of the server that the connection leads to.
    std::string run_id;
  };

  // Replaces one text of `hash`, which has settings or states of alerts, if it is `expected`.
  boost::asio::awaitable<absl::StatusOr<bool>> SwapAlertField(std::string_view hash, const AlertKey& key,
                                                              std::string_view expected, std::string_view next);
  Channel MakeChannel(bool writes);
  Channel& OtherOf(Channel& channel) { return &channel == &writer_ ? reader_ : writer_; }
  boost::asio::awaitable<absl::Status> Prepare(Channel& channel);
  void ChannelUp(Channel& channel);
  void ChannelDown(Channel& channel, const absl::Status& status);
  void SetProblem(std::string problem);
  absl::Status Away() const;
  static absl::Status AnotherServer();
  // Examines the server over both connections at every interval until Close.
  boost::asio::awaitable<void> Watch();
  // Breaks the connection if it leads to another server, or to one that is no usable master any more.
  boost::asio::awaitable<void> Look(Channel& channel);
  // Reports keys that this run of the server has evicted since the last examination.
  void NoteEvicted(const std::string& run_id, uint64_t evicted_keys);
  void Warn(const std::string& warning);
  // Runs the whole preflight again over the writing connection.
  boost::asio::awaitable<void> Recheck();
  // Updates the result of refused_writes.
  void NoteWrite(const absl::Status& status);
  // Runs a script on a shard and returns its answer. If the shard is torn, it is restored first.
  boost::asio::awaitable<absl::StatusOr<Reply>> RunOnShard(Shard shard, const Script& script,
                                                           const std::vector<std::string_view>& keys,
                                                           const std::vector<std::string_view>& arguments);
  // Returns the replies to `commands`, all of one moment in which the shard was whole. The first command must be an
  // HMGET of the shard's lanes hash that requests kUndoField last. That value is removed from the reply.
  boost::asio::awaitable<absl::StatusOr<std::vector<Reply>>> ReadWhole(Shard shard,
                                                                       const std::vector<RedisCommand>& commands);
  boost::asio::awaitable<absl::Status> RemoveDayFrom(Shard shard, std::string_view site, uint32_t day);
  // Returns the fields of a hash in the order of `names`; nothing for an absent one.
  boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadFields(
      const std::string& key, const std::vector<std::string_view>& names);
  // Undoes the half-written part that the shard holds, if there is one.
  boost::asio::awaitable<absl::Status> Restore(Shard shard);

  const boost::asio::any_io_executor executor_;
  const Options options_;
  const StoreScripts scripts_;
  Metrics& metrics_;
  Channel writer_;
  Channel reader_;
  std::atomic<uint64_t> generation_{0};
  // The last refusal, which Open returns.
  absl::Status refusal_;
  bool connecting_ = false;
  bool opened_ = false;
  bool closed_ = false;
  bool connected_before_ = false;
  LogThrottle problem_lines_;
  LogThrottle viewer_lines_;
  AsyncEvent changed_;
  boost::asio::steady_timer look_timer_;
  bool rechecking_ = false;
  // The reason why a connection last went down.
  absl::Status down_;
  // True if refused_writes_ is not empty. Used on the executor only.
  bool refuses_writes_ = false;
  // The last warning that was logged.
  std::string warning_;
  // The number of keys that the server had evicted at the last examination, and the run of the server at that time.
  uint64_t evicted_keys_ = 0;
  std::string evicted_run_;

  mutable Mutex mutex_;
  std::string problem_ ABSL_GUARDED_BY(mutex_) = "not connected to Redis yet";
  std::string refused_writes_ ABSL_GUARDED_BY(mutex_);
  DataSetId data_set_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace viewcount
