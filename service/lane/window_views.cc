#include "service/lane/window_views.h"

#include <algorithm>

namespace viewcount {

WindowViews::WindowViews(const Chunk& chunk, SiteIndex site, std::span<const Window> windows)
    : chunk_(chunk), windows_(windows), counts_(chunk.buckets().size()) {
  for (uint32_t i = 0; i < counts_.size(); ++i) {
    const Chunk::Bucket& bucket = chunk.buckets()[i];
    if (bucket.site != site) continue;
    if (std::ranges::none_of(windows, [&](Window window) { return bucket.IsIn(window); })) continue;
    counts_[i] = 1;
    buckets_.push_back(i);
  }
}

int64_t WindowViews::ChangesOf(const Chunk::Adjusted& adjusted) const {
  int64_t sum = 0;
  for (const Window window : windows_) {
    const auto change = adjusted.changes.find(window);
    if (change != adjusted.changes.end()) sum += change->second;
  }
  return sum;
}

}  // namespace viewcount
