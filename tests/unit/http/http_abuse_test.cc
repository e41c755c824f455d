// Tests clients that break the rules or exceed the limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/unit/http/http_fixture.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class HttpAbuseTest : public HttpServerTest {
 protected:
  // Returns the answer to `request`. The server must close the connection after it.
  std::string RefusalOf(const std::string& request) {
    HttpClient client(port());
    EXPECT_TRUE(client.Send(request));
    const std::string answer = client.Receive();
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n"));
    EXPECT_TRUE(client.IsClosed()) << answer;
    return answer;
  }
  void ExpectStillServing() {
    HttpClient client(port());
    ASSERT_TRUE(client.Send(Get("/hello")));
    EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 200 "));
  }
};

TEST_F(HttpAbuseTest, BodyOfTheLimitIsTakenAndOneMoreIsNot) {
  Start({.body_bytes_max = 1'000});
  const auto post = [](size_t size) {
    return "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'x');
  };
  HttpClient client(port());
  ASSERT_TRUE(client.Send(post(1'000)));
  EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(RefusalOf(post(1'001)), AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("1000 bytes")));
}

TEST_F(HttpAbuseTest, RefusalOfALargeBodyIsReadInSpiteOfWhatIsStillSent) {
  Start();
  const size_t size = 10 * limits::kHttpBodyBytesMax;
  EXPECT_THAT(RefusalOf("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
                        std::string(size, 'x')),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpAbuseTest, ChunksBeyondTheBodyLimitAreRefused) {
  Start({.body_bytes_max = 10});
  EXPECT_THAT(RefusalOf("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "8\r\nabcdefgh\r\n8\r\nabcdefgh\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpAbuseTest, HeaderBeyondItsLimitIsRefused) {
  Start();
  const auto header = [](size_t size) { return Get("/hello", "X: " + std::string(size, 'x') + "\r\n"); };
  HttpClient client(port());
  ASSERT_TRUE(client.Send(header(limits::kHttpHeaderBytesMax - 100)));
  EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(RefusalOf(header(limits::kHttpHeaderBytesMax)), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(RefusalOf(header(20 * limits::kHttpHeaderBytesMax)), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(RefusalOf("GET /" + std::string(limits::kHttpHeaderBytesMax, 'x') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpAbuseTest, WhatIsNoHttpIsABadRequest) {
  Start();
  for (const char* request :
       {"nonsense\r\n\r\n", "GET /hello\r\n\r\n", "GET /hello HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n", "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03",
        "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_THAT(RefusalOf(request), StartsWith("HTTP/1.1 400 ")) << request;
  }
  ExpectStillServing();
}

TEST_F(HttpAbuseTest, TwoLengthsOfOneBodyAreABadRequest) {
  Start();
  const std::string smuggled = "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const char* fields :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: identity\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"}) {
    EXPECT_THAT(RefusalOf(std::string("POST /echo HTTP/1.1\r\nHost: x\r\n") + fields + "\r\n" + smuggled),
                StartsWith("HTTP/1.1 400 "))
        << fields;
  }
}

TEST_F(HttpAbuseTest, MissingHostAndOtherVersionsAreRefused) {
  Start();
  EXPECT_THAT(RefusalOf("GET /hello HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(RefusalOf("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(RefusalOf("GET /hello HTTP/3.0\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 505 "));
}

TEST_F(HttpAbuseTest, SlowSenderIsCutOffHoweverSteadilyItSends) {
  Start({.request_timeout = milliseconds(200)});
  HttpClient client(port());
  const auto start = steady_clock::now();
  ASSERT_TRUE(client.Send("GET /hello HTTP/1.1\r\nHost: "));
  // The client sends a byte every 20 ms. Each single byte is in time.
  while (client.Send("x")) {
    ASSERT_LT(steady_clock::now() - start, std::chrono::seconds(10));
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_GE(steady_clock::now() - start, milliseconds(200));
  ExpectStillServing();
}

TEST_F(HttpAbuseTest, SlowBodyIsCutOff) {
  Start({.request_timeout = milliseconds(50)});
  HttpClient client(port());
  ASSERT_TRUE(client.Send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc"));
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpAbuseTest, ReaderThatTakesNothingIsCutOff) {
  Start({.request_timeout = milliseconds(50)});
  HttpClient client(port());
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 60000\r\n\r\n" + std::string(60'000, 'x');
  // The answers fill the sockets' buffers until the server's time-out for writing expires.
  const auto start = steady_clock::now();
  while (client.Send(request)) ASSERT_LT(steady_clock::now() - start, std::chrono::seconds(10));
  ExpectStillServing();
}

TEST_F(HttpAbuseTest, IdleConnectionIsClosedBeforeAndBetweenRequests) {
  Start({.idle_timeout = milliseconds(50)});
  HttpClient silent(port());
  EXPECT_TRUE(silent.IsClosed());
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/hello")));
  EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpAbuseTest, HalfARequestAndAnEndAreNoTrouble) {
  Start();
  for (const char* part :
       {"", "G", "GET / HTTP/1.1\r\n", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"}) {
    HttpClient client(port());
    ASSERT_TRUE(client.Send(part));
  }
  ExpectStillServing();
}

}  // namespace
}  // namespace viewcount
