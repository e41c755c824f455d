// Tests the writer's limits, and its behaviour when it is closed.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "client/cpp/writer.h"
#include "tests/support/fake_ingest.h"

namespace viewcount::client {
namespace {

using std::chrono::milliseconds;
using testing::FakeIngest;
using testing::Fault;

constexpr milliseconds kWithin(10'000);

View OneViewOf(const std::string& article) {
  View view;
  view.article_id = article;
  return view;
}

class WriterLimitsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Writer> Make() {
    options_.site = "portal";
    options_.channel = service_.channel();
    options_.call_timeout = options_.batch_timeout = std::chrono::minutes(5);
    options_.on_drop = [this](const DroppedBatch& dropped) { dropped_views_ += dropped.views.size(); };
    options_.log = [](const std::string&) {};
    return std::move(*Writer::Create(options_));
  }
  // Records views of distinct articles until one is refused. Returns how many were accepted.
  int FillUp(Writer& writer) {
    for (int i = 0;; ++i) {
      const auto status = writer.TryRecord(OneViewOf("article" + std::to_string(i)));
      if (status.ok()) continue;
      EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
      return i;
    }
  }

  FakeIngest service_;
  WriterOptions options_;
  std::atomic<uint64_t> dropped_views_{0};
};

TEST_F(WriterLimitsTest, MemoryIsBoundedAndRefusesAtOnce) {
  service_.Script({{Fault::Kind::kHang}});
  options_.pending_bytes_max = 100'000;
  options_.batch_entries_max = 10;
  auto writer = Make();
  const int taken = FillUp(*writer);
  EXPECT_GT(taken, 100);
  EXPECT_LT(taken, 2'000);
  EXPECT_LE(writer->statistics().pending_bytes, options_.pending_bytes_max);
  EXPECT_GE(writer->statistics().refused, 1u);
  EXPECT_EQ(writer->statistics().pending, static_cast<uint64_t>(taken));
  ASSERT_TRUE(service_.WaitForAttempts(1));
  service_.Release();
  EXPECT_TRUE(writer->Flush(kWithin).ok());
  EXPECT_EQ(service_.total(), static_cast<uint64_t>(taken));
  EXPECT_TRUE(writer->Record(OneViewOf("again")).ok());
}

TEST_F(WriterLimitsTest, ABlockingWriterWaitsForRoom) {
  service_.Script({{Fault::Kind::kHang}});
  options_.pending_bytes_max = 2'000;
  options_.batch_entries_max = 2;
  options_.block_when_full = true;
  auto writer = Make();
  const int taken = FillUp(*writer);
  std::thread blocked([&] { EXPECT_TRUE(writer->Record(OneViewOf("waits")).ok()); });
  ASSERT_TRUE(service_.WaitForAttempts(1));
  service_.Release();
  blocked.join();
  EXPECT_TRUE(writer->Flush(kWithin).ok());
  EXPECT_EQ(service_.total(), static_cast<uint64_t>(taken) + 1);
}

TEST_F(WriterLimitsTest, CloseWakesWhoWaitsForRoom) {
  service_.Script({{Fault::Kind::kHang}});
  options_.pending_bytes_max = 2'000;
  options_.batch_entries_max = 2;
  options_.block_when_full = true;
  auto writer = Make();
  FillUp(*writer);
  std::thread blocked([&] { EXPECT_FALSE(writer->Record(OneViewOf("waits")).ok()); });
  ASSERT_TRUE(service_.WaitForAttempts(1));
  EXPECT_TRUE(absl::IsDataLoss(writer->Close(milliseconds(10))));
  blocked.join();
}

TEST_F(WriterLimitsTest, CloseDeliversWhatIsPending) {
  options_.batch_age_max = std::chrono::hours(1);
  auto writer = Make();
  ASSERT_TRUE(writer->Record(OneViewOf("a")).ok());
  EXPECT_TRUE(writer->Close(kWithin).ok());
  EXPECT_EQ(service_.total(), 1u);
  EXPECT_TRUE(absl::IsFailedPrecondition(writer->Record(OneViewOf("late"))));
  EXPECT_TRUE(writer->Close(kWithin).ok()) << "a second call answers as the first";
}

TEST_F(WriterLimitsTest, TheDestructorDeliversToo) {
  options_.batch_age_max = std::chrono::hours(1);
  ASSERT_TRUE(Make()->Record(OneViewOf("a")).ok());
  EXPECT_EQ(service_.total(), 1u);
}

TEST_F(WriterLimitsTest, WhatCloseCannotDeliverIsTold) {
  service_.Script({{Fault::Kind::kHang}});
  options_.batch_entries_max = 1;
  auto writer = Make();
  for (const char* article : {"a", "b", "c"}) ASSERT_TRUE(writer->Record(OneViewOf(article)).ok());
  ASSERT_TRUE(service_.WaitForAttempts(1));
  EXPECT_TRUE(absl::IsDataLoss(writer->Close(milliseconds(10))));
  EXPECT_EQ(dropped_views_, 3u);
  const auto statistics = writer->statistics();
  EXPECT_EQ(statistics.dropped, 3u);
  EXPECT_EQ(statistics.pending, 0u);
  EXPECT_EQ(statistics.pending_bytes, 0u);
}

TEST_F(WriterLimitsTest, WrongViewsAreRefusedBeforeTheySpoilABatch) {
  auto writer = Make();
  const auto now =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::vector<View> wrong(9, OneViewOf("a"));
  wrong[0].article_id = "";
  wrong[1].article_id = std::string(513, 'a');
  wrong[2].article_id = "a\nb";
  wrong[3].article_id = "\xFF";
  wrong[4].count = 1'000'001;
  wrong[5].event_time_unix_ms = now - 25LL * 3'600'000;
  wrong[6].event_time_unix_ms = now + 6LL * 60'000;
  wrong[7].event_time_unix_ms = -1;
  wrong[8].event_time_unix_ms = INT64_MIN;
  for (const auto& view : wrong) EXPECT_TRUE(absl::IsInvalidArgument(writer->Record(view)));
  View right = OneViewOf(std::string(512, 'a'));
  right.count = 0;
  right.event_time_unix_ms = now - 23LL * 3'600'000;
  EXPECT_TRUE(writer->Record(right).ok());
  EXPECT_TRUE(writer->Flush(kWithin).ok());
  EXPECT_EQ(service_.total(), 1u);
}

TEST_F(WriterLimitsTest, WrongOptionsAreNamed) {
  const auto refused = [](auto change, const std::string& option) {
    WriterOptions options;
    options.site = "portal";
    change(options);
    const auto writer = Writer::Create(options);
    EXPECT_TRUE(absl::IsInvalidArgument(writer.status())) << option;
    EXPECT_NE(writer.status().message().find(option), absl::string_view::npos) << writer.status();
  };
  refused([](auto& o) { o.site = ""; }, "site");
  refused([](auto& o) { o.server = ""; }, "server");
  refused([](auto& o) { o.batch_entries_max = 0; }, "batch_entries_max");
  refused([](auto& o) { o.batch_entries_max = 10'001; }, "batch_entries_max");
  refused([](auto& o) { o.batch_age_max = milliseconds(0); }, "batch_age_max");
  refused([](auto& o) { o.call_timeout = milliseconds(0); }, "call_timeout");
  refused([](auto& o) { o.batch_timeout = milliseconds(0); }, "batch_timeout");
  refused([](auto& o) { o.backoff_min = milliseconds(0); }, "backoff_min");
  refused([](auto& o) { o.backoff_max = milliseconds(1); }, "backoff_max");
  refused([](auto& o) { o.pending_bytes_max = 0; }, "pending_bytes_max");
}

}  // namespace
}  // namespace viewcount::client
