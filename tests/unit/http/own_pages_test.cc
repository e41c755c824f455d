#include "service/http/own_pages.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace viewcount {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

HttpFields Of(const Fields& fields) {
  HttpFields request;
  request.version(11);
  for (const auto& [name, value] : fields) request.set(name, value);
  return request;
}

class OwnPagesTest : public ::testing::Test {
 protected:
  bool MayRead(const Fields& fields) const { return own_pages_.CheckRead(Of(fields)).ok(); }
  bool MayChange(const Fields& fields) const { return own_pages_.CheckChange(Of(fields)).ok(); }

  const OwnPages own_pages_{{"stats.example.org"}};
};

TEST_F(OwnPagesTest, KnownNamesAndAddressesMayBeRead) {
  for (const char* host : {"localhost", "localhost:9464", "a.localhost", "127.0.0.1:9464", "10.1.2.3", "[::1]:9464",
                           "[fd00::1]", "stats.example.org", "Stats.Example.ORG:443", "stats.example.org."}) {
    EXPECT_TRUE(MayRead({{"Host", host}})) << host;
  }
  EXPECT_TRUE(MayRead({}));
}

TEST_F(OwnPagesTest, OtherNamesMayNotBeRead) {
  for (const char* host : {"evil.example", "evil.example:9464", "127.0.0.1.evil.example", "xstats.example.org",
                           "localhost.evil.example", "evillocalhost", "[evil.example]", "[", ":80", "1.2.3"}) {
    EXPECT_FALSE(MayRead({{"Host", host}})) << host;
  }
}

TEST_F(OwnPagesTest, PagesOfOtherSitesMayNotRead) {
  for (const char* from : {"same-origin", "none"})
    EXPECT_TRUE(MayRead({{"Host", "localhost"}, {"Sec-Fetch-Site", from}}));
  for (const char* from : {"cross-site", "same-site", "x"}) {
    EXPECT_FALSE(MayRead({{"Host", "localhost"}, {"Sec-Fetch-Site", from}})) << from;
  }
}

TEST_F(OwnPagesTest, AChangeNeedsAllSignsOfAnOwnPage) {
  const Fields own = {{"Host", "localhost:9464"},
                      {"Content-Type", "application/json; charset=utf-8"},
                      {"X-Viewcount-Change", "1"},
                      {"Sec-Fetch-Site", "same-origin"}};
  EXPECT_TRUE(MayChange(own));
  for (size_t left_out = 1; left_out < own.size(); ++left_out) {
    Fields fields = own;
    fields.erase(fields.begin() + static_cast<ptrdiff_t>(left_out));
    EXPECT_FALSE(MayChange(fields)) << own[left_out].first;
  }
  Fields plain = own;
  plain[1].second = "text/plain";
  EXPECT_FALSE(MayChange(plain));
}

TEST_F(OwnPagesTest, WithoutFetchMetadataTheOriginDecides) {
  const auto with = [](const std::string& host, const std::string& origin) {
    return Fields{
        {"Host", host}, {"Content-Type", "application/json"}, {"X-Viewcount-Change", "1"}, {"Origin", origin}};
  };
  EXPECT_TRUE(MayChange(with("10.0.0.1:9464", "http://10.0.0.1:9464")));
  EXPECT_FALSE(MayChange(with("10.0.0.1:9464", "http://10.0.0.1")));
  EXPECT_FALSE(MayChange(with("10.0.0.1", "null")));
  EXPECT_FALSE(MayChange(with("10.0.0.1", "")));
  EXPECT_FALSE(MayChange(with("evil.example", "http://evil.example")));
}

}  // namespace
}  // namespace viewcount
