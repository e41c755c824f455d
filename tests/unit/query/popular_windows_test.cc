// Compares popular lists of random windows with a count of the same views by hand: pending and stored ones, late ones,
// bots, and articles that were merged. Also tests the choice of articles and of windows by themselves.
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "service/base/status.h"
#include "service/query/list_api.h"
#include "service/query/ranking_sums.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"
#include "tests/support/seed.h"
#include "tests/unit/adjustments/make_adjustment.h"

namespace viewcount {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int64_t kOneHourMs = 3'600'000;
constexpr int64_t kOneDayMs = 24 * kOneHourMs;
constexpr int kPopularDays = 12;
constexpr size_t kPopularArticles = 3'000;

// Small rankings, so that most articles are not ranked.
constexpr RankedLimits kShortRankings{.all_time_and_day = 12, .hour = 6};

class PopularWindowsTest : public ::testing::TestWithParam<std::string> {
 protected:
  PopularWindowsTest() {
    EXPECT_TRUE(pipeline_.Open().ok());
    clock_.SetWallError(std::chrono::milliseconds(SystemClock().UnixMillis() - clock_.UnixMillis()));
    for (size_t i = 0; i < kPopularArticles; ++i) ids_.push_back("/tin/" + std::to_string(i));
    Announce();
  }
  // Announces most articles. Each section has a fifth of them, each author few, and each tag very few.
  void Announce() {
    v1::PutArticlesRequest request;
    request.set_site("demo");
    for (size_t i = 0; i < kPopularArticles; ++i) {
      v1::Article& article = articles_.emplace_back();
      if (i % 11 != 10) {
        article.set_article_id(ids_[i]);
        article.set_title("Title " + std::to_string(i));
        article.add_sections("section" + std::to_string(i % 5));
        article.add_authors("author" + std::to_string(i % 40));
        article.add_tags("tag" + std::to_string(i % 500));
        article.set_language(i % 2 == 0 ? "vi" : "en");
        article.set_hidden_from_lists(i % 97 == 3);
        const auto age = static_cast<int64_t>(i % 30) * kOneDayMs;
        *article.mutable_publish_time() = TimeUtil::MillisecondsToTimestamp(now() - age);
        *request.add_articles() = article;
      }
      if (request.articles_size() < static_cast<int>(limits::kPutArticlesMax) && i + 1 < kPopularArticles) continue;
      EXPECT_TRUE(pipeline_.Await(catalog_.Put(request)).ok());
      request.clear_articles();
    }
  }
  // Restricts a list at random. Returns whether an article belongs on it.
  template <typename Request>
  std::function<bool(const v1::Article&)> Restrict(Request& request) {
    const auto number = std::to_string(Roll(5));
    const auto has = [](const auto& labels, const std::string& label) {
      return std::find(labels.begin(), labels.end(), label) != labels.end();
    };
    switch (Roll(10)) {
      case 0:
        request.set_section("section" + number);
        return [=](const v1::Article& article) { return has(article.sections(), "section" + number); };
      case 1:
        request.set_author("author" + number);
        return [=](const v1::Article& article) { return has(article.authors(), "author" + number); };
      case 2:
        request.set_tag("tag" + number);
        request.set_language("vi");
        return [=](const v1::Article& article) {
          return has(article.tags(), "tag" + number) && article.language() == "vi";
        };
      case 3: {
        const auto days = static_cast<int64_t>(1 + Roll(30));
        // Half a day more, so that time passing changes nothing.
        request.mutable_published_within()->set_seconds(days * 86'400 - 43'200);
        const int64_t since = now() - days * kOneDayMs + kOneDayMs / 2;
        return [=](const v1::Article& article) {
          return article.has_publish_time() && TimeUtil::TimestampToMilliseconds(article.publish_time()) >= since;
        };
      }
      default:
        return [](const v1::Article&) { return true; };
    }
  }
  size_t Roll(size_t bound) { return random_() % bound; }
  int64_t now() const { return clock_.UnixMillis(); }

  struct Taken {
    size_t article = 0;
    int64_t time = 0;
    uint32_t count = 0;
  };

