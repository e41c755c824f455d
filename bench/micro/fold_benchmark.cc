// Decoded views → counts of the open chunk, as a lane's thread folds them: batches of 1,000 by Zipf's law over so many
// articles. Items are views. The chunk is sealed every million views, as by a flush each second.
#include <benchmark/benchmark.h>

#include <memory>

#include "bench/articles.h"
#include "service/base/hash.h"
#include "service/lane/ledger.h"

namespace viewcount {
namespace {

constexpr size_t kBatchViews = 1'000;
constexpr size_t kBatches = 1'000;
constexpr int64_t kReceiptUnixMs = 1'750'000'000'000;

class FoldedBatch final : public Batch {
 public:
  void Done(const absl::Status&, const IngestResult&) override {}
};

std::vector<FoldedBatch> Batches(const std::vector<std::string>& ids) {
  const auto draws = ZipfDraws(ids.size(), kBatches * kBatchViews);
  std::vector<FoldedBatch> batches(kBatches);
  for (size_t i = 0; i < draws.size(); ++i) {
    batches[i / kBatchViews].request.views.push_back(
        {.article_id = ids[draws[i]], .event_time_unix_ms = kReceiptUnixMs - static_cast<int64_t>(i % 60'000)});
  }
  return batches;
}

void LedgerFold(benchmark::State& state) {
  const auto ids = ArticleIds(state.range(0));
  const auto batches = Batches(ids);
  Ledger ledger(RandomId<LaneId>());
  ledger.ApplySite(std::make_shared<const Site>(*MakeSite("demo", "Asia/Ho_Chi_Minh")));
  uint64_t position = 0;
  size_t next = 0;
  for (auto _ : state) {
    ledger.Fold(batches[next]);
    ledger.Extend(Position{++position});
    if (++next == batches.size()) {
      next = 0;
      ledger.Release(*ledger.Next().chunk);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatchViews));
}

// The table alone: no lock, no calendar, hashes known.
void ChunkAdd(benchmark::State& state) {
  const auto ids = ArticleIds(state.range(0));
  const auto draws = ZipfDraws(ids.size(), kBatches * kBatchViews);
  std::vector<uint64_t> hashes;
  for (const std::string& id : ids) hashes.push_back(Hash64(id));
  Chunk chunk(Position{0});
  const uint32_t bucket = chunk.BucketIndex({SiteIndex{0}, 1, 19700101});
  size_t next = 0;
  for (auto _ : state) {
    const uint32_t article = draws[next];
    chunk.Add(SiteIndex{0}, hashes[article], ids[article], bucket, 1, false);
    if (++next == draws.size()) next = 0;
  }
  benchmark::DoNotOptimize(chunk.views());
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(LedgerFold)->RangeMultiplier(10)->Range(1'000, 1'000'000);
BENCHMARK(ChunkAdd)->RangeMultiplier(10)->Range(1'000, 1'000'000);

}  // namespace
}  // namespace viewcount
