// Of one shard: whether the sums of its hashes are what its lanes' totals say, and what its days hold.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/audit_report.h"
#include "service/store/redis/connection.h"

namespace viewcount {

// Adds up all four.
void AddTotals(const LaneTotals& from, LaneTotals& to);

// On the connection's thread. Everything given must outlive it.
class SumAudit {
 public:
  // Hashes whose key is in `unusable` count as empty: they are no hashes.
  SumAudit(RedisConnection& connection, Shard shard, const std::vector<std::string>& sites,
           const std::set<std::string>& unusable)
      : connection_(connection), shard_(shard), sites_(sites), unusable_(unusable) {}

  struct Found {
    std::vector<std::string> differences;
    std::vector<TotalsRepair> repairs;
    // The shard changed whenever it was looked at: nothing is known.
    bool busy = false;
    std::map<LaneId, LaneTotals> lanes;
    LaneTotals retired;
  };
  // `names` are the shard's hashes, as HashName::Parse takes them. Errors are those of the connection.
  boost::asio::awaitable<absl::StatusOr<Found>> Run(const std::set<std::string>& names);

 private:
  // Sums over thousands of sites pass 2^63.
  using Wide = __int128;
  using Fields = std::map<std::string, std::string>;
  // All of one moment.
  struct Snapshot {
    Fields lanes;
    Fields totals;
    // By the hash's name.
    std::map<std::string, int64_t> sums;
  };
  // The numbers of the totals hash, told apart.
  struct Totals {
    std::map<LaneId, LaneTotals> lanes;
    LaneTotals retired;
    std::map<std::string, int64_t> apart;
  };

  // Nothing if the shard changed while it was read.
  boost::asio::awaitable<absl::StatusOr<std::optional<Snapshot>>> Read(const std::set<std::string>& names);
  // The hashes whose sums are compared: not those of hours, but of every site all views and bots.
  std::set<std::string> Compared(const std::set<std::string>& names) const;
  Totals ParseTotals(const Fields& fields, Found& found) const;
  // Adds a repair, unless it is beyond what the totals can hold exactly.
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
