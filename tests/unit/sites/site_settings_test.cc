#include "service/sites/site_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/sites/site.h"

namespace viewcount {
namespace {

using std::chrono::minutes, std::chrono::seconds;
using ::testing::ElementsAre;

TEST(SiteSettings, AreReadAsWritten) {
  const SiteSettings settings{.time_zone = "Asia/Ho_Chi_Minh",
                              .allowed_origins = {"http://localhost:8000", "https://a.example"},
                              .cool_down = minutes(30),
                              .excluded_addresses = {"192.0.2.0/24", "2001:db8::7"},
                              .announced_articles_only = true,
                              .session_viewers = true,
                              .hours_kept_days = 30,
                              .days_kept_days = 800,
                              .public_reads = true,
                              .page_announcements = true};
  EXPECT_EQ(EncodeSettings(settings),
            "Asia/Ho_Chi_Minh http://localhost:8000 https://a.example cool-down=1800 exclude=192.0.2.0/24 "
            "exclude=2001:db8::7 articles=announced viewers=sessions hours-kept=30 days-kept=800 "
            "reads=public announcements=pages");
  EXPECT_EQ(ParseSettings(EncodeSettings(settings)), settings);
  EXPECT_EQ(EncodeSettings({"UTC"}), "UTC");
  EXPECT_EQ(ParseSettings("UTC"), SiteSettings{"UTC"});
}

TEST(SiteSettings, TheRuleForAddressesIsReadAsWritten) {
  const SiteSettings settings{.time_zone = "UTC",
                              .articles = {.parameters = {"a", "ItemID"},
                                           .fold_case = true,
                                           .strip_trailing_slash = true,
                                           .index_names = {"index.html"},
                                           .excluded_paths = {"/tìm-kiếm/*", "*/print"},
                                           .count_well_known_paths = true,
                                           .static_extensions = {"chn"},
                                           .page_extensions = {"pdf", "doc"}}};
  EXPECT_EQ(
      EncodeSettings(settings),
      "UTC parameter=a parameter=ItemID index=index.html exclude-path=/tìm-kiếm/* exclude-path=*/print static=chn "
      "page=pdf page=doc case=folded slash=stripped well-known-paths=counted");
  EXPECT_EQ(ParseSettings(EncodeSettings(settings)), settings);
  const SiteSettings dropped{.time_zone = "UTC", .articles = {.drop_query = true}};
  EXPECT_EQ(EncodeSettings(dropped), "UTC query=dropped");
  EXPECT_EQ(ParseSettings("UTC query=dropped"), dropped);
  EXPECT_GT(ListBytesOf(settings), EncodeSettings(settings).size() / 2);
  for (const char* line : {"UTC query=kept", "UTC parameter=", "UTC index=a/b", "UTC exclude-path=a", "UTC case="}) {
    EXPECT_FALSE(MakeSite("demo", ParseSettings(line)).ok()) << line;
  }
}

TEST(SiteSettings, PatternsOfAgentsMayHaveSpaces) {
  const SiteSettings settings{
      .time_zone = "UTC",
      .agents = {.bots = {"My Monitor", "100%", "%20", "%2520"}, .people = {"^Portal App/[0-9]+ "}}};
  EXPECT_EQ(EncodeSettings(settings),
            "UTC bot-agent=My%20Monitor bot-agent=100%25 bot-agent=%2520 bot-agent=%252520 "
            "person-agent=^Portal%20App/[0-9]+%20");
  EXPECT_EQ(ParseSettings(EncodeSettings(settings)), settings);
  EXPECT_EQ(ListBytesOf(settings), EncodeSettings(settings).size() - 3);
  for (const char* line : {"UTC bot-agent=", "UTC person-agent=(", "UTC agent=x"}) {
    EXPECT_FALSE(MakeSite("demo", ParseSettings(line)).ok()) << line;
  }
}

TEST(SiteSettings, WhatNobodyWroteMakesNoSite) {
  for (const char* line : {"UTC ",
                           "UTC  https://a.example",
                           "UTC https://a.example ",
                           "UTC\thttps://a.example",
                           "UTC a.example",
                           "https://a.example",
                           "UTC cool-down=",
                           "UTC cool-down=x",
                           "UTC cool-down=1x",
                           "UTC cool-down=-1",
                           "UTC cool-down=604801",
                           "UTC cool-down=99999999999999999999",
                           "UTC exclude=",
                           "UTC exclude=a.example",
                           "UTC exclude=10.0.0.0/33",
                           "UTC articles=",
                           "UTC articles=all",
                           "UTC hours-kept=",
                           "UTC hours-kept=7",
                           "UTC hours-kept=401",
                           "UTC days-kept=x",
                           "UTC days-kept=61",
                           "UTC days-kept=36501",
                           "UTC hours-kept=100 days-kept=99",
                           "UTC announcements=pages",
                           "UTC reads=all"}) {
    EXPECT_FALSE(MakeSite("demo", ParseSettings(line)).ok()) << "\"" << line << "\"";
  }
}

TEST(SiteSettings, AreCheckedFieldByField) {
  const auto field_of = [](const SiteSettings& settings) { return FieldOf(CheckedSettings(settings).status()); };
  EXPECT_EQ(field_of({.cool_down = seconds(-1)}), "site.cool_down");
  EXPECT_EQ(field_of({.cool_down = limits::kCoolDownMax + seconds(1)}), "site.cool_down");
  EXPECT_EQ(field_of({.excluded_addresses = {"10.0.0.1", "news.example"}}), "site.excluded_addresses");
  // Each of these texts would be read as something else.
  EXPECT_EQ(field_of({.excluded_addresses = {"::1%a\nb"}}), "site.excluded_addresses");
  EXPECT_EQ(field_of({.excluded_addresses = {"::1% https://a.example"}}), "site.excluded_addresses");
  EXPECT_EQ(field_of({.time_zone = "UTC https://a.example"}), "site.time_zone");
  EXPECT_EQ(field_of({.time_zone = std::string("Asia/Tokyo\0\nx", 13)}), "site.time_zone");
  EXPECT_EQ(field_of({.excluded_addresses = std::vector<std::string>(65, "10.0.0.1")}), "site.excluded_addresses");
  EXPECT_EQ(field_of({.allowed_origins = {"news.example"}}), "site.allowed_origins[0]");
  const auto settings =
      CheckedSettings({.cool_down = limits::kCoolDownMax, .excluded_addresses = {"::1", "10.0.0.0/8", "::1"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->time_zone, "UTC");
  EXPECT_THAT(settings->excluded_addresses, ElementsAre("10.0.0.0/8", "::1"));
}

TEST(SiteSettings, ASiteKnowsWhomItExcludes) {
  const Site site = *MakeSite("demo", {.excluded_addresses = {"192.0.2.0/24"}});
  EXPECT_TRUE(site.excluded.Contains(boost::asio::ip::make_address("192.0.2.9")));
  EXPECT_TRUE(site.excluded.Contains(boost::asio::ip::make_address("::ffff:192.0.2.9")));
  EXPECT_FALSE(site.excluded.Contains(boost::asio::ip::make_address("192.0.3.9")));
  EXPECT_FALSE(MakeSite("demo", {})->excluded.Contains(boost::asio::ip::make_address("192.0.2.9")));
}

}  // namespace
}  // namespace viewcount
