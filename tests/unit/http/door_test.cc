// What the HTTP door makes of requests, as it stands in the journal afterwards: whose views they are, and that both
// ways through the server agree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "service/http/beacon_route.h"
#include "service/http/view_routes.h"
#include "service/lane/view_record.h"
#include "service/visitors/viewer_hash.h"
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

// The rig's clock begins on that day.
constexpr uint32_t kToday = 20261122;
constexpr char kFirefox[] = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
constexpr char kAgent[] = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0\r\n";
constexpr char kBotAgent[] = "User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1)\r\n";
// Through the proxy that the test is: for somebody, and for a backend.
constexpr char kForSomebody[] = "X-Forwarded-For: 203.0.113.9\r\n";
constexpr char kForBackend[] = "X-Forwarded-For: 10.0.7.1\r\n";
constexpr char kNamed[] = "X-Viewcount-Visitor-Address: 203.0.113.9\r\n";
// With the blank it is for the general way.
constexpr char kBeacon[] = R"({"articleId":"a"})";
constexpr char kSameView[] = R"({"articleId": "a"})";

std::string Post(const std::string& fields, const std::string& body) {
  return "POST /v1/sites/demo/views HTTP/1.1\r\nHost: test\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// A view as it was journaled.
struct Journaled {
  std::string article_id;
  uint64_t viewer = 0;
  bool bot = false;

  bool operator==(const Journaled&) const = default;
};

void PrintTo(const Journaled& view, std::ostream* out) {
  *out << view.article_id << " " << view.viewer << (view.bot ? " bot" : "");
}

class DoorTest : public HttpServerTest {
 protected:
  DoorTest() {
    salts_.Put(*rig_.site, kToday, salt_);
    rig_.lane->ApplySite(rig_.site);
    rig_.lane->Start();
    AddViewRoutes(routes_, ingestor_, trust_, visitors_);
    router_.AddExpress(MakeBeaconRoute(rig_.sites, ingestor_, trust_, visitors_));
    Start();
  }
  // Before what its handlers refer to.
  ~DoorTest() override { server_->Stop(); }

  // The answer's first line and its body.
  std::string Ask(const std::string& request) {
    HttpClient client(port());
    EXPECT_TRUE(client.Send(request));
    const std::string answer = client.Receive();
    return answer.substr(0, answer.find('\r')) + " " + answer.substr(answer.find("\r\n\r\n") + 4);
  }
  // The views of the requests that were answered since the last call.
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
  uint64_t Viewer(const std::string& address, const std::string& agent = kFirefox) const {
    return ViewerHash(salt_, "demo", make_address(address), agent);
  }
  double Prefetched() { return rig_.metrics.Rejected(RejectReason::kPrefetch).Value(); }

  const ViewerSalt salt_ = RandomId<ViewerSalt>();
  LaneRig rig_;
  ViewerSalts salts_;
  const BotPatterns bots_;
  ClientTrust trust_{*AddressRanges::Parse(std::vector<std::string>{"127.0.0.1"}),
                     *AddressRanges::Parse(std::vector<std::string>{"10.0.7.0/24"})};
  VisitorFinder visitors_{{trust_, bots_, salts_, rig_.clock}};
  Ingestor ingestor_{{rig_.lane.get()}, rig_.sites, rig_.clock, rig_.metrics};
  SiteRoutes routes_{router_, rig_.sites};
  Position taken_;
};

TEST_F(DoorTest, ViewsSayWhoseTheyAre) {
  EXPECT_THAT(Send(std::string(kAgent) + kForSomebody, kBeacon), ElementsAre(Journaled{"a", Viewer("203.0.113.9")}));
  EXPECT_THAT(Send(std::string(kAgent), kBeacon), ElementsAre(Journaled{"a", Viewer("127.0.0.1")}));
  EXPECT_THAT(Send(std::string(kAgent) + kForSomebody, R"({"views":[{"articleId":"a"},{"articleId":"b"}]})"),
              ElementsAre(Journaled{"a", Viewer("203.0.113.9")}, Journaled{"b", Viewer("203.0.113.9")}));
}

TEST_F(DoorTest, BothWaysWriteTheSame) {
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

TEST_F(DoorTest, BotsViewsSaySo) {
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

TEST_F(DoorTest, ABackendsViewsAreNobodysUntilItNamesSomebody) {
  for (const char* body : {kBeacon, kSameView}) {
    EXPECT_THAT(Send(std::string(kBotAgent) + kForBackend, body), ElementsAre(Journaled{"a"}));
    EXPECT_THAT(Send(std::string(kForBackend) + kNamed + "X-Viewcount-Visitor-Agent: " + kFirefox + "\r\n", body),
                ElementsAre(Journaled{"a", Viewer("203.0.113.9")}));
    EXPECT_THAT(Send(std::string(kForSomebody) + kAgent + "X-Viewcount-Visitor-Address: 198.51.100.1\r\n", body),
                ElementsAre(Journaled{"a", Viewer("203.0.113.9")}))
        << "somebody else is not believed";
  }
}

TEST_F(DoorTest, WhatABackendSaysOfAViewStays) {
  const std::string fields = std::string(kForBackend) + kNamed + "X-Viewcount-Visitor-Agent: Googlebot/2.1\r\n";
  EXPECT_THAT(
      Send(fields, R"({"views":[{"articleId":"a","viewer":"7"},{"articleId":"b","bot":true},{"articleId":"c"}]})"),
      ElementsAre(Journaled{"a", 7}, Journaled{"b", 0, true},
                  Journaled{"c", Viewer("203.0.113.9", "Googlebot/2.1"), true}));
}

TEST_F(DoorTest, WhatABrowserAsksAheadIsAnsweredAndCountsNothing) {
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

TEST_F(DoorTest, AheadOrNotWhatIsForbiddenIsRefused) {
  const std::string fields = std::string(kForSomebody) + "Sec-Purpose: prefetch\r\n";
  EXPECT_THAT(Ask(Post(fields, R"({"articleId":"a","count":2})")), HasSubstr("403 Forbidden"));
  EXPECT_THAT(Ask(Post(fields, "no view")), HasSubstr("400 Bad Request"));
  EXPECT_EQ(Prefetched(), 0);
}

// It numbers its batches: one that was left out would be a gap.
TEST_F(DoorTest, AWritersBatchCountsInAnyCase) {
  const std::string batch = R"({"writerId":"MDEyMzQ1Njc4OWFiY2RlZg==","sequence":"1","views":[{"articleId":"a"}]})";
  EXPECT_THAT(Send(std::string(kForBackend) + "Purpose: prefetch\r\n", batch), ElementsAre(Journaled{"a"}));
}

TEST_F(DoorTest, ThePixelsViewsSayWhoseTheyAre) {
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

TEST_F(DoorTest, WithoutASaltViewsCountAllTheSame) {
  salts_.RemoveBefore(*rig_.site, kToday + 1);
  for (const char* body : {kBeacon, kSameView}) {
    EXPECT_THAT(Send(std::string(kAgent) + kForSomebody, body), ElementsAre(Journaled{"a"}));
  }
}

}  // namespace
}  // namespace viewcount
