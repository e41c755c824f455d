#include "service/query/site_total_reader.h"

#include <string_view>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/wait_group.h"

namespace viewcount {
namespace asio = boost::asio;

asio::awaitable<absl::StatusOr<WindowTotals>> SiteTotalReader::Read(std::shared_ptr<const Site> site,
                                                                    std::vector<Window> windows) {
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    Sums sums;
    // The cursors come first, so that the marks hold every chunk after them.
    sums.known = cache_.KnownCursors();
    std::vector<Ledger::Snapshot> marks;
    for (const Ledger* ledger : ledgers_) marks.push_back(ledger->TakeSnapshot());
    sums.stored.resize(windows.size());
    sums.cursors.resize(ledgers_.size());
    WaitGroup reads(co_await asio::this_coro::executor);
    for (uint32_t i = 0; i < limits::kShards; ++i) {
      reads.Spawn(ReadShard(*site, windows, Shard{static_cast<uint8_t>(i)}, sums));
    }
    co_await reads.Wait();
    if (absl::IsAborted(sums.error)) continue;
    if (!sums.error.ok()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(sums.error.message()), limits::kRetryDelay);
    }
    if (auto totals = Complete(*site, windows, marks, sums)) co_return *std::move(totals);
  }
  co_return RetryLater(absl::StatusCode::kUnavailable, "the store is older than what was written to it",
                       limits::kRetryDelay);
}

std::optional<WindowTotals> SiteTotalReader::Complete(const Site& site, const std::vector<Window>& windows,
                                                      const std::vector<Ledger::Snapshot>& marks,
                                                      const Sums& sums) const {
  WindowTotals totals{.views = sums.stored};
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    const auto pending = ledgers_[lane]->SumPending(marks[lane], sums.cursors[lane], site, windows);
    if (!pending) return std::nullopt;
    for (size_t w = 0; w < windows.size(); ++w) totals.views[w] += pending->views[w];
    totals.folded.push_back(pending->folded);
  }
  return totals;
}

asio::awaitable<void> SiteTotalReader::ReadShard(const Site& site, const std::vector<Window>& windows, Shard shard,
                                                 Sums& sums) {
  // The empty field of every hash holds its sum.
  const std::vector<std::string_view> ids = {""};
  std::vector<Cursor> cursors;
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    const auto counts = co_await store_.ReadCounts(shard, cache_.lane_ids(), site.name, windows, ids);
    if (!counts.ok()) {
      sums.error = counts.status();
      co_return;
    }
    if (!cache_.CheckCursors(sums.known, shard, counts->lanes, cursors)) continue;
    for (size_t lane = 0; lane < cursors.size(); ++lane) sums.cursors[lane][shard.value] = cursors[lane];
    for (size_t w = 0; w < windows.size(); ++w) sums.stored[w] += counts->counts[w][0];
    co_return;
  }
  sums.error = absl::AbortedError("the store is older than what was written to it");
}

}  // namespace viewcount
