// Tests that the hot path makes no allocation per view. A batch passes through decoder, queue, dedupe table, a journal
// on a real file, and the fold. A batch of 1,000 views must allocate as much as a batch of one view. The allocations
// are counted, not timed.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "service/lane/lane.h"
#include "service/model/decoder.h"
#include "tests/support/temporary_directory.h"
#include "viewcount/v1/ingest.pb.h"

namespace {

std::atomic<uint64_t> allocations{0};

}  // namespace

// These functions replace those of the C library. Operator new calls them as well.
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, bytes);
}
}

namespace viewcount {
namespace {

constexpr int kArticles = 5'000;
constexpr int kBatches = 240;
constexpr int64_t kReceiptUnixMs = 1'750'000'000'000;

class OwnBatch final : public Batch {
 public:
  void Done(const absl::Status& status, const IngestResult& result) override {
    ok = status.ok() && result.accepted_views == request.view_count;
  }
  std::string text;
  bool ok = false;
};

// This fixture runs a lane without its thread, on a real disk.
class Allocations : public testing::Test {
 protected:
  static constexpr LaneId kLane{{7}};

  void SetUp() override {
    auto opened = JournalWriter::Open(disk_, clock_, {.folder = folder_.path(), .lane = kLane});
    ASSERT_TRUE(opened.ok()) << opened.status();
    journal_ = *std::move(opened);
    ledger_ = std::make_unique<Ledger>(kLane);
    lane_ = std::make_unique<Lane>(Lane::Dependencies{.disk = disk_,
                                                      .folder = folder_.path(),
                                                      .journal = *journal_,
                                                      .writers = WriterTable(),
                                                      .checkpoint = {},
                                                      .ledger = *ledger_,
                                                      .clock = clock_,
                                                      .metrics = metrics_});
    lane_->ApplySite(std::make_shared<const Site>(*MakeSite("demo", {})));
    while (lane_->Step()) {
    }
  }

  std::string RequestOf(uint64_t sequence, int views) const {
    v1::RecordViewsRequest request;
    request.set_site("demo");
    request.set_writer_id(std::string(limits::kWriterIdBytes, 'w'));
    request.set_sequence(sequence);
    for (int i = 0; i < views; ++i) {
      const uint64_t article = (sequence * 7'919 + static_cast<uint64_t>(i) * 104'729) % kArticles;
      auto* const view = request.add_views();
      view->set_article_id("/news/2026/story-" + std::to_string(10'000'000 + article));
      view->set_bot(i % 16 == 1);
    }
    return request.SerializeAsString();
  }

  // Sends `batches` batches in groups of four and returns the number of allocations per batch. `on_view` simulates
  // additional work for each view.
  template <typename OnView>
  double PerBatch(int batches, int views, OnView on_view) {
    std::vector<std::string> requests;
    for (int i = 0; i < batches; ++i) requests.push_back(RequestOf(++sequence_, views));
    const uint64_t before = allocations.load();
    for (int i = 0; i < batches; ++i) {
      OwnBatch& batch = own_[i % own_.size()];
      batch.text.swap(requests[i]);
      batch.bytes = batch.text;
      batch.site = SiteIndex{0};
      batch.receipt_unix_ms = kReceiptUnixMs;
      batch.receipt_time = clock_.Now();
      EXPECT_TRUE(DecodeViewsRequest(batch.bytes, kReceiptUnixMs, batch.request).ok());
      for (const DecodedView& view : batch.request.views) on_view(view);
      EXPECT_TRUE(lane_->Submit(&batch).ok());
      if (i % own_.size() + 1 < own_.size()) continue;
      EXPECT_TRUE(lane_->Step());
      for (const OwnBatch& answered : own_) EXPECT_TRUE(answered.ok);
    }
    return static_cast<double>(allocations.load() - before) / batches;
  }
  double PerBatch(int batches, int views) {
    return PerBatch(batches, views, [](const DecodedView&) {});
  }
  void WarmUp() {
    for (int i = 0; i < 2; ++i) {
      PerBatch(kBatches, 1'000);
      ledger_->Release(*ledger_->Next().chunk);
    }
    PerBatch(kBatches, 1'000);
  }

 private:
  const SystemClock clock_;
  TemporaryDirectory folder_;
  PosixDisk disk_;
  Metrics metrics_;
  std::unique_ptr<JournalWriter> journal_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Lane> lane_;
  std::array<OwnBatch, 4> own_;
  uint64_t sequence_ = 0;
};

TEST_F(Allocations, OfABatchDoNotGrowWithItsViews) {
  WarmUp();
  const double of_one = PerBatch(kBatches, 1);
  const double of_hundred = PerBatch(kBatches, 100);
  const double of_thousand = PerBatch(kBatches, 1'000);
  // The tolerance is far below one allocation per hundred views.
  EXPECT_LE(of_one, 1);
  EXPECT_LE(of_hundred, of_one + 0.1);
  EXPECT_LE(of_thousand, of_one + 0.1);
}

TEST_F(Allocations, OnePerViewIsNoticed) {
  WarmUp();
  const auto copy = [](const DecodedView& view) { EXPECT_FALSE(std::string(view.article_id).empty()); };
  const double of_hundred = PerBatch(kBatches, 100, copy);
  EXPECT_GE(of_hundred, 100);
}

}  // namespace
}  // namespace viewcount
