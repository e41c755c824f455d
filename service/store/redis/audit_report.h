// What an audit of the store found.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "service/base/limits.h"
#include "service/store/count_store.h"

namespace viewcount {

// What makes a shard's books agree without changing a count: a change of a number in its totals hash.
struct TotalsRepair {
  Shard shard;
  std::string field;
  int64_t add = 0;
};

// A ranking to be made again from its hash.
struct RankingRepair {
  Shard shard;
  std::string hash_key;
  std::string ranking_key;
  size_t ranked = 0;
};

struct StoreRepairs {
  std::vector<TotalsRepair> totals;
  std::vector<RankingRepair> rankings;

  bool empty() const { return totals.empty() && rankings.empty(); }
};

// A value; one thread.
struct AuditReport {
  // In words for an operator, each naming the key, what was expected and what is there.
  std::vector<std::string> differences;
  // Differences beyond limits::kAuditDifferencesMax.
  uint64_t more_differences = 0;
  // Keys that flushes changed whenever they were looked at: nothing is known of them.
  std::vector<std::string> busy;
  // Over all shards.
  std::map<LaneId, LaneTotals> lanes;
  // Of all lanes that were removed.
  LaneTotals retired;
  // Hashes of counts and their articles that were looked at.
  uint64_t hashes = 0;
  uint64_t articles = 0;
  // What would make the differences go that can be made to go: see RedisStore::Repair.
  StoreRepairs repairs;

  void Add(std::string difference) {
    if (differences.size() < limits::kAuditDifferencesMax) {
      differences.push_back(std::move(difference));
    } else {
      ++more_differences;
    }
  }
};

}  // namespace viewcount
