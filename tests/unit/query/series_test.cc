// Compares series with a count of the same views by hand: pending and stored ones, late ones, and those of an alias.
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "service/base/status.h"
#include "service/query/query_api.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int64_t kHourOfMs = 3'600'000;
constexpr int kSeriesArticles = 20;
constexpr int kSeriesDays = 6;

class SeriesTest : public ::testing::Test {
 protected:
  SeriesTest() {
    EXPECT_TRUE(pipeline_.Open().ok());
    clock_.SetWallError(std::chrono::milliseconds(SystemClock().UnixMillis() - clock_.UnixMillis()));
  }

  v1::GetSeriesResponse Ask(const v1::GetSeriesRequest& request) {
    v1::GetSeriesResponse response;
    const auto status = pipeline_.Await(api_.GetSeries(request, response));
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  v1::GetSeriesRequest Question(const std::string& article, v1::SeriesStep step) const {
    v1::GetSeriesRequest request;
    request.set_site("demo");
    request.set_article_id(article);
    request.set_step(step);
    request.mutable_window()->mutable_last()->set_seconds((kSeriesDays + 1) * 86'400);
    return request;
  }

  // Folds random views of the last days, and keeps them.
  void FoldSome() {
    std::vector<DecodedView> views;
    for (int i = 0; i < 2'000; ++i) {
      const auto& id = ids_[random_() % kSeriesArticles];
      const int64_t time = clock_.UnixMillis() - static_cast<int64_t>(random_() % (kSeriesDays * 24 * kHourOfMs));
      const auto count = static_cast<uint32_t>(1 + random_() % 5);
      const bool bot = random_() % 8 == 0;
      views.push_back({.article_id = id, .event_time_unix_ms = time, .count = count, .bot = bot});
      if (!bot) taken_.push_back({id, time, count});
    }
    pipeline_.Fold(views);
  }

  // Compares every point of both steps, for an article or for the site.
  void Compare(const std::string& article) {
    for (const auto step : {v1::SERIES_STEP_HOUR, v1::SERIES_STEP_DAY}) {
      const auto response = Ask(Question(article, step));
      EXPECT_TRUE(response.exact());
      std::vector<int64_t> starts;
      for (const auto& point : response.points()) starts.push_back(TimeUtil::TimestampToMilliseconds(point.start()));
      ASSERT_FALSE(starts.empty());
      std::vector<uint64_t> expected(starts.size());
      uint64_t sum = 0;
      for (const Taken& view : taken_) {
        if (!article.empty() && view.article_id != article) continue;
        const auto after = std::upper_bound(starts.begin(), starts.end(), view.time);
        ASSERT_NE(after, starts.begin()) << "a view before the first point";
        expected[static_cast<size_t>(after - starts.begin()) - 1] += view.count;
        sum += view.count;
      }
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(response.points(static_cast<int>(i)).views(), expected[i]) << article << " " << starts[i];
      }
      EXPECT_EQ(response.views(), sum);
    }
  }

  struct Taken {
    std::string article_id;
    int64_t time = 0;
    uint32_t count = 0;
  };

  std::mt19937_64 random_{TestSeed()};
  RedisProcess redis_{{"--appendonly", "yes"}};
  LanePipeline pipeline_{redis_, {.time_zone = "Asia/Kathmandu"}};
  ManualClock clock_;
  SiteTotalReader totals_{pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}};
  SiteStatsReader stats_{pipeline_.store(), totals_, clock_};
  QueryApi api_{{pipeline_.sites(), pipeline_.counts(), stats_, totals_, clock_}};
  const std::vector<std::string> ids_ = [] {
    std::vector<std::string> ids;
    for (int i = 0; i < kSeriesArticles; ++i) ids.push_back("/tin/" + std::to_string(i));
    return ids;
  }();
  std::vector<Taken> taken_;
};

TEST_F(SeriesTest, IsWhatWasCountedInEachPoint) {
  for (int round = 0; round < 3; ++round) {
    FoldSome();
    Compare(ids_[0]);
    Compare("");
    ASSERT_TRUE(pipeline_.Flush().ok());
    FoldSome();
    for (const auto& id : {ids_[0], ids_[1], std::string()}) Compare(id);
  }
  const auto unknown = Ask(Question("/never", v1::SERIES_STEP_DAY));
  EXPECT_EQ(unknown.points_size(), kSeriesDays + 1);
  EXPECT_EQ(unknown.views(), 0u);
}

TEST_F(SeriesTest, AnArticleMayBeNamedByItsAddress) {
  pipeline_.Fold("/a?id=1", 3);
  auto request = Question("", v1::SERIES_STEP_DAY);
  request.set_address("https://news.example/a?id=1&utm_source=x#top");
  EXPECT_EQ(Ask(request).views(), 3u);
  EXPECT_EQ(Ask(request).article_id(), "/a?id=1");
  v1::GetSeriesResponse response;
  const auto field = [&] { return FieldOf(pipeline_.Await(api_.GetSeries(request, response))); };
  request.set_address("b");
  EXPECT_EQ(field(), "address");
  request.set_article_id("/a");
  EXPECT_EQ(field(), "address");
  request.clear_address();
  request.set_article_id("a\nb");
  EXPECT_EQ(field(), "article_id");
  request.set_site("other");
  EXPECT_TRUE(absl::IsNotFound(pipeline_.Await(api_.GetSeries(request, response))));
}

}  // namespace
}  // namespace viewcount
