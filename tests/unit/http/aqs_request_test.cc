#include "service/http/aqs_request.h"

#include <gtest/gtest.h>

namespace viewcount {
namespace {

AqsViews Article(std::string_view rest) {
  const auto parsed = ParseAqsArticle("portal/all-access/user/" + std::string(rest));
  EXPECT_TRUE(parsed.ok()) << rest << ": " << parsed.status();
  return parsed.value_or(AqsViews());
}

absl::StatusCode RefusalOf(const absl::Status& status) {
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(status.message().empty());
  return status.code();
}

TEST(AqsRequest, AnArticleMayContainSlashesInBothForms) {
  for (const char* article : {"%2Fnews%2F1", "/news/1", "%2fnews/1"}) {
    const auto question = Article(std::string(article) + "/daily/20261130/2026113023");
    EXPECT_EQ(question.project, "portal");
    EXPECT_EQ(question.article, "/news/1");
    EXPECT_EQ(question.granularity, AqsGranularity::kDaily);
    EXPECT_EQ(question.start, absl::CivilHour(2026, 11, 30));
    EXPECT_EQ(question.end, absl::CivilHour(2026, 12, 1)) << "the end is in the span";
  }
  EXPECT_EQ(Article("a+b%20c%25/daily/20261130/20261130").article, "a+b c%");
  EXPECT_EQ(Article("daily/daily/20261130/20261130").article, "daily");
}

TEST(AqsRequest, MonthsAreWhole) {
  const auto months = Article("a/monthly/20260102/20260430");
  EXPECT_EQ(months.start, absl::CivilHour(2026, 2, 1));
  EXPECT_EQ(months.end, absl::CivilHour(2026, 5, 1));
  EXPECT_EQ(Article("a/monthly/20260101/20260429").end, absl::CivilHour(2026, 4, 1));
  EXPECT_EQ(RefusalOf(ParseAqsArticle("p/all-access/user/a/monthly/20260102/20260227").status()),
            absl::StatusCode::kInvalidArgument);
}

TEST(AqsRequest, HoursAreThoseOfTheWholeProject) {
  const auto hours = ParseAqsAggregate("portal/all-access/user/hourly/2026113022/2026120101");
  ASSERT_TRUE(hours.ok()) << hours.status();
  EXPECT_EQ(hours->article, std::nullopt);
  EXPECT_EQ(hours->end - hours->start, 4);
  for (const char* rest : {"hourly/20261130/20261130", "hourly/2026113024/2026113024", "hourly/2026113002/2026113001",
                           "minutely/2026113002/2026113001", "daily/20261130", "daily/20261130/20261130/20261130"}) {
    EXPECT_EQ(RefusalOf(ParseAqsAggregate("portal/all-access/user/" + std::string(rest)).status()),
              absl::StatusCode::kInvalidArgument)
        << rest;
  }
}

TEST(AqsRequest, ATopListIsOfADayOrAMonth) {
  const auto day = ParseAqsTop("portal/all-access/2028/02/29");
  ASSERT_TRUE(day.ok()) << day.status();
  EXPECT_EQ(day->day, absl::CivilDay(2028, 2, 29));
  const auto month = ParseAqsTop("portal/all-access/2026/02/all-days");
  ASSERT_TRUE(month.ok()) << month.status();
  EXPECT_EQ(month->day, std::nullopt);
  EXPECT_EQ(month->month, absl::CivilMonth(2026, 2));
  for (const char* rest : {"2026/02/29", "2026/2/01", "26/02/01", "9999/01/01", "1969/01/01", "2026/+1/01",
                           "2026/02/00", "2026/02", "2026/02/01/"}) {
    EXPECT_EQ(RefusalOf(ParseAqsTop("portal/all-access/" + std::string(rest)).status()),
              absl::StatusCode::kInvalidArgument)
        << rest;
  }
}

TEST(AqsRequest, ValuesOfAqsThatAreNotKeptAreNotFound) {
  const auto code = [](const std::string& access, const std::string& agent) {
    return RefusalOf(ParseAqsArticle("p/" + access + "/" + agent + "/a/daily/20261130/20261130").status());
  };
  EXPECT_EQ(code("desktop", "user"), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("all-access", "all-agents"), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("all-access", "spider"), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("phone", "user"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("all-access", "users"), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace viewcount
