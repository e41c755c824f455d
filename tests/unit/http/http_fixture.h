// Provides a server with a few routes, and a client that can send any bytes.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/unique_fd.h"
#include "service/http/server.h"

namespace viewcount {

// This client has one connection to 127.0.0.1. Every wait ends after ten seconds at the latest. Not thread-safe.
class HttpClient {
 public:
  HttpClient() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{10, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  }
  explicit HttpClient(uint16_t port) : HttpClient() { EXPECT_TRUE(Connect(port)); }

  bool Connect(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  // Returns false if the server has closed the connection.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Returns the next answer. It consists of the header, and of a body as long as Content-Length says, unless `head` is
  // true. Returns an empty string if the connection ends before that.
  std::string Receive(bool head = false) {
    size_t header_end;
    while ((header_end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReceiveSome()) return "";
    }
    size_t size = header_end + 4;
    const size_t length = received_.find("Content-Length: ");
    if (!head && length < header_end) size += std::stoul(received_.substr(length + 16));
    while (received_.size() < size) {
      if (!ReceiveSome()) return "";
    }
    std::string answer = received_.substr(0, size);
    received_.erase(0, size);
    return answer;
  }

  // Returns the next bytes that arrive, or an empty string if the connection ends.
  std::string ReceiveAny() {
    if (received_.empty()) ReceiveSome();
    return std::exchange(received_, {});
  }

  // Returns true if the server has ended the connection and no bytes were left to read.
  bool IsClosed() { return received_.empty() && !ReceiveSome() && errno != EAGAIN; }

 private:
  bool ReceiveSome() {
    char bytes[65'536];
    errno = 0;
    const ssize_t size = recv(fd_.get(), bytes, sizeof(bytes), 0);
    if (size > 0) received_.append(bytes, static_cast<size_t>(size));
    return size > 0;
  }

  UniqueFd fd_;
  std::string received_;
};

inline std::string Get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n";
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    namespace http = boost::beast::http;
    // GET /hello greets, POST /echo returns the body, and PUT /echo throws.
    router_.Add(http::verb::get, "/hello", [](const HttpRequest&) -> boost::asio::awaitable<HttpResponse> {
      HttpResponse response;
      response.body() = "hello\n";
      co_return response;
    });
    router_.Add(http::verb::post, "/echo", [](const HttpRequest& request) -> boost::asio::awaitable<HttpResponse> {
      HttpResponse response;
      response.body() = request.body();
      co_return response;
    });
    // Accepts bodies of up to ten bytes from loopback peers that send the field "More", and of up to two bytes from
    // others.
    router_.Add(
        http::verb::post, "/short",
        [](const HttpRequest& request) -> boost::asio::awaitable<HttpResponse> {
          HttpResponse response;
          response.body() = request.body();
          co_return response;
        },
        [](const HttpFields& fields, const boost::asio::ip::address& peer) -> size_t {
          return peer.is_loopback() && fields.count("More") > 0 ? 10 : 2;
        });
    router_.Add(http::verb::get, "/v1/sites/{site}/name",
                [](const HttpRequest& request) -> boost::asio::awaitable<HttpResponse> {
                  HttpResponse response;
                  response.body() = request.site + "\n";
                  co_return response;
                });
    router_.Add(http::verb::put, "/echo", [](const HttpRequest&) -> boost::asio::awaitable<HttpResponse> {
      throw std::runtime_error("on purpose");
      co_return HttpResponse();
    });
  }

  void Start(HttpLimits limits = {}, HttpAccess access = {}, HttpServer::Observer observer = {}) {
    server_ = std::make_unique<HttpServer>(router_, limits, std::move(access), std::move(observer));
    const auto status = server_->Start("127.0.0.1:0");
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_NE(server_->port(), 0);
  }
  uint16_t port() const { return server_->port(); }

  HttpRouter router_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace viewcount
