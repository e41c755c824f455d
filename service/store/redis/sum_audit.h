// Checks one shard: whether the sums of its hashes agree with its lanes' totals, and with the sums of its days.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/lane_progress.h"
#include "service/store/redis/audit_report.h"
#include "service/store/redis/connection.h"

namespace viewcount {

// Adds all four totals of `from` to those of `to`.
void AddTotals(const LaneTotals& from, LaneTotals& to);

// Used on the connection's thread. All constructor arguments must outlive it.
class SumAudit {
 public:
  // Hashes whose key is in `unusable` count as empty, because they are not hashes.
  SumAudit(RedisConnection& connection, Shard shard, const std::vector<std::string>& sites,
           const std::set<std::string>& unusable)
      : connection_(connection), shard_(shard), sites_(sites), unusable_(unusable) {}

  struct Found {
    std::vector<std::string> differences;
    std::vector<TotalsRepair> repairs;
    // True if the shard changed during every attempt. Nothing else is known then.
    bool busy = false;
    std::map<LaneId, LaneTotals> lanes;
    LaneTotals retired;
  };
  // Runs the audit. `names` are the names of the shard's hashes, in the form that HashName::Parse accepts. Errors are
  // those of the connection.
  boost::asio::awaitable<absl::StatusOr<Found>> Run(const std::set<std::string>& names);

 private:
  // Sums over thousands of sites can exceed 2^63.
  using Wide = __int128;
  using Fields = std::map<std::string, std::string>;
  // Values of one moment.
  struct Snapshot {
    Fields lanes;
    Fields totals;
    // The sum of each hash, by the hash's name.
    std::map<std::string, int64_t> sums;
    // The names of the hashes that exist.
    std::set<std::string> present;
  };
  // The numbers of the totals hash, sorted by their meaning.
  struct Totals {
    std::map<LaneId, LaneTotals> lanes;
    LaneTotals retired;
    std::map<std::string, int64_t> apart;
    // By the day's name: the part of its sum that `apart` contains already.
    std::map<std::string, int64_t> gone;
  };

  // Returns nothing if the shard changed while it was read.
  boost::asio::awaitable<absl::StatusOr<std::optional<Snapshot>>> Read(const std::set<std::string>& names);
  // Returns the hashes whose sums are compared: no hashes of hours, but `all` and `bots` of every site.
  std::set<std::string> Compared(const std::set<std::string>& names) const;
  Totals ParseTotals(const Fields& fields, Found& found) const;
  // Adds a repair, unless it is larger than the totals can hold exactly.
  void Propose(const std::string& field, Wide add, Found& found) const;
  void JudgeLanes(const Snapshot& snapshot, const Totals& totals, Found& found) const;
  void JudgeTotals(const Snapshot& snapshot, const Totals& totals, Found& found) const;
  void JudgeDays(const Snapshot& snapshot, const Totals& totals, Found& found) const;

  RedisConnection& connection_;
  const Shard shard_;
  const std::vector<std::string>& sites_;
  const std::set<std::string>& unusable_;
};

}  // namespace viewcount