  // Folds random views. Articles are popular while they are new; some are popular for ever.
  void FoldSome(size_t views_count) {
    std::vector<DecodedView> views;
    for (size_t i = 0; i < views_count; ++i) {
      const auto age = static_cast<int64_t>(Roll(kPopularDays * kOneDayMs));
      const double rank = std::exp(std::uniform_real_distribution<double>(0, std::log(kPopularArticles))(random_));
      const auto drift = static_cast<size_t>(age / (6 * kOneHourMs)) * 7;
      const size_t article = (static_cast<size_t>(rank) - 1 + (Roll(4) == 0 ? 0 : drift)) % kPopularArticles;
      const auto count = static_cast<uint32_t>(1 + Roll(3));
      const bool bot = Roll(10) == 0;
      views.push_back({.article_id = ids_[article], .event_time_unix_ms = now() - age, .count = count, .bot = bot});
      if (!bot) taken_.push_back({article, now() - age, count});
    }
    pipeline_.Fold(views);
  }
  // Moves all views of an article to another one, as a merge does.
  void Merge(size_t from, size_t into) {
    std::map<Window, int64_t> moved;
    for (Taken& view : taken_) {
      if (view.article != from) continue;
      view.article = into;
      moved[{Window::Kind::kAllTime, 0}] += view.count;
      moved[{Window::Kind::kHour, static_cast<uint32_t>(view.time / kOneHourMs)}] += view.count;
      moved[{Window::Kind::kDay, DayNumber(DayAt(view.time, *pipeline_.site()))}] += view.count;
    }
    std::vector<TestChange> changes;
    for (const auto& [window, views] : moved) {
      changes.push_back({ids_[from], window, -views});
      changes.push_back({ids_[into], window, views});
    }
    const auto submitted = std::make_shared<SubmittedAdjustment>(
        SubmittedAdjustment{.adjustment = TestAdjustment(now(), changes),
                            .site = pipeline_.site()->index,
                            .done = [](const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; }});
    ASSERT_TRUE(pipeline_.taking().Submit(submitted).ok());
    pipeline_.taking().Step();
  }

