// Measures the cost of one second of watching: 10,000 watchers with 20 articles each, out of 1,000 articles that all
// change every second. Starts its own redis-server. One iteration is one tick with all work that it causes, except for
// writing the messages to connections. Milliseconds of CPU are therefore thousandths of a core.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "service/base/check.h"
#include "service/query/count_watcher.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"

namespace viewcount {
namespace {

constexpr int kArticles = 1'000;
constexpr int kArticlesEach = 20;

std::string ArticleOf(int64_t number) { return "/news/2026/11/a-story-" + std::to_string(number); }

// Returns the bytes of the heap that are in use.
double HeapBytes() { return static_cast<double>(mallinfo2().uordblks); }

void Watch(benchmark::State& state) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  VIEWCOUNT_CHECK(pipeline.Open().ok());
  ManualClock clock;
  SiteTotalReader totals(pipeline.store(), pipeline.cache(), {&pipeline.ledger()});
  SiteStatsReader stats(pipeline.store(), totals, clock);
  CountWatcher watcher(pipeline.executor(), {pipeline.sites(), pipeline.counts(), stats, clock, pipeline.metrics()});
  std::vector<std::string> articles;
  std::vector<DecodedView> views;
  for (int i = 0; i < kArticles; ++i) articles.push_back(ArticleOf(i));
  for (const std::string& id : articles) views.push_back({.article_id = id, .count = 1});
  // The articles are read once before, so that the measured memory is that of the watchers only.
  VIEWCOUNT_CHECK(pipeline.Read(articles).ok());

  std::mt19937 random(1);
  std::vector<size_t> told;
  std::vector<std::shared_ptr<CountWatcher::Subscription>> subscriptions;
  v1::WatchCountsResponse message;
  std::string event_id;
  const double before = HeapBytes();
  for (size_t i = 0; i < static_cast<size_t>(state.range(0)); ++i) {
    std::vector<std::string> ids;
    for (int k = 0; k < kArticlesEach; ++k) ids.push_back(articles[random() % kArticles]);
    subscriptions.push_back(
        *pipeline.Await(watcher.Subscribe(pipeline.site(), std::move(ids), "", [&told, i]() { told.push_back(i); })));
    VIEWCOUNT_CHECK(subscriptions.back()->Take(message, event_id));
  }
  state.counters["bytes_each"] = (HeapBytes() - before) / static_cast<double>(state.range(0));

  size_t messages = 0;
  for (auto _ : state) {
    state.PauseTiming();
    pipeline.Fold(views);
    clock.Advance(limits::kWatchInterval);
    told.clear();
    state.ResumeTiming();
    pipeline.Await(watcher.Tick());
    for (const size_t i : told) messages += subscriptions[i]->Take(message, event_id) ? 1 : 0;
  }
  state.SetItemsProcessed(static_cast<int64_t>(messages));
  VIEWCOUNT_CHECK(messages == state.iterations() * subscriptions.size());
}
BENCHMARK(Watch)->Arg(1)->Arg(10'000)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace viewcount
