#include "service/lane/ledger.h"

#include <algorithm>

#include "service/base/check.h"

namespace viewcount {

void Ledger::ApplySite(std::shared_ptr<const Site> site) {
  std::lock_guard lock(mutex_);
  const uint32_t index = site->index.value;
  if (foldings_.size() <= index) foldings_.resize(index + 1);
  const SiteCalendar calendar(site->zone);
  foldings_[index].emplace(Folding{std::move(site), calendar, {}, 0});
}

uint32_t Ledger::BucketOf(Folding& folding, int64_t unix_ms) {
  if (!folding.slot.Contains(unix_ms)) [[unlikely]] {
    folding.slot = folding.calendar.SlotOf(unix_ms);
    folding.bucket = open_->BucketIndex({folding.site->index, folding.slot.hour, folding.slot.day});
  }
  return folding.bucket;
}

void Ledger::Fold(const Batch& batch, Position position) {
  std::lock_guard lock(mutex_);
  VIEWCOUNT_CHECK(batch.site.value < foldings_.size() && foldings_[batch.site.value]);
  Folding& folding = *foldings_[batch.site.value];
  const uint64_t seed = folding.site->seed;
  for (const DecodedView& view : batch.request.views) {
    open_->Add(batch.site, ArticleHash(seed, view.article_id), view.article_id,
               BucketOf(folding, view.event_time_unix_ms), view.count, view.bot);
  }
  open_->Extend(position, batch.receipt_time);
}

std::shared_ptr<const Chunk> Ledger::Seal() {
  std::lock_guard lock(mutex_);
  if (sealed_ != nullptr || open_->empty()) return sealed_;
  sealed_ = std::exchange(open_, std::make_shared<Chunk>(open_->to()));
  // Bucket numbers were those of the chunk that is gone.
  for (auto& folding : foldings_) {
    if (folding) folding->slot = {};
  }
  return sealed_;
}

void Ledger::SetCursor(Shard shard, const Cursor& cursor) {
  std::lock_guard lock(mutex_);
  cursors_[shard.value] = cursor;
}

void Ledger::Release() {
  std::lock_guard lock(mutex_);
  sealed_.reset();
}

uint64_t Ledger::Still::Pending(const Cursor& cursor, const Site& site, uint64_t hash, std::string_view article_id,
                                Window window) const {
  uint64_t sum = 0;
  for (const Chunk* chunk : {ledger_.sealed_.get(), static_cast<const Chunk*>(ledger_.open_.get())}) {
    if (chunk == nullptr || cursor.Covers(chunk->to(), {site.name, article_id})) continue;
    if (const Chunk::Article* article = chunk->Find(site.index, hash, article_id))
      sum += chunk->ViewsOf(*article, window);
  }
  return sum;
}

Ledger::Mark Ledger::MarkNow() const {
  std::lock_guard lock(mutex_);
  return {sealed_, sealed_ != nullptr ? sealed_->from() : open_->from()};
}

bool Ledger::ForEachPending(const Mark& mark, const ShardCursors& cursors, const Site& site, Window window,
                            const PendingVisitor& visit) const {
  const auto visit_chunk = [&](const Chunk& chunk) {
    for (const Chunk::Article& article : chunk.articles()) {
      if (article.site != site.index) continue;
      const Shard shard = ShardOf(article.hash);
      if (cursors[shard.value].Covers(chunk.to(), {site.name, article.id})) continue;
      if (const uint64_t views = chunk.ViewsOf(article, window)) visit(shard, article.hash, article.id, views);
    }
  };
  std::unique_lock lock(mutex_);
  const auto sealed = sealed_;
  const Position held_from = sealed != nullptr ? sealed->from() : open_->from();
  const bool marked_is_gone = mark.sealed != nullptr && mark.sealed != sealed;
  if (held_from != (marked_is_gone ? mark.sealed->to() : mark.from)) return false;
  visit_chunk(*open_);
  lock.unlock();
  if (sealed != nullptr) visit_chunk(*sealed);
  if (marked_is_gone) visit_chunk(*mark.sealed);
  return true;
}

Ledger::Totals Ledger::totals() const {
  std::lock_guard lock(mutex_);
  Totals totals;
  totals.position = open_->to();
  totals.flushed = sealed_ != nullptr ? sealed_->from() : open_->from();
  totals.pending_views = open_->views();
  totals.bytes = open_->bytes();
  totals.oldest = open_->oldest();
  totals.sealed = sealed_ != nullptr;
  if (sealed_ != nullptr) {
    totals.pending_views += sealed_->views();
    totals.bytes += sealed_->bytes();
    totals.oldest = std::min(totals.oldest, sealed_->oldest());
  }
  return totals;
}

}  // namespace viewcount
