// Tests streaming answers (Server-Sent Events) and the ways in which they end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/unit/http/http_fixture.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// Sends `count` events of at least `bytes` bytes. Then it ends if `ends` is true, or else waits until it is closed.
class Numbers final : public EventSource {
 public:
  Numbers(const asio::any_io_executor& executor, int count, bool ends, size_t bytes, std::atomic<int>& alive)
      : timer_(executor), count_(count), ends_(ends), bytes_(bytes), alive_(alive) {
    ++alive_;
  }
  ~Numbers() override { --alive_; }

  awaitable<std::optional<std::string>> Next() override {
    if (sent_ < count_) co_return "data: " + std::to_string(++sent_) + std::string(bytes_, '.') + "\n\n";
    if (ends_ || closed_) co_return std::nullopt;
    timer_.expires_after(std::chrono::hours(1));
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return std::nullopt;
  }
  void Close() override {
    closed_ = true;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  const int count_;
  const bool ends_;
  const size_t bytes_;
  std::atomic<int>& alive_;
  int sent_ = 0;
  bool closed_ = false;
};

// A body of three pieces, one of them empty. It is whole, or cut off after them.
class Pieces final : public EventSource {
 public:
  explicit Pieces(bool whole) : whole_(whole) {}

  awaitable<std::optional<std::string>> Next() override {
    static const std::vector<std::string> kPieces = {"0123456789abcdef", "", "end"};
    if (sent_ == kPieces.size()) co_return std::nullopt;
    co_return kPieces[sent_++];
  }
  void Close() override {}
  bool has_end() const override { return true; }
  std::optional<End> TakeEnd() override {
    if (!whole_) return std::nullopt;
    return End{"Rows: 2\r\n"};
  }

 private:
  const bool whole_;
  size_t sent_ = 0;
};

class HttpEventsTest : public HttpServerTest {
 protected:
  void AddEvents(const std::string& path, int count, bool ends, size_t bytes = 0) {
    router_.Add(boost::beast::http::verb::get, path, [=, this](const HttpRequest&) -> awaitable<HttpResponse> {
      HttpResponse response;
      response.set(boost::beast::http::field::content_type, "text/event-stream");
      response.events = std::make_unique<Numbers>(co_await asio::this_coro::executor, count, ends, bytes, alive_);
      co_return response;
    });
  }
  // Returns all bytes until the server closes the connection.
  static std::string All(HttpClient& client) {
    std::string all;
    for (std::string more; !(more = client.ReceiveAny()).empty();) all += more;
    return all;
  }

  std::atomic<int> alive_ = 0;
};

TEST_F(HttpEventsTest, AreSentUntilTheyEndAndTheConnectionWithThem) {
  AddEvents("/events", 3, true);
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/events")));
  EXPECT_THAT(All(client),
              AllOf(HasSubstr("Connection: close\r\n"), Not(HasSubstr("Content-Length")),
                    HasSubstr("text/event-stream"), EndsWith("\r\n\r\ndata: 1\n\ndata: 2\n\ndata: 3\n\n")));
  EXPECT_EQ(alive_, 0);
}

TEST_F(HttpEventsTest, ABodyWithAnEndIsSentInChunks) {
  for (const bool whole : {true, false}) {
    router_.Add(boost::beast::http::verb::get, whole ? "/whole" : "/cut",
                [whole](const HttpRequest&) -> awaitable<HttpResponse> {
                  HttpResponse response;
                  response.events = std::make_unique<Pieces>(whole);
                  co_return response;
                });
  }
  Start();
  HttpClient reader(port());
  ASSERT_TRUE(reader.Send(Get("/whole")));
  EXPECT_THAT(All(reader), AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"), HasSubstr("Connection: close\r\n"),
                                 EndsWith("\r\n\r\n10\r\n0123456789abcdef\r\n3\r\nend\r\n0\r\nRows: 2\r\n\r\n")));
  HttpClient cut(port());
  ASSERT_TRUE(cut.Send(Get("/cut")));
  EXPECT_THAT(All(cut), EndsWith("\r\n\r\n10\r\n0123456789abcdef\r\n3\r\nend\r\n"));
  HttpClient old(port());
  ASSERT_TRUE(old.Send("GET /whole HTTP/1.0\r\nHost: test\r\n\r\n"));
  EXPECT_THAT(All(old), AllOf(Not(HasSubstr("chunked")), EndsWith("\r\n\r\n0123456789abcdefend")));
}

