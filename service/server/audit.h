// Whether everything adds up: what each lane did with the views it received, what its journal holds against what the
// store says it brought, and the store's own sums (docs/PROTOCOL.md, "Audit").
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "service/server/lane_set.h"
#include "service/store/redis/audit_report.h"
#include "service/store/redis/redis_store.h"

namespace viewcount {

// A lane of this process, over its whole life where it does not say otherwise.
struct LaneAudit {
  LaneSet::LaneState state;
  // Views in its journal, pending ones among them.
  uint64_t journaled = 0;
  // What the store says of it, over all shards.
  LaneTotals stored;
};

struct Audit {
  AuditReport store;
  std::vector<LaneAudit> lanes;
  // In words for an operator; the store's own are in `store`.
  std::vector<std::string> differences;
  // Of what is not known: shards that moved on whenever they were looked at.
  std::vector<std::string> busy;
  // What would make lanes agree with the store; those of the store alone are in `store`.
  std::vector<TotalsRepair> repairs;

  bool agrees() const { return differences.empty() && store.differences.empty() && store.more_differences == 0; }
};

// On the store's executor, while everything goes on. Takes seconds or, with millions of articles, minutes. Errors are
// the store's.
boost::asio::awaitable<absl::StatusOr<Audit>> RunAudit(const LaneSet& lanes, RedisStore& store);

}  // namespace viewcount
