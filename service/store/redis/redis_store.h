// The count store on a standalone Redis 7: see KEYS.md for what is where, scripts/ for what happens in one step.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <mutex>
#include <string>

#include "service/base/redis_address.h"
#include "service/metrics/metrics.h"
#include "service/store/count_store.h"
#include "service/store/redis/audit_report.h"
#include "service/store/redis/connection.h"
#include "service/store/redis/preflight.h"
#include "service/store/redis/store_scripts.h"

namespace viewcount {

// Lives on one executor's thread, as its coroutines do; what other threads may call says so. Two connections: one for
// writes, so that no read waits behind a queue of parts, and one for reads.
class RedisStore final : public CountStore {
 public:
  struct Options {
    RedisAddress address;
    // None for a data directory that has not met a store yet.
    DataSetId data_set;
    // Told once which data set it is when `data_set` was none; must make it last. An error refuses the store.
    std::function<absl::Status(DataSetId)> keep_data_set;
    RankedLimits ranked = {};
    // See StoreScripts.
    ScriptEdit edit_script = {};
  };

  RedisStore(boost::asio::any_io_executor executor, Options options, Metrics& metrics);
  ~RedisStore() override;

  // Connects, and returns when the store is ready; logs every 10 s while it waits. An error means that waiting does not
  // help (see Preflight). From then on it reconnects by itself.
  boost::asio::awaitable<absl::Status> Open();
  void Close();

  // Thread safe. Empty when ready, else one line that says why not.
  std::string problem() const;
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

 private:
  // One of the two connections and what is known of it.
  struct Channel {
    std::unique_ptr<RedisConnection> connection;
    bool ready = false;
  };

  Channel MakeChannel(bool writes);
  boost::asio::awaitable<absl::Status> Prepare(RedisConnection& connection);
  void ChannelUp(Channel& channel);
  void ChannelDown(Channel& channel, const absl::Status& status);
  void SetProblem(std::string problem);
  absl::Status Away() const;
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
  bool opened_ = false;
  bool closed_ = false;
  bool connected_before_ = false;
  std::chrono::steady_clock::time_point last_logged_;
  boost::asio::steady_timer changed_;

  mutable std::mutex mutex_;
  std::string problem_ = "not connected to Redis yet";
  DataSetId data_set_;
};

}  // namespace viewcount
