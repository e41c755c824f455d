// Tells whether everything in Redis fits together as KEYS.md says: what an operator runs after somebody changed a count
// by hand, or to know that nobody did.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/audit_report.h"
#include "service/store/redis/hash_tally.h"
#include "service/store/redis/key_scan.h"

namespace viewcount {

// For one run, on the connection's thread; the connection must outlive it. Flushes go on: whatever is compared is of
// one moment, known by the shard's lanes not having changed meanwhile. No call takes Redis longer than a millisecond or
// two. An hour that somebody removed with its ranking cannot be told from one that has expired.
class StoreAudit {
 public:
  // `restore` undoes the half part that a torn shard holds.
  using Restore = std::function<boost::asio::awaitable<absl::Status>(Shard)>;
  StoreAudit(RedisConnection& connection, const RankedLimits& ranked, Restore restore)
      : connection_(connection), ranked_(ranked), restore_(std::move(restore)) {}

  // Errors are those of the connection.
  boost::asio::awaitable<absl::StatusOr<AuditReport>> Run();

 private:
  // Sum and start value of a hash, its ranking, and the shard's lanes: of one moment.
  struct Moment;

  boost::asio::awaitable<absl::Status> CheckShard(Shard shard, std::set<std::string> names);
  boost::asio::awaitable<absl::Status> CheckHash(Shard shard, HashName name);
  // Whether the keys of the hash have the right types; if not it is in the report.
  boost::asio::awaitable<absl::StatusOr<bool>> CheckTypes(Shard shard, HashName name);
  boost::asio::awaitable<absl::StatusOr<HashTally>> Tally(Shard shard, HashName name);
  boost::asio::awaitable<absl::StatusOr<Moment>> ReadMoment(Shard shard, HashName name);
  // The lanes hash of the shard, which is restored first if it is torn.
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
  // Keys of another type than they should have, already in the report.
  std::set<std::string> unusable_;
};

}  // namespace viewcount
