// Measures how a sealed chunk is converted to sorted parts and to the arguments of Redis' script, for all shards,
// without Redis. Each article has one view and is therefore in three windows. Items are articles.
#include <benchmark/benchmark.h>

#include <memory>
#include <utility>
#include <vector>

#include "bench/micro/batches.h"
#include "service/base/check.h"
#include "service/flush/chunk_plan.h"
#include "service/store/redis/part_arguments.h"

namespace viewcount {
namespace {

const LaneIdentity kLane{.id = {{1}}, .incarnation = {{2}}, .earlier = {}};

// A sealed chunk whose articles were recorded in random order. Immutable after construction.
class Sealed {
 public:
  explicit Sealed(int64_t articles) {
    VIEWCOUNT_CHECK(sites_.Put(*MakeSite("demo", {"Asia/Ho_Chi_Minh"})).ok());
    Ledger ledger(kLane.id);
    ledger.ApplySite(sites_.Find("demo"));
    const auto ids = ArticleIds(static_cast<size_t>(articles));
    for (const auto& batch : Batches(ids, EachOnceShuffled(ids.size()))) ledger.Fold(*batch);
    ledger.MarkDurable(Position{1});
    chunk_ = ledger.Next();
    VIEWCOUNT_CHECK(chunk_.chunk != nullptr && chunk_.chunk->articles().size() == ids.size());
  }

  // Returns a plan in which nothing is sorted yet.
  ChunkPlan Plan() const { return {chunk_, sites_}; }

 private:
  SiteDirectory sites_;
  SealedChunk chunk_;
};

// Calls `visit(part)` for all parts in the flusher's order.
template <typename Visit>
void ForEachPart(ChunkPlan& plan, Visit visit) {
  plan.shards().ForEach([&](Shard shard) {
    Cursor cursor;
    while (!plan.IsFinished(shard, cursor)) {
      PlannedPart planned = plan.NextPart(shard, cursor, kLane);
      cursor = planned.part.next;
      visit(std::move(planned.part));
    }
  });
}

void Touch(const Part& part) { benchmark::DoNotOptimize(part.hashes.data()); }

void Report(benchmark::State& state) { state.SetItemsProcessed(state.iterations() * state.range(0)); }

void SortIntoParts(benchmark::State& state) {
  const Sealed sealed(state.range(0));
  for (auto _ : state) {
    ChunkPlan plan = sealed.Plan();
    ForEachPart(plan, Touch);
  }
  Report(state);
}

// Measures only the cutting: the shards of the plan are already sorted.
void CutIntoParts(benchmark::State& state) {
  const Sealed sealed(state.range(0));
  ChunkPlan plan = sealed.Plan();
  ForEachPart(plan, Touch);
  for (auto _ : state) ForEachPart(plan, Touch);
  Report(state);
}

// Measures how parts are converted to keys and arguments of the script.
void Pack(benchmark::State& state) {
  const Sealed sealed(state.range(0));
  ChunkPlan plan = sealed.Plan();
  std::vector<Part> parts;
  ForEachPart(plan, [&](Part part) { parts.push_back(std::move(part)); });
  for (auto _ : state) {
    for (const Part& part : parts) {
      const PartArguments arguments(part, RankedLimits());
      benchmark::DoNotOptimize(arguments.words().data());
    }
  }
  Report(state);
}

BENCHMARK(SortIntoParts)->RangeMultiplier(10)->Range(1'000, 1'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(CutIntoParts)->RangeMultiplier(10)->Range(1'000, 1'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(Pack)->RangeMultiplier(10)->Range(1'000, 1'000'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace viewcount
