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
// What is near a list that takes `least`.
int64_t NearOf(int64_t least) { return std::max<int64_t>(least - least / 4, 1); }

// Of which power of two an article has at least that many in one of `places`, if it has `views` in all of them.
size_t LevelOf(int64_t views, size_t places) {
  const auto sum = static_cast<uint64_t>(std::max<int64_t>(views, 1));
  const uint64_t least = (sum + places - 1) / places;
  return static_cast<size_t>(std::bit_width(least)) - 1;
}

}  // namespace

// A contender whose ID lies in a chunk.
struct RankedWindow::Waiting {
  std::string_view id;
  uint64_t hash = 0;
  int64_t pending = 0;
  // At most.
  int64_t views = 0;
};

// The making of one answer.
struct RankedWindow::Merge {
  explicit Merge(std::vector<PendingViews> held) : pending(std::move(held)) {}

  int64_t PendingOf(uint64_t hash, std::string_view id) const {
    int64_t sum = 0;
    for (const PendingViews& lane : pending) sum += lane.Of(hash, id);
    return sum;
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
  // One may come twice.
  std::vector<Waiting> contenders;
  // Nothing below that can be on the list, or is asked for as a contender.
  int64_t least = 1;
  int64_t contender_least() const { return which == Contenders::kNear ? NearOf(least) : least; }
  Contenders which = Contenders::kOne;
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
    : site_(std::move(site)),
      window_(window),
      ledgers_(ledgers),
      rankings_(std::move(rankings)),
      followed_(*site_, window, ledgers.size()) {
  std::vector<RankedPending::Article> ranked;
  for (const ShardRanking& shard : rankings_.shards) {
    unlisted_views_max_ = std::max(unlisted_views_max_, shard.unlisted_views_max);
    for (const RankedCount& article : shard.articles) {
      ranked.push_back({article.article_id, ArticleHash(site_->seed, article.article_id), article.views});
    }
  }
  ranked_ = ranked.size();
  indexes_.reserve(ranked.size());
  for (const auto& article : ranked) {
    indexes_.emplace(Key{article.hash, article.id}, static_cast<uint32_t>(indexes_.size()));
  }
  followed_.SetArticles(std::move(ranked));
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

void RankedWindow::AddSealed() {
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    followed_.AddSealed(lane, rankings_.marks[lane].sealed, rankings_.cursors[lane]);
  }
}

std::optional<RankedWindow::Answer> RankedWindow::Complete(Contenders which) {
  // What does not change any more holds nobody up; behind it there is seldom anything left to add.
  AddSealed();
  auto pending = HoldPending();
  if (!pending) return std::nullopt;
  AddSealed();
  followed_.Complete(*pending);
  Merge merge(*std::move(pending));
  merge.which = which;
  AddFollowed(merge);
  AddNew(merge);
  AddAdjusted(merge);
  AddRisen(merge);
  return Finish(merge);
}

void RankedWindow::AddFollowed(Merge& merge) {
  // Those that were on the list last show what it takes at least.
  int64_t least = 1;
  if (highest_.size() == kListMax) {
    int64_t lowest = std::numeric_limits<int64_t>::max();
    for (const uint32_t article : highest_) lowest = std::min(lowest, followed_.views(article));
    least = std::max(least, lowest);
  }
  highest_.clear();
  const auto& articles = followed_.articles();
  for (uint32_t i = 0; i < articles.size(); ++i) {
    if (followed_.views(i) >= least) highest_.push_back(i);
  }
  for (const uint32_t i : highest_) merge.found.push_back({articles[i].id, articles[i].hash, followed_.views(i)});
  if (highest_.size() < kListMax) return;
  std::nth_element(highest_.begin(), highest_.begin() + (kListMax - 1), highest_.end(),
                   [&](uint32_t a, uint32_t b) { return followed_.views(a) > followed_.views(b); });
  highest_.resize(kListMax);
  merge.least = followed_.views(highest_.back());
  std::erase_if(merge.found, [&](const Ranked& article) { return article.views < merge.least; });
}

// Of a site or a day that has just begun, nearly everything is pending: those with most of that show what it takes.
void RankedWindow::AddNew(Merge& merge) const {
  if (ranked_ >= kListMax || merge.found.size() >= kListMax) return;
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
      if (!indexes_.contains(Key{article.hash, article.id}) || merge.PendingOf(article.hash, article.id) >= 0) return;
      const uint64_t unlisted = rankings_.shards[ShardOf(article.hash).value].unlisted_views_max;
      merge.hidden_views_max = std::max(merge.hidden_views_max, unlisted);
    });
  }
}

// Whoever is not ranked needs as much pending as the list takes beyond what is ranked lowest.
void RankedWindow::AddRisen(Merge& merge) const {
  if (merge.places() == 0) return;
  merge.ForEachWith(merge.contender_least() - static_cast<int64_t>(unlisted_views_max_),
                    [&](uint64_t hash, std::string_view id) { Consider(merge, hash, id); });
}

