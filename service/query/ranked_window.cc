#include "service/query/ranked_window.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"

namespace viewcount {
namespace {

// See Merge::FewReach.
constexpr size_t kFewArticles = 2'000;
// Returns the number of views from which an article is near a list that requires `least` views.
int64_t NearOf(int64_t least) { return std::max<int64_t>(least - least / 4, 1); }

// Returns a level: an article with the weighted number `views` in all of `places` together has at least 2^level views
// in one place.
size_t LevelOf(int64_t views, uint32_t weight_max, size_t places) {
  const auto sum = (static_cast<uint64_t>(std::max<int64_t>(views, 1)) + weight_max - 1) / weight_max;
  const uint64_t least = (sum + places - 1) / places;
  return static_cast<size_t>(std::bit_width(least)) - 1;
}

}  // namespace

// A candidate whose ID refers to the text in a chunk.
struct RankedWindow::Waiting {
  std::string_view id;
  uint64_t hash = 0;
  int64_t pending = 0;
  // The most views that it can have.
  int64_t views = 0;
};

// The state of one call of Complete.
struct RankedWindow::Merge {
  Merge(std::vector<PendingViews> held, uint32_t highest_weight)
      : pending(std::move(held)), weight_max(highest_weight) {}

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
  // Calls `visit(hash, id)` for every article with at least `views` pending, and perhaps for others.
  template <typename Visit>
  void ForEachWith(int64_t views, Visit visit) const {
    const auto all = static_cast<int64_t>(places());
    for (const PendingViews& lane : pending) {
      lane.ForEachReaching(LevelOf(views, weight_max, places()),
                           [&](const Chunk::Article& article, const WindowViews& chunk) {
                             const int64_t in_chunk = chunk.Of(article);
                             if (in_chunk > 0 && in_chunk >= (views + all - 1) / all) visit(article.hash, article.id);
                           });
    }
  }
  // Returns the lowest level that few articles reach in one place.
  size_t FewReach() const {
    size_t level = 1;
    while (CountReaching(level) > kFewArticles) ++level;
    return level;
  }
  size_t places() const {
    size_t sum = 0;
    for (const PendingViews& lane : pending) sum += lane.places();
    return sum;
  }

