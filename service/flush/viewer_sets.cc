#include "service/flush/viewer_sets.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "service/base/hash.h"

namespace viewcount {

ViewerSets::ViewerSets(const Chunk& chunk, const std::vector<std::shared_ptr<const Site>>& sites, uint32_t online_from)
    : chunk_(chunk), sites_(sites), online_from_(online_from) {
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
  // The previous viewer that was added to an online set, and the index of that set. Viewers come in order of time, so
  // the set is usually the same.
  const Chunk::SiteViewer* before = nullptr;
  size_t online = 0;
  for (const uint32_t index : of_sites_[shard.value]) {
    const Chunk::SiteViewer& one = seen[index];
    const Chunk::Bucket& bucket = chunk_.bucket(one.bucket);
    if (!one.known) {
      sets[place_of(bucket.site, {.kind = ViewerSetName::Kind::kAllTime})].viewers.push_back(one.viewer);
      sets[place_of(bucket.site, {.kind = ViewerSetName::Kind::kDay, .number = bucket.day})].viewers.push_back(
          one.viewer);
    }
    if (one.slot < online_from_) continue;
    if (before == nullptr || before->bucket != one.bucket || before->slot != one.slot) {
      online = place_of(bucket.site, {.kind = ViewerSetName::Kind::kOnline, .number = one.slot});
      before = &one;
    }
    sets[online].viewers.push_back(one.viewer);
  }
}

}  // namespace viewcount
