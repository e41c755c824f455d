// Tests to which visitor a request is attributed. A visitor is the same on every route. A client without trust cannot
// claim to be another visitor.
#include "service/http/visitor.h"

#include <gtest/gtest.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/limits.h"
#include "service/visitors/viewer_hash.h"
#include "tests/support/manual_clock.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::make_address;
using namespace std::chrono_literals;

using Fields = std::vector<std::pair<std::string, std::string>>;

// The clock begins at 22:00 UTC on 22 November.
constexpr uint32_t kToday = 20261122;
constexpr uint32_t kTomorrow = 20261123;
constexpr auto kToMidnight = 2h;
constexpr char kFirefox[] = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
constexpr char kGooglebot[] = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
// These are the addresses of a trusted proxy, of a trusted backend, and of an unknown visitor.
constexpr char kProxy[] = "10.0.0.1";
constexpr char kBackend[] = "10.0.7.1";
constexpr char kSomebody[] = "203.0.113.9";

const BotPatterns& Patterns() {
  static const BotPatterns patterns;
  return patterns;
}

class VisitorTest : public ::testing::Test {
 protected:
  VisitorTest() {
    salts_.Put(site_, kToday, today_);
    salts_.Put(site_, kTomorrow, tomorrow_);
  }

  Visitor Find(const std::string& peer, const Fields& fields) {
    HttpFields message;
    for (const auto& [name, value] : fields) message.insert(name, value);
    return finder_.Find(message, trust_.Find(message, make_address(peer)), site_);
  }
  Visitor WithAgent(const std::string& agent) { return Find(kSomebody, {{"User-Agent", agent}}); }
  // Returns the viewer hash on the first day.
  uint64_t Viewer(const std::string& address, const std::string& agent = kFirefox) {
    return ViewerHash(today_, site_.name, make_address(address), agent);
  }

  const Site site_ = *MakeSite("portal", {"UTC"});
  const ViewerSalt today_ = RandomId<ViewerSalt>();
  const ViewerSalt tomorrow_ = RandomId<ViewerSalt>();
  ManualClock clock_;
  ViewerSalts salts_;
  ClientTrust trust_{{.proxies = *AddressRanges::Parse(std::vector<std::string>{"10.0.0.0/24"}),
                      .backends = *AddressRanges::Parse(std::vector<std::string>{"10.0.7.0/24"})}};
  VisitorFinder finder_{{trust_, Patterns(), salts_, clock_}};
};

TEST_F(VisitorTest, ABrowserIsKnownByAddressAndAgent) {
  const Visitor visitor = WithAgent(kFirefox);
  EXPECT_FALSE(visitor.rejected);
  EXPECT_FALSE(visitor.bot);
  EXPECT_EQ(visitor.viewer, Viewer(kSomebody));
  EXPECT_EQ(visitor.previous_viewer, 0u);
  EXPECT_EQ(WithAgent(kFirefox), visitor);
  EXPECT_EQ(Find(kSomebody, {}).viewer, Viewer(kSomebody, "")) << "who sends no agent may be a person";
  EXPECT_EQ(Find("::ffff:203.0.113.9", {{"User-Agent", kFirefox}}), visitor);
}

TEST_F(VisitorTest, ATrustedProxyTellsTheAddress) {
  const Visitor visitor = Find(kProxy, {{"User-Agent", kFirefox}, {"X-Forwarded-For", "198.51.100.1, 203.0.113.9"}});
  EXPECT_EQ(visitor.viewer, Viewer(kSomebody));
  EXPECT_EQ(Find(kProxy, {{"User-Agent", kFirefox}}).viewer, Viewer(kProxy));
}

TEST_F(VisitorTest, AnAddressThatNobodyOfUsWroteIsNotBelieved) {
  const Visitor visitor = WithAgent(kFirefox);
  for (const char* claim : {"198.51.100.1", "10.0.7.1", "rubbish", ""}) {
    EXPECT_EQ(Find(kSomebody, {{"User-Agent", kFirefox}, {"X-Forwarded-For", claim}}), visitor) << claim;
  }
}

TEST_F(VisitorTest, WhoComesThroughAProxyThatNamesNoAddressIsUnknown) {
  const Visitor visitor = Find(kProxy, {{"User-Agent", kGooglebot}, {"X-Forwarded-For", "unknown"}});
  EXPECT_EQ(visitor.viewer, 0u);
  EXPECT_TRUE(visitor.bot);
}

TEST_F(VisitorTest, ABackendsOwnAgentSaysNothing) {
  for (const char* agent : {"", "PHP/8.2", "curl/7.88.1", kGooglebot}) {
    EXPECT_EQ(Find(kBackend, {{"User-Agent", agent}}), Visitor()) << agent;
  }
}

