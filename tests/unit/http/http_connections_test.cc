// Tests many connections, a server without free descriptors, and the end of the server while connections are open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <future>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/unit/http/http_fixture.h"

namespace viewcount {
namespace {

using boost::asio::awaitable;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// Counts log messages instead of writing them.
class CountingSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg&) override { ++count; }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  std::atomic<int> count = 0;
};

class HttpConnectionsTest : public HttpServerTest {
 protected:
  // Opens a connection, and makes sure that the server has accepted it.
  HttpClient Served() {
    HttpClient client(port());
    EXPECT_TRUE(client.Send(Get("/hello")));
    EXPECT_THAT(client.Receive(), EndsWith("hello\n"));
    return client;
  }
  // Adds the route /slow, which counts down `started` and answers after `delay`.
  void AddSlow(milliseconds delay, std::latch& started) {
    router_.Add(boost::beast::http::verb::get, "/slow",
                [delay, &started](const HttpRequest&) -> awaitable<HttpResponse> {
                  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, delay);
                  started.count_down();
                  co_await timer.async_wait(boost::asio::use_awaitable);
                  HttpResponse response;
                  response.body() = "slow\n";
                  co_return response;
                });
  }
};

TEST_F(HttpConnectionsTest, NewConnectionIsServedBesideManyIdleOnes) {
  Start();
  std::vector<HttpClient> idle;
  for (size_t i = 0; i < 500; ++i) idle.emplace_back(port());
  Served();
}

TEST_F(HttpConnectionsTest, AtTheLimitANewConnectionIsRefusedAtOnceAndServedWhenOneEnds) {
  Start({.connections_max = 20});
  std::vector<HttpClient> idle;
  for (size_t i = 0; i < 20; ++i) idle.push_back(Served());
  HttpClient refused(port());
  const std::string answer = refused.Receive();
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1\r\n"), EndsWith("}\n")));
  EXPECT_TRUE(refused.IsClosed());
  idle.pop_back();
  EXPECT_TRUE(Eventually([&] {
    HttpClient client(port());
    client.Send(Get("/hello"));
    return client.Receive().ends_with("hello\n");
  }));
}

TEST_F(HttpConnectionsTest, OneAddressMayNotTakeAllUnlessManyShareIt) {
  Start({.connections_per_address_max = 5});
  std::vector<HttpClient> idle;
  for (size_t i = 0; i < 5; ++i) idle.push_back(Served());
  HttpClient refused(port());
  EXPECT_THAT(refused.Receive(), StartsWith("HTTP/1.1 503 "));
  idle.pop_back();
  EXPECT_TRUE(Eventually([&] {
    HttpClient client(port());
    client.Send(Get("/hello"));
    return client.Receive().ends_with("hello\n");
  }));
  idle.clear();
  server_->Stop();
  Start({.connections_per_address_max = 5},
        {.tls = nullptr, .shared = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.0/8"})});
  for (size_t i = 0; i < 20; ++i) idle.push_back(Served());
}

TEST_F(HttpConnectionsTest, LackOfDescriptorsDoesNotEndAccepting) {
  Start();
  HttpClient client;
  HttpClient second;
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  // The limit becomes the lowest free descriptor number, so that no further descriptor can be opened.
  rlimit none = before;
  {
    const UniqueFd lowest(dup(0));
    none.rlim_cur = static_cast<rlim_t>(lowest.get());
  }
  auto log = std::make_shared<CountingSink>();
  const auto logger_before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("", log));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  ASSERT_TRUE(client.Connect(port()));
  EXPECT_TRUE(client.Send(Get("/hello")));
  // The only message that can be logged meanwhile is that accepting has failed.
  EXPECT_TRUE(Eventually([&] { return log->count > 0; }));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  spdlog::set_default_logger(logger_before);
  EXPECT_THAT(client.Receive(), EndsWith("hello\n"));
  ASSERT_TRUE(second.Connect(port()));
  ASSERT_TRUE(second.Send(Get("/hello")));
  EXPECT_THAT(second.Receive(), EndsWith("hello\n"));
}

TEST_F(HttpConnectionsTest, StopClosesIdleAndHalfSentConnectionsAtOnce) {
  Start();
  std::vector<HttpClient> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(Served());
  ASSERT_TRUE(clients[0].Send("GET /hello HTTP/1.1\r\n"));
  const auto start = steady_clock::now();
  server_->Stop();
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(2));
  for (auto& client : clients) EXPECT_TRUE(client.IsClosed());
  EXPECT_FALSE(HttpClient().Connect(port()));
}

TEST_F(HttpConnectionsTest, StopLetsTheAnswerUnderWayFinish) {
  std::latch started(1);
  AddSlow(milliseconds(200), started);
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/slow")));
  started.wait();
  std::thread stopper([&] { server_->Stop(); });
  EXPECT_THAT(client.Receive(), AllOf(HasSubstr("Connection: close\r\n"), EndsWith("slow\n")));
  EXPECT_TRUE(client.IsClosed());
  stopper.join();
}

