// Decoded views → counts of the open chunk, as a lane's thread folds them: batches of 1,000 by Zipf's law over so many
// articles. Items are views.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "bench/articles.h"
#include "service/lane/ledger.h"

namespace viewcount {
namespace {

constexpr size_t kBatchViews = 1'000;
constexpr size_t kBatches = 1'000;
constexpr int64_t kReceiptUnixMs = 1'750'000'000'000;

// Its IDs stand one behind the other, as in a request.
class FoldedBatch final : public Batch {
 public:
  FoldedBatch(const std::vector<std::string>& ids, std::span<const uint32_t> articles, int64_t event_time_unix_ms) {
    for (const uint32_t article : articles) text_ += ids[article];
    const char* at = text_.data();
    for (const uint32_t article : articles) {
      request.views.push_back({.article_id = {at, ids[article].size()}, .event_time_unix_ms = event_time_unix_ms});
      at += ids[article].size();
    }
  }
  void Done(const absl::Status&, const IngestResult&) override {}

 private:
  std::string text_;
};

std::vector<std::unique_ptr<FoldedBatch>> Batches(const std::vector<std::string>& ids,
                                                  std::span<const uint32_t> articles) {
  std::vector<std::unique_ptr<FoldedBatch>> batches;
  for (size_t i = 0; i < articles.size(); i += kBatchViews) {
    const auto of_batch = articles.subspan(i, std::min(kBatchViews, articles.size() - i));
    batches.push_back(std::make_unique<FoldedBatch>(ids, of_batch, kReceiptUnixMs + static_cast<int64_t>(i / 100)));
  }
  return batches;
}

Ledger& WithSite(Ledger& ledger) {
  ledger.ApplySite(std::make_shared<const Site>(*MakeSite("demo", "Asia/Ho_Chi_Minh")));
  return ledger;
}

// What one chunk takes for an article.
void ReportMemory(benchmark::State& state, const Ledger& ledger, size_t articles) {
  state.counters["bytes/article"] = static_cast<double>(ledger.totals().bytes) / static_cast<double>(articles);
}

// As while the store keeps up: the chunk is new every million views, and articles are new to it.
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
    ledger.Extend(Position{++position});
    if (++next == batches.size()) {
      next = 0;
      ledger.Release(*ledger.Next().chunk);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatchViews));
}

// As while the store is away: one chunk that has all articles already.
void FoldKnown(benchmark::State& state) {
  const auto ids = ArticleIds(state.range(0));
  Ledger ledger(RandomId<LaneId>());
  WithSite(ledger);
  std::vector<uint32_t> all(ids.size());
  std::iota(all.begin(), all.end(), 0);
  for (const auto& batch : Batches(ids, all)) ledger.Fold(*batch);
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

// The longest that a view had to wait while a chunk grew to so many articles, in microseconds for a batch of 1,000.
void LongestBatch(benchmark::State& state) {
  const auto ids = ArticleIds(state.range(0));
  std::vector<uint32_t> all(ids.size());
  std::iota(all.begin(), all.end(), 0);
  const auto batches = Batches(ids, all);
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
