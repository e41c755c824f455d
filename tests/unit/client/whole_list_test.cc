// Tests lists whose articles change their places while the pages are read.
#include "client/cli/whole_list.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "client/cli/report_reader.h"
#include "tests/support/fake_ingest.h"

namespace viewcount::cli {
namespace {

constexpr size_t kPage = 1'000;

// A list of 2,500 articles, whose places change after some of its first pages were read.
class MovingList {
 public:
  explicit MovingList(int changes) : changes_(changes), order_(2'500) { std::iota(order_.begin(), order_.end(), 0); }

  v1::ListPopularResponse Page(const std::string& token) {
    const size_t begin = token.empty() ? 0 : std::stoul(token);
    const size_t end = std::min(begin + kPage, order_.size());
    v1::ListPopularResponse page;
    for (size_t at = begin; at < end; ++at) {
      auto& article = *page.add_articles();
      article.set_article_id(fmt::format("article{}", order_[at]));
      article.set_rank(static_cast<uint32_t>(at + 1));
      article.set_views(order_.size() - at);
    }
    page.set_exact(true);
    page.mutable_as_of()->set_seconds(1'431'857'103);
    if (end < order_.size()) page.set_next_page_token(std::to_string(end));
    if (begin > 0) return page;
    ++readings_;
    // The article of rank 1,001 rises to rank 1,000.
    if (changes_-- > 0) std::swap(order_[kPage - 1], order_[kPage]);
    return page;
  }

  int readings() const { return readings_; }

 private:
  int changes_;
  int readings_ = 0;
  std::vector<int> order_;
};

absl::StatusOr<WholeList> Read(MovingList& moving) {
  return ReadWholeList([&](const std::string& token) { return moving.Page(token); });
}

TEST(WholeList, AQuietListIsReadOnce) {
  MovingList moving(0);
  const auto list = Read(moving);
  EXPECT_EQ(list->articles.size(), 2'500);
  EXPECT_TRUE(list->exact);
  EXPECT_EQ(absl::ToUnixSeconds(list->as_of), 1'431'857'103);
  EXPECT_EQ(moving.readings(), 1);
}

TEST(WholeList, AnArticleThatRisesBetweenPagesIsReadInTheNextReading) {
  MovingList moving(kListRereadsMax);
  const auto list = Read(moving);
  EXPECT_EQ(list->articles.size(), 2'500);
  EXPECT_TRUE(IsOneList(list->articles));
  EXPECT_TRUE(list->exact);
  EXPECT_EQ(moving.readings(), 1 + kListRereadsMax);
}

TEST(WholeList, AListThatNeverRestsIsNotExact) {
  MovingList moving(1'000);
  const auto list = Read(moving);
  EXPECT_EQ(list->articles.size(), 2'499) << "each article once";
  EXPECT_FALSE(list->exact);
  EXPECT_EQ(moving.readings(), 1 + kListRereadsMax);
}

TEST(WholeList, AGapInTheRanksIsNoList) {
  RankedArticles articles;
  EXPECT_TRUE(IsOneList(articles));
  for (const uint32_t rank : {1, 2, 4}) {
    auto& article = *articles.Add();
    article.set_article_id(std::to_string(rank));
    article.set_rank(rank);
    EXPECT_EQ(IsOneList(articles), rank != 4);
  }
}

TEST(WholeList, AnErrorEndsTheReading) {
  const auto list = ReadWholeList([](const std::string&) { return absl::UnavailableError("gone"); });
  EXPECT_EQ(list.status().message(), "gone");
}

class OneSite : public v1::AdminService::Service {
 public:
  grpc::Status ListSites(grpc::ServerContext*, const v1::ListSitesRequest*, v1::ListSitesResponse* response) override {
    response->add_sites()->set_name("portal");
    return grpc::Status::OK;
  }
};

class MovingQuery : public v1::QueryService::Service {
 public:
  explicit MovingQuery(int changes) : list_(changes) {}
  grpc::Status ListPopular(grpc::ServerContext*, const v1::ListPopularRequest* request,
                           v1::ListPopularResponse* response) override {
    *response = list_.Page(request->page_token());
    return grpc::Status::OK;
  }
  grpc::Status GetSeries(grpc::ServerContext*, const v1::GetSeriesRequest*, v1::GetSeriesResponse* response) override {
    response->set_exact(true);
    return grpc::Status::OK;
  }
  grpc::Status GetSiteStats(grpc::ServerContext*, const v1::GetSiteStatsRequest*,
                            v1::GetSiteStatsResponse* response) override {
    response->set_exact(true);
    return grpc::Status::OK;
  }

 private:
  MovingList list_;
};

TEST(WholeList, AReportIsExactOnlyIfNoArticleCanBeMissing) {
  for (const int changes : {1, 1'000}) {
    OneSite admin;
    MovingQuery query(changes);
    testing::FakeIngest service({&admin, &query});
    GlobalOptions options;
    options.server = service.address();
    Session session(options);
    const auto report = ReadReport(session, {.month = "2015-05"});
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->exact, changes == 1);
    EXPECT_EQ(report->listed_articles, changes == 1 ? 2'500u : 2'499u);
  }
}

}  // namespace
}  // namespace viewcount::cli
