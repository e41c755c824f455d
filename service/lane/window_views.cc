#include "service/lane/window_views.h"

namespace viewcount {

WindowViews::WindowViews(const Chunk& chunk, SiteIndex site, const WeightedWindows& windows)
    : chunk_(chunk), windows_(windows), weights_(chunk.buckets().size()) {
  for (uint32_t i = 0; i < weights_.size(); ++i) {
    const Chunk::Bucket& bucket = chunk.buckets()[i];
    if (bucket.site != site) continue;
    for (size_t window = 0; window < windows.windows.size() && weights_[i] == 0; ++window) {
      if (bucket.IsIn(windows.windows[window])) weights_[i] = windows.WeightOf(window);
    }
    if (weights_[i] > 0) buckets_.push_back(i);
  }
}

int64_t WindowViews::ChangesOf(const Chunk::Adjusted& adjusted) const {
  int64_t sum = 0;
  for (size_t i = 0; i < windows_.windows.size(); ++i) {
    const auto change = adjusted.changes.find(windows_.windows[i]);
    if (change != adjusted.changes.end()) sum += windows_.Weigh(i, change->second);
  }
  return sum;
}

}  // namespace viewcount
