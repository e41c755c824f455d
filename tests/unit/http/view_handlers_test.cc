// Tests how HTTP view requests arrive in the journal, and to which viewer each view is attributed. The fast path
// and the general route must agree.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "service/base/store_thread.h"
#include "service/http/beacon_route.h"
#include "service/http/view_routes.h"
#include "service/lane/view_record.h"
#include "service/visitors/viewer_hash.h"
#include "tests/support/memory_store.h"
#include "tests/unit/http/http_fixture.h"
#include "tests/unit/lane/lane_rig.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace {

using boost::asio::ip::make_address;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint32_t kViewsPerSecond = 5;
constexpr uint32_t kArticlesPerMinute = 1;

// The rig's clock begins on this day.
constexpr uint32_t kFirstDay = 20261122;
constexpr char kBrowser[] = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
constexpr char kAgent[] = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0\r\n";
constexpr char kBotAgent[] = "User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1)\r\n";
// The test acts as a trusted proxy and forwards requests for a visitor and for a backend.
constexpr char kForSomebody[] = "X-Forwarded-For: 203.0.113.9\r\n";
constexpr char kForBackend[] = "X-Forwarded-For: 10.0.7.1\r\n";
constexpr char kNamed[] = "X-Viewcount-Visitor-Address: 203.0.113.9\r\n";
// The fast path takes the first body. The blank in the second body sends it to the general route.
constexpr char kBeacon[] = R"({"articleId":"a"})";
constexpr char kSameView[] = R"({"articleId": "a"})";

