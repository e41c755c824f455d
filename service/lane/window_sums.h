// Sums up a site's articles in several windows. One pass over a chunk is enough for any number of windows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "service/lane/chunk.h"

namespace viewcount {

// Adds the articles of one chunk to sums. Not thread-safe. All constructor arguments must outlive it.
class WindowSums {
 public:
  // `sums` has one element for each of `windows`; views are added to them.
  WindowSums(const Chunk& chunk, SiteIndex site, std::span<const Window> windows, std::span<int64_t> sums);

  // Adds an article of the chunk and the site. It counts like Chunk::ViewsOf.
  void operator()(const Chunk::Article& article);

 private:
  const Chunk& chunk_;
  const std::span<const Window> windows_;
  const std::span<int64_t> sums_;
  // For every bucket of the chunk, the indexes of the windows that contain it. Empty for buckets of other sites.
  std::vector<std::vector<uint32_t>> places_;
};

}  // namespace viewcount
