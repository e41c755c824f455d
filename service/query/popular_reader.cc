#include "service/query/popular_reader.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <string_view>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/wait_group.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

bool ComesBefore(const PopularArticle& a, const PopularArticle& b) {
  return a.views != b.views ? a.views > b.views : a.article_id < b.article_id;
}

// Puts the first limits::kRankedAllTimeAndDay in order and drops the rest.
void KeepHighest(std::vector<PopularArticle>& articles) {
  const size_t keep = std::min<size_t>(articles.size(), limits::kRankedAllTimeAndDay);
  std::partial_sort(articles.begin(), articles.begin() + keep, articles.end(), ComesBefore);
  articles.resize(keep);
}

// A time-out or a broken connection, as the caller is told of it.
absl::Status AskAgain(const absl::Status& error) {
  return RetryLater(absl::StatusCode::kUnavailable, ToStd(error.message()), limits::kRetryDelay);
}

}  // namespace

struct PopularReader::Candidates {
  // Keys point into the rankings.
  boost::unordered_flat_map<std::string_view, int64_t> ranked;
  boost::unordered_flat_map<std::string, Contender> unranked;
  // What articles may have that are not ranked because of one whose count is to be lowered.
  uint64_t hidden_views_max = 0;
};

asio::awaitable<absl::StatusOr<PopularList>> PopularReader::Read(std::shared_ptr<const Site> site, Window window) {
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    PopularList list;
    list.as_of_unix_ms = clock_.UnixMillis();
    std::vector<Ledger::Mark> marks;
    for (const Ledger* ledger : ledgers_) marks.push_back(ledger->MarkNow());
    Rankings rankings;
    rankings.cursors.resize(ledgers_.size());
    WaitGroup reads(co_await asio::this_coro::executor);
    for (uint32_t i = 0; i < limits::kShards; ++i) {
      reads.Spawn(ReadShard(*site, window, Shard{static_cast<uint8_t>(i)}, rankings));
    }
    co_await reads.Wait();
    if (absl::IsAborted(rankings.error)) continue;
    if (!rankings.error.ok()) co_return AskAgain(rankings.error);
    Candidates candidates;
    for (const ShardRanking& ranking : rankings.shards) {
      for (const RankedCount& article : ranking.articles) candidates.ranked.emplace(article.article_id, article.views);
    }
    if (!AddPending(*site, window, marks, rankings, candidates)) continue;
    for (const auto& [id, views] : candidates.ranked) {
      if (views > 0) list.articles.push_back({std::string(id), static_cast<uint64_t>(views)});
    }
    KeepHighest(list.articles);
    if (auto status = co_await ReadContenders(*site, window, candidates, list); !status.ok()) {
      co_return AskAgain(status);
    }
    const bool is_full = list.articles.size() == limits::kRankedAllTimeAndDay;
    if (candidates.hidden_views_max > 0 && !(is_full && list.articles.back().views > candidates.hidden_views_max)) {
      list.exact = false;
      list.error_bound = std::max(list.error_bound, candidates.hidden_views_max);
    }
    co_return list;
  }
  co_return RetryLater(absl::StatusCode::kUnavailable, "the store is older than what was written to it",
                       limits::kRetryDelay);
}

asio::awaitable<void> PopularReader::ReadShard(const Site& site, Window window, Shard shard, Rankings& rankings) {
  const std::vector<LaneId>& lanes = cache_.lane_ids();
  std::vector<Cursor> cursors;
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    auto ranking = co_await store_.ReadRanking(shard, lanes, site.name, window);
    if (!ranking.ok()) {
      rankings.error = ranking.status();
      co_return;
    }
    if (!cache_.CheckCursors(shard, ranking->lanes, cursors)) continue;
    for (size_t lane = 0; lane < cursors.size(); ++lane) rankings.cursors[lane][shard.value] = cursors[lane];
    rankings.shards[shard.value] = *std::move(ranking);
    co_return;
  }
  rankings.error = absl::AbortedError("the store is older than what was written to it");
}

bool PopularReader::AddPending(const Site& site, Window window, const std::vector<Ledger::Mark>& marks,
                               const Rankings& rankings, Candidates& candidates) const {
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    const bool whole = ledgers_[lane]->ForEachPending(
        marks[lane], rankings.cursors[lane], site, window,
        [&](Shard shard, uint64_t hash, std::string_view id, int64_t views) {
          // The site's own start value.
          if (id.empty()) return;
          if (const auto ranked = candidates.ranked.find(id); ranked != candidates.ranked.end()) {
            ranked->second += views;
            if (views < 0) {
              const uint64_t unlisted = rankings.shards[shard.value].unlisted_views_max;
              candidates.hidden_views_max = std::max(candidates.hidden_views_max, unlisted);
            }
            return;
          }
          Contender& contender = candidates.unranked[std::string(id)];
          contender.article.hash = hash;
          contender.shard = shard;
          contender.pending += views;
        });
    if (!whole) return false;
  }
  for (auto& [id, contender] : candidates.unranked) {
    const auto unlisted = static_cast<int64_t>(rankings.shards[contender.shard.value].unlisted_views_max);
    contender.views_max = ShownCount(unlisted + contender.pending);
  }
  return true;
}

// Contenders by what they could have at most: once that does not reach the last place, nobody behind does.
asio::awaitable<absl::Status> PopularReader::ReadContenders(const Site& site, Window window, Candidates& candidates,
                                                            PopularList& list) {
  std::vector<Contender> contenders;
  contenders.reserve(candidates.unranked.size());
  for (auto& [id, contender] : candidates.unranked) {
    if (contender.views_max == 0) continue;
    if (static_cast<int64_t>(contender.views_max) == contender.pending) {
      // Its shard ranks everything it has: this article is new, and what is pending is all.
      list.articles.push_back({id, contender.views_max});
      continue;
    }
    contender.article.id = id;
    contenders.push_back(contender);
  }
  KeepHighest(list.articles);
  std::sort(contenders.begin(), contenders.end(),
            [](const Contender& a, const Contender& b) { return a.views_max > b.views_max; });
  const auto reaches = [&](const Contender& contender) {
    return list.articles.size() < limits::kRankedAllTimeAndDay || contender.views_max >= list.articles.back().views;
  };
  size_t next = 0;
  while (next < contenders.size() && reaches(contenders[next])) {
    if (next >= limits::kPopularContendersMax) {
      list.exact = false;
      list.error_bound = contenders[next].views_max;
      break;
    }
    std::map<Shard, std::vector<ArticleRef>> by_shard;
    for (size_t n = 0; n < limits::kRankedAllTimeAndDay && next < contenders.size(); ++n, ++next) {
      const Contender& contender = contenders[next];
      if (!reaches(contender)) break;
      by_shard[contender.shard].push_back(contender.article);
    }
    for (const auto& [shard, articles] : by_shard) {
      const std::vector<Window> windows = {window};
      const auto counts = co_await counts_.ReadWindows(site, shard, windows, articles);
      if (!counts.ok()) co_return counts.status();
      for (size_t i = 0; i < articles.size(); ++i) {
        const uint64_t views = ShownCount(counts->front()[i]);
        if (views > 0) list.articles.push_back({std::string(articles[i].id), views});
      }
    }
    KeepHighest(list.articles);
  }
  co_return absl::OkStatus();
}

}  // namespace viewcount
