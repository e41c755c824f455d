#include "service/query/site_total_reader.h"

#include <string_view>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/wait_group.h"

namespace viewcount {
namespace asio = boost::asio;

asio::awaitable<absl::StatusOr<int64_t>> SiteTotalReader::Read(std::shared_ptr<const Site> site, Window window) {
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    std::vector<Ledger::Mark> marks;
    for (const Ledger* ledger : ledgers_) marks.push_back(ledger->MarkNow());
    Sums sums;
    sums.cursors.resize(ledgers_.size());
    WaitGroup reads(co_await asio::this_coro::executor);
    for (uint32_t i = 0; i < limits::kShards; ++i) {
      reads.Spawn(ReadShard(*site, window, Shard{static_cast<uint8_t>(i)}, sums));
    }
    co_await reads.Wait();
    if (absl::IsAborted(sums.error)) continue;
    if (!sums.error.ok()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(sums.error.message()), limits::kRetryDelay);
    }
    int64_t total = sums.stored;
    bool whole = true;
    for (size_t lane = 0; lane < ledgers_.size() && whole; ++lane) {
      whole = ledgers_[lane]->ForEachPending(marks[lane], sums.cursors[lane], *site, window,
                                             [&](Shard, uint64_t, std::string_view, int64_t views) { total += views; });
    }
    if (whole) co_return total;
  }
  co_return RetryLater(absl::StatusCode::kUnavailable, "the store is older than what was written to it",
                       limits::kRetryDelay);
}

asio::awaitable<void> SiteTotalReader::ReadShard(const Site& site, Window window, Shard shard, Sums& sums) {
  const std::vector<Window> windows = {window};
  // In every hash the empty field holds the sum.
  const std::vector<std::string_view> ids = {""};
  std::vector<Cursor> cursors;
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    const auto counts = co_await store_.ReadCounts(shard, cache_.lane_ids(), site.name, windows, ids);
    if (!counts.ok()) {
      sums.error = counts.status();
      co_return;
    }
    if (!cache_.CheckCursors(shard, counts->lanes, cursors)) continue;
    for (size_t lane = 0; lane < cursors.size(); ++lane) sums.cursors[lane][shard.value] = cursors[lane];
    sums.stored += counts->counts[0][0];
    co_return;
  }
  sums.error = absl::AbortedError("the store is older than what was written to it");
}

}  // namespace viewcount
