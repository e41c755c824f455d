// Tests the writer's guarantee: each view is counted exactly once and in order, whatever fails in between.
#include "client/cpp/writer.h"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "tests/support/fake_ingest.h"

namespace viewcount::client {
namespace {

using std::chrono::milliseconds;
using testing::FakeIngest;
using testing::Fault;

constexpr milliseconds kSoon(10'000);

View ViewsOf(const std::string& article, uint32_t count = 1) {
  View view;
  view.article_id = article;
  view.count = count;
  return view;
}

class WriterTest : public ::testing::Test {
 protected:
  std::unique_ptr<Writer> Make() {
    options_.site = "portal";
    options_.channel = service_.channel();
    options_.backoff_min = milliseconds(1);
    options_.backoff_max = milliseconds(5);
    options_.on_drop = [this](const DroppedBatch& dropped) { drops_.push_back(dropped); };
    options_.log = [this](const std::string& line) { log_ += line + "\n"; };
    auto writer = Writer::Create(options_);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return std::move(*writer);
  }

  // Records every article and flushes it, so that each article has its own batch.
  void RecordOneByOne(Writer& writer, const std::vector<std::string>& articles) {
    for (const auto& article : articles) {
      ASSERT_TRUE(writer.Record(ViewsOf(article)).ok());
      writer.Flush(kSoon).IgnoreError();
    }
  }

  static void ExpectBalance(const WriterStatistics& s) {
    EXPECT_EQ(s.recorded, s.accepted + s.duplicates + s.dropped + s.pending);
  }

  FakeIngest service_;
  WriterOptions options_;
  // These may be read after Flush() or Close() only. The writer's thread fills them before it reports that a batch is
  // done.
  std::vector<DroppedBatch> drops_;
  std::string log_;
};

TEST_F(WriterTest, BatchesAreNumberedFromOneUnderOneRandomId) {
  auto writer = Make();
  RecordOneByOne(*writer, {"a", "b", "c"});
  ASSERT_EQ(service_.counted().size(), 3u);
  const auto counted = service_.counted();
  EXPECT_EQ(counted[0].writer_id().size(), 16u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(counted[i].sequence(), i + 1);
    EXPECT_EQ(counted[i].writer_id(), counted[0].writer_id());
    EXPECT_EQ(counted[i].site(), "portal");
  }
  auto other = Make();
  RecordOneByOne(*other, {"d"});
  EXPECT_NE(service_.counted()[3].writer_id(), counted[0].writer_id());
}

TEST_F(WriterTest, ABatchLeavesByItself) {
  options_.batch_age_max = milliseconds(1);
  auto writer = Make();
  ASSERT_TRUE(writer->Record(ViewsOf("a")).ok());
  EXPECT_TRUE(service_.WaitForAttempts(1));
}

TEST_F(WriterTest, AFullBatchDoesNotWaitForItsAge) {
  options_.batch_age_max = std::chrono::hours(1);
  options_.batch_entries_max = 2;
  auto writer = Make();
  ASSERT_TRUE(writer->Record(ViewsOf("a")).ok());
  ASSERT_TRUE(writer->Record(ViewsOf("b")).ok());
  EXPECT_TRUE(service_.WaitForAttempts(1));
}

TEST_F(WriterTest, FlushDoesNotWaitForTheAge) {
  options_.batch_age_max = std::chrono::hours(1);
  auto writer = Make();
  ASSERT_TRUE(writer->Record(ViewsOf("a", 5)).ok());
  EXPECT_TRUE(writer->Flush(kSoon).ok());
  EXPECT_EQ(service_.total(), 5u);
  EXPECT_EQ(writer->statistics().accepted, 5u);
  EXPECT_EQ(writer->statistics().pending_bytes, 0u);
}

TEST_F(WriterTest, ViewsAreStampedWhenRecorded) {
  const auto now = [] {
    return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  };
  const auto before = now();
  auto writer = Make();
  RecordOneByOne(*writer, {"a"});
  const auto time = service_.counted()[0].views(0).event_time_unix_ms();
  EXPECT_GE(time, before);
  EXPECT_LE(time, now());
  options_.stamp_event_time = false;
  auto other = Make();
  RecordOneByOne(*other, {"b"});
  EXPECT_EQ(service_.counted()[1].views(0).event_time_unix_ms(), 0);
}

TEST_F(WriterTest, LostRepliesCountOnceAndCountAsDuplicates) {
  service_.Script({{Fault::Kind::kLoseReply, {grpc::StatusCode::UNAVAILABLE, "lost"}}});
  auto writer = Make();
  RecordOneByOne(*writer, {"a", "b"});
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"a", 1}, {"b", 1}}));
  const auto statistics = writer->statistics();
  EXPECT_EQ(statistics.duplicates, 1u);
  EXPECT_EQ(statistics.accepted, 1u);
  EXPECT_EQ(statistics.retries, 1u);
  ExpectBalance(statistics);
  const auto attempts = service_.attempts();
  ASSERT_EQ(attempts.size(), 3u);
  EXPECT_EQ(attempts[0].bytes, attempts[1].bytes);
}

