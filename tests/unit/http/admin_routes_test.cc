#include "service/http/admin_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/unit/http/http_fixture.h"

namespace viewcount {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class AdminRoutesTest : public HttpServerTest {
 protected:
  AdminRoutesTest() {
    AddAdminRoutes(router_, {.metrics = [] { return std::string("# TYPE a counter\na 1\n"); },
                             .why_not_ready = [this] { return reason_; },
                             .why_not_healthy = [this] { return sickness_; },
                             .page =
                                 [](const HttpRequest&) {
                                   HttpResponse response;
                                   response.body() = "the page";
                                   return response;
                                 }});
    Start();
  }
  std::string AnswerTo(const std::string& path) {
    HttpClient client(port());
    EXPECT_TRUE(client.Send(Get(path)));
    return client.Receive();
  }

  // The tests change these only while no request is running.
  std::optional<std::string> reason_;
  std::optional<std::string> sickness_;
  HttpRouter more_;
};

TEST_F(AdminRoutesTest, MetricsHavePrometheusType) {
  EXPECT_THAT(AnswerTo("/metrics"), AllOf(StartsWith("HTTP/1.1 200 "),
                                          HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                                          EndsWith("\r\n\r\n# TYPE a counter\na 1\n")));
}

TEST_F(AdminRoutesTest, HealthIsOkEvenWhenNotReady) {
  reason_ = "Redis is away";
  EXPECT_THAT(AnswerTo("/healthz"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nok\n")));
}

TEST_F(AdminRoutesTest, HealthFollowsItsReason) {
  sickness_ = "lane 0 has not moved for 10 s";
  EXPECT_THAT(AnswerTo("/healthz"),
              AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\nnot healthy: lane 0 has not moved for 10 s\n")));
  sickness_.reset();
  EXPECT_THAT(AnswerTo("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminRoutesTest, ReadinessFollowsItsReason) {
  EXPECT_THAT(AnswerTo("/readyz"), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nready\n")));
  reason_ = "Redis\nis away";
  EXPECT_THAT(AnswerTo("/readyz"),
              AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\nnot ready: Redis\\nis away\n")));
  reason_.reset();
  EXPECT_THAT(AnswerTo("/readyz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminRoutesTest, BrowsersGetThePage) {
  HttpClient client(port());
  EXPECT_TRUE(client.Send(Get("/", "Accept: text/html,application/xhtml+xml\r\n")));
  EXPECT_THAT(client.Receive(), EndsWith("\r\n\r\nthe page"));
}

TEST_F(AdminRoutesTest, AnotherTableIsAddedWhileTheServerRuns) {
  EXPECT_THAT(AnswerTo("/more"), StartsWith("HTTP/1.1 404 "));
  more_.Add(boost::beast::http::verb::get, "/more", [](const HttpRequest&) -> boost::asio::awaitable<HttpResponse> {
    HttpResponse response;
    response.body() = "more";
    co_return response;
  });
  router_.AddTable(more_);
  EXPECT_THAT(AnswerTo("/more"), EndsWith("\r\n\r\nmore"));
  EXPECT_THAT(AnswerTo("/even-more"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(AnswerTo("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminRoutesTest, IndexNamesTheOthers) {
  EXPECT_THAT(AnswerTo("/"), AllOf(HasSubstr("/metrics"), HasSubstr("/healthz"), HasSubstr("/readyz")));
}

}  // namespace
}  // namespace viewcount