  v1::Window RandomWindow() {
    v1::Window window;
    const int64_t this_hour = now() - now() % kOneHourMs;
    switch (Roll(6)) {
      case 0:
        window.mutable_last()->set_seconds(static_cast<int64_t>(1 + Roll(192)) * 3'600);
        return window;
      case 1:
        window.mutable_last()->set_seconds(static_cast<int64_t>(9 + Roll(20)) * 86'400);
        return window;
      case 2:
        window.set_all_time(true);
        return window;
      case 3:
        window.set_day(absl::FormatCivilTime(DayAt(now(), *pipeline_.site()) - static_cast<int64_t>(Roll(13))));
        return window;
      case 4: {
        const auto begin = static_cast<int64_t>(Roll(191));
        const auto end = static_cast<int64_t>(Roll(static_cast<size_t>(begin) + 1));
        SetRange(window, this_hour - begin * kOneHourMs, this_hour + (1 - end) * kOneHourMs);
        return window;
      }
      default: {
        const absl::CivilDay today = DayAt(now(), *pipeline_.site());
        const auto begin = static_cast<int64_t>(Roll(14));
        const auto end = static_cast<int64_t>(Roll(static_cast<size_t>(begin) + 1));
        SetRange(window, StartOf(today - begin, *pipeline_.site()), StartOf(today - end + 1, *pipeline_.site()));
        return window;
      }
    }
  }
  static void SetRange(v1::Window& window, int64_t start, int64_t end) {
    *window.mutable_range()->mutable_start() = TimeUtil::MillisecondsToTimestamp(start);
    *window.mutable_range()->mutable_end() = TimeUtil::MillisecondsToTimestamp(end);
  }

  // Asks for a random page of a window, and compares it.
  void Compare(const v1::Window& window) {
    v1::ListPopularRequest request;
    request.set_site("demo");
    *request.mutable_window() = window;
    request.set_page_size(static_cast<uint32_t>(1 + Roll(100)));
    request.set_exact_required(Roll(20) == 0);
    const auto belongs = Restrict(request);
    v1::ListPopularResponse response;
    const auto status = pipeline_.Await(api_.ListPopular(request, response));
    ASSERT_TRUE(status.ok()) << status << " " << window.ShortDebugString();
    const bool all = window.all_time();
    ASSERT_EQ(response.has_span(), !all);
    const int64_t start = all ? 0 : TimeUtil::TimestampToMilliseconds(response.span().start());
    const int64_t end = all ? now() + kOneDayMs : TimeUtil::TimestampToMilliseconds(response.span().end());
    std::vector<uint64_t> sums(kPopularArticles);
    for (const Taken& view : taken_) {
      if (view.time >= start && view.time < end) sums[view.article] += view.count;
    }
    std::vector<std::pair<uint64_t, std::string>> expected;
    for (size_t i = 0; i < sums.size(); ++i) {
      if (sums[i] > 0 && belongs(articles_[i]) && !articles_[i].hidden_from_lists()) {
        expected.emplace_back(sums[i], ids_[i]);
      }
    }
    std::sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    ++lists_;
    const std::string what = request.ShortDebugString();
    if (response.exact()) {
      ++exact_;
      const size_t shown = std::min<size_t>(expected.size(), request.page_size());
      ASSERT_EQ(response.articles_size(), static_cast<int>(shown)) << what;
      for (int i = 0; i < response.articles_size(); ++i) {
        ASSERT_EQ(response.articles(i).article_id(), expected[static_cast<size_t>(i)].second) << what << " place " << i;
        ASSERT_EQ(response.articles(i).views(), expected[static_cast<size_t>(i)].first) << what << " place " << i;
        const size_t index = std::stoul(response.articles(i).article_id().substr(5));
        ASSERT_EQ(response.articles(i).title(), articles_[index].title());
      }
      return;
    }
    ASSERT_FALSE(request.exact_required()) << what;
    std::map<std::string, uint64_t> listed;
    for (const auto& article : response.articles()) listed[article.article_id()] = article.views();
    for (size_t i = 0; i < expected.size() && i < request.page_size(); ++i) {
      const auto found = listed.find(expected[i].second);
      if (found == listed.end()) {
        ASSERT_LE(expected[i].first, response.error_bound()) << what;
      } else {
        ASSERT_EQ(expected[i].first, found->second) << what;
      }
    }
  }

  // Returns the sum of something over the views of each article.
  template <typename Number>
  std::vector<Number> SumOverViews(const std::function<Number(const Taken&)>& number) const {
    std::vector<Number> sums(kPopularArticles);
    for (const Taken& view : taken_) sums[view.article] += number(view);
    return sums;
  }
  struct Expected {
    double score = 0;
    uint64_t views = 0;
    std::string id;
  };
  // Compares a page of a scored list, after `before` others, with all articles that belong on the list.
  template <typename Response>
  void ComparePage(const Response& response, std::vector<Expected> expected, size_t before, uint32_t page_size,
                   const std::string& what) {
    std::sort(expected.begin(), expected.end(), [](const Expected& one, const Expected& other) {
      return one.score != other.score ? one.score > other.score : one.id < other.id;
    });
    ++lists_;
    exact_ += response.exact() ? 1 : 0;
    expected.erase(expected.begin(), expected.begin() + static_cast<ptrdiff_t>(std::min(before, expected.size())));
    const size_t shown = std::min<size_t>(expected.size(), page_size);
    if (response.exact()) {
      ASSERT_EQ(response.next_page_token().empty(), expected.size() <= page_size) << what;
      ASSERT_EQ(response.articles_size(), static_cast<int>(shown)) << what;
      for (int i = 0; i < response.articles_size(); ++i) {
        const Expected& right = expected[static_cast<size_t>(i)];
        const v1::RankedArticle& article = response.articles(i);
        ASSERT_EQ(article.article_id(), right.id) << what << " place " << i;
        ASSERT_NEAR(article.score(), right.score, 1e-6 * right.score) << what << " place " << i;
        ASSERT_EQ(article.views(), right.views) << what << " place " << i;
        ASSERT_EQ(article.rank(), before + static_cast<uint32_t>(i + 1));
      }
      return;
    }
    std::map<std::string, double> listed;
    for (const auto& article : response.articles()) listed[article.article_id()] = article.score();
    for (size_t i = 0; i < shown; ++i) {
      const auto found = listed.find(expected[i].id);
      if (found == listed.end()) {
        ASSERT_LE(expected[i].score, response.error_bound() * (1 + 1e-9)) << what;
      } else {
        ASSERT_NEAR(found->second, expected[i].score, 1e-6 * expected[i].score) << what;
      }
    }
  }

  void CompareTrending() {
    // Views beside the scores are used for a second.
    clock_.Advance(limits::kCountCacheAge + std::chrono::milliseconds(1));
    v1::ListTrendingRequest request;
    request.set_site("demo");
    request.set_page_size(static_cast<uint32_t>(1 + Roll(60)));
    int64_t half_life_ms = 6 * kOneHourMs;
    if (Roll(3) > 0) {
      half_life_ms = kOneHourMs + static_cast<int64_t>(Roll(47 * 60)) * 60'000;
      *request.mutable_half_life() = TimeUtil::MillisecondsToDuration(half_life_ms);
    }
    if (Roll(3) == 0)
      request.mutable_window()->mutable_last()->set_seconds(static_cast<int64_t>(1 + Roll(192)) * 3'600);
    const auto belongs = Restrict(request);
    v1::ListTrendingResponse response;
    const auto status = pipeline_.Await(api_.ListTrending(request, response));
    ASSERT_TRUE(status.ok()) << status << " " << request.ShortDebugString();
    const int64_t start = TimeUtil::TimestampToMilliseconds(response.span().start());
    const int64_t this_hour = now() / kOneHourMs;
    ASSERT_EQ(TimeUtil::TimestampToMilliseconds(response.span().end()), (this_hour + 1) * kOneHourMs);
    const auto weight = [&](const Taken& view) {
      if (view.time < start) return 0.0;
      const auto hours = static_cast<double>(this_hour - view.time / kOneHourMs);
      const double exact = std::pow(0.5, hours * kOneHourMs / static_cast<double>(half_life_ms));
      return view.count * std::round(exact * 65'536) / 65'536;
    };
    const auto scores = SumOverViews<double>(weight);
    const auto views =
        SumOverViews<uint64_t>([&](const Taken& view) { return view.time >= start ? view.count : uint64_t{0}; });
    std::vector<Expected> expected;
    for (size_t i = 0; i < kPopularArticles; ++i) {
      if (scores[i] > 0 && belongs(articles_[i]) && !articles_[i].hidden_from_lists()) {
        expected.push_back({scores[i], views[i], ids_[i]});
      }
    }
    ASSERT_NO_FATAL_FAILURE(ComparePage(response, expected, 0, request.page_size(), request.ShortDebugString()));
    if (response.next_page_token().empty() || !response.exact()) return;
    request.set_page_token(response.next_page_token());
    response.Clear();
    ASSERT_TRUE(pipeline_.Await(api_.ListTrending(request, response)).ok());
    ComparePage(response, std::move(expected), request.page_size(), request.page_size(), request.ShortDebugString());
  }

  void CompareRising() {
    // A list is used for five seconds.
    clock_.Advance(std::chrono::milliseconds(5'001));
    v1::ListRisingRequest request;
    request.set_site("demo");
    request.set_page_size(static_cast<uint32_t>(1 + Roll(40)));
    const auto hours = static_cast<int64_t>(1 + Roll(24));
    request.mutable_window()->mutable_last()->set_seconds(hours * 3'600);
    const auto belongs = Restrict(request);
    v1::ListRisingResponse response;
    const auto status = pipeline_.Await(api_.ListRising(request, response));
    ASSERT_TRUE(status.ok()) << status << " " << request.ShortDebugString();
    const int64_t start = TimeUtil::TimestampToMilliseconds(response.span().start());
    const int64_t usual_start = TimeUtil::TimestampToMilliseconds(response.usual().start());
    ASSERT_EQ(start - usual_start, 7 * kOneDayMs);
    const auto present =
        SumOverViews<uint64_t>([&](const Taken& view) { return view.time >= start ? view.count : uint64_t{0}; });
    const auto before = SumOverViews<uint64_t>(
        [&](const Taken& view) { return view.time >= usual_start && view.time < start ? view.count : uint64_t{0}; });
    double site_now = 0, site_before = 0;
    for (size_t i = 0; i < kPopularArticles; ++i) {
      site_now += static_cast<double>(present[i]);
      site_before += static_cast<double>(before[i]);
    }
    const double share_now = site_now / (site_now + site_before), share_before = 1 - share_now;
    std::vector<Expected> expected;
    for (size_t i = 0; i < kPopularArticles; ++i) {
      const auto k = static_cast<double>(present[i]), u = static_cast<double>(before[i]);
      if (k < 10 || k / (k + u) <= share_now) continue;
      // The likelihood of k of k + u views by their own share, against that by the site's share.
      double score = 2 * k * std::log(k / (k + u) / share_now);
      if (u > 0) score += 2 * u * std::log(u / (k + u) / share_before);
      if (score < 15.1 || !belongs(articles_[i]) || articles_[i].hidden_from_lists()) continue;
      expected.push_back({score, present[i], ids_[i]});
    }
    rising_listed_ += expected.size();
    ASSERT_NO_FATAL_FAILURE(ComparePage(response, expected, 0, request.page_size(), request.ShortDebugString()));
    if (response.next_page_token().empty() || !response.exact()) return;
    request.set_page_token(response.next_page_token());
    response.Clear();
    ASSERT_TRUE(pipeline_.Await(api_.ListRising(request, response)).ok());
    ComparePage(response, std::move(expected), request.page_size(), request.page_size(), request.ShortDebugString());
  }

  std::mt19937_64 random_{TestSeed()};
  RedisProcess redis_{{"--appendonly", "yes"}};
  LanePipeline pipeline_{redis_, {.ranked = kShortRankings, .time_zone = GetParam()}};
  ManualClock clock_;
  PopularReader popular_{pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}, clock_};
  ArticleCatalog catalog_{pipeline_.sites(), pipeline_.store(), clock_};
  CountExporter exporter_{pipeline_.store(), pipeline_.counts(), pipeline_.flush_function()};
  PublishedArticles published_{catalog_, clock_};
  SiteTotalReader totals_{pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}};
  RisingReader rising_{popular_, pipeline_.counts(), totals_, clock_};
  RecentReader recent_{pipeline_.sites(), pipeline_.store(), popular_, clock_};
  ListApi api_{
      {pipeline_.sites(), pipeline_.counts(), popular_, exporter_, catalog_, published_, rising_, recent_, clock_}};
  std::vector<std::string> ids_;
  std::vector<v1::Article> articles_;
  std::vector<Taken> taken_;
  size_t lists_ = 0;
  size_t exact_ = 0;
  size_t rising_listed_ = 0;
};

TEST_P(PopularWindowsTest, AreWhatWasCounted) {
  // VIEWCOUNT_POPULAR_CASES sets the number of cases.
  const char* asked = std::getenv("VIEWCOUNT_POPULAR_CASES");
  const size_t cases = asked != nullptr ? std::strtoul(asked, nullptr, 10) : 30;
  FoldSome(8'000);
  while (lists_ < cases && !HasFatalFailure()) {
    switch (Roll(8)) {
      case 0:
        FoldSome(1 + Roll(1'500));
        break;
      case 1:
        ASSERT_TRUE(pipeline_.Flush().ok());
        break;
      case 2:
        ASSERT_NO_FATAL_FAILURE(Merge(Roll(300), Roll(kPopularArticles)));
        break;
      case 3:
        clock_.Advance(std::chrono::milliseconds(Roll(3'000)));
        break;
      case 4:
        ASSERT_NO_FATAL_FAILURE(Roll(2) == 0 ? CompareTrending() : CompareRising());
        break;
      default:
        ASSERT_NO_FATAL_FAILURE(Compare(RandomWindow()));
    }
  }
  // Few lists of so short rankings can be proven. With the rankings of a service nearly all can.
  EXPECT_GT(exact_, lists_ / 4);
  EXPECT_TRUE(cases <= 100 || rising_listed_ > 0);
  RecordProperty("lists", static_cast<int>(lists_));
  RecordProperty("exact", static_cast<int>(exact_));
  std::cerr << lists_ << " lists, " << exact_ << " exact\n";
}

INSTANTIATE_TEST_SUITE_P(Zones, PopularWindowsTest,
                         ::testing::Values("Asia/Ho_Chi_Minh", "Asia/Kathmandu", "America/New_York"));

}  // namespace
}  // namespace viewcount