TEST_F(HttpEventsTest, HeadHasNone) {
  AddEvents("/events", 3, true);
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send("HEAD /events HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(All(client), AllOf(HasSubstr("text/event-stream"), EndsWith("\r\n\r\n")));
}

TEST_F(HttpEventsTest, EndWithTheServerAtOnce) {
  AddEvents("/events", 1, false);
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/events")));
  EXPECT_NE(client.ReceiveAny(), "");
  ASSERT_EQ(alive_, 1);
  const auto begun = std::chrono::steady_clock::now();
  server_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
  EXPECT_EQ(alive_, 0);
}

TEST_F(HttpEventsTest, EndAtOnceWhenTheReaderCloses) {
  AddEvents("/events", 1, false);
  Start();
  {
    HttpClient client(port());
    ASSERT_TRUE(client.Send(Get("/events")));
    EXPECT_NE(client.ReceiveAny(), "");
    ASSERT_EQ(alive_, 1);
  }
  EXPECT_TRUE(Eventually([&] { return alive_ == 0; }));
}

TEST_F(HttpEventsTest, WhatAReaderSendsDoesNotEndThem) {
  AddEvents("/events", 1, false);
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/events")));
  EXPECT_NE(client.ReceiveAny(), "");
  ASSERT_TRUE(client.Send(std::string(1'000, 'x')));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(alive_, 1);
}

TEST_F(HttpEventsTest, LeavePlaceForOtherRequestsOfTheirAddress) {
  AddEvents("/events", 1, false);
  Start({.connections_per_address_max = 4});
  std::vector<std::unique_ptr<HttpClient>> readers;
  const auto open = [&] {
    readers.push_back(std::make_unique<HttpClient>(port()));
    EXPECT_TRUE(readers.back()->Send(Get("/events")));
    return readers.back()->ReceiveAny();
  };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(open(), HasSubstr("200 OK"));
  EXPECT_THAT(open(), AllOf(HasSubstr("429 Too Many Requests"), HasSubstr("Retry-After: ")));
  readers.pop_back();
  EXPECT_TRUE(Eventually([&] {
    HttpClient client(port());
    return client.Send(Get("/hello")) && client.ReceiveAny().find("200 OK") != std::string::npos;
  }));
  readers.pop_back();
  EXPECT_TRUE(Eventually([&] { return alive_ == 2; }));
  EXPECT_THAT(open(), HasSubstr("200 OK"));
}

TEST_F(HttpEventsTest, LeavePlaceForOtherRequestsInAll) {
  AddEvents("/events", 1, false);
  Start({.connections_max = 4, .connections_per_address_max = 100});
  std::vector<std::unique_ptr<HttpClient>> readers;
  const auto open = [&] {
    readers.push_back(std::make_unique<HttpClient>(port()));
    EXPECT_TRUE(readers.back()->Send(Get("/events")));
    return readers.back()->ReceiveAny();
  };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(open(), HasSubstr("200 OK"));
  EXPECT_THAT(open(), AllOf(HasSubstr("503 Service Unavailable"), HasSubstr("Retry-After: ")));
}

TEST_F(HttpEventsTest, AReaderThatDoesNotReadIsDropped) {
  AddEvents("/events", 1'000, false, 64 << 10);
  Start({.request_timeout = milliseconds(300)});
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/events")));
  ASSERT_TRUE(Eventually([&] { return alive_ == 1; }));
  EXPECT_TRUE(Eventually([&] { return alive_ == 0; }));
}

}  // namespace
}  // namespace viewcount
