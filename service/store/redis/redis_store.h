// The count store on a standalone Redis 7: see KEYS.md for what is where, scripts/ for what happens in one step.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>

#include "service/base/log_throttle.h"
#include "service/base/redis_address.h"
#include "service/base/redis_waivers.h"
#include "service/metrics/metrics.h"
#include "service/store/count_store.h"
#include "service/store/redis/audit_report.h"
#include "service/store/redis/connection.h"
#include "service/store/redis/host_resolver.h"
#include "service/store/redis/preflight.h"
#include "service/store/redis/redis_limits.h"
#include "service/store/redis/store_scripts.h"

namespace viewcount {

// Lives on one executor's thread, as its coroutines do; what other threads may call says so. Two connections: one for
// writes, so that no read waits behind a queue of parts, and one for reads. Both lead to the same run of one server,
// and a look at every interval makes sure that it still is a master that may be trusted (redis_store_watch.cc).
class RedisStore final : public CountStore {
 public:
  struct Options {
    RedisAddress address;
    // None for a data directory that has not met a store yet.
    DataSetId data_set;
    // Told once which data set it is when `data_set` was none; must make it last. An error refuses the store.
    std::function<absl::Status(DataSetId)> keep_data_set;
    RankedLimits ranked = {};
    RedisWaivers waivers = {};
    // How often the server is looked at while it is used (server_look.h).
    std::chrono::milliseconds look_interval = limits::kStoreLookInterval;
    // See RedisConnection.
    HostResolver resolve = nullptr;
    // See StoreScripts.
    ScriptEdit edit_script = {};
  };

  RedisStore(boost::asio::any_io_executor executor, Options options, Metrics& metrics);
  ~RedisStore() override;

  // Connects, and returns when the store is ready; logs every 10 s while it waits. An error means that waiting does not
  // help (see Preflight): it goes on connecting, and a later call returns OK if somebody has put things right. From
  // then on it reconnects by itself.
  boost::asio::awaitable<absl::Status> Open();
  void Close();

  // Thread safe. Empty when ready, else one line that says why not.
  std::string problem() const;
  // Thread safe. Empty unless the store is ready but refuses writes; else one line that says with which error and why.
  std::string refused_writes() const;
  // Thread safe, after Open.
  DataSetId data_set() const;

  boost::asio::awaitable<absl::StatusOr<Claimed>> Claim(Shard shard, const LaneIdentity& lane) override;
  boost::asio::awaitable<absl::StatusOr<StoredLane>> ReadLane(Shard shard, const LaneId& lane) override;
  boost::asio::awaitable<absl::StatusOr<ApplyResult>> Apply(const Part& part) override;
  boost::asio::awaitable<absl::Status> RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) override;
  boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                 std::string_view site,
                                                                 const std::vector<Window>& windows,
                                                                 const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> EstimateViewers(
      Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) override;
  boost::asio::awaitable<absl::StatusOr<ShardRanking>> ReadRanking(Shard shard, const std::vector<LaneId>& lanes,
                                                                   std::string_view site, Window window) override;
  boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows(std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> ReadNotes(Shard shard,
                                                                            std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> ReadSites() override;
  boost::asio::awaitable<absl::Status> WriteSite(const StoredSite& site) override;
  boost::asio::awaitable<absl::Status> WriteAliases(std::string_view site, const AliasEntries& aliases) override;
  boost::asio::awaitable<absl::Status> WriteArticles(Shard shard, std::string_view site,
                                                     const std::map<std::string, std::string>& articles) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainSalt(std::string_view site, uint32_t day,
                                                                const ViewerSalt& fresh) override;
  boost::asio::awaitable<absl::Status> RemoveSalts(const SiteDays& first_days) override;
  // Looks at everything in the store, for seconds or minutes; see StoreAudit.
  boost::asio::awaitable<absl::StatusOr<AuditReport>> Audit();
  // Has the totals say what the counts are, and the rankings what their hashes hold; no count changes. Since a
  // difference stays the same while flushes go on, what an audit found a moment ago may be repaired now; but once only.
  boost::asio::awaitable<absl::Status> Repair(const StoreRepairs& repairs);
  uint64_t generation() const override { return generation_.load(); }
  void NoteRollback() override;

 private:
  // One of the two connections and what is known of it.
  struct Channel {
    std::unique_ptr<RedisConnection> connection;
    bool ready = false;
    // How often it was up: an answer of an earlier life says nothing about this one.
    uint64_t life = 0;
    // Identifies the run of the server that it leads to.
    std::string run_id;
  };

  Channel MakeChannel(bool writes);
  Channel& OtherOf(Channel& channel) { return &channel == &writer_ ? reader_ : writer_; }
  boost::asio::awaitable<absl::Status> Prepare(Channel& channel);
  void ChannelUp(Channel& channel);
  void ChannelDown(Channel& channel, const absl::Status& status);
  void SetProblem(std::string problem);
  absl::Status Away() const;
  static absl::Status AnotherServer();
  // Looks at the server over both connections at every interval until Close.
  boost::asio::awaitable<void> Watch();
  // Breaks the connection if it does not lead to a usable master any more, or to another server.
  boost::asio::awaitable<void> Look(Channel& channel);
  // Reports keys that this run of the server evicted since it was asked last.
  void NoteEvicted(const std::string& run_id, uint64_t evicted_keys);
  void Warn(const std::string& warning);
  // Runs the whole preflight again over the writing connection.
  boost::asio::awaitable<void> Recheck();
  // Keeps what refused_writes tells.
  void NoteWrite(const absl::Status& status);
  boost::asio::awaitable<absl::Status> AddViewers(const Part& part);
  // What the script answers about a whole shard: a torn one is restored first.
  boost::asio::awaitable<absl::StatusOr<Reply>> RunOnShard(Shard shard, const Script& script,
                                                           const std::vector<std::string_view>& keys,
                                                           const std::vector<std::string_view>& arguments);
  // The replies to `commands`, of one moment in which the shard was whole. The first one must be an HMGET of the
  // shard's lanes hash that asks for kUndoField last; that value is left out.
  boost::asio::awaitable<absl::StatusOr<std::vector<Reply>>> ReadWhole(Shard shard,
                                                                       const std::vector<RedisCommand>& commands);
  // Undoes the half part that the shard holds, if it does.
  boost::asio::awaitable<absl::Status> Restore(Shard shard);

  const boost::asio::any_io_executor executor_;
  const Options options_;
  const StoreScripts scripts_;
  Metrics& metrics_;
  Channel writer_;
  Channel reader_;
  std::atomic<uint64_t> generation_{0};
  // A refusal, kept for Open.
  absl::Status refusal_;
  bool connecting_ = false;
  bool opened_ = false;
  bool closed_ = false;
  bool connected_before_ = false;
  LogThrottle problem_lines_;
  LogThrottle viewer_lines_;
  boost::asio::steady_timer changed_;
  boost::asio::steady_timer look_timer_;
  bool rechecking_ = false;
  // Why a connection went down last.
  absl::Status down_;
  // Whether refused_writes_ has something; without the mutex.
  bool refuses_writes_ = false;
  // The last warning that was logged.
  std::string warning_;
  // Keys that the server had evicted when it was looked at last, and which run of it that was.
  uint64_t evicted_keys_ = 0;
  std::string evicted_run_;

  mutable std::mutex mutex_;
  std::string problem_ = "not connected to Redis yet";
  std::string refused_writes_;
  DataSetId data_set_;
};

}  // namespace viewcount
