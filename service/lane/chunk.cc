#include "service/lane/chunk.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "service/base/check.h"

namespace viewcount {
namespace {

constexpr size_t kBlockBytes = 64 << 10;
constexpr size_t kFirstSlots = 1 << 10;
// Of a change or a note in a tree, roughly.
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
  }
  return false;
}

uint32_t Chunk::BucketIndex(const Bucket& bucket) {
  // The newest first: that is nearly always it.
  for (size_t i = buckets_.size(); i > 0; --i) {
    if (buckets_[i - 1] == bucket) return static_cast<uint32_t>(i - 1);
  }
  buckets_.push_back(bucket);
  return static_cast<uint32_t>(buckets_.size() - 1);
}

size_t Chunk::SlotOf(SiteIndex site, uint64_t hash, std::string_view id) const {
  const auto tag = static_cast<uint32_t>(hash >> 32);
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.article == 0) return at;
    if (slot.tag != tag) continue;
    const Article& article = articles_[slot.article - 1];
    if (article.hash == hash && article.site == site && article.id == id) return at;
  }
}

inline uint32_t Chunk::ArticleIndex(SiteIndex site, uint64_t hash, std::string_view id) {
  // Half full at most, so that a probe ends soon.
  if (2 * articles_.size() >= slots_.size()) Grow();
  Slot& slot = slots_[SlotOf(site, hash, id)];
  if (slot.article == 0) {
    articles_.push_back({Copy(id), hash, site, kNone});
    slot = {static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(articles_.size())};
  }
  return slot.article - 1;
}

void Chunk::Add(SiteIndex site, uint64_t hash, std::string_view id, uint32_t bucket, uint64_t count, bool bot) {
  shard_views_[ShardOf(hash).value] += count;
  Article& article = articles_[ArticleIndex(site, hash, id)];
  uint32_t at = article.first_delta;
  while (at != kNone && deltas_[at].bucket != bucket) at = deltas_[at].next;
  if (at == kNone) {
    at = static_cast<uint32_t>(deltas_.size());
    deltas_.push_back({0, 0, bucket, article.first_delta});
    article.first_delta = at;
  }
  (bot ? deltas_[at].bot_views : deltas_[at].views) += count;
}

void Chunk::Adjust(SiteIndex site, uint64_t hash, std::string_view id, Window window, int64_t change) {
  adjusted_[ArticleIndex(site, hash, id)].changes[window] += change;
  adjusted_bytes_ += kChangeBytes;
}

void Chunk::AddNote(SiteIndex site, uint64_t hash, Adjusted::Note note) {
  adjusted_bytes_ += note.field.size() + note.text.size() + kChangeBytes;
  adjusted_[ArticleIndex(site, hash, "")].notes.push_back(std::move(note));
}

const Chunk::Adjusted* Chunk::FindAdjusted(const Article& article) const {
  const auto found = adjusted_.find(static_cast<uint32_t>(&article - articles_.data()));
  return found == adjusted_.end() ? nullptr : &found->second;
}

void Chunk::Extend(Position to, SteadyTime receipt_time) {
  VIEWCOUNT_CHECK(to > to_);
  to_ = to;
  oldest_ = std::min(oldest_, receipt_time);
}

uint64_t Chunk::views() const { return std::accumulate(shard_views_.begin(), shard_views_.end(), uint64_t{0}); }

size_t Chunk::bytes() const {
  return slots_.size() * sizeof(Slot) + articles_.capacity() * sizeof(Article) + deltas_.capacity() * sizeof(Delta) +
         blocks_.size() * kBlockBytes + adjusted_bytes_;
}

const Chunk::Article* Chunk::Find(SiteIndex site, uint64_t hash, std::string_view id) const {
  if (slots_.empty()) return nullptr;
  const Slot& slot = slots_[SlotOf(site, hash, id)];
  return slot.article == 0 ? nullptr : &articles_[slot.article - 1];
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
  for (const auto& [article, adjusted] : adjusted_) {
    if (articles_[article].site != site) continue;
    for (const auto& [window, change] : adjusted.changes) windows.insert(window);
  }
}

std::string_view Chunk::Copy(std::string_view id) {
  static_assert(limits::kArticleIdBytesMax <= kBlockBytes);
  if (id.empty()) return "";
  if (block_free_ < id.size()) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
    block_free_ = kBlockBytes;
  }
  char* const place = blocks_.back().get() + (kBlockBytes - block_free_);
  std::memcpy(place, id.data(), id.size());
  block_free_ -= id.size();
  return {place, id.size()};
}

void Chunk::Grow() {
  slots_.assign(std::max(kFirstSlots, 2 * slots_.size()), Slot());
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < articles_.size(); ++i) {
    size_t at = articles_[i].hash & mask;
    while (slots_[at].article != 0) at = (at + 1) & mask;
    slots_[at] = {static_cast<uint32_t>(articles_[i].hash >> 32), static_cast<uint32_t>(i + 1)};
  }
}

}  // namespace viewcount
