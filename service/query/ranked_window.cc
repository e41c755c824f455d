#include "service/query/ranked_window.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"

namespace viewcount {
namespace {

constexpr size_t kListMax = limits::kRankedAllTimeAndDay;
// What it costs to look for an article by name in every chunk, against one that is found there.
constexpr size_t kByNameCost = 2;
// Look-ups whose memory is fetched side by side.
constexpr size_t kFetchedAhead = 8;

// Of which power of two an article has at least that many in one of `places`, if it has `views` in all of them.
size_t LevelOf(int64_t views, size_t places) {
  const auto sum = static_cast<uint64_t>(std::max<int64_t>(views, 1));
  const uint64_t least = (sum + places - 1) / places;
  return static_cast<size_t>(std::bit_width(least)) - 1;
}

}  // namespace

// The making of one answer.
struct RankedWindow::Merge {
  explicit Merge(std::vector<PendingViews> held) : pending(std::move(held)) {}

  int64_t PendingOf(uint64_t hash, std::string_view id) const {
    int64_t sum = 0;
    for (const PendingViews& lane : pending) sum += lane.Of(hash, id);
    return sum;
  }
  void Prefetch(uint64_t hash) const {
    for (const PendingViews& lane : pending) lane.Prefetch(hash);
  }
  size_t CountReaching(size_t level) const {
    size_t sum = 0;
    for (const PendingViews& lane : pending) sum += lane.CountReaching(level);
    return sum;
  }
  // Calls `visit(hash, id)` for every article that has at least `views` pending, and perhaps for others.
  template <typename Visit>
  void ForEachWith(int64_t views, Visit visit) const {
    const auto all = static_cast<int64_t>(places());
    for (const PendingViews& lane : pending) {
      lane.ForEachReaching(LevelOf(views, places()), [&](const Chunk::Article& article, int64_t in_chunk) {
        if (in_chunk > 0 && in_chunk >= (views + all - 1) / all) visit(article.hash, article.id);
      });
    }
  }
  size_t places() const {
    size_t sum = 0;
    for (const PendingViews& lane : pending) sum += lane.places();
    return sum;
  }

  const std::vector<PendingViews> pending;
  // Exact counts; one may come twice.
  std::vector<Ranked> found;
  // With what they could have at most; one may come twice.
  std::vector<Ranked> contenders;
  // Nothing below that can be on the list.
  int64_t least = 1;
  // What articles may have that are not ranked because of one whose count is to be lowered.
  uint64_t hidden_views_max = 0;
};

namespace {

bool ComesBefore(const auto& a, const auto& b) { return a.views != b.views ? a.views > b.views : a.id < b.id; }

void SortOut(auto& articles) {
  std::sort(articles.begin(), articles.end(), [](const auto& a, const auto& b) { return ComesBefore(a, b); });
  const auto is_same = [](const auto& a, const auto& b) { return a.views == b.views && a.id == b.id; };
  articles.erase(std::unique(articles.begin(), articles.end(), is_same), articles.end());
}

}  // namespace

RankedWindow::RankedWindow(std::shared_ptr<const Site> site, Window window, std::span<Ledger* const> ledgers,
                           Rankings rankings)
    : site_(std::move(site)), window_(window), ledgers_(ledgers), rankings_(std::move(rankings)) {
  for (const ShardRanking& shard : rankings_.shards) {
    unlisted_views_max_ = std::max(unlisted_views_max_, shard.unlisted_views_max);
    for (const RankedCount& article : shard.articles) {
      ranked_.push_back({article.article_id, ArticleHash(site_->seed, article.article_id), article.views});
    }
  }
  std::sort(ranked_.begin(), ranked_.end(), [](const Ranked& a, const Ranked& b) { return ComesBefore(a, b); });
  stored_.reserve(ranked_.size());
  for (const Ranked& article : ranked_) stored_.emplace(Key{article.hash, article.id}, article.views);
}

std::optional<std::vector<PendingViews>> RankedWindow::HoldPending() {
  std::vector<PendingViews> pending;
  pending.reserve(ledgers_.size());
  // In order of the lanes, which is everybody's who holds several.
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    auto held = ledgers_[lane]->HoldPending(rankings_.marks[lane], rankings_.cursors[lane], *site_, window_);
    if (!held) return std::nullopt;
    pending.push_back(*std::move(held));
  }
  return pending;
}

std::optional<RankedWindow::Answer> RankedWindow::Complete() {
  auto pending = HoldPending();
  if (!pending) return std::nullopt;
  Merge merge(*std::move(pending));
  AddHighest(merge);
  AddNew(merge);
  AddAdjusted(merge);
  AddRisen(merge);
  return Finish(merge);
}

// Whoever is on the list now has at least as much as the last of those that were on it when the shards were read.
void RankedWindow::AddHighest(Merge& merge) const {
  const auto highest = std::span(ranked_).first(std::min(ranked_.size(), kListMax));
  for (const Ranked& article : highest) merge.Prefetch(article.hash);
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const Ranked& article : highest) {
    const int64_t views = article.views + merge.PendingOf(article.hash, article.id);
    least = std::min(least, views);
    if (views > 0) merge.found.push_back({article.id, article.hash, views});
  }
  if (highest.size() == kListMax) merge.least = std::max<int64_t>(least, 1);
}