void RankedWindow::Consider(Merge& merge, uint64_t hash, std::string_view id) const {
  // The site's own start value.
  if (id.empty()) return;
  if (indexes_.contains(Key{hash, id})) return;
  const int64_t pending = merge.PendingOf(hash, id);
  // A shard that leaves nothing out ranks everything it has: this article is new, and what is pending is all.
  const auto unlisted = static_cast<int64_t>(rankings_.shards[ShardOf(hash).value].unlisted_views_max);
  const int64_t views = pending + unlisted;
  if (unlisted == 0 && views >= merge.least) merge.found.push_back({id, hash, views});
  if (unlisted > 0 && views >= merge.contender_least()) merge.contenders.push_back({id, hash, pending, views});
}

RankedWindow::Answer RankedWindow::Finish(Merge& merge) {
  SortOut(merge.found);
  const bool is_full = merge.found.size() >= kListMax;
  if (is_full) merge.found.resize(kListMax);
  Answer answer;
  answer.list.as_of_unix_ms = rankings_.as_of_unix_ms;
  for (const Ranked& article : merge.found) {
    answer.list.articles.push_back({std::string(article.id), static_cast<uint64_t>(article.views)});
  }
  const int64_t least = is_full ? merge.found.back().views : 1;
  merge.least = least_ = least;
  std::erase_if(merge.contenders, [&](const Waiting& article) { return article.views < merge.contender_least(); });
  SortOut(merge.contenders);
  const size_t contenders_max = merge.which == Contenders::kOne ? 1 : kContendersMax;
  answer.more_contenders = merge.contenders.size() > contenders_max;
  if (answer.more_contenders) merge.contenders.resize(contenders_max);
  for (const Waiting& article : merge.contenders) {
    answer.contenders.push_back({std::string(article.id), article.hash, article.pending, article.views});
  }
  if (merge.hidden_views_max > 0 && !(is_full && static_cast<uint64_t>(least) > merge.hidden_views_max)) {
    answer.list.exact = false;
    answer.list.error_bound = merge.hidden_views_max;
  }
  return answer;
}

bool RankedWindow::AddStored(std::span<const Stored> articles, std::span<const Cursor> cursors) {
  AddSealed();
  const auto pending = HoldPending();
  if (!pending) return false;
  AddSealed();
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    for (const Stored& article : articles) {
      // The store went back: what lies beyond that cursor may be here no more.
      if (cursors[lane] < rankings_.cursors[lane][ShardOf(article.hash).value]) return false;
    }
  }
  for (const Stored& article : articles) {
    if (indexes_.contains(Key{article.hash, article.id})) continue;
    int64_t views = article.views;
    int64_t pending_sealed = 0;
    for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
      const PendingViews& held = (*pending)[lane];
      const int64_t since = held.Of(article.hash, article.id);
      // What was flushed since the rankings were read is pending for them.
      views += held.Of(cursors[lane], article.hash, article.id) - since;
      const Chunk::Article* open = held.open().Find(site_->index, article.hash, article.id);
      pending_sealed += since - (open != nullptr ? held.open().ViewsOf(*open, window_) : 0);
    }
    const std::string_view id = added_.emplace_back(article.id);
    indexes_.emplace(Key{article.hash, id}, static_cast<uint32_t>(followed_.articles().size()));
    followed_.AddArticle({.id = id, .hash = article.hash, .stored = views}, pending_sealed);
  }
  return true;
}

std::vector<RankedWindow::Contender> RankedWindow::Followed() const {
  std::vector<Contender> near;
  for (size_t i = ranked_; i < followed_.articles().size() && near.size() < kContendersMax; ++i) {
    const auto& article = followed_.articles()[i];
    if (followed_.views(i) < NearOf(least_)) continue;
    near.push_back({.id = std::string(article.id), .hash = article.hash});
  }
  return near;
}

void RankedWindow::Settle(Answer& answer) const {
  auto& articles = answer.list.articles;
  std::erase_if(answer.contenders, [&](const Contender& contender) {
    const auto known = indexes_.find(Key{contender.hash, contender.id});
    if (known == indexes_.end()) return false;
    const int64_t views = followed_.articles()[known->second].stored + contender.pending;
    if (views > 0) articles.push_back({contender.id, static_cast<uint64_t>(views)});
    return true;
  });
  std::sort(articles.begin(), articles.end(), [](const auto& a, const auto& b) {
    return a.views != b.views ? a.views > b.views : a.article_id < b.article_id;
  });
  if (articles.size() < kListMax) return;
  articles.resize(kListMax);
  const auto least = static_cast<int64_t>(articles.back().views);
  std::erase_if(answer.contenders, [&](const Contender& contender) { return contender.views_max < least; });
}

}  // namespace viewcount
