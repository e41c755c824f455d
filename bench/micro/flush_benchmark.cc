// Measures flushes of sealed chunks to a real Redis on a UNIX socket, over all shards. Each article is in three
// windows. The benchmarks show the speed of one lane's flusher, the cost of one part, and for how long it blocks Redis.
// Items are articles. Redis is a separate process: let it run on the other core. `redis` and `service` are the CPU
// seconds per article of each process. Compare these, because wall-clock time depends on other work of the machine.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <sstream>

#include "bench/articles.h"
#include "bench/micro/cpu_meter.h"
#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/store/redis/keys.h"
#include "tests/support/lane_pipeline.h"

namespace viewcount {
namespace {

std::vector<DecodedView> OneViewEach(const std::vector<std::string>& ids) {
  std::vector<DecodedView> views;
  views.reserve(ids.size());
  for (const std::string& id : ids) views.push_back({.article_id = id});
  return views;
}

// Measures a complete flush: seal, lay out, send, confirm. Each chunk has every one of the `range(0)` articles once.
void FlushInto(RedisProcess& redis, benchmark::State& state) {
  LanePipeline pipeline(redis);
  VIEWCOUNT_CHECK(pipeline.Open().ok());
  const auto ids = ArticleIds(state.range(0));
  const auto views = OneViewEach(ids);
  CpuMeter cpu(redis);
  for (auto _ : state) {
    state.PauseTiming();
    pipeline.Fold(views);
    cpu.Begin();
    state.ResumeTiming();
    if (!pipeline.Flush(std::chrono::minutes(1)).ok()) state.SkipWithError("not flushed");
    state.PauseTiming();
    cpu.End();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  cpu.Report(state, state.iterations() * state.range(0));
}

void Flush(benchmark::State& state) {
  RedisProcess redis;
  FlushInto(redis, state);
}

// Flushes to a Redis that keeps an append-only file, like the embedded one.
void FlushLogged(benchmark::State& state) {
  RedisProcess redis({"--appendonly", "yes", "--appendfsync", "everysec"});
  FlushInto(redis, state);
}

// Measures for how long the parts of such flushes blocked Redis, by Redis' own clock. Reports the median, the 99th
// percentile and the longest time in microseconds. Begins with an empty Redis.
void Hold(benchmark::State& state) {
  RedisProcess redis({"--slowlog-log-slower-than", "0", "--slowlog-max-len", "100000"});
  LanePipeline pipeline(redis);
  VIEWCOUNT_CHECK(pipeline.Open().ok());
  const auto ids = ArticleIds(state.range(0));
  const auto views = OneViewEach(ids);
  redis.Command({"SLOWLOG", "RESET"});
  for (auto _ : state) {
    pipeline.Fold(views);
    if (!pipeline.Flush(std::chrono::minutes(1)).ok()) state.SkipWithError("not flushed");
  }
  std::vector<double> held;
  for (const std::string& entry : redis.List({"SLOWLOG", "GET", "-1"})) {
    if (entry.find(" EVALSHA ") == std::string::npos) continue;
    std::istringstream words(entry);
    uint64_t number = 0;
    uint64_t when = 0;
    double micros = 0;
    words >> number >> when >> micros;
    held.push_back(micros);
  }
  VIEWCOUNT_CHECK(!held.empty());
  std::sort(held.begin(), held.end());
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["p50"] = held[held.size() / 2];
  state.counters["p99"] = held[held.size() * 99 / 100];
  state.counters["max"] = held.back();
}

double UsedMemory(RedisProcess& redis) {
  const std::string text = redis.Command({"INFO", "memory"});
  const std::string field = "used_memory:";
  return std::stod(text.substr(text.find(field) + field.size()));
}

// Measures the memory per article in Redis for all time, in bytes: by MEMORY USAGE, and as its allocator counts it. The
// allocator rounds every object up to its next size. Also measures the memory of the rankings.
void Memory(benchmark::State& state) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  VIEWCOUNT_CHECK(pipeline.Open().ok());
  std::vector<std::string> hashes = {"DEL"};
  std::vector<std::string> rankings = {"DEL"};
  for (uint8_t shard = 0; shard < limits::kShards; ++shard) {
    const Window all{Window::Kind::kAllTime, 0};
    hashes.push_back(keys::Counts(Shard{shard}, "demo", all));
    rankings.push_back(keys::Ranking(Shard{shard}, "demo", all));
  }
  const auto articles = static_cast<double>(state.range(0));
  for (auto _ : state) {
    const auto ids = ArticleIds(state.range(0));
    const auto views = OneViewEach(ids);
    pipeline.Fold(views);
    if (!pipeline.Flush(std::chrono::minutes(1)).ok()) state.SkipWithError("not flushed");
    double usage = 0;
    for (size_t i = 1; i < hashes.size(); ++i) {
      usage += std::stod(redis.Command({"MEMORY", "USAGE", hashes[i], "SAMPLES", "0"}));
    }
    const double before = UsedMemory(redis);
    redis.Command(hashes);
    const double between = UsedMemory(redis);
    redis.Command(rankings);
    state.counters["usage"] = usage / articles;
    state.counters["allocated"] = (before - between) / articles;
    state.counters["rankings"] = (between - UsedMemory(redis)) / articles;
  }
}

// Measures the round trip of one part with `range(0)` articles to one shard.
void ApplyPart(benchmark::State& state) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  VIEWCOUNT_CHECK(pipeline.Open().ok());
  const Shard shard{0};
  VIEWCOUNT_CHECK(pipeline.Await(pipeline.store().Claim(shard, pipeline.lane())).ok());
  const auto ids = ArticleIds(state.range(0));
  std::vector<ArticleDelta> deltas;
  deltas.reserve(ids.size());
  for (const std::string& id : ids) deltas.push_back({id, 1});
  Part part{.shard = shard,
            .lane = pipeline.lane().id,
            .incarnation = pipeline.lane().incarnation,
            .hashes = {{"demo", {Window::Kind::kAllTime, 0}, deltas},
                       {"demo", {Window::Kind::kDay, 20261122}, deltas},
                       {"demo", {Window::Kind::kHour, 498'709}, deltas}}};
  CpuMeter cpu(redis);
  cpu.Begin();
  for (auto _ : state) {
    part.next = Cursor::End(Position{part.expected.to().value + 1});
    const auto result = pipeline.Await(pipeline.store().Apply(part));
    if (!result.ok() || !result->applied) state.SkipWithError("not applied");
    part.expected = part.next;
  }
  cpu.End();
  state.SetItemsProcessed(state.iterations() * state.range(0));
  cpu.Report(state, state.iterations() * state.range(0));
}

BENCHMARK(Flush)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(FlushLogged)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(Memory)->Arg(1'000'000)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(Hold)->Arg(16'000)->Arg(100'000)->Iterations(10)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(ApplyPart)->Arg(1)->Arg(64)->Arg(256)->Arg(500)->Arg(512)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace viewcount
