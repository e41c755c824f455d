// The audit checks that all sums agree (docs/PROTOCOL.md, "Audit"). It checks each lane's counters of received
// views, each lane's journal against the store's totals of the lane, and the store's own sums.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "service/instance/lane_set.h"
#include "service/store/lane_progress.h"
#include "service/store/redis/audit_report.h"
#include "service/store/redis/redis_store.h"

namespace viewcount {

// The audit of one lane of this process. Numbers cover the lane's whole life unless stated otherwise.
struct LaneAudit {
  LaneSet::LaneState state;
  // The views in the lane's journal, including the pending ones.
  uint64_t journaled = 0;
  // The store's totals of the lane, over all shards.
  LaneTotals stored;
};

// The result of an audit.
struct Audit {
  AuditReport store;
  std::vector<LaneAudit> lanes;
  // Differences between lanes and store, in words for an operator. Those within the store are in `store`.
  std::vector<std::string> differences;
  // Shards that could not be checked, because they changed during every check.
  std::vector<std::string> busy;
  // The repairs that would make the lanes agree with the store. Repairs within the store are in `store`.
  std::vector<TotalsRepair> repairs;

  bool agrees() const { return differences.empty() && store.differences.empty() && store.more_differences == 0; }
};

// Runs an audit on the store's executor, while the service goes on working. It takes seconds or, with millions of
// articles, minutes. Errors are those of the store.
boost::asio::awaitable<absl::StatusOr<Audit>> RunAudit(const LaneSet& lanes, RedisStore& store);

}  // namespace viewcount
