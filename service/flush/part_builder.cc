#include "service/flush/part_builder.h"

#include <algorithm>

#include "service/base/limits.h"
#include "service/sites/retention.h"

namespace viewcount {

uint64_t PartBuilder::Add(const Chunk::Article& article) {
  uint64_t views = 0;
  chunk_.ForEachDelta(article, [&](const Chunk::Delta& delta) {
    const Chunk::Bucket& bucket = chunk_.bucket(delta.bucket);
    if (targets_.size() <= delta.bucket) targets_.resize(delta.bucket + 1);
    Targets& targets = targets_[delta.bucket];
    if (delta.views > 0) {
      AddTo(targets.all, bucket, {Window::Kind::kAllTime, 0}, article.id, delta.views);
      AddTo(targets.day, bucket, {Window::Kind::kDay, bucket.day}, article.id, delta.views);
      AddTo(targets.hour, bucket, {Window::Kind::kHour, bucket.hour}, article.id, delta.views);
    }
    if (delta.bot_views > 0) AddTo(targets.bots, bucket, {Window::Kind::kBots, 0}, article.id, delta.bot_views);
    views += delta.views + delta.bot_views;
  });
  if (const Chunk::Adjusted* adjusted = chunk_.AdjustedOf(article)) AddAdjusted(article, *adjusted);
  return views;
}

bool PartBuilder::IsWritten(const Site& site, Window window) const {
  switch (window.kind) {
    case Window::Kind::kHour:
      return IsHourWritten(site.settings, window.number, now_unix_ms_);
    case Window::Kind::kDay:
    case Window::Kind::kVisitDay:
      return IsDayWritten(site, window.number, now_unix_ms_);
    default:
      return true;
  }
}

HashDelta& PartBuilder::AddHash(const Site& site, Window window, bool adjustment) {
  return hashes_.emplace_back(HashDelta{
      .site = site.name, .window = window, .deltas = {}, .adjustment = adjustment, .kept = HoursKept(site.settings)});
}

void PartBuilder::AddAdjusted(const Chunk::Article& article, const Chunk::Adjusted& adjusted) {
  constexpr auto kMax = static_cast<int64_t>(limits::kCountMax);
  const Site& site = *sites_[article.site.value];
  for (const auto& [window, change] : adjusted.changes) {
    if (change == 0 || !IsWritten(site, window)) continue;
    const auto [place, is_new] = adjusted_.try_emplace({article.site, window}, hashes_.size());
    if (is_new) AddHash(site, window, true);
    // Several adjustments in one chunk may add up to more than a count can change.
    hashes_[place->second].deltas.push_back({article.id, std::clamp(change, -kMax, kMax)});
  }
  for (const Chunk::Adjusted::Note& note : adjusted.notes) notes_.push_back({site.name, note.field, note.text});
}

void PartBuilder::AddTo(uint32_t& target, const Chunk::Bucket& bucket, Window window, std::string_view article_id,
                        uint64_t views) {
  if (target == kNone) {
    const Site& site = *sites_[bucket.site.value];
    if (!IsWritten(site, window)) target = kLeftOut;
  }
  if (target == kLeftOut) return;
  if (target == kNone) {
    // Another bucket may have the same hash: a day has many hours.
    const Site& site = *sites_[bucket.site.value];
    for (target = 0; target < hashes_.size(); ++target) {
      const HashDelta& hash = hashes_[target];
      if (hash.window == window && hash.site == site.name && !hash.adjustment) break;
    }
    if (target == hashes_.size()) AddHash(site, window, false);
  }
  auto& deltas = hashes_[target].deltas;
  // Articles are added one after another. If this article was already added from another bucket, it is the last
  // element.
  if (!deltas.empty() && deltas.back().article_id.data() == article_id.data()) {
    deltas.back().views += static_cast<int64_t>(views);
  } else {
    deltas.push_back({article_id, static_cast<int64_t>(views)});
  }
}

}  // namespace viewcount