// Of a site or a day that has just begun, nearly everything is pending: those with most of that show what it takes.
void RankedWindow::AddNew(Merge& merge) const {
  if (ranked_.size() >= kListMax) return;
  size_t level = std::numeric_limits<int64_t>::digits;
  while (level > 0 && merge.CountReaching(level) < kListMax) --level;
  for (; level > 0 && merge.found.size() < kListMax; --level) {
    for (const PendingViews& lane : merge.pending) {
      lane.ForEachReaching(level,
                           [&](const Chunk::Article& article, int64_t) { Consider(merge, article.hash, article.id); });
    }
    SortOut(merge.found);
  }
  if (merge.found.size() >= kListMax) merge.least = merge.found[kListMax - 1].views;
}

void RankedWindow::AddAdjusted(Merge& merge) const {
  for (const PendingViews& lane : merge.pending) {
    lane.ForEachAdjusted([&](const Chunk::Article& article) {
      Consider(merge, article.hash, article.id);
      if (!stored_.contains(Key{article.hash, article.id}) || merge.PendingOf(article.hash, article.id) >= 0) return;
      const uint64_t unlisted = rankings_.shards[ShardOf(article.hash).value].unlisted_views_max;
      merge.hidden_views_max = std::max(merge.hidden_views_max, unlisted);
    });
  }
}

// The others that are ranked are looked for by name or among all that are pending, whichever are fewer.
void RankedWindow::AddRisen(Merge& merge) const {
  const auto rest = std::span(ranked_).subspan(std::min(ranked_.size(), kListMax));
  int64_t risen_max = 0;
  for (const PendingViews& lane : merge.pending) risen_max += static_cast<int64_t>(lane.views_max());
  const auto reach = [&](int64_t views) {
    return rest.first(
        std::partition_point(rest.begin(), rest.end(),
                             [&](const Ranked& article) { return article.views + views >= merge.least; }) -
        rest.begin());
  };
  auto by_name = reach(0);
  if (const size_t places = merge.places(); places > 0) {
    const int64_t unranked = merge.least - static_cast<int64_t>(unlisted_views_max_);
    int64_t views = rest.empty() ? unranked : std::min(unranked, merge.least - rest.front().views);
    const auto can_rise = reach(risen_max);
    if (merge.CountReaching(LevelOf(views, places)) >
        kByNameCost * can_rise.size() + merge.CountReaching(LevelOf(unranked, places))) {
      views = unranked;
      by_name = can_rise;
    }
    merge.ForEachWith(views, [&](uint64_t hash, std::string_view id) { Consider(merge, hash, id); });
  }
  for (size_t i = 0; i < by_name.size(); ++i) {
    if (i + kFetchedAhead < by_name.size()) merge.Prefetch(by_name[i + kFetchedAhead].hash);
    Consider(merge, by_name[i].hash, by_name[i].id);
  }
}

void RankedWindow::Consider(Merge& merge, uint64_t hash, std::string_view id) const {
  // The site's own start value.
  if (id.empty()) return;
  const int64_t pending = merge.PendingOf(hash, id);
  const auto known = stored_.find(Key{hash, id});
  // A shard that leaves nothing out ranks everything it has: this article is new, and what is pending is all.
  const auto unlisted = static_cast<int64_t>(rankings_.shards[ShardOf(hash).value].unlisted_views_max);
  const bool is_exact = known != stored_.end() || unlisted == 0;
  const int64_t views = pending + (known != stored_.end() ? known->second : unlisted);
  if (views >= merge.least) (is_exact ? merge.found : merge.contenders).push_back({id, hash, views});
}

RankedWindow::Answer RankedWindow::Finish(Merge& merge) const {
  SortOut(merge.found);
  const bool is_full = merge.found.size() >= kListMax;
  if (is_full) merge.found.resize(kListMax);
  Answer answer;
  answer.list.as_of_unix_ms = rankings_.as_of_unix_ms;
  for (const Ranked& article : merge.found) {
    answer.list.articles.push_back({std::string(article.id), static_cast<uint64_t>(article.views)});
  }
  const int64_t least = is_full ? merge.found.back().views : 1;
  std::erase_if(merge.contenders, [&](const Ranked& article) { return article.views < least; });
  SortOut(merge.contenders);
  if (merge.contenders.size() > kContendersMax) merge.contenders.resize(kContendersMax);
  for (const Ranked& article : merge.contenders) {
    answer.contenders.push_back({std::string(article.id), article.hash, static_cast<uint64_t>(article.views)});
  }
  if (merge.hidden_views_max > 0 && !(is_full && static_cast<uint64_t>(least) > merge.hidden_views_max)) {
    answer.list.exact = false;
    answer.list.error_bound = merge.hidden_views_max;
  }
  return answer;
}

bool RankedWindow::AddStored(std::span<const Stored> articles, std::span<const Cursor> cursors) {
  const auto pending = HoldPending();
  if (!pending) return false;
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    for (const Stored& article : articles) {
      // The store went back: what lies beyond that cursor may be here no more.
      if (cursors[lane] < rankings_.cursors[lane][ShardOf(article.hash).value]) return false;
    }
  }
  for (const Stored& article : articles) {
    int64_t views = article.views;
    // What was flushed since the rankings were read is pending for them.
    for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
      const PendingViews& held = (*pending)[lane];
      views += held.Of(cursors[lane], article.hash, article.id) - held.Of(article.hash, article.id);
    }
    const Stored& kept = added_.emplace_back(article);
    stored_.emplace(Key{kept.hash, kept.id}, views);
  }
  return true;
}

}  // namespace viewcount
