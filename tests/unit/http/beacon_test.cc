// Tests ReadBeacon(), the reader of the fast path. The tests check which requests it takes, and which it leaves to
// the general parser. The general parser must read every request that ReadBeacon() takes in the same way.
#include "service/http/beacon.h"

#include <gtest/gtest.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <random>
#include <string>
#include <string_view>

#include "service/base/limits.h"
#include "service/http/visitor.h"
#include "service/visitors/request_purpose.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::string_view kBody = R"({"articleId":"/news/4711"})";

std::string Request(const std::string& fields, std::string_view body = kBody) {
  return "POST /v1/sites/portal/views HTTP/1.1\r\nHost: test\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(Beacon, IsReadAsCountJsSendsIt) {
  const std::string request = Request(
      "Connection: keep-alive\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nContent-Type: "
      "text/plain;charset=UTF-8\r\n"
      "Accept: */*\r\noRIGIN:  https://news.example \r\nReferer: https://news.example/\r\n"
      "x-forwarded-FOR: 198.51.100.7, 203.0.113.9\r\n");
  const std::string received = request + "POST and so on";
  const auto beacon = ReadBeacon(received);
  ASSERT_TRUE(beacon);
  EXPECT_EQ(beacon->site, "portal");
  EXPECT_EQ(beacon->article_id, "/news/4711");
  EXPECT_EQ(beacon->origin, "https://news.example");
  EXPECT_EQ(beacon->referer, "https://news.example/");
  EXPECT_EQ(beacon->agent, "Mozilla/5.0 (X11; Linux x86_64)");
  EXPECT_EQ(beacon->forwarded_for, "198.51.100.7, 203.0.113.9");
  EXPECT_EQ(beacon->bytes, request.size());
}

TEST(Beacon, MayHaveAnAddress) {
  const std::string requested = Request("", R"({"address":"https://a.example/news?id=1"})");
  const auto beacon = ReadBeacon(requested);
  ASSERT_TRUE(beacon);
  EXPECT_EQ(beacon->article_id, "");
  EXPECT_EQ(beacon->address, "https://a.example/news?id=1");
  EXPECT_EQ(beacon->address_kind, AddressKind::kRequested);
  const std::string canonical = Request("", R"({"canonicalAddress":"/news?v=1"})");
  EXPECT_EQ(ReadBeacon(canonical)->address, "/news?v=1");
  EXPECT_EQ(ReadBeacon(canonical)->address_kind, AddressKind::kCanonical);
}

TEST(Beacon, ThatIsNotThereAsAWholeIsLeft) {
  const std::string request = Request("Origin: https://news.example\r\n");
  for (size_t size = 0; size < request.size(); ++size) EXPECT_FALSE(ReadBeacon(request.substr(0, size))) << size;
  EXPECT_TRUE(ReadBeacon(request));
}

TEST(Beacon, WhatFramesOrCountsInAnotherWayIsLeft) {
  for (const char* fields :
       {"Host: other\r\n", "Content-Length: 26\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n",
        "Connection: close\r\n", "Connection: upgrade\r\n", "Upgrade: h2c\r\n", "Proxy-Connection: close\r\n",
        "Origin: a\r\nOrigin: b\r\n", "Referer: a\r\nreferer: b\r\n", "Origin: \xC3\xA9\r\n", "X : y\r\n", ": y\r\n",
        "X: y\r\n z\r\n", "X: y\n", "X: \x01\r\n", "X: a\rb\r\n", "X\r\n"}) {
    EXPECT_FALSE(ReadBeacon(Request(fields))) << fields;
  }
  EXPECT_FALSE(ReadBeacon("POST /v1/sites/portal/views HTTP/1.1\r\nContent-Length: 26\r\n\r\n" + std::string(kBody)));
  EXPECT_FALSE(
      ReadBeacon("POST /v1/sites/portal/views HTTP/1.0\r\nHost: a\r\nContent-Length: 26\r\n\r\n" + std::string(kBody)));
}

TEST(Beacon, WhatSaysMoreOfWhoLooksIsLeft) {
  for (const std::string_view name : kPurposeFields) {
    EXPECT_FALSE(ReadBeacon(Request(std::string(name) + ": prefetch\r\n"))) << name;
    EXPECT_FALSE(ReadBeacon(Request(std::string(name) + ": something\r\n"))) << name;
  }
  for (const std::string_view name : {kVisitorAddressField, kVisitorAgentField}) {
    EXPECT_FALSE(ReadBeacon(Request(std::string(name) + ": 203.0.113.9\r\n"))) << name;
  }
  for (const char* fields : {"sEC-pURPOSE: prefetch\r\n", "x-viewcount-VISITOR-agent:\r\n",
                             "User-Agent: a\r\nuser-agent: b\r\n", "User-Agent:\r\n", "User-Agent: \xC3\xA9\r\n",
                             "X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n", "X-Forwarded-For: \r\n"}) {
    EXPECT_FALSE(ReadBeacon(Request(fields))) << fields;
  }
  const std::string agent(limits::kAgentBytesMax, 'a');
  EXPECT_EQ(ReadBeacon(Request("User-Agent: " + agent + "\r\n"))->agent, agent);
  EXPECT_FALSE(ReadBeacon(Request("User-Agent: " + agent + "a\r\n")));
}

TEST(Beacon, BodiesOfAnotherShapeAreLeft) {
  for (const char* body : {"", "{}", R"({"articleId":"})", R"({"articleId": "a"})", R"({"articleId":"a","bot":true})",
                           R"({"articleId":"\u0061"})", "{\"articleId\":\"\xC3\xA9\"}", "{\"articleId\":\"\x7F\"}",
                           R"({"articleId":"a"} )", R"({"article_id":"a"})", R"({"address":""})", R"({"articleId":""})",
                           R"({"address":"a","articleId":"b"})", R"({"views":[{"articleId":"a"}]})"}) {
    EXPECT_FALSE(ReadBeacon(Request("", body))) << body;
  }
}

