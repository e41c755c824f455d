#include "service/instance/audit.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "service/base/limits.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// The pause between two checks of a shard that is being written.
constexpr std::chrono::milliseconds kAuditPause{50};
constexpr int kAttemptsMax = 20;

void Add(LaneTotals& sum, const LaneTotals& totals) {
  sum.views += totals.views;
  sum.set_aside += totals.set_aside;
  sum.adjusted += totals.adjusted;
  sum.lost += totals.lost;
}

// Returns the number of views that the store should have of the shard if its cursor there is `cursor`. Returns nothing
// if the ledger has another cursor, or if the shard is absent from it.
std::optional<uint64_t> ExpectedAt(const Ledger& ledger, Shard shard, const Cursor& cursor) {
  const Ledger::LockedView still = ledger.Lock();
  if (still.IsAbsent(shard) || still.CursorOf(shard) != cursor) return std::nullopt;
  return still.Journaled(shard) - still.Pending(shard);
}

// Proposes repairs for one shard. Views that only the store has are booked as an adjustment; views that it lacks are
// booked as lost.
void Propose(Shard shard, const LaneId& lane, const LaneTotals& totals, uint64_t expected, Audit& audit) {
  const auto difference = static_cast<int64_t>(totals.views + totals.lost) - static_cast<int64_t>(expected);
  if (difference < 0) {
    audit.repairs.push_back({shard, fmt::format("{}:lost", ToHex(lane)), -difference});
  } else if (static_cast<uint64_t>(difference) <= totals.views) {
    audit.repairs.push_back({shard, fmt::format("{}:views", ToHex(lane)), -difference});
    audit.repairs.push_back({shard, fmt::format("{}:adjusted", ToHex(lane)), difference});
  }
}

asio::awaitable<absl::Status> CheckShard(RedisStore& store, Shard shard, LaneAudit& lane, Audit& audit) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  const std::string name = fmt::format("shard {:02} of lane {}", shard.value, ToHex(lane.state.identity.id));
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const auto stored = co_await store.ReadLane(shard, lane.state.identity.id);
    if (!stored.ok()) co_return stored.status();
    const Cursor cursor = stored->entry ? stored->entry->cursor : Cursor();
    if (const auto expected = ExpectedAt(*lane.state.ledger, shard, cursor)) {
      Add(lane.stored, stored->totals);
      if (stored->totals.views + stored->totals.lost != *expected) {
        audit.differences.push_back(fmt::format("{}: the journal has {} views up to {}, the store {} and {} lost", name,
                                                *expected, cursor.ToString(), stored->totals.views,
                                                stored->totals.lost));
        Propose(shard, lane.state.identity.id, stored->totals, *expected, audit);
      }
      co_return absl::OkStatus();
    }
    pause.expires_after(kAuditPause);
    co_await pause.async_wait(asio::use_awaitable);
  }
  audit.busy.push_back(name);
  co_return absl::OkStatus();
}

void CheckCounters(const LaneSet::LaneState& state, Audit& audit) {
  const Lane::Counters& c = state.counters;
  if (c.received == c.counted + c.duplicate + c.rejected + c.waiting) return;
  audit.differences.push_back(
      fmt::format("lane {}: {} views received, but {} counted + {} duplicate + {} rejected + {} waiting",
                  ToHex(state.identity.id), c.received, c.counted, c.duplicate, c.rejected, c.waiting));
}

}  // namespace

asio::awaitable<absl::StatusOr<Audit>> RunAudit(const LaneSet& lanes, RedisStore& store) {
  Audit audit;
  for (LaneSet::LaneState& state : lanes.states()) {
    LaneAudit lane{.state = std::move(state)};
    CheckCounters(lane.state, audit);
    for (uint32_t i = 0; i < limits::kShards; ++i) {
      const Shard shard{static_cast<uint8_t>(i)};
      if (auto status = co_await CheckShard(store, shard, lane, audit); !status.ok()) co_return status;
      lane.journaled += lane.state.ledger->Lock().Journaled(shard);
    }
    audit.lanes.push_back(std::move(lane));
  }
  auto report = co_await store.Audit();
  if (!report.ok()) co_return report.status();
  audit.store = *std::move(report);
  co_return audit;
}

}  // namespace viewcount
