#include "service/query/ranked_pending.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "service/base/hash.h"

namespace viewcount {
namespace {

// The number of look-ups whose memory is fetched in parallel.
constexpr size_t kGroup = 16;

}  // namespace

void RankedPending::SetArticles(std::vector<Article> articles) {
  articles_ = std::move(articles);
  settled_.reserve(articles_.size());
  for (const Article& article : articles_) settled_.push_back(article.stored);
}

void RankedPending::AddArticle(const Article& article, int64_t pending_sealed) {
  for (Lane& lane : lanes_) {
    if (lane.open == nullptr) continue;
    lane.missing.push_back(static_cast<uint32_t>(articles_.size()));
    // The next Find searches for the article.
    lane.open_articles = 0;
  }
  articles_.push_back(article);
  settled_.push_back(article.stored + pending_sealed);
  views_.push_back(settled_.back());
}

void RankedPending::AddSealed(size_t lane_index, std::span<const SealedChunk> sealed, const ShardCursors& cursors) {
  Lane& lane = lanes_[lane_index];
  for (const SealedChunk& pending : sealed) {
    const Chunk& chunk = *pending.chunk;
    if (std::find(lane.added.begin(), lane.added.end(), pending.chunk) != lane.added.end()) continue;
    lane.added.push_back(pending.chunk);
    Lane of_chunk;
    if (lane.open == &chunk) {
      of_chunk = std::exchange(lane, Lane{.added = std::move(lane.added)});
    } else {
      Open(chunk, of_chunk);
    }
    Find(chunk, of_chunk);
    std::erase_if(of_chunk.found, [&](const Found& found) {
      const Article& article = articles_[found.article];
      const Shard shard = ShardOf(article.hash);
      return !pending.shards.Has(shard) || cursors[shard.value].Covers(chunk.to(), {site_.name, article.id});
    });
    AddFound(chunk, of_chunk, settled_);
  }
}

void RankedPending::Complete(std::span<const PendingViews> held) {
  views_ = settled_;
  for (size_t i = 0; i < held.size(); ++i) {
    Lane& lane = lanes_[i];
    const Chunk& chunk = held[i].open();
    if (lane.open != &chunk) Open(chunk, lane);
    // No cursor covers any part of the open chunk.
    Find(chunk, lane);
    AddFound(chunk, lane, views_);
  }
}

void RankedPending::Open(const Chunk& chunk, Lane& lane) const {
  lane.open = &chunk;
  lane.open_articles = 0;
  lane.found.clear();
  lane.missing.resize(articles_.size());
  std::iota(lane.missing.begin(), lane.missing.end(), 0);
}

void RankedPending::Find(const Chunk& chunk, Lane& lane) const {
  const size_t count = chunk.articles().size();
  if (std::exchange(lane.open_articles, count) == count) return;
  const auto missing = std::exchange(lane.missing, {});
  for (size_t begin = 0; begin < missing.size(); begin += kGroup) {
    const auto group = std::span(missing).subspan(begin, std::min(kGroup, missing.size() - begin));
    for (const uint32_t article : group) chunk.Prefetch(articles_[article].hash);
    for (const uint32_t article : group) chunk.Expect(articles_[article].hash);
    for (const uint32_t article : group) {
      const auto* place = chunk.Find(site_.index, articles_[article].hash, articles_[article].id);
      if (place != nullptr) lane.found.push_back({article, place});
      if (place == nullptr) lane.missing.push_back(article);
    }
  }
}

void RankedPending::AddFound(const Chunk& chunk, const Lane& lane, std::vector<int64_t>& sums) const {
  const WindowViews views(chunk, site_.index, windows_);
  for (size_t i = 0; i < lane.found.size(); ++i) {
    if (i + kGroup < lane.found.size()) __builtin_prefetch(&lane.found[i + kGroup].place->delta);
    sums[lane.found[i].article] += views.Of(*lane.found[i].place);
  }
}

}  // namespace viewcount
