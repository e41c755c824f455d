// Compares series with a count of the same views by hand: pending and stored ones, late ones, and those of an alias.
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
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
  ArticleCatalog catalog_{pipeline_.sites(), pipeline_.store(), clock_};
  ArticleLabels labels_{pipeline_.store(), catalog_, clock_};
  QueryApi api_{{pipeline_.sites(), pipeline_.counts(), stats_, totals_, labels_, clock_}};
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

// Compares series of labels with sums over the views of the articles that have them.
class LabelSeriesTest : public SeriesTest {
 protected:
  // Announces an article with random labels, which replace those before.
  void Announce(const std::string& id) {
    v1::PutArticlesRequest request;
    request.set_site("demo");
    v1::Article& article = *request.add_articles();
    article.set_article_id(id);
    const auto some = [&](const char* kind, google::protobuf::RepeatedPtrField<std::string>* labels) {
      std::set<std::string>& of = labels_of_[id];
      for (int label = 0; label < 4; ++label) {
        if (random_() % 3 != 0) continue;
        labels->Add(std::to_string(label));
        of.insert(kind + std::to_string(label));
      }
    };
    labels_of_[id].clear();
    some("section", article.mutable_sections());
    some("author", article.mutable_authors());
    some("tag", article.mutable_tags());
    // Hidden articles count, too.
    article.set_hidden_from_lists(random_() % 4 == 0);
    ASSERT_TRUE(pipeline_.Await(catalog_.Put(request)).ok());
  }
  static v1::GetSeriesRequest WithLabel(v1::GetSeriesRequest request, const std::string& kind, int label) {
    const std::string text = std::to_string(label);
    if (kind == "section") request.set_section(text);
    if (kind == "author") request.set_author(text);
    if (kind == "tag") request.set_tag(text);
    return request;
  }
  // Returns the sum of the views from `start` until before `end` of the articles with a label.
  uint64_t Expected(const std::string& label, int64_t start, int64_t end) const {
    uint64_t sum = 0;
    for (const Taken& view : taken_) {
      const auto labels = labels_of_.find(view.article_id);
      if (labels == labels_of_.end() || !labels->second.contains(label)) continue;
      if (view.time >= start && view.time < end) sum += view.count;
    }
    return sum;
  }
  void ComparePoints(const google::protobuf::RepeatedPtrField<v1::SeriesPoint>& points, const std::string& label,
                     v1::SeriesStep step) const {
    const Site& site = *pipeline_.site();
    for (const v1::SeriesPoint& point : points) {
      const int64_t start = TimeUtil::TimestampToMilliseconds(point.start());
      int64_t end = start + kHourOfMs;
      EXPECT_EQ(point.day().empty(), step == v1::SERIES_STEP_HOUR);
      if (step != v1::SERIES_STEP_HOUR) {
        const absl::CivilDay day = site.days.DayAt(start);
        EXPECT_EQ(point.day(), absl::FormatCivilTime(day));
        end = site.days.StartOf(day + (step == v1::SERIES_STEP_WEEK ? 7 : 1));
      }
      EXPECT_EQ(point.views(), Expected(label, start, end)) << label << " from " << point.day() << start;
    }
  }
  void CompareAll() {
    for (const std::string kind : {"section", "author", "tag"}) {
      for (int label = 1; label < 5; label += 3) {
        for (const auto step : {v1::SERIES_STEP_HOUR, v1::SERIES_STEP_DAY, v1::SERIES_STEP_WEEK}) {
          v1::GetSeriesRequest request = WithLabel(Question("", step), kind, label);
          request.mutable_window()->mutable_last()->set_seconds(3 * 86'400);
          request.set_with_before(true);
          request.set_with_year_before(step != v1::SERIES_STEP_HOUR);
          const v1::GetSeriesResponse response = Ask(request);
          EXPECT_TRUE(response.exact());
          EXPECT_EQ(response.before_size(), response.points_size());
          const std::string name = kind + std::to_string(label);
          ComparePoints(response.points(), name, step);
          ComparePoints(response.before(), name, step);
          ComparePoints(response.year_before(), name, step);
        }
      }
    }
  }

  std::map<std::string, std::set<std::string>> labels_of_;
};

TEST_F(LabelSeriesTest, AreTheSumsOfTheirArticles) {
  FoldSome();
  CompareAll();
  // The first articles are announced after their views, and one of them was never viewed.
  for (int i = 0; i < kSeriesArticles / 2; ++i) Announce(ids_[static_cast<size_t>(i)]);
  Announce("/never");
  CompareAll();
  ASSERT_TRUE(pipeline_.Flush().ok());
  for (int i = 0; i < kSeriesArticles - 3; ++i) Announce(ids_[static_cast<size_t>(i)]);
  // A view of a year ago.
  const int64_t year_ago = clock_.UnixMillis() - 365 * 24 * kHourOfMs;
  for (const auto& id : ids_) {
    pipeline_.Fold({{.article_id = id, .event_time_unix_ms = year_ago, .count = 7}});
    taken_.push_back({id, year_ago, 7});
  }
  CompareAll();
  FoldSome();
  CompareAll();
}

TEST_F(LabelSeriesTest, AMergedArticleCountsOnceWithTheLabelsOfTheOther) {
  for (const char* id : {"/a", "/b"}) {
    v1::PutArticlesRequest request;
    request.set_site("demo");
    v1::Article& article = *request.add_articles();
    article.set_article_id(id);
    article.add_sections("both");
    article.add_sections(id);
    ASSERT_TRUE(pipeline_.Await(catalog_.Put(request)).ok());
  }
  pipeline_.Fold("/a", 2);
  pipeline_.Fold("/b", 5);
  const auto views = [&](const std::string& section) {
    v1::GetSeriesRequest request = Question("", v1::SERIES_STEP_DAY);
    request.set_section(section);
    return Ask(request).views();
  };
  EXPECT_EQ(views("both"), 7u);
  EXPECT_EQ(views("/a"), 2u);
  // The counts were not moved yet.
  Site merged = *pipeline_.site();
  merged.SetAliases({{"/a", {"/b", 1}}});
  SiteDirectory sites;
  ASSERT_TRUE(sites.Put(merged).ok());
  SeriesReader reader({pipeline_.counts(), totals_, labels_, clock_});
  const auto read = [&](const std::string& section) {
    const Window today{Window::Kind::kDay, DayNumber(merged.days.DayAt(clock_.UnixMillis()))};
    SeriesSubject subject{.label = ArticleLabel{ArticleLabel::Kind::kSection, section}};
    return pipeline_.Await(reader.Read(sites.Find("demo"), subject, {today}))->front();
  };
  EXPECT_EQ(read("both"), 7);
  EXPECT_EQ(read("/b"), 7);
  EXPECT_EQ(read("/a"), 0);
}

TEST_F(LabelSeriesTest, AnswersContainWhatWasAcknowledgedAndAnnouncedBefore) {
  v1::GetSeriesRequest request = Question("", v1::SERIES_STEP_DAY);
  request.set_tag("0");
  for (uint32_t i = 0; i < 20; ++i) {
    const std::string& id = ids_[i % 4];
    labels_of_[id].clear();
    v1::PutArticlesRequest announcement;
    announcement.set_site("demo");
    v1::Article& article = *announcement.add_articles();
    article.set_article_id(id);
    if (i % 3 != 0) article.add_tags("0");
    if (i % 3 != 0) labels_of_[id].insert("tag0");
    ASSERT_TRUE(pipeline_.Await(catalog_.Put(announcement)).ok());
    pipeline_.Fold(id, 1 + i);
    taken_.push_back({id, clock_.UnixMillis(), 1 + i});
    const auto response = Ask(request);
    EXPECT_EQ(response.views(), Expected("tag0", 0, clock_.UnixMillis() + 1)) << i;
    EXPECT_TRUE(response.exact());
    EXPECT_EQ(TimeUtil::TimestampToMilliseconds(response.as_of()), clock_.UnixMillis());
    if (i % 7 == 0) clock_.Advance(kLabelAgeMin + std::chrono::seconds(1));
  }
}

TEST_F(LabelSeriesTest, TooManyCountsAndSeveralSubjectsAreRefused) {
  v1::PutArticlesRequest announcements;
  announcements.set_site("demo");
  for (int i = 0; i < 1'000; ++i) {
    v1::Article& article = *announcements.add_articles();
    article.set_article_id("/many/" + std::to_string(i));
    article.add_tags("many");
  }
  for (const char* more : {"", "x"}) {
    for (v1::Article& article : *announcements.mutable_articles()) article.set_article_id(article.article_id() + more);
    ASSERT_TRUE(pipeline_.Await(catalog_.Put(announcements)).ok());
  }
  v1::GetSeriesRequest request = Question("", v1::SERIES_STEP_DAY);
  request.set_tag("many");
  request.mutable_window()->mutable_last()->set_seconds(501 * 86'400);
  v1::GetSeriesResponse response;
  const auto ask = [&] {
    response.Clear();
    return pipeline_.Await(api_.GetSeries(request, response));
  };
  const absl::Status status = ask();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(
      status.message(),
      "2000 articles have this label, and the series has 501 days; articles times days may be 1000000: ask for at "
      "most 500 days");
  request.mutable_window()->mutable_last()->set_seconds(500 * 86'400);
  EXPECT_TRUE(ask().ok());
  request.set_section("x");
  EXPECT_EQ(FieldOf(ask()), "tag");
  request.clear_tag();
  request.set_article_id("/a");
  EXPECT_EQ(FieldOf(ask()), "section");
  request.clear_article_id();
  request.set_section(std::string(300, 'x'));
  EXPECT_EQ(FieldOf(ask()), "section");
}

}  // namespace
}  // namespace viewcount
