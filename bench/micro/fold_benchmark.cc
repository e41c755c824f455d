// Measures how a lane's thread folds decoded views into the counts of the open chunk. The batches have 1,000 views by
// Zipf's law over `range(0)` articles. Items are views.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "bench/micro/batches.h"
#include "service/lane/ledger.h"

namespace viewcount {
namespace {

constexpr size_t kBatches = 1'000;

Ledger& WithSite(Ledger& ledger) {
  ledger.ApplySite(std::make_shared<const Site>(*MakeSite("demo", {"Asia/Ho_Chi_Minh"})));
  return ledger;
}

// Reports the memory of one chunk per article.
void ReportMemory(benchmark::State& state, const Ledger& ledger, size_t articles) {
  state.counters["bytes/article"] = static_cast<double>(ledger.totals().bytes) / static_cast<double>(articles);
}

// Folds as if the store keeps up: there is a new chunk every million views, and articles are new to it.
void FoldSealed(benchmark::State& state) {
  const auto ids = ArticleIds(state.range(0));
  const auto draws = ZipfDraws(ids.size(), kBatches * kBatchViews);
  const auto batches = Batches(ids, draws);
  Ledger ledger(RandomId<LaneId>());
  WithSite(ledger);
  uint64_t position = 0;
  size_t next = 0;
  for (auto _ : state) {
    ledger.Fold(*batches[next]);
    ledger.MarkDurable(Position{++position});
    if (++next == batches.size()) {
      next = 0;
      ledger.Release(*ledger.Next().chunk);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatchViews));
}

// Folds as if the store is away: there is one chunk that already has all articles.
void FoldKnown(benchmark::State& state) {
  const auto ids = ArticleIds(state.range(0));
  Ledger ledger(RandomId<LaneId>());
  WithSite(ledger);
  for (const auto& batch : Batches(ids, EachOnce(ids.size()))) ledger.Fold(*batch);
  const auto draws = ZipfDraws(ids.size(), kBatches * kBatchViews);
  const auto batches = Batches(ids, draws);
  size_t next = 0;
  for (auto _ : state) {
    ledger.Fold(*batches[next]);
    if (++next == batches.size()) next = 0;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatchViews));
  ReportMemory(state, ledger, ids.size());
}

// Measures the longest time that a view had to wait while a chunk grew to `range(0)` articles. It is reported in
// microseconds for a batch of 1,000.
void LongestBatch(benchmark::State& state) {
  const auto ids = ArticleIds(state.range(0));
  const auto batches = Batches(ids, EachOnce(ids.size()));
  double longest = 0;
  for (auto _ : state) {
    Ledger ledger(RandomId<LaneId>());
    WithSite(ledger);
    for (const auto& batch : batches) {
      const auto began = std::chrono::steady_clock::now();
      ledger.Fold(*batch);
      longest = std::max(longest, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["longest_us"] = longest * 1e6;
}

BENCHMARK(FoldSealed)->RangeMultiplier(10)->Range(1'000, 10'000'000);
BENCHMARK(FoldKnown)->RangeMultiplier(10)->Range(1'000, 10'000'000);
BENCHMARK(LongestBatch)->Arg(1'000'000)->Arg(10'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace viewcount
