#include "service/http/session.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

#include "service/http/problem.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using http::field;
using http::status;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadBytes = 4'096;
constexpr size_t kLingerBytesMax = 1 << 20;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// The answer to a request that the parser refused; nothing when the connection itself failed.
std::optional<HttpResponse> RefusalOf(const beast::error_code& error, const HttpLimits& limits) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Problem(status::request_header_fields_too_large,
                   fmt::format("the header may have {} bytes", limits.header_bytes_max));
  }
  if (error == http::error::body_limit) {
    return Problem(status::payload_too_large, fmt::format("the body may have {} bytes", limits.body_bytes_max));
  }
  if (error == http::error::bad_version) {
    return Problem(status::http_version_not_supported, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() != beast::error_code(http::error::bad_method).category()) return std::nullopt;
  return Problem(status::bad_request, "this is no HTTP/1.1 request: " + error.message());
}

// What the parser lets pass, but two servers in a row may read in two ways (RFC 9112, sections 3.2 and 6.3).
std::optional<HttpResponse> RefusalOf(const http::request_header<>& header) {
  if (header.version() == 11 && header.count(field::host) != 1) {
    return Problem(status::bad_request, "there must be one Host field");
  }
  const auto encodings = header.count(field::transfer_encoding);
  if (encodings > 0 && header.count(field::content_length) > 0) {
    return Problem(status::bad_request, "Content-Length and Transfer-Encoding exclude each other");
  }
  if (encodings > 0 && (encodings > 1 || !beast::iequals(header[field::transfer_encoding], "chunked"))) {
    return Problem(status::bad_request, "the only Transfer-Encoding known here is chunked");
  }
  return std::nullopt;
}

}  // namespace

HttpSession::HttpSession(asio::ip::tcp::socket socket, const HttpRouter& router, const HttpLimits& limits)
    : stream_(std::move(socket)), router_(router), limits_(limits), buffer_(limits.header_bytes_max + kReadBytes) {}

awaitable<void> HttpSession::Run() {
  while (co_await AwaitRequest()) {
    Parser parser;
    auto refusal = co_await Read(parser);
    if (gone_) co_return;
    answering_ = true;
    const auto& request = parser.get();
    // After a refusal it is unknown where the next request would begin.
    const bool keep_alive = !refusal && request.keep_alive();
    // Not with ?:, in which g++ 12 destroys what is awaited twice.
    HttpResponse response;
    if (refusal) {
      response = *std::move(refusal);
    } else {
      response = co_await router_.Handle(request);
    }
    const bool head = request.method() == http::verb::head;
    const bool kept = keep_alive && !finishing_;
    if (!co_await Write(std::move(response), request.version() == 10 ? 10 : 11, kept, head)) co_return;
    answering_ = false;
    if (!kept || finishing_) break;
  }
  if (!gone_) co_await Linger();
}

void HttpSession::Finish() {
  finishing_ = true;
  if (!answering_) stream_.close();
}

awaitable<bool> HttpSession::AwaitRequest() {
  if (buffer_.size() > 0) co_return true;
  stream_.expires_after(limits_.idle_timeout);
  const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), kAwait);
  buffer_.commit(size);
  if (error) gone_ = true;
  co_return !error;
}

awaitable<std::optional<HttpResponse>> HttpSession::Read(Parser& parser) {
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  parser.body_limit(limits_.body_bytes_max);
  // One deadline for all of the request: a sender of one byte a second must not hold a connection for long.
  stream_.expires_after(limits_.request_timeout);
  auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kAwait);
  if (!error) {
    if (auto refusal = RefusalOf(parser.get().base())) co_return refusal;
    if (!parser.is_done() && beast::iequals(parser.get()[field::expect], "100-continue")) {
      co_await asio::async_write(stream_, asio::buffer(kContinue), kAwait);
    }
    const auto [body_error, body_size] = co_await http::async_read(stream_, buffer_, parser, kAwait);
    error = body_error;
  }
  if (!error) co_return std::nullopt;
  auto refusal = RefusalOf(error, limits_);
  gone_ = !refusal;
  co_return refusal;
}

awaitable<bool> HttpSession::Write(HttpResponse response, unsigned version, bool keep_alive, bool head) {
  response.version(version);
  response.keep_alive(keep_alive);
  response.set(field::date, fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  // The router has set the length of what HEAD leaves out.
  if (!head || !response.has_content_length()) response.prepare_payload();
  stream_.expires_after(limits_.request_timeout);
  const auto [error, size] = co_await http::async_write(stream_, response, kAwait);
  if (error) gone_ = true;
  co_return !error;
}

awaitable<void> HttpSession::Linger() {
  beast::error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  // A server that stops does not wait for its peers.
  if (finishing_) co_return;
  // Closing with unread bytes would reset the connection, and the peer might lose the answer.
  stream_.expires_after(limits::kHttpLingerTimeout);
  for (size_t read = 0; read < kLingerBytesMax;) {
    buffer_.clear();
    const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), kAwait);
    if (error) break;
    read += size;
  }
}

}  // namespace viewcount