  const std::vector<PendingViews> pending;
  const uint32_t weight_max;
  // Exact counts. An article may occur twice.
  std::vector<Ranked> found;
  // An article may occur twice.
  std::vector<Waiting> candidates;
  // No article with fewer views can be on the list, or be needed as a candidate.
  int64_t least = 1;
  int64_t candidate_least() const { return which == Candidates::kNear ? NearOf(least) : least; }
  Candidates which = Candidates::kOne;
  // A bound for the views of unranked articles that a lowered ranked article may have to make room for.
  uint64_t hidden_views_max = 0;
};

namespace {

bool IsHigher(const auto& a, const auto& b) { return a.views != b.views ? a.views > b.views : a.id < b.id; }

void SortOut(auto& articles) {
  std::sort(articles.begin(), articles.end(), [](const auto& a, const auto& b) { return IsHigher(a, b); });
  const auto is_same = [](const auto& a, const auto& b) { return a.views == b.views && a.id == b.id; };
  articles.erase(std::unique(articles.begin(), articles.end(), is_same), articles.end());
}

}  // namespace

RankedWindow::RankedWindow(std::shared_ptr<const Site> site, WeightedWindows windows, size_t places,
                           std::span<Ledger* const> ledgers, Rankings rankings)
    : site_(std::move(site)),
      windows_(std::move(windows)),
      places_(places),
      ledgers_(ledgers),
      rankings_(std::move(rankings)),
      followed_(*site_, windows_, ledgers.size()) {
  std::vector<RankedPending::Article> ranked;
  for (const Ranking& shard : rankings_.shards) {
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
  // Ledgers are locked in the order of the lanes. Every thread that holds several of them uses this order.
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    auto held = ledgers_[lane]->HoldPending(rankings_.marks[lane], rankings_.cursors[lane], *site_, windows_);
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

std::optional<RankedWindow::Answer> RankedWindow::Complete(Candidates which) {
  // Sealed chunks do not change, so adding them first delays no thread. The call after HoldPending seldom adds more.
  AddSealed();
  auto pending = HoldPending();
  if (!pending) return std::nullopt;
  AddSealed();
  followed_.Complete(*pending);
  Merge merge(*std::move(pending), windows_.weight_max());
  merge.which = which;
  AddFollowed(merge);
  AddNew(merge);
  AddAdjusted(merge);
  AddRisen(merge);
  return Finish(merge);
}

void RankedWindow::AddFollowed(Merge& merge) {
  // The articles that were highest at the last Complete give a lower bound for the views that the list requires.
  int64_t least = 1;
  if (highest_.size() == places_) {
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
  if (highest_.size() < places_) return;
  std::nth_element(highest_.begin(), highest_.begin() + static_cast<ptrdiff_t>(places_ - 1), highest_.end(),
                   [&](uint32_t a, uint32_t b) { return followed_.views(a) > followed_.views(b); });
  highest_.resize(places_);
  merge.least = followed_.views(highest_.back());
  std::erase_if(merge.found, [&](const Ranked& article) { return article.views < merge.least; });
}

// For a site or a day that has just begun, nearly all views are pending. The articles with the most pending views then
// give the lower bound.
void RankedWindow::AddNew(Merge& merge) const {
  if (ranked_ >= places_ || merge.found.size() >= places_) return;
  size_t level = std::numeric_limits<int64_t>::digits;
  while (level > 0 && merge.CountReaching(level) < places_) --level;
  for (; level > 0 && merge.found.size() < places_; --level) {
    for (const PendingViews& lane : merge.pending) {
      lane.ForEachReaching(
          level, [&](const Chunk::Article& article, const WindowViews&) { Consider(merge, article.hash, article.id); });
    }
    SortOut(merge.found);
  }
  if (merge.found.size() >= places_) merge.least = merge.found[places_ - 1].views;
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

// An unranked article needs enough pending views to bridge the gap between the highest unranked count and the list.
void RankedWindow::AddRisen(Merge& merge) const {
  const auto consider = [&](uint64_t hash, std::string_view id) { Consider(merge, hash, id); };
  const bool unproven = rankings_.incomplete && static_cast<int64_t>(unlisted_views_max_) >= merge.least;
  if (unproven) merge.hidden_views_max = std::max(merge.hidden_views_max, unlisted_views_max_);
  if (merge.places() == 0) return;
  if (!unproven) {
    merge.ForEachWith(merge.candidate_least() - static_cast<int64_t>(unlisted_views_max_), consider);
    return;
  }
  // The whole list cannot become exact, but its first places can. Every pending article would be a candidate. So only
  // those with the most pending views are examined.
  const uint64_t others = merge.places() * ((uint64_t{1} << merge.FewReach()) - 1) * merge.weight_max;
  merge.hidden_views_max = std::max(merge.hidden_views_max, unlisted_views_max_ + others);
  merge.ForEachWith(static_cast<int64_t>(others) + 1, consider);
}

void RankedWindow::Consider(Merge& merge, uint64_t hash, std::string_view id) const {
  // The empty ID is the site's own start value, not an article.
  if (id.empty()) return;
  if (indexes_.contains(Key{hash, id})) return;
  const int64_t pending = merge.PendingOf(hash, id);
  // A shard that leaves out no article ranks all its articles. So this article is new, and all its views are pending.
  const auto unlisted = static_cast<int64_t>(rankings_.shards[ShardOf(hash).value].unlisted_views_max);
  const int64_t views = pending + unlisted;
  if (unlisted == 0 && views >= merge.least) merge.found.push_back({id, hash, views});
  if (unlisted > 0 && views >= merge.candidate_least()) merge.candidates.push_back({id, hash, pending, views});
}

RankedWindow::Answer RankedWindow::Finish(Merge& merge) {
  SortOut(merge.found);
  const bool is_full = merge.found.size() >= places_;
  if (is_full) merge.found.resize(places_);
  Answer answer;
  answer.list.as_of_unix_ms = rankings_.as_of_unix_ms;
  for (const Ranked& article : merge.found) {
    answer.list.articles.push_back({std::string(article.id), static_cast<uint64_t>(article.views)});
  }
  const int64_t least = is_full ? merge.found.back().views : 1;
  merge.least = least_ = least;
  std::erase_if(merge.candidates, [&](const Waiting& article) { return article.views < merge.candidate_least(); });
  SortOut(merge.candidates);
  const size_t candidates_max = merge.which == Candidates::kOne ? 1 : kCandidatesMax;
  answer.more_candidates = merge.candidates.size() > candidates_max;
  if (answer.more_candidates) merge.candidates.resize(candidates_max);
  for (const Waiting& article : merge.candidates) {
    answer.candidates.push_back({std::string(article.id), article.hash, article.pending, article.views});
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
      // The store went back in time. Views after that cursor may no longer be in memory.
      if (cursors[lane] < rankings_.cursors[lane][ShardOf(article.hash).value]) return false;
    }
  }
  std::vector<WindowViews> in_open;
  for (const PendingViews& held : *pending) in_open.emplace_back(held.open(), site_->index, windows_);
  for (const Stored& article : articles) {
    if (indexes_.contains(Key{article.hash, article.id})) continue;
    int64_t views = article.views;
    int64_t pending_sealed = 0;
    for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
      const PendingViews& held = (*pending)[lane];
      const int64_t since = held.Of(article.hash, article.id);
      // Views that were flushed since the rankings were read count as pending, because the rankings do not contain
      // them.
      views += held.Of(cursors[lane], article.hash, article.id) - since;
      const Chunk::Article* open = held.open().Find(site_->index, article.hash, article.id);
      pending_sealed += since - (open != nullptr ? in_open[lane].Of(*open) : 0);
    }
    const std::string_view id = added_.emplace_back(article.id);
    indexes_.emplace(Key{article.hash, id}, static_cast<uint32_t>(followed_.articles().size()));
    followed_.AddArticle({.id = id, .hash = article.hash, .stored = views}, pending_sealed);
  }
  return true;
}

std::vector<RankedWindow::Candidate> RankedWindow::TrackedCandidates() const {
  std::vector<Candidate> near;
  for (size_t i = ranked_; i < followed_.articles().size() && near.size() < kCandidatesMax; ++i) {
    const auto& article = followed_.articles()[i];
    if (followed_.views(i) < NearOf(least_)) continue;
    near.push_back({.id = std::string(article.id), .hash = article.hash});
  }
  return near;
}

void RankedWindow::Settle(Answer& answer) const {
  auto& articles = answer.list.articles;
  std::erase_if(answer.candidates, [&](const Candidate& candidate) {
    const auto known = indexes_.find(Key{candidate.hash, candidate.id});
    if (known == indexes_.end()) return false;
    const int64_t views = followed_.articles()[known->second].stored + candidate.pending;
    if (views > 0) articles.push_back({candidate.id, static_cast<uint64_t>(views)});
    return true;
  });
  std::sort(articles.begin(), articles.end(), ComesBefore);
  if (articles.size() < places_) return;
  articles.resize(places_);
  const auto least = static_cast<int64_t>(articles.back().views);
  std::erase_if(answer.candidates, [&](const Candidate& candidate) { return candidate.views_max < least; });
}

}  // namespace viewcount
