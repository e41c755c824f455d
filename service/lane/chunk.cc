#include "service/lane/chunk.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "service/base/check.h"

namespace viewcount {
namespace {

// The approximate memory of a change or a note in a tree.
constexpr size_t kChangeBytes = 128;

}  // namespace

bool Chunk::Bucket::IsIn(Window window) const {
  switch (window.kind) {
    case Window::Kind::kAllTime:
    case Window::Kind::kBots:
      return true;
    case Window::Kind::kDay:
      return day == window.number;
    case Window::Kind::kHour:
      return hour == window.number;
    case Window::Kind::kVisits:
    case Window::Kind::kVisitDay:
    case Window::Kind::kViewers:
      return false;
  }
  return false;
}

uint32_t Chunk::BucketIndex(const Bucket& bucket) {
  // Search from the newest bucket, since it nearly always matches.
  for (size_t i = buckets_.size(); i > 0; --i) {
    if (buckets_[i - 1] == bucket) return static_cast<uint32_t>(i - 1);
  }
  buckets_.push_back(bucket);
  return static_cast<uint32_t>(buckets_.size() - 1);
}

Chunk::Article* Chunk::Expect(uint64_t hash) { return const_cast<Article*>(std::as_const(*this).Expect(hash)); }

const Chunk::Article* Chunk::Expect(uint64_t hash) const {
  const uint32_t place = index_.Find(hash, [](uint32_t) { return true; });
  if (place == ArticleIndex::kNone) return nullptr;
  const Article* const article = &articles_.At(place);
  ArticleRecords::Prefetch(article);
  return article;
}

Chunk::Article& Chunk::Obtain(SiteIndex site, uint64_t hash, std::string_view id) {
  const uint32_t found = index_.Find(hash, [&](uint32_t place) { return articles_.At(place).Is(site, hash, id); });
  if (found != ArticleIndex::kNone) return articles_.At(found);
  const uint32_t place = articles_.Append(site, hash, id);
  index_.Add(hash, place);
  return articles_.At(place);
}

Chunk::Delta& Chunk::DeltaOf(Article& article, uint32_t bucket) {
  if (article.delta.bucket == kNone) {
    article.delta.bucket = bucket;
    return article.delta;
  }
  uint32_t at = article.delta.next;
  while (at != kNone && deltas_[at].bucket != bucket) at = deltas_[at].next;
  if (at != kNone) return deltas_[at];
  // The newest delta stays with the article, because the next view probably falls into that bucket too.
  deltas_.push_back(article.delta);
  article.delta = {.bucket = bucket, .next = static_cast<uint32_t>(deltas_.size() - 1)};
  return article.delta;
}

const Chunk::Article& Chunk::Add(SiteIndex site, uint64_t hash, std::string_view id, uint32_t bucket, uint64_t count,
                                 bool bot, Article* expected) {
  shard_views_[ShardOf(hash).value] += count;
  Article& article = expected != nullptr && expected->Is(site, hash, id) ? *expected : Obtain(site, hash, id);
  Delta& delta = article.delta.bucket == bucket ? article.delta : DeltaOf(article, bucket);
  if (bot) {
    delta.bot_views += count;
    return article;
  }
  const uint64_t before = delta.views;
  delta.views += count;
  // True if the highest bit changed. That happens once for every doubling.
  if ((before ^ delta.views) > before && delta.views > 1) NoteReached(article.index, bucket, delta.views);
  return article;
}

void Chunk::NoteReached(uint32_t article, uint32_t bucket, uint64_t views) {
  if (reached_.size() <= bucket) reached_.resize(bucket + 1);
  const size_t level = std::bit_width(views) - 1;
  if (reached_[bucket].size() < level) reached_[bucket].resize(level);
  reached_[bucket][level - 1].push_back(article);
  reached_bytes_ += 2 * sizeof(article);
}

void Chunk::Adjust(SiteIndex site, uint64_t hash, std::string_view id, Window window, int64_t change) {
  const auto [place, added] = adjusted_[Obtain(site, hash, id).index].changes.try_emplace(window, 0);
  place->second += change;
  if (!added) return;
  adjusted_bytes_ += kChangeBytes;
  adjusted_windows_.insert({site, window});
}

void Chunk::CountVisit(uint32_t bucket, uint64_t hash) {
  const SiteIndex site = buckets_[bucket].site;
  Adjust(site, hash, "", {Window::Kind::kVisits, 0}, 1);
  Adjust(site, hash, "", {Window::Kind::kVisitDay, buckets_[bucket].day}, 1);
}

void Chunk::AddNote(SiteIndex site, uint64_t hash, Adjusted::Note note) {
  adjusted_bytes_ += note.field.size() + note.text.size() + kChangeBytes;
  adjusted_[Obtain(site, hash, "").index].notes.push_back(std::move(note));
}

const Chunk::Adjusted* Chunk::FindAdjusted(const Article& article) const {
  const auto found = adjusted_.find(article.index);
  return found == adjusted_.end() ? nullptr : &found->second;
}

void Chunk::Extend(Position to, SteadyTime receipt_time) {
  VIEWCOUNT_CHECK(to > to_);
  to_ = to;
  oldest_ = std::min(oldest_, receipt_time);
}

uint64_t Chunk::views() const { return std::accumulate(shard_views_.begin(), shard_views_.end(), uint64_t{0}); }

size_t Chunk::bytes() const {
  return index_.bytes() + articles_.bytes() + deltas_.capacity() * sizeof(Delta) + reached_bytes_ + adjusted_bytes_ +
         article_viewers_.capacity() * sizeof(ArticleViewer) + site_viewers_.capacity() * sizeof(SiteViewer);
}

const Chunk::Article* Chunk::Find(SiteIndex site, uint64_t hash, std::string_view id) const {
  const uint32_t found = index_.Find(hash, [&](uint32_t place) { return articles_.At(place).Is(site, hash, id); });
  return found == ArticleIndex::kNone ? nullptr : &articles_.At(found);
}

int64_t Chunk::ViewsOf(const Article& article, Window window) const {
  uint64_t sum = 0;
  ForEachDelta(article, [&](const Delta& delta) {
    if (buckets_[delta.bucket].IsIn(window)) sum += window.kind == Window::Kind::kBots ? delta.bot_views : delta.views;
  });
  auto views = static_cast<int64_t>(sum);
  if (const Adjusted* adjusted = AdjustedOf(article)) {
    const auto change = adjusted->changes.find(window);
    if (change != adjusted->changes.end()) views += change->second;
  }
  return views;
}

void Chunk::AddWindows(SiteIndex site, std::set<Window>& windows) const {
  for (const Bucket& bucket : buckets_) {
    if (bucket.site != site) continue;
    windows.insert({Window::Kind::kDay, bucket.day});
    windows.insert({Window::Kind::kHour, bucket.hour});
  }
  for (const auto& [adjusted_site, window] : adjusted_windows_) {
    if (adjusted_site == site) windows.insert(window);
  }
}

}  // namespace viewcount
