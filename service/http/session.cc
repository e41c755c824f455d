#include "service/http/session.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <ctime>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "service/http/problem.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using asio::ip::tcp;
using http::field;
using http::status;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadBytes = 4'096;
constexpr size_t kLingerBytesMax = 1 << 20;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

HttpResponse TooLarge(size_t body_bytes_max) {
  return Problem(status::payload_too_large, fmt::format("the body may have {} bytes", body_bytes_max));
}

// The answer to a request that the parser refused; nothing when the connection itself failed.
std::optional<HttpResponse> RefusalOf(const beast::error_code& error, const HttpLimits& limits, size_t body_bytes_max) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Problem(status::request_header_fields_too_large,
                   fmt::format("the header may have {} bytes", limits.header_bytes_max));
  }
  if (error == http::error::body_limit) return TooLarge(body_bytes_max);
  if (error == http::error::bad_version) {
    return Problem(status::http_version_not_supported, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() != beast::error_code(http::error::bad_method).category()) return std::nullopt;
  return Problem(status::bad_request, "this is no HTTP/1.1 request: " + error.message());
}

// What the parser lets pass, but two servers in a row may read in two ways (RFC 9112, sections 3.2 and 6.3).
std::optional<HttpResponse> RefusalOf(const HttpFields& header) {
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

// `Stream` is a tcp_stream, or one with TLS on top of it.
template <typename Stream>
class StreamSession final : public HttpSession {
 public:
  template <typename... StreamArguments>
  StreamSession(const HttpRouter& router, const HttpLimits& limits, StreamArguments&&... arguments)
      : stream_(std::forward<StreamArguments>(arguments)...),
        router_(router),
        limits_(limits),
        buffer_(limits.header_bytes_max + kReadBytes) {
    beast::error_code ignored;
    peer_ = tcp_stream().socket().remote_endpoint(ignored).address();
  }

  awaitable<void> Run() override;
  void Finish() override;

 private:
  using Parser = http::request_parser<http::string_body>;
  static constexpr bool kTls = !std::is_same_v<Stream, beast::tcp_stream>;

  beast::tcp_stream& tcp_stream() { return beast::get_lowest_layer(stream_); }
  // Returns false when there is no TLS to be had with the peer.
  awaitable<bool> Greet();
  // Waits for a request's first byte; false when there will be none.
  awaitable<bool> AwaitRequest();
  // Reads one request into `parser`. The answer that refuses it, if it cannot be read but the peer can be told; on
  // a connection that is gone `gone_` is set instead.
  awaitable<std::optional<HttpResponse>> Read(Parser& parser);
  // The refusal of a request whose fields are read, and else the limit of its body.
  std::optional<HttpResponse> LimitBody(Parser& parser);
  // Returns false when the connection is gone.
  awaitable<bool> Write(HttpResponse& response, unsigned version, bool keep_alive, bool head);
  // Sends events until there are no more, or the peer does not take them in time.
  awaitable<void> Send(EventSource& events);
  // Closes so that the peer gets to read what was written last.
  awaitable<void> Linger();

  Stream stream_;
  const HttpRouter& router_;
  const HttpLimits& limits_;
  asio::ip::address peer_;
  beast::flat_buffer buffer_;
  size_t body_bytes_max_ = 0;
  bool answering_ = false;
  bool finishing_ = false;
  bool gone_ = false;
  // While events are sent.
  EventSource* events_ = nullptr;
};

template <typename Stream>
awaitable<void> StreamSession<Stream>::Run() {
  if (!co_await Greet()) co_return;
  while (co_await AwaitRequest()) {
    Parser parser;
    auto refusal = co_await Read(parser);
    if (gone_) co_return;
    answering_ = true;
    const auto& request = parser.get();
    // After a refusal it is unknown where the next request would begin.
    bool keep_alive = !refusal && request.keep_alive();
    const bool head = request.method() == http::verb::head;
    const unsigned version = request.version() == 10 ? 10 : 11;
    // Not with ?:, in which g++ 12 destroys what is awaited twice.
    HttpResponse response;
    if (refusal) {
      response = *std::move(refusal);
    } else {
      HttpRequest taken(parser.release(), peer_);
      response = co_await router_.Handle(std::move(taken));
    }
    keep_alive = keep_alive && !finishing_ && response.events == nullptr;
    if (!co_await Write(response, version, keep_alive, head)) co_return;
    if (response.events != nullptr) co_await Send(*response.events);
    answering_ = false;
    if (!keep_alive || finishing_) break;
  }
  if (!gone_) co_await Linger();
}

template <typename Stream>
void StreamSession<Stream>::Finish() {
  finishing_ = true;
  if (events_ != nullptr) events_->Close();
  if (!answering_ || events_ != nullptr) tcp_stream().close();
}

template <typename Stream>
awaitable<bool> StreamSession<Stream>::Greet() {
  if constexpr (kTls) {
    tcp_stream().expires_after(limits_.request_timeout);
    const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAwait);
    co_return !error;
  }
  co_return true;
}

