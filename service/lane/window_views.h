// Adds up an article's views in some windows. The windows are compared with the buckets of a chunk only once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "service/lane/chunk.h"

namespace viewcount {

// Not thread-safe. All constructor arguments must outlive it. Buckets that the chunk gets later are not known.
class WindowViews {
 public:
  // No view may lie in two of the windows, and none may be kBots.
  WindowViews(const Chunk& chunk, SiteIndex site, std::span<const Window> windows);

  // Returns the sum of Chunk::ViewsOf over the windows, for an article of the chunk and the site.
  int64_t Of(const Chunk::Article& article) const {
    uint64_t sum = 0;
    chunk_.ForEachDelta(article, [&](const Chunk::Delta& delta) {
      if (counts_[delta.bucket]) sum += delta.views;
    });
    const Chunk::Adjusted* adjusted = chunk_.AdjustedOf(article);
    return static_cast<int64_t>(sum) + (adjusted == nullptr ? 0 : ChangesOf(*adjusted));
  }
  // Returns the indexes of the site's buckets that lie in one of the windows.
  const std::vector<uint32_t>& buckets() const { return buckets_; }
  const Chunk& chunk() const { return chunk_; }

 private:
  int64_t ChangesOf(const Chunk::Adjusted& adjusted) const;

  const Chunk& chunk_;
  const std::span<const Window> windows_;
  // For every bucket, whether its views count.
  std::vector<uint8_t> counts_;
  std::vector<uint32_t> buckets_;
};

}  // namespace viewcount
