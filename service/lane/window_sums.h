// Sums of a site's articles in several windows at once: one pass over what a chunk holds, however many windows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "service/lane/chunk.h"

namespace viewcount {

// One thread at a time. What it is given must outlive it.
class WindowSums {
 public:
  // Adds to `sums`, one for each of `windows`.
  WindowSums(const Chunk& chunk, SiteIndex site, std::span<const Window> windows, std::span<int64_t> sums);

  // Adds an article of the chunk and the site, as Chunk::ViewsOf has it.
  void operator()(const Chunk::Article& article);

 private:
  const Chunk& chunk_;
  const std::span<const Window> windows_;
  const std::span<int64_t> sums_;
  // For every bucket of the chunk, the places of the windows that it belongs to; none of another site's.
  std::vector<std::vector<uint32_t>> places_;
};

}  // namespace viewcount