template <typename Stream>
awaitable<bool> StreamSession<Stream>::AwaitRequest() {
  if (buffer_.size() > 0) co_return true;
  tcp_stream().expires_after(limits_.idle_timeout);
  const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), kAwait);
  buffer_.commit(size);
  if (error) gone_ = true;
  co_return !error;
}

template <typename Stream>
awaitable<std::optional<HttpResponse>> StreamSession<Stream>::Read(Parser& parser) {
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  // Which limit holds is known when the fields are.
  parser.body_limit(std::numeric_limits<uint64_t>::max());
  // One deadline for all of the request: a sender of one byte a second must not hold a connection for long.
  tcp_stream().expires_after(limits_.request_timeout);
  auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kAwait);
  if (!error) {
    if (auto refusal = LimitBody(parser)) co_return refusal;
    if (!parser.is_done() && beast::iequals(parser.get()[field::expect], "100-continue")) {
      co_await asio::async_write(stream_, asio::buffer(kContinue), kAwait);
    }
    const auto [body_error, body_size] = co_await http::async_read(stream_, buffer_, parser, kAwait);
    error = body_error;
  }
  if (!error) co_return std::nullopt;
  auto refusal = RefusalOf(error, limits_, body_bytes_max_);
  gone_ = !refusal;
  co_return refusal;
}

template <typename Stream>
std::optional<HttpResponse> StreamSession<Stream>::LimitBody(Parser& parser) {
  const auto& header = parser.get().base();
  if (auto refusal = RefusalOf(header)) return refusal;
  body_bytes_max_ = router_.BodyBytesMax(header, peer_).value_or(limits_.body_bytes_max);
  if (parser.content_length().value_or(0) > body_bytes_max_) return TooLarge(body_bytes_max_);
  parser.body_limit(body_bytes_max_);
  return std::nullopt;
}

template <typename Stream>
awaitable<bool> StreamSession<Stream>::Write(HttpResponse& response, unsigned version, bool keep_alive, bool head) {
  response.version(version);
  response.keep_alive(keep_alive);
  response.set(field::date, fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  // A page must not take an answer for a script or another page because of what stands in it.
  response.set("X-Content-Type-Options", "nosniff");
  // The router has set the length of what HEAD leaves out; events end with the connection.
  if (response.events == nullptr && (!head || !response.has_content_length())) response.prepare_payload();
  tcp_stream().expires_after(limits_.request_timeout);
  const auto [error, size] = co_await http::async_write(stream_, response, kAwait);
  // end_of_stream: a response without a length says so with the end of the connection.
  if (error && error != http::error::end_of_stream) gone_ = true;
  co_return !gone_;
}

template <typename Stream>
awaitable<void> StreamSession<Stream>::Send(EventSource& events) {
  events_ = &events;
  // What such a reader has not taken waits in the kernel: not much of it, as there may be many of them.
  beast::error_code ignored;
  tcp_stream().socket().set_option(asio::socket_base::send_buffer_size(limits::kHttpEventsSendBufferBytes), ignored);
  buffer_.clear();
  buffer_.shrink_to_fit();
  while (!finishing_) {
    const auto bytes = co_await events.Next();
    if (!bytes || finishing_) break;
    tcp_stream().expires_after(limits_.request_timeout);
    const auto [error, size] = co_await asio::async_write(stream_, asio::buffer(*bytes), kAwait);
    if (error) {
      gone_ = true;
      break;
    }
    tcp_stream().expires_never();
  }
  events_ = nullptr;
}

template <typename Stream>
awaitable<void> StreamSession<Stream>::Linger() {
  if constexpr (kTls) {
    if (!finishing_) {
      tcp_stream().expires_after(limits::kHttpLingerTimeout);
      co_await stream_.async_shutdown(kAwait);
    }
  }
  beast::error_code ignored;
  auto& socket = tcp_stream().socket();
  socket.shutdown(tcp::socket::shutdown_send, ignored);
  // A server that stops does not wait for its peers.
  if (finishing_) co_return;
  // Closing with unread bytes would reset the connection, and the peer might lose the answer.
  tcp_stream().expires_after(limits::kHttpLingerTimeout);
  for (size_t read = 0; read < kLingerBytesMax;) {
    buffer_.clear();
    const auto [error, size] = co_await tcp_stream().async_read_some(buffer_.prepare(kReadBytes), kAwait);
    if (error) break;
    read += size;
  }
}

}  // namespace

std::unique_ptr<HttpSession> HttpSession::Make(tcp::socket socket, asio::ssl::context* tls, const HttpRouter& router,
                                               const HttpLimits& limits) {
  if (tls == nullptr) return std::make_unique<StreamSession<beast::tcp_stream>>(router, limits, std::move(socket));
  return std::make_unique<StreamSession<beast::ssl_stream<beast::tcp_stream>>>(router, limits, std::move(socket), *tls);
}

}  // namespace viewcount
