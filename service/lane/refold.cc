#include "service/lane/refold.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "service/base/check.h"
#include "service/base/planted_bug.h"
#include "service/lane/replay.h"

namespace viewcount {
namespace {

// Adds a target, or adds its shards to an existing target with the same range.
void AddTarget(std::vector<RefoldTarget>& targets, const RefoldTarget& target) {
  const auto same = std::find_if(targets.begin(), targets.end(), [&](const RefoldTarget& other) {
    return other.from == target.from && other.to == target.to;
  });
  if (same != targets.end()) {
    same->shards.bits |= target.shards.bits;
  } else {
    targets.push_back(target);
  }
}

// The targets during one walk through a journal. It knows to which chunk the views of each shard go. Not thread-safe.
class Targets {
 public:
  Targets(const std::vector<RefoldTarget>& targets, const Clock& clock)
      : targets_(targets), now_(clock.Now()), now_unix_ms_(clock.UnixMillis()), oldest_(targets.size(), now_) {
    for (const RefoldTarget& target : targets_) chunks_.push_back(std::make_shared<Chunk>(target.from));
  }

  // Moves to the next record. Call it for every record, in order.
  absl::Status Advance(const Record& record) {
    // Nothing changes between two boundaries.
    if (record.end <= unchanged_to_) return absl::OkStatus();
    unchanged_to_ = Position{~uint64_t{0}};
    for (const RefoldTarget& target : targets_) {
      for (const Position boundary : {target.from, target.to}) {
        if (record.begin < boundary && boundary < record.end) {
          return absl::FailedPreconditionError(
              fmt::format("the store names position {}, which this journal does not have", boundary.value));
        }
        if (record.end <= boundary) unchanged_to_ = std::min(unchanged_to_, boundary);
      }
    }
    current_.fill(nullptr);
    for (size_t i = 0; i < targets_.size(); ++i) {
      if (record.end <= targets_[i].from || record.end > targets_[i].to) continue;
      targets_[i].shards.ForEach([&](Shard shard) { current_[shard.value] = chunks_[i].get(); });
    }
    return absl::OkStatus();
  }

  // Returns the chunk for the shard's views in the present record; null if no target wants them.
  Chunk* ChunkOf(Shard shard) const { return current_[shard.value]; }

  // Records the receipt time of a record for the targets that contain it.
  void NoteReceipt(const Record& record, int64_t receipt_unix_ms) {
    const auto age = std::chrono::milliseconds(std::max<int64_t>(0, now_unix_ms_ - receipt_unix_ms));
    for (size_t i = 0; i < targets_.size(); ++i) {
      if (targets_[i].from < record.end && record.end <= targets_[i].to) oldest_[i] = std::min(oldest_[i], now_ - age);
    }
  }

  // Returns the finished chunks. Call it once, after the last record.
  std::vector<SealedChunk> Take() {
    std::vector<SealedChunk> sealed;
    for (size_t i = 0; i < targets_.size(); ++i) {
      chunks_[i]->Extend(targets_[i].to, oldest_[i]);
      sealed.push_back({std::move(chunks_[i]), targets_[i].shards});
    }
    return sealed;
  }

