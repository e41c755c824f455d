#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "service/http/server.h"
#include "tests/unit/http/http_fixture.h"

namespace viewcount {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(HttpServerTest, ConnectionIsKeptForFurtherRequests) {
  Start();
  HttpClient client(port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send(Get("/hello")));
    EXPECT_THAT(client.Receive(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nhello\n"),
                                        HasSubstr("\r\nDate: "), Not(HasSubstr("Connection: close"))));
  }
}

TEST_F(HttpServerTest, ARouteBelowAPathHasTheRestUnlessAnotherRouteIsCloser) {
  const auto add = [this](const char* path, const char* answer) {
    router_.Add(boost::beast::http::verb::get, path,
                [answer](const HttpRequest& request) -> boost::asio::awaitable<HttpResponse> {
                  HttpResponse response;
                  response.body() = std::string(answer) + " " + std::string(request.target());
                  co_return response;
                });
  };
  add("/a/b/{rest}", "below b");
  add("/a/b/c/{rest}", "below c");
  add("/a/b/own", "own");
  Start();
  const auto answer = [this](const std::string& target) {
    HttpClient client(port());
    EXPECT_TRUE(client.Send(Get(target)));
    return client.Receive();
  };
  EXPECT_THAT(answer("/a/b/x/%2F?q"), EndsWith("below b /a/b/x/%2F?q"));
  EXPECT_THAT(answer("/a/b/"), EndsWith("below b /a/b/"));
  EXPECT_THAT(answer("/a/b/c/d"), EndsWith("below c /a/b/c/d"));
  EXPECT_THAT(answer("/a/b/c"), EndsWith("below b /a/b/c"));
  EXPECT_THAT(answer("/a/b/own"), EndsWith("own /a/b/own"));
  for (const char* target : {"/a/b", "/a/bc/d", "/a", "//a/b/c", "/x/a/b/c"}) {
    EXPECT_THAT(answer(target), StartsWith("HTTP/1.1 404")) << target;
  }
  EXPECT_THAT(answer("/a" + std::string(10'000, '/')), StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  Start();
  HttpClient client(port());
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    const std::string body = "number " + std::to_string(i);
    requests +=
        "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < 100; ++i) EXPECT_THAT(client.Receive(), EndsWith("\r\n\r\nnumber " + std::to_string(i)));
}

TEST_F(HttpServerTest, RequestsToCloseAndOldVersionsAreClosed) {
  Start();
  HttpClient closing(port());
  ASSERT_TRUE(closing.Send(Get("/hello", "Connection: close\r\n")));
  EXPECT_THAT(closing.Receive(), AllOf(HasSubstr("Connection: close\r\n"), EndsWith("hello\n")));
  EXPECT_TRUE(closing.IsClosed());
  HttpClient old(port());
  ASSERT_TRUE(old.Send("GET /hello HTTP/1.0\r\n\r\n"));
  EXPECT_THAT(old.Receive(), AllOf(StartsWith("HTTP/1.0 200"), EndsWith("hello\n")));
  EXPECT_TRUE(old.IsClosed());
}

TEST_F(HttpServerTest, HeadIsGetWithoutTheBody) {
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send("HEAD /hello HTTP/1.1\r\nHost: test\r\n\r\n"));
  EXPECT_THAT(client.Receive(true), AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Length: 6\r\n")));
  ASSERT_TRUE(client.Send("HEAD /nothing HTTP/1.1\r\nHost: test\r\n\r\n"));
  EXPECT_THAT(client.Receive(true), StartsWith("HTTP/1.1 404 "));
  // If the answer to HEAD had a body, that body would precede this answer.
  ASSERT_TRUE(client.Send(Get("/hello")));
  EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, QueryIsNoPartOfThePath) {
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/hello?a=b")));
  EXPECT_THAT(client.Receive(), EndsWith("hello\n"));
}

TEST_F(HttpServerTest, RouteOfASiteIsFoundForEverySite) {
  Start();
  HttpClient client(port());
  for (const std::string site : {"demo", "a.b-c_d", "%64emo", ""}) {
    ASSERT_TRUE(client.Send(Get("/v1/sites/" + site + "/name?x=/")));
    EXPECT_THAT(client.Receive(), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\n" + site + "\n")));
  }
  for (const std::string path : {"/v1/sites/demo", "/v1/sites/demo/", "/v1/sites/demo/name/", "/v1/sites/a/b/name"}) {
    ASSERT_TRUE(client.Send(Get(path)));
    EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 404 ")) << path;
  }
}

TEST_F(HttpServerTest, RouteMayLimitBodiesByFieldsAndPeer) {
  Start();
  const auto answer = [&](const std::string& fields, const std::string& body) {
    HttpClient client(port());
    EXPECT_TRUE(client.Send("POST /short HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n" + body));
    return client.Receive();
  };
  EXPECT_THAT(answer("Content-Length: 2\r\n", "ab"), EndsWith("\r\n\r\nab"));
  EXPECT_THAT(answer("Content-Length: 3\r\n", "abc"),
              AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("the body may have 2 bytes")));
  EXPECT_THAT(answer("Content-Length: 10\r\nMore: yes\r\n", "0123456789"), EndsWith("0123456789"));
  EXPECT_THAT(answer("Content-Length: 11\r\nMore: yes\r\n", "0123456789a"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n0\r\n\r\n"), EndsWith("\r\n\r\nab"));
  EXPECT_THAT(answer("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, UnknownPathIsNotFoundAsAProblem) {
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/\"quoted\"")));
  EXPECT_THAT(client.Receive(),
              AllOf(StartsWith("HTTP/1.1 404 Not Found\r\n"), HasSubstr("Content-Type: application/problem+json\r\n"),
                    EndsWith("\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                             "\"detail\":\"there is no /\\\"quoted\\\"\",\"code\":\"NOT_FOUND\"}\n")));
}

TEST_F(HttpServerTest, OtherMethodIsRefusedWithThoseAllowed) {
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send("DELETE /hello HTTP/1.1\r\nHost: test\r\n\r\n"));
  EXPECT_THAT(client.Receive(), AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: GET, HEAD\r\n")));
  ASSERT_TRUE(client.Send(Get("/echo")));
  EXPECT_THAT(client.Receive(), AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: POST, PUT\r\n")));
  ASSERT_TRUE(client.Send("FROBNICATE /hello HTTP/1.1\r\nHost: test\r\n\r\n"));
  EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 405 "));
}

TEST_F(HttpServerTest, HandlerThatThrowsIsAnInternalError) {
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send("PUT /echo HTTP/1.1\r\nHost: test\r\n\r\n"));
  EXPECT_THAT(client.Receive(), AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("on purpose"))));
  ASSERT_TRUE(client.Send(Get("/hello")));
  EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ChunkedBodyIsPutTogether) {
  Start();
  HttpClient client(port());
  ASSERT_TRUE(
      client.Send("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  EXPECT_THAT(client.Receive(), EndsWith("\r\n\r\nabcde"));
}

TEST_F(HttpServerTest, ExpectedContinueIsGiven) {
  Start();
  HttpClient client(port());
  ASSERT_TRUE(client.Send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.Receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client.Send("abc"));
  EXPECT_THAT(client.Receive(), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("abc")));
}

TEST_F(HttpServerTest, PortInUseIsOneClearLine) {
  Start();
  const std::string address = "127.0.0.1:" + std::to_string(port());
  HttpServer second(router_);
  const auto status = second.Start(address);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "cannot listen on " + address + ": Address already in use");
}

TEST_F(HttpServerTest, PortIsFreeAgainAfterStop) {
  Start();
  const std::string address = "127.0.0.1:" + std::to_string(port());
  HttpClient client(port());
  ASSERT_TRUE(client.Send(Get("/hello")));
  EXPECT_THAT(client.Receive(), EndsWith("hello\n"));
  server_->Stop();
  HttpServer second(router_);
  EXPECT_TRUE(second.Start(address).ok());
}

TEST_F(HttpServerTest, WhatIsNoAddressIsRefused) {
  EXPECT_EQ(HttpServer(router_).Start("nowhere").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(HttpServer(router_).Start("host.invalid:0").code(), absl::StatusCode::kUnavailable);
}

TEST_F(HttpServerTest, Ipv6IsServed) {
  HttpServer server(router_);
  EXPECT_TRUE(server.Start("[::1]:0").ok());
  EXPECT_NE(server.port(), 0);
}

}  // namespace
}  // namespace viewcount