TEST_F(WriterTest, NoBatchOvertakesOneThatIsTriedAgain) {
  service_.Script({{Fault::Kind::kHang}});
  options_.batch_entries_max = 1;
  options_.call_timeout = std::chrono::minutes(1);
  auto writer = Make();
  for (const char* article : {"a", "b", "c"}) ASSERT_TRUE(writer->Record(ViewsOf(article)).ok());
  ASSERT_TRUE(service_.WaitForAttempts(1));
  EXPECT_TRUE(absl::IsDeadlineExceeded(writer->Flush(milliseconds(20))));
  EXPECT_EQ(service_.attempts().size(), 1u) << "one batch in flight at a time";
  EXPECT_EQ(writer->statistics().pending, 3u);
  service_.Release();
  EXPECT_TRUE(writer->Flush(kSoon).ok());
  const auto counted = service_.counted();
  ASSERT_EQ(counted.size(), 3u);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(counted[i].views(0).article_id(), std::string(1, static_cast<char>('a' + i)));
}

TEST_F(WriterTest, AForgottenWriterGoesOnAsANewOne) {
  service_.Script({{}, {Fault::Kind::kForget}});
  auto writer = Make();
  RecordOneByOne(*writer, {"a", "b", "c"});
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"a", 1}, {"b", 1}, {"c", 1}}));
  const auto counted = service_.counted();
  EXPECT_NE(counted[0].writer_id(), counted[1].writer_id());
  EXPECT_EQ(counted[1].sequence(), 1u);
  EXPECT_EQ(counted[2].sequence(), 2u);
  EXPECT_EQ(writer->statistics().new_identities, 1u);
  EXPECT_NE(log_.find("UNKNOWN_WRITER"), std::string::npos) << log_;
  EXPECT_TRUE(drops_.empty());
}

TEST_F(WriterTest, AGapIsReportedAndNothingIsLost) {
  service_.Script({{}, {}, {Fault::Kind::kRollBack, {}, 1}});
  auto writer = Make();
  RecordOneByOne(*writer, {"a", "b", "c"});
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"a", 1}, {"b", 1}, {"c", 1}}));
  EXPECT_NE(log_.find("SEQUENCE_GAP"), std::string::npos) << log_;
}

TEST_F(WriterTest, ARefusedBatchIsToldAndTheNextOneCounts) {
  service_.Script({{}, {Fault::Kind::kRefuse, {grpc::StatusCode::INVALID_ARGUMENT, "views[0].article_id: no"}}});
  auto writer = Make();
  ASSERT_TRUE(writer->Record(ViewsOf("a")).ok());
  EXPECT_TRUE(writer->Flush(kSoon).ok());
  ASSERT_TRUE(writer->Record(ViewsOf("refused", 3)).ok());
  EXPECT_TRUE(absl::IsDataLoss(writer->Flush(kSoon)));
  ASSERT_EQ(drops_.size(), 1u);
  EXPECT_TRUE(absl::IsInvalidArgument(drops_[0].error));
  EXPECT_FALSE(drops_[0].may_have_been_counted);
  ASSERT_EQ(drops_[0].views.size(), 1u);
  EXPECT_EQ(drops_[0].views[0].article_id, "refused");
  EXPECT_EQ(drops_[0].views[0].count, 3u);
  RecordOneByOne(*writer, {"c"});
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"a", 1}, {"c", 1}}));
  EXPECT_EQ(writer->statistics().dropped, 3u);
  ExpectBalance(writer->statistics());
}

// Under the old identity the next batch would carry a sequence that the service has already counted. The service would
// take it for a repeat of the dropped batch.
TEST_F(WriterTest, AfterABatchGivenUpTheNextOneIsNotTakenForARepeat) {
  service_.Decide([](const auto& attempt) {
    if (attempt.request.views(0).article_id() == "given up") {
      return Fault{Fault::Kind::kLoseReply, {grpc::StatusCode::UNAVAILABLE, "lost"}, 0};
    }
    return Fault{};
  });
  options_.batch_timeout = milliseconds(500);
  auto writer = Make();
  RecordOneByOne(*writer, {"a", "given up", "b"});
  ASSERT_EQ(drops_.size(), 1u);
  EXPECT_TRUE(drops_[0].may_have_been_counted);
  EXPECT_EQ(service_.counts(), (std::map<std::string, uint64_t>{{"a", 1}, {"given up", 1}, {"b", 1}}));
  ExpectBalance(writer->statistics());
}

TEST_F(WriterTest, ManyThreadsUnderRandomFaultsLoseAndDoubleNothing) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  auto random = std::make_shared<std::minstd_rand>(seed);
  service_.Decide([random](const auto&) {
    switch ((*random)() % 6) {
      case 0:
        return Fault{Fault::Kind::kRefuse, {grpc::StatusCode::UNAVAILABLE, "away"}, 0};
      case 1:
        return Fault{Fault::Kind::kLoseReply, {grpc::StatusCode::UNAVAILABLE, "lost"}, 0};
      case 2:
        return Fault{Fault::Kind::kLoseReply, {grpc::StatusCode::DEADLINE_EXCEEDED, "late"}, 0};
      default:
        return Fault{};
    }
  });
  options_.batch_entries_max = 7;
  options_.batch_age_max = milliseconds(1);
  auto writer = Make();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) EXPECT_TRUE(writer->Record(ViewsOf("article" + std::to_string(i % 50))).ok());
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(writer->Close(kSoon).ok());
  EXPECT_EQ(service_.total(), 2'000u);
  for (const auto& [article, count] : service_.counts()) EXPECT_EQ(count, 40u) << article;
  const auto statistics = writer->statistics();
  EXPECT_EQ(statistics.accepted + statistics.duplicates, 2'000u);
  EXPECT_GT(statistics.retries, 0u);
  EXPECT_TRUE(drops_.empty());
  ExpectBalance(statistics);
}

}  // namespace
}  // namespace viewcount::client
