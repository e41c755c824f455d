// Measures how a popular list of the present is made from rankings that were read once and from pending views, without
// Redis. Every ListPopular does this. The articles follow Zipf's law. The article of rank 1 has a hundred million
// stored views, and the pending views are in one open chunk. Items are lists.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/batches.h"
#include "service/base/check.h"
#include "service/base/hash.h"
#include "service/query/ranked_window.h"

namespace viewcount {
namespace {

constexpr int64_t kStoredMax = 100'000'000;

// Returns rankings like those of the shards: the highest articles of each, and the largest count of the unlisted
// articles.
RankedWindow::Rankings RankingsOf(const std::vector<std::string>& ids, const Site& site, const Ledger& ledger) {
  RankedWindow::Rankings rankings;
  rankings.marks.push_back(ledger.TakeSnapshot());
  rankings.cursors.resize(1);
  const RankedArticles ranked(ids.size());
  for (size_t rank = 1; rank <= ids.size(); ++rank) {
    const std::string& id = ids[ranked.Index(rank)];
    Ranking& shard = rankings.shards[ShardOf(ArticleHash(site.seed, id)).value];
    if (shard.articles.size() < limits::kRankedAllTimeAndDay) {
      shard.articles.push_back({id, kStoredMax / static_cast<int64_t>(rank)});
    } else {
      shard.unlisted_views_max = static_cast<uint64_t>(shard.articles.back().views);
    }
  }
  return rankings;
}

void CompleteRankings(benchmark::State& state) {
  const auto ids = ArticleIds(static_cast<size_t>(state.range(0)));
  const auto site = std::make_shared<const Site>(*MakeSite("demo", {"Asia/Ho_Chi_Minh"}));
  Ledger ledger(RandomId<LaneId>());
  ledger.ApplySite(site);
  const std::vector<Ledger*> ledgers = {&ledger};
  RankedWindow window(site, std::vector{Window{}}, limits::kRankedAllTimeAndDay, ledgers,
                      RankingsOf(ids, *site, ledger));
  const auto draws = ZipfDraws(ids.size(), static_cast<size_t>(state.range(1)));
  for (const auto& batch : Batches(ids, draws)) ledger.Fold(*batch);
  for (auto _ : state) {
    const auto answer = window.Complete(RankedWindow::Candidates::kOne);
    VIEWCOUNT_CHECK(answer && answer->list.exact && answer->candidates.empty());
    VIEWCOUNT_CHECK(answer->list.articles.size() == limits::kRankedAllTimeAndDay);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(CompleteRankings)
    ->ArgsProduct({{10'000, 100'000, 1'000'000}, {0, 1'000'000, 8'000'000}})
    ->ArgNames({"articles", "pending"})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace viewcount
