// The result of an audit of the store.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "service/base/limits.h"
#include "service/store/lane_progress.h"

namespace viewcount {

// A change of a number in a shard's totals hash that makes the totals agree with the counts. No count changes.
struct TotalsRepair {
  Shard shard;
  std::string field;
  int64_t add = 0;
};

// A ranking that is to be rebuilt from its hash.
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

// A value. Not thread-safe.
struct AuditReport {
  // For an operator to read: each text names the key, the expected value and the value found.
  std::vector<std::string> differences;
  // The number of differences beyond limits::kAuditDifferencesMax.
  uint64_t more_differences = 0;
  // Keys that flushes changed during every attempt to check them. The audit says nothing about these keys.
  std::vector<std::string> busy;
  // The totals of each lane, added up over all shards.
  std::map<LaneId, LaneTotals> lanes;
  // The totals of all lanes that were removed.
  LaneTotals retired;
  // The numbers of hashes of counts, and of their articles, that were checked.
  uint64_t hashes = 0;
  uint64_t articles = 0;
  // Repairs for those differences that can be repaired: see RedisStore::Repair.
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