std::string Post(const std::string& fields, const std::string& body) {
  return "POST /v1/sites/demo/views HTTP/1.1\r\nHost: test\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

using NoCounts = boost::asio::awaitable<std::optional<v1::WatchCountsResponse>>;

// Holds a view as it was journaled.
struct Journaled {
  std::string article_id;
  uint64_t viewer = 0;
  bool bot = false;

  bool operator==(const Journaled&) const = default;
};

void PrintTo(const Journaled& view, std::ostream* out) {
  *out << view.article_id << " " << view.viewer << (view.bot ? " bot" : "");
}

class ViewHandlersTest : public HttpServerTest {
 protected:
  ViewHandlersTest() {
    salts_.Put(*rig_.site, kFirstDay, salt_);
    rig_.lane->ApplySite(rig_.site);
    rig_.lane->Start();
    const FirstCounts none = [](std::shared_ptr<const Site>, const v1::WatchCountsRequest&) -> NoCounts {
      co_return std::nullopt;
    };
    AddViewRoutes(routes_, ingestor_, trust_, visitors_, admission_, none);
    router_.AddFastPath(MakeBeaconRoute(rig_.sites, ingestor_, trust_, visitors_, admission_));
    Start();
  }
  // Stops the server before the objects that its handlers use are destroyed.
  ~ViewHandlersTest() override { server_->Stop(); }

  // Returns the answer's first line and its body.
  std::string Ask(const std::string& request) {
    HttpClient client(port());
    EXPECT_TRUE(client.Send(request));
    const std::string answer = client.Receive();
    return answer.substr(0, answer.find('\r')) + " " + answer.substr(answer.find("\r\n\r\n") + 4);
  }
  // Returns the views of the requests that were answered since the last call.
  std::vector<Journaled> Take() {
    std::vector<Journaled> views;
    auto reader = JournalReader::Open(rig_.disk, LaneRig::kFolder, LaneRig::kLane, taken_, rig_.journal->end());
    EXPECT_TRUE(reader.ok()) << reader.status();
    Record record;
    while (*reader->Next(record)) {
      if (record.end <= taken_ || record.type != RecordType::kViews) continue;
      v1::RecordViewsRequest request;
      const auto payload = ParseViewsPayload(record.payload);
      EXPECT_TRUE(payload.ok() && request.ParseFromString(std::string(payload->request)));
      for (const v1::View& view : request.views()) views.push_back({view.article_id(), view.viewer(), view.bot()});
    }
    taken_ = rig_.journal->end();
    return views;
  }
  std::vector<Journaled> Send(const std::string& fields, const std::string& body) {
    EXPECT_THAT(Ask(Post(fields, body)), HasSubstr("200 OK"));
    return Take();
  }
  uint64_t Viewer(const std::string& address, const std::string& agent = kBrowser) const {
    return ViewerHash(salt_, "demo", make_address(address), agent);
  }
  double Rejected(RejectReason reason) { return rig_.metrics.Rejected(reason).Value(); }
  double Prefetched() { return Rejected(RejectReason::kPrefetch); }
  void PutSite(const SiteSettings& settings) { ASSERT_TRUE(rig_.sites.Put(*MakeSite("demo", settings)).ok()); }

  const ViewerSalt salt_ = RandomId<ViewerSalt>();
  LaneRig rig_;
  ViewerSalts salts_;
  const BotPatterns bots_;
  ClientTrust trust_{{.proxies = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.1"}),
                      .backends = *AddressRanges::Parse(std::vector<std::string>{"10.0.7.0/24"})}};
  VisitorFinder visitors_{{trust_, bots_, salts_, rig_.clock}};
  MemoryStore store_{{}};
  CountCache cache_{{{rig_.ledger.get(), RandomId<Incarnation>()}}};
  CountReader counts_{store_, cache_, rig_.clock};
  ArticleCatalog catalog_{rig_.sites, store_, rig_.clock};
  StoreThread store_thread_;
  BrowserAdmission admission_{{.counts = counts_,
                               .catalog = catalog_,
                               .store = store_thread_.executor(),
                               .clock = rig_.clock,
                               .views_per_second = kViewsPerSecond,
                               .articles_per_minute = kArticlesPerMinute}};
  Ingestor ingestor_{{rig_.lane.get()}, rig_.sites, rig_.clock, rig_.metrics};
  SiteRoutes routes_{router_, rig_.sites};
  Position taken_;
};

TEST_F(ViewHandlersTest, ViewsSayWhoseTheyAre) {
  EXPECT_THAT(Send(std::string(kAgent) + kForSomebody, kBeacon), ElementsAre(Journaled{"a", Viewer("203.0.113.9")}));
  EXPECT_THAT(Send(std::string(kAgent), kBeacon), ElementsAre(Journaled{"a", Viewer("127.0.0.1")}));
  EXPECT_THAT(Send(std::string(kAgent) + kForSomebody, R"({"views":[{"articleId":"a"},{"articleId":"b"}]})"),
              ElementsAre(Journaled{"a", Viewer("203.0.113.9")}, Journaled{"b", Viewer("203.0.113.9")}));
}

TEST_F(ViewHandlersTest, BothWaysWriteTheSame) {
  for (const char* fields : {"", kAgent, kBotAgent, kForSomebody, kForBackend, kNamed, "X-Forwarded-For: rubbish\r\n",
                             "Origin: https://news.example\r\n", "User-Agent: a\r\nUser-Agent: b\r\n",
                             "X-Viewcount-Visitor-Agent: Googlebot/2.1\r\n"}) {
    for (const char* more : {"", kAgent, kBotAgent, kForSomebody, kForBackend}) {
      const std::string both = std::string(fields) + more;
      const auto views = Send(both, kBeacon);
      EXPECT_THAT(views, SizeIs(1)) << both;
      EXPECT_EQ(views, Send(both, kSameView)) << both;
    }
  }
}

TEST_F(ViewHandlersTest, EqualBrowsersOfOneAddressDifferByLanguageHintsAndSession) {
  const std::string fields = std::string(kAgent) +
                             "Accept-Language: vi,en;q=0.8\r\nSec-CH-UA: Chromium\r\nSec-CH-UA-Mobile: ?1\r\n"
                             "Sec-CH-UA-Platform: Android\r\n";
  ViewerTraits traits{.languages = "vi,en;q=0.8", .brands = "Chromium", .mobile = "?1", .platform = "Android"};
  const auto viewer = [&] { return ViewerHash(salt_, "demo", make_address("127.0.0.1"), kBrowser, traits); };
  for (const char* body : {kBeacon, kSameView}) {
    EXPECT_THAT(Send(fields, body), ElementsAre(Journaled{"a", viewer(), false}));
  }
  std::string with_session = Post(fields, kBeacon);
  with_session.insert(with_session.find(" HTTP"), "?session=123");
  EXPECT_THAT(Ask(with_session), HasSubstr("403 Forbidden"));
  PutSite({.session_viewers = true});
  EXPECT_THAT(Ask(with_session), HasSubstr("200 OK"));
  traits.session = "123";
  EXPECT_THAT(Take(), ElementsAre(Journaled{"a", viewer(), false}));
}

TEST_F(ViewHandlersTest, ABackendPassesOnItsVisitorsSession) {
  PutSite({.session_viewers = true});
  std::string request = Post(std::string(kForBackend) + "X-Viewcount-Visitor-Address: 192.0.2.9\r\n" +
                                 "X-Viewcount-Visitor-Agent: " + kBrowser + "\r\n",
                             kBeacon);
  request.insert(request.find(" HTTP"), "?session=123");
  EXPECT_THAT(Ask(request), HasSubstr("200 OK"));
  const uint64_t viewer = ViewerHash(salt_, "demo", make_address("192.0.2.9"), kBrowser, {.session = "123"});
  EXPECT_THAT(Take(), ElementsAre(Journaled{"a", viewer, false}));
}

TEST_F(ViewHandlersTest, AddressesNameArticlesOnBothWays) {
  PutSite({.articles = {.parameters = {"Tin"}, .fold_case = true}});
  for (const char* body : {R"({"address":"/Xem.php?tin=1&utm_source=x#a"})", R"({"address": "/xem.php?TIN=1"})",
                           R"({"canonicalAddress":"https://a.example/xem.php?tin=1"})"}) {
    EXPECT_THAT(Send(kAgent, body), ElementsAre(Journaled{"/xem.php?Tin=1", Viewer("127.0.0.1"), false})) << body;
  }
  EXPECT_THAT(Send(kAgent, R"({"canonicalAddress":"/xem.php?b=2&a"})"),
              ElementsAre(Journaled{"/xem.php?a&b=2", Viewer("127.0.0.1"), false}));
  for (const char* body : {R"({"address":"/wp-login.php"})", R"({"address": "/WP-login.php"})"}) {
    EXPECT_THAT(Send(kAgent, body), IsEmpty()) << body;
  }
  EXPECT_EQ(Rejected(RejectReason::kExcludedPath), 2);
  EXPECT_THAT(Ask(Post(kAgent, R"({"address":"xem.php"})")), HasSubstr("400 Bad Request"));
  EXPECT_EQ(Rejected(RejectReason::kInvalid), 1);
}

TEST_F(ViewHandlersTest, ABrowsersRequestCountsOneViewOfAnArticle) {
  const std::string twice = R"({"views":[{"articleId":"a"},{"articleId":"b"},{"articleId":"a"}]})";
  EXPECT_THAT(Ask(Post(std::string(kAgent) + kForSomebody, twice)), HasSubstr("403 Forbidden"));
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(Rejected(RejectReason::kNotTrusted), 3);
  EXPECT_THAT(Send(kForBackend, twice), SizeIs(3));
}

TEST_F(ViewHandlersTest, ABeaconOfAPageThatHidesItsOriginCounts) {
  PutSite({.time_zone = "UTC", .allowed_origins = {"https://news.example"}});
  for (const char* body : {kBeacon, kSameView}) {
    EXPECT_THAT(Send(std::string(kAgent) + kForSomebody + "Origin: null\r\n", body), SizeIs(1));
    EXPECT_THAT(Ask(Post(std::string(kAgent) + "Origin: https://other.example\r\n", body)), HasSubstr("403 Forbidden"));
    // It is a browser's all the same.
    const std::string count = R"({"articleId":"a","count":5})";
    EXPECT_THAT(Ask(Post(std::string(kForBackend) + "Origin: null\r\n", count)), HasSubstr("403 Forbidden"));
  }
}

TEST_F(ViewHandlersTest, BotsViewsSaySo) {
  for (const char* body : {kBeacon, kSameView}) {
    const auto views = Send(std::string(kBotAgent) + kForSomebody, body);
    ASSERT_THAT(views, SizeIs(1));
    EXPECT_TRUE(views[0].bot);
  }
  EXPECT_THAT(Send(std::string(kAgent) + kForSomebody, R"({"articleId":"a","bot":true})"),
              ElementsAre(Journaled{"a", Viewer("203.0.113.9"), true}))
      << "who says so is believed";
  EXPECT_EQ(rig_.metrics.bot_views_counted.Value(), 3);
}

TEST_F(ViewHandlersTest, ABackendsViewsAreNobodysUntilItNamesSomebody) {
  for (const char* body : {kBeacon, kSameView}) {
    EXPECT_THAT(Send(std::string(kBotAgent) + kForBackend, body), ElementsAre(Journaled{"a"}));
    EXPECT_THAT(Send(std::string(kForBackend) + kNamed + "X-Viewcount-Visitor-Agent: " + kBrowser + "\r\n", body),
                ElementsAre(Journaled{"a", Viewer("203.0.113.9")}));
    EXPECT_THAT(Send(std::string(kForSomebody) + kAgent + "X-Viewcount-Visitor-Address: 198.51.100.1\r\n", body),
                ElementsAre(Journaled{"a", Viewer("203.0.113.9")}))
        << "somebody else is not believed";
  }
}

TEST_F(ViewHandlersTest, WhatABackendSaysOfAViewStays) {
  const std::string fields = std::string(kForBackend) + kNamed + "X-Viewcount-Visitor-Agent: Googlebot/2.1\r\n";
  EXPECT_THAT(
      Send(fields, R"({"views":[{"articleId":"a","viewer":"7"},{"articleId":"b","bot":true},{"articleId":"c"}]})"),
      ElementsAre(Journaled{"a", 7}, Journaled{"b", 0, true},
                  Journaled{"c", Viewer("203.0.113.9", "Googlebot/2.1"), true}));
}

TEST_F(ViewHandlersTest, WhatABrowserAsksAheadIsAnsweredAndCountsNothing) {
  const std::string fields = std::string(kAgent) + kForSomebody;
  const std::string view = Ask(Post(fields, kSameView));
  EXPECT_THAT(Take(), SizeIs(1));
  for (const char* ahead : {"Sec-Purpose: prefetch\r\n", "sec-purpose: prefetch;prerender\r\n", "Purpose: prefetch\r\n",
                            "X-Moz: prefetch\r\n"}) {
    for (const char* body : {kBeacon, kSameView}) {
      EXPECT_THAT(
          Ask(Post(fields + ahead, body)),
          HasSubstr(
              R"({"acceptedViews":"0","duplicate":false,"lastSequence":"0","durability":"DURABILITY_JOURNALED"})"));
    }
  }
  EXPECT_EQ(Prefetched(), 8);
  EXPECT_THAT(Ask(Post(fields + "Purpose: preview\r\n", R"({"views":[{"articleId":"a"},{"articleId":"b"}]})")),
              HasSubstr("200 OK"));
  EXPECT_EQ(Prefetched(), 10);
  EXPECT_EQ(rig_.metrics.views_received.Value(), 11);
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(ViewHandlersTest, AheadOrNotWhatIsForbiddenIsRefused) {
  const std::string fields = std::string(kForSomebody) + "Sec-Purpose: prefetch\r\n";
  EXPECT_THAT(Ask(Post(fields, R"({"articleId":"a","count":2})")), HasSubstr("403 Forbidden"));
  EXPECT_THAT(Ask(Post(fields, "no view")), HasSubstr("400 Bad Request"));
  EXPECT_EQ(Prefetched(), 0);
}

// A writer numbers its batches, so an omitted batch would leave a gap in its sequence.
TEST_F(ViewHandlersTest, AWritersBatchCountsInAnyCase) {
  const std::string batch = R"({"writerId":"MDEyMzQ1Njc4OWFiY2RlZg==","sequence":"1","views":[{"articleId":"a"}]})";
  EXPECT_THAT(Send(std::string(kForBackend) + "Purpose: prefetch\r\n", batch), ElementsAre(Journaled{"a"}));
}

TEST_F(ViewHandlersTest, ThePixelsViewsSayWhoseTheyAre) {
  const std::string pixel = "/v1/sites/demo/pixel.gif?article=a";
  EXPECT_THAT(Ask(Get(pixel, std::string(kAgent) + kForSomebody)), HasSubstr("GIF89a"));
  EXPECT_THAT(Take(), ElementsAre(Journaled{"a", Viewer("203.0.113.9")}));
  EXPECT_THAT(Ask(Get(pixel, std::string(kBotAgent) + kForSomebody)), HasSubstr("GIF89a"));
  EXPECT_TRUE(Take().at(0).bot);
  EXPECT_THAT(Ask(Get(pixel, std::string(kBotAgent) + kForBackend)), HasSubstr("GIF89a"));
  EXPECT_THAT(Take(), ElementsAre(Journaled{"a"}));
  EXPECT_THAT(Ask(Get(pixel, std::string(kAgent) + kForSomebody + "Sec-Purpose: prefetch\r\n")), HasSubstr("GIF89a"));
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(Prefetched(), 1);
}

TEST_F(ViewHandlersTest, ExcludedAddressesAreAnsweredAndCountNothing) {
  PutSite({.excluded_addresses = {"203.0.113.0/24"}});
  for (const char* fields :
       {kForSomebody, "X-Forwarded-For: 203.0.113.200\r\n", "X-Forwarded-For: ::ffff:203.0.113.1\r\n"}) {
    for (const char* body : {kBeacon, kSameView}) {
      EXPECT_THAT(Ask(Post(fields, body)), HasSubstr(R"("acceptedViews":"0")"));
    }
  }
  const std::string pixel = "/v1/sites/demo/pixel.gif?article=a";
  EXPECT_THAT(Ask(Get(pixel, kForSomebody)), HasSubstr("GIF89a"));
  EXPECT_THAT(Ask(Post(std::string(kForBackend) + kNamed, kSameView)), HasSubstr(R"("acceptedViews":"0")"));
  EXPECT_EQ(Rejected(RejectReason::kExcluded), 8);
  EXPECT_THAT(Take(), IsEmpty());
  // The exclusion affects neither the backend itself nor visitors at other addresses.
  EXPECT_THAT(Send(kForBackend, kBeacon), SizeIs(1));
  EXPECT_THAT(Send("X-Forwarded-For: 203.0.114.1\r\n", kBeacon), SizeIs(1));
  PutSite({});
  EXPECT_THAT(Send(kForSomebody, kBeacon), SizeIs(1));
}

TEST_F(ViewHandlersTest, AFloodFromOneAddressIsRefused) {
  constexpr uint32_t kAtOnce = kViewsPerSecond * limits::kFloodBurst.count();
  uint32_t refused = 0;
  for (uint32_t i = 0; i < kAtOnce + 10; ++i) {
    const std::string answer = Ask(Post(kForSomebody, i % 2 == 0 ? kBeacon : kSameView));
    refused += answer.find("429 Too Many Requests") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(refused, 10u);
  EXPECT_EQ(Rejected(RejectReason::kFlood), 10);
  EXPECT_THAT(Take(), SizeIs(kAtOnce));
  EXPECT_THAT(Ask(Get("/v1/sites/demo/pixel.gif?article=a", kForSomebody)), HasSubstr("429"));
  // A spoofed address does not help a sender that is not a trusted proxy. It does not hurt the visitor at that address
  // either.
  EXPECT_THAT(Ask(Post("X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n", kBeacon)), HasSubstr("429"));
  EXPECT_THAT(Send("X-Forwarded-For: 198.51.100.7\r\n", kBeacon), SizeIs(1));
  for (uint32_t i = 0; i < kAtOnce + 10; ++i) EXPECT_THAT(Ask(Post(kForBackend, kBeacon)), HasSubstr("200 OK"));
  rig_.clock.Advance(std::chrono::seconds(1));
  EXPECT_THAT(Ask(Post(kForSomebody, kBeacon)), HasSubstr("200 OK"));
  // A batch that exceeds the budget can never be accepted, so the answer does not ask the client to try again.
  std::string views = R"({"articleId":"a"})";
  for (uint32_t i = 0; i < kAtOnce; ++i) views += fmt::format(R"(,{{"articleId":"{}"}})", i);
  const std::string answer = Ask(Post("X-Forwarded-For: 198.51.100.8\r\n", R"({"views":[)" + views + "]}"));
  EXPECT_THAT(answer, HasSubstr("403"));
  EXPECT_THAT(answer, HasSubstr("at most 50 at once"));
}

TEST_F(ViewHandlersTest, RandomArticlesAreRefusedAndKnownOnesGoOn) {
  constexpr uint32_t kAtOnce = kArticlesPerMinute * 60;
  EXPECT_THAT(Send(kForSomebody, kBeacon), SizeIs(1));
  const auto article = [](const std::string& id) { return R"({"articleId":")" + id + R"("})"; };
  const auto somebody = [](uint32_t i) { return "X-Forwarded-For: 198.51.100." + std::to_string(i % 200) + "\r\n"; };
  uint32_t refused = 0;
  for (uint32_t i = 0; i < 2 * kAtOnce; ++i) {
    const std::string answer = Ask(Post(somebody(i), article("random/" + std::to_string(i))));
    refused += answer.find("429 Too Many Requests") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(refused, kAtOnce + 1) << "one had been taken before";
  EXPECT_EQ(Rejected(RejectReason::kNewArticles), refused);
  EXPECT_THAT(Take(), SizeIs(kAtOnce - 1));
  for (const char* body : {kBeacon, kSameView}) EXPECT_THAT(Send(kForSomebody, body), SizeIs(1));
  EXPECT_THAT(Ask(Post(kForSomebody, R"({"views":[{"articleId":"a"},{"articleId":"new"}]})")), HasSubstr("429"));
  EXPECT_THAT(Send(kForBackend, article("a backend's")), SizeIs(1));
  rig_.clock.Advance(std::chrono::minutes(1));
  EXPECT_THAT(Send(kForSomebody, article("a minute later")), SizeIs(1));
  EXPECT_THAT(Ask(Post(kForSomebody, article("too soon"))), HasSubstr("429"));
}

TEST_F(ViewHandlersTest, OnlyAnnouncedArticlesCountWhereASiteWantsThat) {
  EXPECT_THAT(Send(kForSomebody, R"({"articleId":"b"})"), SizeIs(1));
  PutSite({.announced_articles_only = true});
  for (const char* id : {"a", "b"}) {
    const std::string beacon = std::string(R"({"articleId":")") + id + R"("})";
    EXPECT_THAT(Ask(Post(kForSomebody, beacon)), HasSubstr("403 Forbidden"));
  }
  EXPECT_EQ(Rejected(RejectReason::kNotAnnounced), 2);
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_THAT(Send(kForBackend, kBeacon), SizeIs(1));
  v1::PutArticlesRequest request;
  request.set_site("demo");
  request.add_articles()->set_article_id("a");
  EXPECT_TRUE(store_thread_.Spawn(catalog_.Put(request)).get().ok());
  for (const char* body : {kBeacon, kSameView}) EXPECT_THAT(Send(kForSomebody, body), SizeIs(1));
  EXPECT_THAT(Ask(Post(kForSomebody, R"({"views":[{"articleId":"a"},{"articleId":"b"}]})")), HasSubstr("403"));
}

TEST_F(ViewHandlersTest, WithoutASaltViewsCountAllTheSame) {
  salts_.RemoveBefore(*rig_.site, kFirstDay + 1);
  for (const char* body : {kBeacon, kSameView}) {
    EXPECT_THAT(Send(std::string(kAgent) + kForSomebody, body), ElementsAre(Journaled{"a"}));
  }
}

}  // namespace
}  // namespace viewcount
