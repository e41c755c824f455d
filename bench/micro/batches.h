// Decoded batches of 1,000 views, for benchmarks of the stages after the decoder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "bench/articles.h"
#include "service/model/batch.h"

namespace viewcount {

inline constexpr size_t kBatchViews = 1'000;
inline constexpr int64_t kReceiptUnixMs = 1'750'000'000'000;

// A batch whose IDs are stored in one piece of memory, as in a request. Not thread-safe.
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

// Returns batches with one view of each of `articles`, which are indexes into `ids`. The event times advance by one
// second every 100,000 views.
inline std::vector<std::unique_ptr<FoldedBatch>> Batches(const std::vector<std::string>& ids,
                                                         std::span<const uint32_t> articles) {
  std::vector<std::unique_ptr<FoldedBatch>> batches;
  for (size_t i = 0; i < articles.size(); i += kBatchViews) {
    const auto of_batch = articles.subspan(i, std::min(kBatchViews, articles.size() - i));
    batches.push_back(std::make_unique<FoldedBatch>(ids, of_batch, kReceiptUnixMs + static_cast<int64_t>(i / 100)));
  }
  return batches;
}

// Return every index below `count` once: in order, or in an order that is independent of the order of IDs.
inline std::vector<uint32_t> EachOnce(size_t count) {
  std::vector<uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}
inline std::vector<uint32_t> EachOnceShuffled(size_t count) {
  std::vector<uint32_t> all = EachOnce(count);
  std::shuffle(all.begin(), all.end(), std::mt19937_64(1));
  return all;
}

}  // namespace viewcount
