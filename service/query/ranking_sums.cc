#include "service/query/ranking_sums.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <tuple>
#include <utility>

namespace viewcount {

void RankingSums::Add(Shard shard, std::shared_ptr<const ArticleNumbers> numbers,
                      std::span<const NumberedRanking> rankings, const WeightedWindows& windows) {
  OfShard& of = shards_[shard.value];
  std::vector<int64_t> unlisted_max;
  for (size_t i = 0; i < rankings.size(); ++i) {
    unlisted_max.push_back(windows.Weigh(i, static_cast<int64_t>(rankings[i].unlisted_views_max)));
    of.unlisted_most += unlisted_max.back();
    longest_ = std::max(longest_, rankings[i].places.size());
  }
  constexpr auto kNone = std::numeric_limits<uint32_t>::max();
  std::vector<uint32_t> places(numbers->size(), kNone);
  for (size_t i = 0; i < rankings.size(); ++i) {
    for (const RankedNumber& ranked : rankings[i].places) {
      uint32_t& place = places[ranked.article];
      if (place == kNone) {
        place = static_cast<uint32_t>(of.articles.size());
        of.articles.push_back({.number = ranked.article, .least = 0, .most = of.unlisted_most});
      }
      Article& article = of.articles[place];
      const int64_t views = windows.Weigh(i, ranked.views);
      article.least += views;
      article.most += views - unlisted_max[i];
    }
  }
  of.numbers = std::move(numbers);
}

RankingSums::Choice RankingSums::Choose(size_t places) const {
  Choice choice;
  std::vector<int64_t> least;
  for (const OfShard& of : shards_) {
    for (const Article& article : of.articles) least.push_back(article.least);
  }
  int64_t needed = 1;
  if (least.size() >= places) {
    const auto last = least.begin() + static_cast<ptrdiff_t>(places - 1);
    std::nth_element(least.begin(), last, least.end(), std::greater<>());
    needed = std::max<int64_t>(1, *last);
  }
  // Articles close to the list may be needed soon.
  const int64_t near = std::max<int64_t>(1, needed - needed / 8);
  std::vector<std::tuple<int64_t, size_t, const Article*>> chosen;
  for (size_t shard = 0; shard < shards_.size(); ++shard) {
    for (const Article& article : shards_[shard].articles) {
      if (article.most >= near) chosen.emplace_back(-article.most, shard, &article);
    }
  }
  const size_t kept = std::min(chosen.size(), kArticlesMax);
  std::nth_element(chosen.begin(), chosen.begin() + static_cast<ptrdiff_t>(kept), chosen.end());
  // No article that is left out has a higher sum than this.
  const int64_t left_out = kept < chosen.size() ? -std::get<0>(chosen[kept]) : near - 1;
  choice.proven = left_out < needed;
  for (size_t i = 0; i < kept; ++i) {
    const auto& [most, shard, article] = chosen[i];
    choice.articles[shard].emplace_back(shards_[shard].numbers->IdOf(article->number));
  }
  for (size_t shard = 0; shard < shards_.size(); ++shard) {
    const OfShard& of = shards_[shard];
    int64_t most = of.unlisted_most;
    // It is at least 1 even if their sums are below 0, because 0 means that there are no others.
    if (choice.articles[shard].size() < of.articles.size()) most = std::max<int64_t>({1, most, left_out});
    choice.others_max[shard] = static_cast<uint64_t>(std::max<int64_t>(0, most));
    if (of.unlisted_most >= needed) choice.proven = false;
  }
  return choice;
}

}  // namespace viewcount
