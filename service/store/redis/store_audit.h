// Checks whether everything in Redis agrees as KEYS.md says. Operators run it after a count was changed by hand, or to
// confirm that none was.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "service/store/ranked_limits.h"
#include "service/store/redis/audit_report.h"
#include "service/store/redis/hash_tally.h"
#include "service/store/redis/key_scan.h"

namespace viewcount {

// Used for one run, on the connection's thread. The connection must outlive it. Flushes go on during the audit. So only
// values of one moment are compared; the audit knows that by the shard's lanes, which did not change meanwhile. No call
// keeps Redis busy for longer than a millisecond or two. The audit cannot distinguish an hour whose hash and ranking
// were removed by hand from an hour that has expired.
class StoreAudit {
 public:
  // Undoes the half-written part that a torn shard holds.
  using Restore = std::function<boost::asio::awaitable<absl::Status>(Shard)>;
  StoreAudit(RedisConnection& connection, const RankedLimits& ranked, Restore restore)
      : connection_(connection), ranked_(ranked), restore_(std::move(restore)) {}

  // Runs the audit. Errors are those of the connection.
  boost::asio::awaitable<absl::StatusOr<AuditReport>> Run();

 private:
  // The sum and start value of a hash, its ranking, and the shard's lanes, all of one moment.
  struct Moment;

  boost::asio::awaitable<absl::Status> CheckShard(Shard shard, std::set<std::string> names);
  boost::asio::awaitable<absl::Status> CheckHash(Shard shard, HashName name);
  // Returns whether the keys of the hash have the right types, and reports those that do not. Also false for an hour
  // that is about to expire.
  boost::asio::awaitable<absl::StatusOr<bool>> CheckTypes(Shard shard, HashName name);
  boost::asio::awaitable<absl::StatusOr<HashTally>> Tally(Shard shard, HashName name);
  boost::asio::awaitable<absl::StatusOr<Moment>> ReadMoment(Shard shard, HashName name);
  // Returns the lanes hash of the shard. If the shard is torn, it is restored first.
  boost::asio::awaitable<absl::StatusOr<std::vector<Reply>>> ReadLanes(Shard shard);
  // Compares the sums of different hashes with each other and with the lanes' totals.
  boost::asio::awaitable<absl::Status> CheckSums(Shard shard, std::set<std::string> names);

  void Judge(Shard shard, HashName name, const HashTally& tally, const Moment& moment);
  bool JudgeRanking(const std::string& key, const HashTally& tally, const std::vector<Reply>& ranking);
  size_t RankedOf(HashName name) const;

  RedisConnection& connection_;
  const RankedLimits ranked_;
  const Restore restore_;
  AuditReport report_;
  std::vector<std::string> sites_;
  // Keys of another type than they should have. They have been reported already.
  std::set<std::string> unusable_;
};

}  // namespace viewcount