TEST_F(VisitorTest, ABackendPassesItsVisitorOn) {
  const Fields fields = {{"User-Agent", "PHP/8.2"},
                         {std::string(kVisitorAddressField), kSomebody},
                         {std::string(kVisitorAgentField), kFirefox}};
  EXPECT_EQ(Find(kBackend, fields), WithAgent(kFirefox));
  EXPECT_EQ(Find(kBackend, {fields[1]}).viewer, Viewer(kSomebody, ""));
  // The visitor's request reached the backend through a trusted proxy.
  EXPECT_EQ(Find(kBackend, {{std::string(kVisitorAddressField), "203.0.113.9, 10.0.0.1"}, fields[2]}).viewer,
            Viewer(kSomebody));
  // The backend sends its request through a trusted proxy.
  EXPECT_EQ(Find(kProxy, {{"X-Forwarded-For", kBackend}, fields[1], fields[2]}), WithAgent(kFirefox));
}

TEST_F(VisitorTest, ABackendMayPassOnTheAgentAlone) {
  const Visitor bot = Find(kBackend, {{std::string(kVisitorAgentField), kGooglebot}});
  EXPECT_TRUE(bot.bot);
  EXPECT_EQ(bot.viewer, 0u);
  EXPECT_EQ(
      Find(kBackend, {{std::string(kVisitorAddressField), "rubbish"}, {std::string(kVisitorAgentField), kFirefox}}),
      Visitor());
}

TEST_F(VisitorTest, OthersCannotNameAVisitor) {
  const Fields named = {{"User-Agent", kFirefox},
                        {std::string(kVisitorAddressField), "198.51.100.1"},
                        {std::string(kVisitorAgentField), kGooglebot}};
  EXPECT_EQ(Find(kSomebody, named), WithAgent(kFirefox));
  Fields forwarded = named;
  forwarded.emplace_back("X-Forwarded-For", kSomebody);
  EXPECT_EQ(Find(kProxy, forwarded), WithAgent(kFirefox));
  // A request with an Origin comes from a page in a browser, even if the browser runs on a backend's machine.
  Fields page = named;
  page.emplace_back("Origin", "https://news.example");
  EXPECT_EQ(Find(kBackend, page).viewer, Viewer(kBackend));
  EXPECT_FALSE(Find(kBackend, page).bot);
}

TEST_F(VisitorTest, BotsAreToldByTheirAgents) {
  for (const char* agent : {kGooglebot, "curl/7.88.1", "Mozilla/5.0 (X11) HeadlessChrome/140.0.0.0 Safari/537.36"}) {
    const Visitor visitor = WithAgent(agent);
    EXPECT_TRUE(visitor.bot) << agent;
    EXPECT_FALSE(visitor.rejected);
    EXPECT_EQ(visitor.viewer, Viewer(kSomebody, agent));
  }
  EXPECT_FALSE(WithAgent("").bot);
}

TEST_F(VisitorTest, WhatABrowserAsksAheadDoesNotCount) {
  for (const auto& [name, value] :
       {std::pair("Sec-Purpose", "prefetch"), std::pair("sec-purpose", "prefetch;prerender"),
        std::pair("Purpose", "preview"), std::pair("X-moz", "PREFETCH")}) {
    EXPECT_EQ(Find(kSomebody, {{"User-Agent", kFirefox}, {name, value}}).rejected, RejectReason::kPrefetch) << name;
    EXPECT_EQ(Find(kBackend, {{name, value}}).rejected, RejectReason::kPrefetch)
        << name << ": a backend may pass it on";
  }
  EXPECT_EQ(Find(kSomebody, {{"Purpose", "other"}, {"Purpose", "prefetch"}}).rejected, RejectReason::kPrefetch);
  EXPECT_FALSE(Find(kSomebody, {{"Sec-Purpose", "other"}, {"X-Purpose", "prefetch"}}).rejected);
}

TEST_F(VisitorTest, OfALongAgentOnlyTheBeginningCounts) {
  const std::string beginning(limits::kAgentBytesMax, 'a');
  EXPECT_EQ(WithAgent(beginning + std::string(60 << 10, 'b')), WithAgent(beginning));
  EXPECT_EQ(WithAgent(beginning + kGooglebot), WithAgent(beginning));
}

TEST_F(VisitorTest, AnyBytesAreAnAgent) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 2'000; ++i) {
    std::string agent(1 + random() % 300, ' ');
    for (char& byte : agent) byte = static_cast<char>(random());
    HttpFields fields;
    fields.set(http::field::user_agent, agent);
    const Visitor visitor = finder_.Find(fields, {.address = make_address(kSomebody)}, site_);
    ASSERT_NE(visitor.viewer, 0u);
    ASSERT_EQ(visitor.bot, Patterns().IsBot(std::string_view(fields[http::field::user_agent])));
  }
}