// Replaces, removes or inserts bytes of a request at random.
std::string Mutate(std::string request, std::mt19937_64& random) {
  static constexpr std::string_view kPieces[] = {"\r\n",
                                                 "\n",
                                                 "\r",
                                                 ":",
                                                 " ",
                                                 "\t",
                                                 "\"",
                                                 "\\",
                                                 "/",
                                                 "?",
                                                 "0",
                                                 "9",
                                                 "+",
                                                 "\x80",
                                                 "\x01",
                                                 "%41",
                                                 "Host: ",
                                                 "Content-Length: ",
                                                 "\x7F",
                                                 "\r\n\r\n",
                                                 "Origin: a\r\n",
                                                 ",",
                                                 "-",
                                                 "Purpose: prefetch\r\n",
                                                 "\r\nX-Moz: prefetch\r\n",
                                                 "\r\nX-Forwarded-For: 203.0.113.10\r\n",
                                                 "\r\nX-Viewcount-Visitor-Agent: b\r\n"};
  for (auto changes = random() % 3 + 1; changes > 0; --changes) {
    const size_t at = random() % request.size();
    const std::string_view piece = kPieces[random() % std::size(kPieces)];
    request.replace(at, random() % 3, piece);
  }
  return request;
}

TEST(Beacon, IsReadAsTheGeneralParserReadsIt) {
  std::mt19937_64 random(TestSeed());
  const std::string original = Request(
      "User-Agent: Mozilla/5.0\r\nOrigin: https://news.example\r\nReferer: https://news.example/a\r\n"
      "X-Forwarded-For: 203.0.113.9, 10.0.0.5\r\n");
  int taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string request = Mutate(original, random);
    const auto beacon = ReadBeacon(request);
    if (!beacon) continue;
    ++taken;
    http::request_parser<http::string_body> parser;
    parser.eager(true);
    beast::error_code error;
    const size_t size = parser.put(boost::asio::buffer(request), error);
    ASSERT_TRUE(!error && parser.is_done()) << request << error;
    const auto& general = parser.get();
    ASSERT_EQ(beacon->bytes, size) << request;
    ASSERT_EQ("/v1/sites/" + std::string(beacon->site) + "/views", general.target()) << request;
    ASSERT_EQ(beacon->origin, std::string_view(general[http::field::origin])) << request;
    ASSERT_EQ(beacon->referer, std::string_view(general[http::field::referer])) << request;
    ASSERT_EQ(beacon->agent, std::string_view(general[http::field::user_agent])) << request;
    ASSERT_EQ(beacon->forwarded_for, ListOf(general, "X-Forwarded-For").value_or("")) << request;
    ASSERT_TRUE(general.count("X-Forwarded-For") == 0 || !beacon->forwarded_for.empty()) << request;
    ASSERT_LE(general.count(http::field::user_agent), 1u) << request;
    for (const std::string_view name : kPurposeFields) ASSERT_EQ(general.count(name), 0u) << request;
    for (const std::string_view name : {kVisitorAddressField, kVisitorAgentField})
      ASSERT_EQ(general.count(name), 0u) << request;
    ASSERT_EQ(general.body(), "{\"articleId\":\"" + std::string(beacon->article_id) + "\"}") << request;
    ASSERT_TRUE(general.keep_alive() && general.count(http::field::host) == 1) << request;
  }
  EXPECT_GT(taken, 1'000);
}

}  // namespace
}  // namespace viewcount
