// The repair of shards that lack views: after a start, or when the store went back in time.
#include <absl/time/time.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "service/base/planted_bug.h"
#include "service/base/status.h"
#include "service/flush/flusher.h"
#include "service/lane/refold.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

absl::Status BeyondJournal(const LaneId& lane, Shard shard, Position stored, Position end) {
  return ErrorWithReason(
      absl::StatusCode::kFailedPrecondition,
      fmt::format("shard {:02} holds lane {} up to position {}, but its journal ends at {}: the journal was lost, or "
                  "this is an older copy of it",
                  shard.value, ToHex(lane), stored.value, end.value),
      "BEYOND_JOURNAL");
}

}  // namespace

asio::awaitable<absl::Status> Flusher::RepairShards() {
  Ledger& ledger = parts_.ledger;
  const ShardSet shards = misplaced_;
  const Position end = ledger.Withdraw(shards);
  plan_.reset();
  ShardCursors cursors;
  Position from = end;
  absl::Status beyond;
  shards.ForEach([&](Shard shard) {
    cursors[shard.value] = stored_[shard.value].cursor;
    from = std::min(from, cursors[shard.value].applied_to());
    if (cursors[shard.value].to() > end)
      beyond = BeyondJournal(options_.lane.id, shard, cursors[shard.value].to(), end);
  });
  if (!beyond.ok()) {
    if (recovered_) {
      Stop();
      options_.fenced(beyond);
    }
    co_return beyond;
  }
  const JournalWriter::Pin pin = parts_.journal.Hold(from);
  const Position begin = parts_.journal.begin();
  ShardSet early;
  shards.ForEach([&](Shard shard) {
    Cursor& cursor = cursors[shard.value];
    if (cursor.applied_to() >= begin) return;
    early.Add(shard);
    if (cursor.to() > begin && !Planted(PlantedBug::kGiveUpAppliedPart)) {
      // The shard must not get again what it already has of this chunk.
      cursor = Cursor::Middle(begin, cursor.to(), cursor.last(), cursor.as_of());
    } else {
      cursor = Cursor::End(begin);
    }
  });
  if (!early.empty()) {
    if (auto status = co_await WriteOffLost(early, begin, cursors); !status.ok()) co_return status;
  }
  const auto work = [&]() -> asio::awaitable<absl::StatusOr<std::vector<SealedChunk>>> {
    co_return Refold(parts_.source, PlanRefold(shards, cursors, end));
  };
  auto chunks = co_await asio::co_spawn(parts_.blocking, work(), asio::use_awaitable);
  if (!chunks.ok()) co_return chunks.status();
  if (Planted(PlantedBug::kFoldFromJournalEnd) && !recovered_ && ledger.totals().position > end) {
    for (SealedChunk& sealed : *chunks) {
      const auto empty = std::make_shared<Chunk>(sealed.chunk->from());
      empty->Extend(sealed.chunk->to(), parts_.clock.Now());
      sealed.chunk = empty;
    }
  }
  uint64_t views = 0;
  for (const SealedChunk& sealed : *chunks) views += sealed.chunk->views();
  ledger.Restore(*std::move(chunks));
  shards.ForEach([&](Shard shard) { MoveTo(shard, cursors[shard.value]); });
  misplaced_.Remove(shards);
  if (views > 0) {
    spdlog::info("lane {}: {} views from position {} on are taken from the journal again", ToHex(options_.lane.id),
                 views, std::max(from, begin).value);
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Flusher::WriteOffLost(ShardSet shards, Position begin, const ShardCursors& cursors) {
  JournaledTotals before;
  const Position end = parts_.journal.end();
  if (begin < end) {
    const auto work = [&]() -> asio::awaitable<absl::StatusOr<JournaledTotals>> {
      auto totals = JournaledBefore(parts_.source, begin, end);
      if (!totals.ok()) co_return totals;
      const auto covered = CoveredBehind(parts_.source, begin, shards, cursors);
      if (!covered.ok()) co_return covered.status();
      for (size_t i = 0; i < covered->size(); ++i) totals->views[i] += (*covered)[i];
      co_return totals;
    };
    const auto read = co_await asio::co_spawn(parts_.blocking, work(), asio::use_awaitable);
    if (!read.ok()) co_return read.status();
    before = *read;
  } else {
    before = {parts_.clock.UnixMillis(), parts_.ledger.journaled()};
  }
  uint64_t lost = 0;
  Position from = begin;
  const auto give_up = [&](Shard shard) -> asio::awaitable<absl::Status> {
    Claimed& stored = stored_[shard.value];
    const uint64_t had = stored.totals.views + stored.totals.lost;
    const uint64_t had_to_have = before.views[shard.value];
    Part part;
    part.shard = shard;
    part.lane = options_.lane.id;
    part.incarnation = options_.lane.incarnation;
    part.expected = stored.cursor;
    part.next = cursors[shard.value];
    part.lost = Planted(PlantedBug::kIgnoreLost) ? 0 : had_to_have - std::min(had_to_have, had);
    from = std::min(from, stored.cursor.applied_to());
    const auto result = co_await parts_.store.Apply(part);
    if (!result.ok()) co_return result.status();
    if (!result->applied) co_return absl::AbortedError("the store changed while it was repaired");
    lost += part.lost;
    stored.cursor = part.next;
    stored.totals.lost += part.lost;
    co_return absl::OkStatus();
  };
  const auto status = co_await ForShards(shards, give_up);
  parts_.metrics.lost_views.Increment(static_cast<double>(lost));
  if (lost > 0) {
    spdlog::error(
        "lane {}: {} views between positions {} and {}, received before {}, are lost: Redis does not have them "
        "any more, and the journal does not reach back to them",
        ToHex(options_.lane.id), lost, from.value, begin.value,
        absl::FormatTime(absl::RFC3339_sec, absl::FromUnixMillis(before.unix_ms), absl::UTCTimeZone()));
  }
  co_return status;
}

}  // namespace viewcount