 private:
  const std::vector<RefoldTarget>& targets_;
  const SteadyTime now_;
  const int64_t now_unix_ms_;
  std::vector<SteadyTime> oldest_;
  std::vector<std::shared_ptr<Chunk>> chunks_;
  std::array<Chunk*, limits::kShards> current_{};
  Position unchanged_to_;
};

}  // namespace

std::vector<RefoldTarget> PlanRefold(ShardSet shards, const ShardCursors& cursors, Position end) {
  std::vector<RefoldTarget> targets;
  // The position of each shard after it has finished the chunk in whose middle it is.
  std::vector<Position> ends = {end};
  shards.ForEach([&](Shard shard) {
    const Cursor& cursor = cursors[shard.value];
    VIEWCOUNT_CHECK(cursor.to() <= end);
    if (Planted(PlantedBug::kResumeByLongerFold) && cursor.in_middle()) {
      AddTarget(targets, {cursor.from(), end, ShardSet::Of(shard)});
      return;
    }
    if (cursor.in_middle()) AddTarget(targets, {cursor.from(), cursor.to(), ShardSet::Of(shard)});
    ends.push_back(cursor.to());
  });
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  shards.ForEach([&](Shard shard) {
    if (Planted(PlantedBug::kResumeByLongerFold) && cursors[shard.value].in_middle()) return;
    for (size_t i = 0; i + 1 < ends.size(); ++i) {
      if (cursors[shard.value].to() <= ends[i]) AddTarget(targets, {ends[i], ends[i + 1], ShardSet::Of(shard)});
    }
  });
  std::stable_sort(targets.begin(), targets.end(),
                   [](const RefoldTarget& a, const RefoldTarget& b) { return a.to < b.to; });
  return targets;
}

absl::StatusOr<std::vector<SealedChunk>> Refold(const JournalSource& source, const std::vector<RefoldTarget>& targets) {
  if (targets.empty()) return std::vector<SealedChunk>();
  Position from = targets.front().from;
  Position to = targets.front().to;
  for (const RefoldTarget& target : targets) {
    from = std::min(from, target.from);
    to = std::max(to, target.to);
  }
  Targets under_way(targets, source.clock);
  Replay replay(source, {.record = [&](const Record& record) { return under_way.Advance(record); },
                         .views =
                             [&](const Record& record, const ReplayedBatch& batch, Folding& folding) {
                               folding.Fold(batch.site, batch.request.views,
                                            [&](Shard shard) { return under_way.ChunkOf(shard); });
                               under_way.NoteReceipt(record, batch.receipt_unix_ms);
                             },
                         .adjustment =
                             [&](const Record& record, SiteIndex site, const Adjustment& adjustment, Folding& folding) {
                               folding.Fold(site, adjustment, [&](Shard shard) { return under_way.ChunkOf(shard); });
                               under_way.NoteReceipt(record, adjustment.message.unix_ms());
                             },
                         .totals = {}});
  if (auto status = replay.Run(from, to); !status.ok()) return status;
  return under_way.Take();
}

absl::StatusOr<ShardViews> CoveredBehind(const JournalSource& source, Position position, ShardSet shards,
                                         const ShardCursors& cursors) {
  std::vector<RefoldTarget> targets;
  shards.ForEach([&](Shard shard) {
    const Cursor& cursor = cursors[shard.value];
    if (cursor.in_middle()) AddTarget(targets, {position, cursor.to(), ShardSet::Of(shard)});
  });
  const auto chunks = Refold(source, targets);
  if (!chunks.ok()) return chunks.status();
  ShardViews covered{};
  for (const SealedChunk& sealed : *chunks) {
    const Chunk& chunk = *sealed.chunk;
    for (const Chunk::Article& article : chunk.articles()) {
      const Shard shard = ShardOf(article.hash);
      const auto site = source.sites.At(article.site);
      if (!cursors[shard.value].Covers(chunk.to(), {site->name, article.id})) continue;
      chunk.ForEachDelta(article,
                         [&](const Chunk::Delta& delta) { covered[shard.value] += delta.views + delta.bot_views; });
    }
  }
  return covered;
}

absl::StatusOr<JournaledTotals> JournaledBefore(const JournalSource& source, Position position, Position end) {
  std::optional<JournaledTotals> found;
  Replay replay(source, {.record =
                             [&](const Record&) {
                               // The totals are the first record of a segment, so the walk can end after them.
                               return found ? absl::CancelledError() : absl::OkStatus();
                             },
                         .views = {},
                         .adjustment = {},
                         .totals = [&](const JournaledTotals& totals) { found = totals; }});
  const auto status = replay.Run(position, end);
  if (found) return *found;
  return status.ok() ? absl::DataLossError(source.folder + ": a segment begins without totals") : status;
}

}  // namespace viewcount