TEST_F(VisitorTest, ForHalfAnHourAVisitorIsKnownByYesterdaysSaltToo) {
  const uint64_t yesterday = WithAgent(kFirefox).viewer;
  clock_.Advance(kToMidnight);
  const Visitor visitor = WithAgent(kFirefox);
  EXPECT_EQ(visitor.previous_viewer, yesterday);
  EXPECT_EQ(visitor.viewer, ViewerHash(tomorrow_, site_.name, make_address(kSomebody), kFirefox));
  clock_.Advance(limits::kVisitPause);
  EXPECT_EQ(WithAgent(kFirefox).viewer, visitor.viewer);
  EXPECT_EQ(WithAgent(kFirefox).previous_viewer, 0u);
}

TEST_F(VisitorTest, WithoutTodaysSaltNobodyIsKnown) {
  clock_.Advance(kToMidnight + 24h);
  EXPECT_EQ(WithAgent(kFirefox), Visitor()) << "though yesterday's is there";
  EXPECT_TRUE(WithAgent(kGooglebot).bot);
  EXPECT_EQ(Find(kSomebody, {}), Visitor());
}

TEST_F(VisitorTest, SitesDoNotShareViewers) {
  Site other = *MakeSite("other", {"UTC"});
  other.index = SiteIndex{1};
  salts_.Put(other, kToday, today_);
  HttpFields fields;
  fields.set(http::field::user_agent, kFirefox);
  EXPECT_NE(finder_.Find(fields, {.address = make_address(kSomebody)}, other).viewer, Viewer(kSomebody));
}

// For every beacon that the fast path takes, it must find the same visitor as the general route.
TEST_F(VisitorTest, BothWaysFindTheSame) {
  static constexpr std::string_view kLines[] = {
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
      "User-Agent: curl/7.88.1",
      "user-agent:   Googlebot/2.1  ",
      "User-Agent:",
      "X-Forwarded-For: 203.0.113.9",
      "X-Forwarded-For: 198.51.100.1 ,203.0.113.9, 10.0.0.2",
      "x-forwarded-for: 10.0.7.1",
      "X-Forwarded-For: rubbish, 10.0.0.2",
      "X-Forwarded-For: 203.0.113.9,",
      "X-Forwarded-For:",
      "Origin: https://news.example",
      "Referer: https://news.example/a",
      "Sec-Purpose: prefetch",
      "Purpose: other",
      "X-Viewcount-Visitor-Address: 198.51.100.1",
      "X-Viewcount-Visitor-Agent: Googlebot/2.1",
      "Accept: */*",
  };
  std::mt19937_64 random(TestSeed());
  int taken = 0;
  for (int i = 0; i < 50'000; ++i) {
    if (i == 25'000) clock_.Advance(kToMidnight);
    std::string request = "POST /v1/sites/portal/views HTTP/1.1\r\nHost: test\r\n";
    for (auto lines = random() % 4; lines > 0; --lines) {
      request.append(kLines[random() % std::size(kLines)]).append("\r\n");
    }
    request += "Content-Length: 17\r\n\r\n{\"articleId\":\"a\"}";
    const auto beacon = ReadBeacon(request);
    if (!beacon) continue;
    ++taken;
    http::request_parser<http::string_body> parser;
    parser.eager(true);
    beast::error_code error;
    parser.put(boost::asio::buffer(request), error);
    ASSERT_TRUE(!error && parser.is_done()) << request << error;
    const HttpFields& fields = parser.get();
    for (const char* peer : {kProxy, kBackend, kSomebody, "::ffff:10.0.0.1"}) {
      const Client client = trust_.Find(fields, make_address(peer));
      ASSERT_EQ(finder_.Find(*beacon, client, site_), finder_.Find(fields, client, site_)) << peer << " " << request;
      const auto forwarded_for =
          beacon->forwarded_for.empty() ? std::nullopt : std::optional<std::string_view>(beacon->forwarded_for);
      const Client fast_path = trust_.Find(forwarded_for, !beacon->origin.empty(), make_address(peer));
      ASSERT_EQ(fast_path.address, client.address) << peer << " " << request;
      ASSERT_EQ(fast_path.known, client.known) << peer << " " << request;
      ASSERT_EQ(fast_path.trusted_backend, client.trusted_backend) << peer << " " << request;
    }
  }
  EXPECT_GT(taken, 5'000);
}

}  // namespace
}  // namespace viewcount
