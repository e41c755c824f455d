#include "service/flush/part_builder.h"

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
  return views;
}

void PartBuilder::AddTo(uint32_t& target, const Chunk::Bucket& bucket, Window window, std::string_view article_id,
                        uint64_t views) {
  if (target == kNone) {
    // Another bucket may have led to the same hash: a day has many hours.
    const std::string_view site = sites_[bucket.site.value]->name;
    for (target = 0; target < hashes_.size(); ++target) {
      if (hashes_[target].window == window && hashes_[target].site == site) break;
    }
    if (target == hashes_.size()) hashes_.push_back({site, window, {}});
  }
  auto& deltas = hashes_[target].deltas;
  // The same article from another bucket is the last one added: articles come one after the other.
  if (!deltas.empty() && deltas.back().article_id.data() == article_id.data()) {
    deltas.back().views += views;
  } else {
    deltas.push_back({article_id, views});
  }
}

}  // namespace viewcount