// The time-out is so long that a test which waits for it by mistake fails.
constexpr HttpLimits Graceful() { return {.drain_idle_timeout = std::chrono::seconds(5)}; }

TEST_F(HttpConnectionsTest, ADrainAnswersOneMoreRequestOfEachConnectionAndAsksToCloseIt) {
  Start(Graceful());
  HttpClient idle = Served();
  HttpClient half = Served();
  ASSERT_TRUE(half.Send("GET /hello HTTP/1.1\r\n"));
  server_->BeginDrain();
  // The port is closed, but connections that were open are still served.
  ASSERT_TRUE(Eventually([&] { return !HttpClient().Connect(port()); }));
  for (HttpClient* client : {&idle, &half}) {
    ASSERT_TRUE(client->Send(client == &half ? "Host: test\r\n\r\n" : Get("/hello")));
    EXPECT_THAT(client->Receive(), AllOf(HasSubstr("Connection: close\r\n"), EndsWith("hello\n")));
  }
  idle = HttpClient();
  half = HttpClient();
  const auto start = steady_clock::now();
  server_->Stop();
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(3)) << "nothing was open any more";
}

TEST_F(HttpConnectionsTest, ADrainServesConnectionsThatNobodyHadAcceptedYet) {
  std::latch go_on(1);
  Start(Graceful());
  // Blocks the server's thread, so that connections wait in the kernel's accept queue.
  boost::asio::post(server_->executor(), [&] { go_on.wait(); });
  std::thread stopper([&] { server_->Stop(); });
  std::vector<HttpClient> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.emplace_back(port());
    ASSERT_TRUE(waiting.back().Send(Get("/hello")));
  }
  go_on.count_down();
  for (HttpClient& client : waiting) EXPECT_THAT(client.Receive(), EndsWith("hello\n"));
  waiting.clear();
  stopper.join();
}

// An event that a handler waits for may occur between the drain and the stop. The end of a lane is an example.
TEST_F(HttpConnectionsTest, TheStopAfterADrainLetsLateAnswersFinish) {
  std::latch started(1);
  AddSlow(milliseconds(300), started);
  Start({.drain_idle_timeout = milliseconds(10), .drain_timeout = milliseconds(200)});
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/slow")));
  started.wait();
  server_->Drain();
  server_->Stop();
  EXPECT_THAT(client.Receive(), EndsWith("slow\n"));
}

TEST_F(HttpConnectionsTest, ADrainClosesConnectionsThatStayIdle) {
  Start({.drain_idle_timeout = milliseconds(200)});
  HttpClient idle = Served();
  const auto start = steady_clock::now();
  server_->Stop();
  EXPECT_GE(steady_clock::now() - start, milliseconds(200));
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(3));
  EXPECT_TRUE(idle.IsClosed());
}

TEST_F(HttpConnectionsTest, OpenAndRefusedConnectionsAreReported) {
  std::atomic<size_t> open{0};
  std::atomic<int> in_all{0};
  std::atomic<int> per_address{0};
  const HttpServer::Observer observer{
      .open = [&](size_t number) { open = number; },
      .refused =
          [&](HttpServer::Refusal refusal) { ++(refusal == HttpServer::Refusal::kInAll ? in_all : per_address); }};
  Start({.connections_max = 3, .connections_per_address_max = 2}, {}, observer);
  std::vector<HttpClient> clients;
  for (int i = 0; i < 2; ++i) clients.push_back(Served());
  EXPECT_EQ(open, 2u);
  EXPECT_THAT(HttpClient(port()).Receive(), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(per_address, 1);
  EXPECT_EQ(in_all, 0);
  clients.clear();
  EXPECT_TRUE(Eventually([&] { return open == 0; }));
  server_->Stop();
  Start({.connections_max = 2}, {}, observer);
  for (int i = 0; i < 2; ++i) clients.push_back(Served());
  EXPECT_THAT(HttpClient(port()).Receive(), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(per_address, 1);
  EXPECT_EQ(in_all, 1);
  server_->Stop();
}

TEST_F(HttpConnectionsTest, OtherAccessHoldsForConnectionsThatComeThen) {
  Start({.connections_per_address_max = 1});
  HttpClient first = Served();
  EXPECT_THAT(HttpClient(port()).Receive(), StartsWith("HTTP/1.1 503 "));
  server_->SetAccess({.tls = nullptr, .shared = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.0/8"})});
  EXPECT_TRUE(Eventually([&] {
    HttpClient client(port());
    client.Send(Get("/hello"));
    return client.Receive().ends_with("hello\n");
  }));
}

TEST_F(HttpConnectionsTest, StopDoesNotWaitForeverForAHandler) {
  std::latch started(1);
  AddSlow(std::chrono::hours(1), started);
  Start({.drain_timeout = milliseconds(50)});
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/slow")));
  started.wait();
  const auto start = steady_clock::now();
  server_->Stop();
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(5));
  server_.reset();
  EXPECT_TRUE(client.IsClosed());
}

}  // namespace
}  // namespace viewcount
