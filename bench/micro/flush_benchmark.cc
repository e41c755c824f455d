// A sealed chunk → a real Redis on a UNIX socket, all shards, each article in three windows: what one lane's flusher
// reaches, and what one part costs. Items are articles. Redis is a process of its own: give it the other core.
#include <benchmark/benchmark.h>

#include "bench/articles.h"
#include "service/base/check.h"
#include "tests/support/lane_pipeline.h"

namespace viewcount {
namespace {

// The whole way: seal, lay out, send, confirm. Every article of `range(0)` once in each chunk.
void Flush(benchmark::State& state) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  VIEWCOUNT_CHECK(pipeline.Open().ok());
  const auto ids = ArticleIds(state.range(0));
  std::vector<DecodedView> views;
  for (const std::string& id : ids) views.push_back({.article_id = id});
  for (auto _ : state) {
    state.PauseTiming();
    pipeline.Fold(views);
    state.ResumeTiming();
    if (!pipeline.Flush(std::chrono::minutes(1)).ok()) state.SkipWithError("not flushed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// The round trip of one part of so many articles to one shard.
void ApplyPart(benchmark::State& state) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  VIEWCOUNT_CHECK(pipeline.Open().ok());
  const Shard shard{0};
  VIEWCOUNT_CHECK(pipeline.Await(pipeline.store().Claim(shard, pipeline.lane())).ok());
  const auto ids = ArticleIds(state.range(0));
  std::vector<ArticleDelta> deltas;
  for (const std::string& id : ids) deltas.push_back({id, 1});
  Part part{.shard = shard,
            .lane = pipeline.lane().id,
            .incarnation = pipeline.lane().incarnation,
            .hashes = {{"demo", {Window::Kind::kAllTime, 0}, deltas},
                       {"demo", {Window::Kind::kDay, 20261122}, deltas},
                       {"demo", {Window::Kind::kHour, 498'709}, deltas}}};
  for (auto _ : state) {
    part.next = Cursor::End(Position{part.expected.to().value + 1});
    const auto result = pipeline.Await(pipeline.store().Apply(part));
    if (!result.ok() || !result->applied) state.SkipWithError("not applied");
    part.expected = part.next;
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(Flush)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(ApplyPart)->Arg(1)->Arg(64)->Arg(512)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace viewcount
