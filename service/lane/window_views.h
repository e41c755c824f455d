// Adds up an article's weighted views in some windows. The windows are compared with the buckets of a chunk only once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "service/lane/chunk.h"
#include "service/model/weighted_windows.h"

namespace viewcount {

// Not thread-safe. All constructor arguments must outlive it. Buckets that the chunk gets later are not known.
class WindowViews {
 public:
  // None of the windows may be kBots.
  WindowViews(const Chunk& chunk, SiteIndex site, const WeightedWindows& windows);

  // Returns the weighted sum of Chunk::ViewsOf over the windows, for an article of the chunk and the site.
  int64_t Of(const Chunk::Article& article) const {
    uint64_t sum = 0;
    chunk_.ForEachDelta(article,
                        [&](const Chunk::Delta& delta) { sum += weights_[delta.bucket] * Bounded(delta.views); });
    const Chunk::Adjusted* adjusted = chunk_.AdjustedOf(article);
    return static_cast<int64_t>(sum) + (adjusted == nullptr ? 0 : ChangesOf(*adjusted));
  }
  // Returns the indexes of the site's buckets that lie in one of the windows.
  const std::vector<uint32_t>& buckets() const { return buckets_; }
  const Chunk& chunk() const { return chunk_; }

 private:
  // Weighted sums must not overflow; see WeightedWindows::Weigh.
  uint64_t Bounded(uint64_t views) const {
    return windows_.has_weights() ? std::min<uint64_t>(views, WeightedWindows::kViewsMax) : views;
  }
  int64_t ChangesOf(const Chunk::Adjusted& adjusted) const;

  const Chunk& chunk_;
  const WeightedWindows& windows_;
  // For every bucket, the weight of its views; 0 if they lie in none of the windows.
  std::vector<uint32_t> weights_;
  std::vector<uint32_t> buckets_;
};

}  // namespace viewcount
