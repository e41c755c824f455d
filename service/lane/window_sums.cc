#include "service/lane/window_sums.h"

namespace viewcount {

WindowSums::WindowSums(const Chunk& chunk, SiteIndex site, std::span<const Window> windows, std::span<int64_t> sums)
    : chunk_(chunk), windows_(windows), sums_(sums), places_(chunk.buckets().size()) {
  for (size_t b = 0; b < places_.size(); ++b) {
    if (chunk.buckets()[b].site != site) continue;
    for (uint32_t w = 0; w < windows.size(); ++w) {
      if (chunk.buckets()[b].IsIn(windows[w])) places_[b].push_back(w);
    }
  }
}

void WindowSums::operator()(const Chunk::Article& article) {
  chunk_.ForEachDelta(article, [&](const Chunk::Delta& delta) {
    for (const uint32_t place : places_[delta.bucket]) {
      const bool bots = windows_[place].kind == Window::Kind::kBots;
      sums_[place] += static_cast<int64_t>(bots ? delta.bot_views : delta.views);
    }
  });
  const Chunk::Adjusted* adjusted = chunk_.AdjustedOf(article);
  if (adjusted == nullptr) return;
  for (size_t w = 0; w < windows_.size(); ++w) {
    const auto change = adjusted->changes.find(windows_[w]);
    if (change != adjusted->changes.end()) sums_[w] += change->second;
  }
}

}  // namespace viewcount
