#include "service/lane/recovery.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "service/base/planted_bug.h"
#include "service/lane/checkpoint.h"
#include "service/lane/replay.h"

namespace viewcount {

namespace {

// Records the batch's viewers in the tables, as the lane did when it took the batch.
void NoteViewers(const Site& site, const ReplayedBatch& batch, RecoveredLane& recovered) {
  const auto cool_down = site.settings.cool_down;
  for (const DecodedView& view : batch.request.views) {
    if (!view.by_known_viewer()) continue;
    recovered.visits.Replay({site.seed, view.viewer}, view.event_time_unix_ms, batch.receipt_unix_ms);
    if (cool_down.count() == 0 || view.too_soon()) continue;
    const uint64_t article = ArticleHash(site.seed, site.Resolve(view.article_id));
    recovered.cool_downs.Replay(article, view.viewer, view.event_time_unix_ms, batch.receipt_unix_ms, cool_down);
  }
}

}  // namespace

absl::StatusOr<RecoveredLane> RecoverLane(const JournalSource& source, const JournalWriter::Options& options) {
  auto journal = JournalWriter::Open(source.disk, source.clock, options);
  if (!journal.ok()) return journal.status();
  auto checkpoint = ReadCheckpoint(source.disk, source.folder, source.lane);
  if (Planted(PlantedBug::kIgnoreCheckpoint) && checkpoint.ok()) checkpoint->writers.clear();
  if (!checkpoint.ok()) return checkpoint.status();
  RecoveredLane recovered;
  recovered.journal = *std::move(journal);
  recovered.checkpoint = checkpoint->position;
  const Position begin = recovered.journal->begin();
  const Position end = recovered.journal->end();
  const SteadyTime now = source.clock.Now();
  if (checkpoint->position < begin) {
    // Segments are deleted only after a checkpoint covers them, so the checkpoint was removed from outside.
    spdlog::error(
        "{}: no checkpoint of the writers before position {}: a batch from before it that is sent again is "
        "counted again",
        source.folder, begin.value);
  }
  if (auto status = recovered.writers.Merge(checkpoint->writers, now); !status.ok()) return status;
  if (auto status = recovered.visits.Merge(checkpoint->visits); !status.ok()) return status;
  if (Planted(PlantedBug::kForgetCoolDowns)) checkpoint->cool_downs.clear();
  if (auto status = recovered.cool_downs.Merge(checkpoint->cool_downs); !status.ok()) return status;

  ShardViews journaled{};
  Replay replay(source, {.record = {},
                         .views =
                             [&](const Record& record, const ReplayedBatch& batch, Folding& folding) {
                               const ViewsRequest& request = batch.request;
                               const auto site = folding.Find(batch.site);
                               for (const DecodedView& view : request.views) {
                                 const uint64_t hash = ArticleHash(site->seed, site->Resolve(view.article_id));
                                 journaled[ShardOf(hash).value] += view.count;
                               }
                               if (record.end <= checkpoint->position) return;
                               if (!request.writer.IsNone()) recovered.writers.Replay(request, now);
                               NoteViewers(*site, batch, recovered);
                             },
                         .adjustment =
                             [&](const Record& record, SiteIndex, const Adjustment& adjustment, Folding&) {
                               if (record.end <= checkpoint->position || !adjustment.message.has_import()) return;
                               recovered.writers.Replay(WriterOf(adjustment.message), now);
                             },
                         .totals = [&](const JournaledTotals& totals) { journaled = totals.views; }});
  if (begin < end) {
    // The walk begins with the segment that holds the checkpoint's position. Without a checkpoint it begins with the
    // journal's first segment.
    const Position from = std::clamp(checkpoint->position, begin, Position{end.value - 1});
    if (auto status = replay.Run(from, end); !status.ok()) return status;
  }
  recovered.beginning = {
      .end = end, .folding = std::move(replay.folding()), .journaled = journaled, .absent = ShardSet::All()};
  return recovered;
}

}  // namespace viewcount
