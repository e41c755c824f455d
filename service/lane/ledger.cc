#include "service/lane/ledger.h"

#include <algorithm>
#include <utility>

#include "service/base/check.h"
#include "service/base/hash.h"
#include "service/base/planted_bug.h"
#include "service/lane/window_sums.h"

namespace viewcount {
namespace {

// The pool of blocks keeps at most this much. While the store keeps up, chunks are not much larger than
// limits::kChunkSealBytes. A chunk that gathered views for long leaves no more memory than this.
constexpr size_t kKeptBytesMax = 2 * limits::kChunkSealBytes;

}  // namespace

Ledger::Ledger(LaneId lane, Beginning beginning)
    : lane_(lane),
      folding_(std::move(beginning.folding)),
      open_(std::make_shared<Chunk>(beginning.end, pool_, 0)),
      absent_(beginning.absent),
      journaled_(beginning.journaled) {
  cursors_.fill(Cursor::End(beginning.end));
}

void Ledger::ApplySite(std::shared_ptr<const Site> site) {
  const MutexLock lock(mutex_);
  folding_.ApplySite(std::move(site));
}

std::shared_ptr<const Site> Ledger::FindSite(SiteIndex site) const {
  const MutexLock lock(mutex_);
  return folding_.Find(site);
}

std::vector<std::shared_ptr<const Site>> Ledger::sites() const {
  const MutexLock lock(mutex_);
  return folding_.sites();
}

void Ledger::Fold(const Batch& batch) {
  const MutexLock lock(mutex_);
  Chunk* const open = open_.get();
  AddFoldedLocked(batch.site, folding_.Fold(batch.site, batch.request.views, [open](Shard) { return open; }));
  unsettled_ = true;
  unsettled_oldest_ = std::min(unsettled_oldest_, batch.receipt_time);
}

void Ledger::Fold(SiteIndex site, const Adjustment& adjustment, SteadyTime receipt_time) {
  const MutexLock lock(mutex_);
  Chunk* const open = open_.get();
  AddFoldedLocked(site, folding_.Fold(site, adjustment, [open](Shard) { return open; }));
  unsettled_ = true;
  unsettled_oldest_ = std::min(unsettled_oldest_, receipt_time);
}

void Ledger::AddFoldedLocked(SiteIndex site, int64_t views) {
  if (folded_.size() <= site.value) folded_.resize(site.value + 1);
  folded_[site.value] += views;
}

int64_t Ledger::FoldedLocked(SiteIndex site) const { return site.value < folded_.size() ? folded_[site.value] : 0; }

void Ledger::MarkDurable(Position position) {
  std::function<void()> notify;
  {
    const MutexLock lock(mutex_);
    open_->Extend(position, unsettled_oldest_);
    unsettled_ = false;
    unsettled_oldest_ = SteadyTime::max();
    if (!seal_wanted_) return;
    SealLocked();
    notify = notify_sealed_;
  }
  if (notify) notify();
}

ShardViews Ledger::journaled() const {
  const MutexLock lock(mutex_);
  VIEWCOUNT_CHECK(!unsettled_);
  ShardViews sum = journaled_;
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += open_->shard_views()[i];
  return sum;
}

void Ledger::SealLocked() {
  seal_wanted_ = false;
  for (size_t i = 0; i < journaled_.size(); ++i) journaled_[i] += open_->shard_views()[i];
  folding_.ForgetChunks();
  // The next chunk will likely be as large. The pool frees memory that neither of the last two chunks needed.
  const size_t bytes = open_->bytes();
  pool_->KeepAtMost(std::min(std::max(bytes, sealed_bytes_), kKeptBytesMax));
  sealed_bytes_ = bytes;
  auto next = std::make_shared<Chunk>(open_->to(), pool_, open_->articles().size());
  sealed_.push_back({std::exchange(open_, std::move(next)), ShardSet::All()});
}

SealedChunk Ledger::Next() {
  const MutexLock lock(mutex_);
  if (sealed_.empty() && !open_->empty()) {
    if (unsettled_ && !Planted(PlantedBug::kSealUndurable)) {
      seal_wanted_ = true;
    } else {
      SealLocked();
    }
  }
  return sealed_.empty() ? SealedChunk() : sealed_.front();
}

void Ledger::NotifySealed(std::function<void()> sealed) {
  const MutexLock lock(mutex_);
  notify_sealed_ = std::move(sealed);
}

void Ledger::SetCursor(Shard shard, const Cursor& cursor) {
  const MutexLock lock(mutex_);
  absent_.Remove(ShardSet::Of(shard));
  VIEWCOUNT_CHECK(FitsLocked(shard, cursor));
  cursors_[shard.value] = cursor;
}

bool Ledger::Fits(Shard shard, const Cursor& cursor) const {
  const MutexLock lock(mutex_);
  return FitsLocked(shard, cursor);
}

bool Ledger::FitsLocked(Shard shard, const Cursor& cursor) const {
  if (absent_.Has(shard)) return false;
  if (!cursor.in_middle() && cursor.to() == open_->from()) return true;
  for (const SealedChunk& sealed : sealed_) {
    if (!sealed.shards.Has(shard)) continue;
    if (cursor.in_middle()) {
      if (cursor.from() == sealed.chunk->from() && cursor.to() == sealed.chunk->to()) return true;
    } else if (cursor.to() == sealed.chunk->from() || cursor.to() == sealed.chunk->to()) {
      return true;
    }
  }
  return false;
}

Position Ledger::Withdraw(ShardSet shards) {
  const MutexLock lock(mutex_);
  for (SealedChunk& sealed : sealed_) {
    if (!Planted(PlantedBug::kForgetWithdraw)) sealed.shards.Remove(shards);
  }
  std::erase_if(sealed_, [](const SealedChunk& sealed) { return sealed.shards.empty(); });
  absent_.bits |= shards.bits;
  ++withdrawals_;
  // The open chunk must begin at the same position until Restore, so it must not be sealed.
  seal_wanted_ = false;
  return open_->from();
}

void Ledger::Restore(std::vector<SealedChunk> chunks) {
  const MutexLock lock(mutex_);
  for (SealedChunk& chunk : chunks) {
    VIEWCOUNT_CHECK((chunk.shards.bits & ~absent_.bits) == 0 && chunk.chunk->to() <= open_->from());
    sealed_.push_back(std::move(chunk));
  }
  std::stable_sort(sealed_.begin(), sealed_.end(),
                   [](const SealedChunk& a, const SealedChunk& b) { return a.chunk->to() < b.chunk->to(); });
}

void Ledger::Release(const Chunk& chunk) {
  const MutexLock lock(mutex_);
  std::erase_if(sealed_, [&](const SealedChunk& sealed) { return sealed.chunk.get() == &chunk; });
}

template <typename Visit>
void Ledger::LockedView::ForEachBeyond(const Cursor& cursor, const Site& site, uint64_t hash,
                                       std::string_view article_id, Visit visit) const {
  ledger_.mutex_.AssertHeld();
  const Shard shard = ShardOf(hash);
  for (const SealedChunk& sealed : ledger_.sealed_) {
    if (!sealed.shards.Has(shard) || cursor.Covers(sealed.chunk->to(), {site.name, article_id})) continue;
    const Chunk::Article* article = sealed.chunk->Find(site.index, hash, article_id);
    if (article != nullptr) visit(*sealed.chunk, *article);
  }
  // Cursors are not compared with the open chunk, because no cursor ever covers it. While nothing in it is durable, it
  // ends where it begins, and the comparison would say that it is covered.
  const Chunk::Article* article = ledger_.open_->Find(site.index, hash, article_id);
  if (article != nullptr) visit(*ledger_.open_, *article);
}

int64_t Ledger::LockedView::Pending(const Cursor& cursor, const Site& site, uint64_t hash, std::string_view article_id,
                                    Window window) const {
  int64_t sum = 0;
  ForEachBeyond(cursor, site, hash, article_id,
                [&](const Chunk& chunk, const Chunk::Article& article) { sum += chunk.ViewsOf(article, window); });
  return sum;
}

Ledger::LockedView::Totals Ledger::LockedView::PendingTotals(const Cursor& cursor, const Site& site, uint64_t hash,
                                                             std::string_view article_id) const {
  Totals sum;
  ForEachBeyond(cursor, site, hash, article_id, [&](const Chunk& chunk, const Chunk::Article& article) {
    sum.views += chunk.ViewsOf(article, {Window::Kind::kAllTime, 0});
    sum.bot_views += chunk.ViewsOf(article, {Window::Kind::kBots, 0});
  });
  return sum;
}

uint64_t Ledger::LockedView::Pending(Shard shard) const {
  ledger_.mutex_.AssertHeld();
  return ledger_.PendingLocked(shard);
}

uint64_t Ledger::LockedView::Journaled(Shard shard) const {
  ledger_.mutex_.AssertHeld();
  return ledger_.journaled_[shard.value] + ledger_.open_->views(shard);
}

uint64_t Ledger::PendingLocked(Shard shard) const {
  uint64_t sum = open_->views(shard);
  const Cursor& cursor = cursors_[shard.value];
  for (const SealedChunk& sealed : sealed_) {
    if (!sealed.shards.Has(shard)) continue;
    const Chunk& chunk = *sealed.chunk;
    if (cursor.applied_to() >= chunk.to()) continue;
    sum += chunk.views(shard);
    if (!cursor.in_middle() || cursor.to() != chunk.to()) continue;
    for (const Chunk::Article& article : chunk.articles()) {
      if (ShardOf(article.hash) != shard) continue;
      if (!cursor.Covers(chunk.to(), {folding_.Find(article.site)->name, article.id})) continue;
      chunk.ForEachDelta(article, [&](const Chunk::Delta& delta) { sum -= delta.views + delta.bot_views; });
    }
  }
  return sum;
}

Ledger::Snapshot Ledger::TakeSnapshot() const {
  const MutexLock lock(mutex_);
  return {sealed_, open_->from(), withdrawals_};
}

template <typename Begin>
std::optional<int64_t> Ledger::VisitPending(const Snapshot& mark, const ShardCursors& cursors, const Site& site,
                                            Begin begin) const {
  const auto visit_chunk = [&](const Chunk& chunk, ShardSet shards, bool open) {
    auto visit = begin(chunk);
    for (const Chunk::Article& article : chunk.articles()) {
      const Shard shard = ShardOf(article.hash);
      if (article.site != site.index || !shards.Has(shard)) continue;
      if (!open && cursors[shard.value].Covers(chunk.to(), {site.name, article.id})) continue;
      visit(article);
    }
  };
  MutexLock lock(mutex_);
  const auto chunks = ChunksSinceLocked(mark);
  if (!chunks) return std::nullopt;
  const int64_t folded = FoldedLocked(site.index);
  visit_chunk(*open_, ShardSet::All(), true);
  lock.Unlock();
  for (const SealedChunk& sealed : *chunks) visit_chunk(*sealed.chunk, sealed.shards, false);
  return folded;
}

bool Ledger::ForEachPending(const Snapshot& mark, const ShardCursors& cursors, const Site& site, Window window,
                            const PendingVisitor& visit) const {
  return VisitPending(mark, cursors, site,
                      [&](const Chunk& chunk) {
                        return [&](const Chunk::Article& article) {
                          if (const int64_t views = chunk.ViewsOf(article, window)) {
                            visit(ShardOf(article.hash), article.hash, article.id, views);
                          }
                        };
                      })
      .has_value();
}

std::optional<PendingViews> Ledger::HoldPending(Snapshot& mark, const ShardCursors& cursors, const Site& site,
                                                const WeightedWindows& windows) const {
  std::unique_lock lock(mutex_);
  // The result takes the lock over, which the analysis cannot follow.
  mutex_.AssertHeld();
  auto chunks = ChunksSinceLocked(mark);
  if (!chunks) return std::nullopt;
  mark.sealed = *std::move(chunks);
  std::erase_if(mark.sealed, [&](const SealedChunk& sealed) {
    return std::all_of(cursors.begin(), cursors.end(),
                       [&](const Cursor& cursor) { return cursor.applied_to() >= sealed.chunk->to(); });
  });
  mark.open_from = open_->from();
  return std::optional<PendingViews>(std::in_place, std::move(lock), mark.sealed, *open_, cursors, site, windows);
}

std::optional<Ledger::PendingSums> Ledger::SumPending(const Snapshot& mark, const ShardCursors& cursors,
                                                      const Site& site, const std::vector<Window>& windows) const {
  PendingSums sums{std::vector<int64_t>(windows.size())};
  const auto folded = VisitPending(
      mark, cursors, site, [&](const Chunk& chunk) { return WindowSums(chunk, site.index, windows, sums.views); });
  if (!folded) return std::nullopt;
  sums.folded = *folded;
  return sums;
}

std::optional<std::vector<SealedChunk>> Ledger::ChunksSinceLocked(const Snapshot& mark) const {
  if (!absent_.empty() || mark.withdrawals != withdrawals_) return std::nullopt;
  // The chunks sealed since the mark must still exist. Together with the marked chunks they then leave no gap.
  std::vector<SealedChunk> chunks = mark.sealed;
  Position reached = mark.open_from;
  for (const SealedChunk& sealed : sealed_) {
    if (sealed.chunk->from() != reached || sealed.shards != ShardSet::All()) continue;
    chunks.push_back(sealed);
    reached = sealed.chunk->to();
  }
  if (reached != open_->from()) return std::nullopt;
  return chunks;
}

std::optional<std::set<Window>> Ledger::WindowsSince(const Snapshot& mark, SiteIndex site) const {
  std::set<Window> windows;
  MutexLock lock(mutex_);
  const auto chunks = ChunksSinceLocked(mark);
  if (!chunks) return std::nullopt;
  open_->AddWindows(site, windows);
  lock.Unlock();
  for (const SealedChunk& sealed : *chunks) sealed.chunk->AddWindows(site, windows);
  return windows;
}

std::vector<Chunk::Adjusted::Note> Ledger::PendingNotes(const Site& site) const {
  const uint64_t hash = ArticleHash(site.seed, "");
  std::vector<Chunk::Adjusted::Note> notes;
  const auto take = [&](const Chunk& chunk) {
    const Chunk::Article* article = chunk.Find(site.index, hash, "");
    const Chunk::Adjusted* adjusted = article == nullptr ? nullptr : chunk.AdjustedOf(*article);
    if (adjusted != nullptr) notes.insert(notes.end(), adjusted->notes.begin(), adjusted->notes.end());
  };
  const MutexLock lock(mutex_);
  for (const SealedChunk& sealed : sealed_) take(*sealed.chunk);
  take(*open_);
  return notes;
}

Ledger::Totals Ledger::totals() const {
  const MutexLock lock(mutex_);
  Totals totals;
  totals.position = open_->to();
  totals.flushed = open_->from();
  totals.bytes = open_->bytes();
  totals.oldest = std::min(open_->oldest(), unsettled_oldest_);
  totals.pending_views = open_->views();
  totals.sealed = sealed_.size();
  totals.absent = absent_;
  for (const SealedChunk& sealed : sealed_) {
    const Chunk& chunk = *sealed.chunk;
    totals.flushed = std::min(totals.flushed, chunk.from());
    totals.bytes += chunk.bytes();
    totals.oldest = std::min(totals.oldest, chunk.oldest());
    sealed.shards.ForEach([&](Shard shard) {
      mutex_.AssertHeld();
      const Cursor& cursor = cursors_[shard.value];
      if (cursor.applied_to() < chunk.to()) totals.pending_views += chunk.views(shard);
    });
  }
  if (!absent_.empty()) totals.flushed = Position{0};
  return totals;
}

}  // namespace viewcount
