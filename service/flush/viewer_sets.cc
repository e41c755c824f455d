#include "service/flush/viewer_sets.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/sites/retention.h"

namespace viewcount {

ViewerSets::ViewerSets(const Chunk& chunk, const std::vector<std::shared_ptr<const Site>>& sites, int64_t now_unix_ms)
    : chunk_(chunk), sites_(sites), now_unix_ms_(now_unix_ms) {
  const auto of_articles = chunk_.article_viewers();
  for (uint32_t i = 0; i < of_articles.size(); ++i) {
    of_articles_[ShardOf(chunk_.articles()[of_articles[i].article].hash).value].push_back(i);
  }
  const auto of_sites = chunk_.site_viewers();
  for (uint32_t i = 0; i < of_sites.size(); ++i) {
    const Site& site = *sites_[chunk_.bucket(of_sites[i].bucket).site.value];
    of_sites_[ShardOf(ArticleHash(site.seed, "")).value].push_back(i);
  }
}

std::vector<ViewerSet> ViewerSets::Of(Shard shard) const {
  std::vector<ViewerSet> sets;
  AddArticles(shard, sets);
  AddSites(shard, sets);
  for (ViewerSet& set : sets) {
    std::sort(set.viewers.begin(), set.viewers.end());
    set.viewers.erase(std::unique(set.viewers.begin(), set.viewers.end()), set.viewers.end());
  }
  return sets;
}

void ViewerSets::AddArticles(Shard shard, std::vector<ViewerSet>& sets) const {
  const auto seen = chunk_.article_viewers();
  std::vector<uint32_t> order = of_articles_[shard.value];
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return seen[a].article < seen[b].article; });
  for (size_t i = 0; i < order.size(); ++i) {
    const auto& [viewer, index] = seen[order[i]];
    if (i == 0 || index != seen[order[i - 1]].article) {
      const Chunk::Article& article = chunk_.articles()[index];
      sets.push_back({.site = sites_[article.site.value]->name,
                      .name = {.kind = ViewerSetName::Kind::kArticle, .article_id = article.id},
                      .viewers = {}});
    }
    sets.back().viewers.push_back(viewer);
  }
}

void ViewerSets::AddSites(Shard shard, std::vector<ViewerSet>& sets) const {
  const auto seen = chunk_.site_viewers();
  std::map<std::pair<SiteIndex, ViewerSetName>, size_t> places;
  const auto place_of = [&](SiteIndex site, const ViewerSetName& name) {
    const auto [place, is_new] = places.try_emplace({site, name}, sets.size());
    if (is_new) sets.push_back({.site = sites_[site.value]->name, .name = name, .viewers = {}});
    return place->second;
  };
  // A number of limits::kOnlineSlot intervals since 1970.
  const int64_t online_since = now_unix_ms_ - std::chrono::milliseconds(limits::kOnlineSpan).count();
  const uint32_t online_from = OnlineSlotOf(std::max<int64_t>(0, online_since));
  // The bucket of the viewer before, and whether its day is still written.
  std::optional<uint32_t> bucket_before;
  bool written = true;
  // The previous viewer that was added to an online set, and the index of that set. Viewers come in order of time, so
  // the set is usually the same.
  const Chunk::SiteViewer* before = nullptr;
  size_t online = 0;
  for (const uint32_t index : of_sites_[shard.value]) {
    const Chunk::SiteViewer& one = seen[index];
    const Chunk::Bucket& bucket = chunk_.bucket(one.bucket);
    if (std::exchange(bucket_before, one.bucket) != one.bucket) {
      written = IsDayWritten(*sites_[bucket.site.value], bucket.day, now_unix_ms_);
    }
    if (!one.known) {
      sets[place_of(bucket.site, {.kind = ViewerSetName::Kind::kAllTime})].viewers.push_back(one.viewer);
    }
    if (!one.known && written) {
      sets[place_of(bucket.site, {.kind = ViewerSetName::Kind::kDay, .number = bucket.day})].viewers.push_back(
          one.viewer);
    }
    if (one.slot < online_from) continue;
    if (before == nullptr || before->bucket != one.bucket || before->slot != one.slot) {
      online = place_of(bucket.site, {.kind = ViewerSetName::Kind::kOnline, .number = one.slot});
      before = &one;
    }
    sets[online].viewers.push_back(one.viewer);
  }
}

}  // namespace viewcount
