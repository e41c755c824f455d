#include "service/http/session.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "service/base/async_event.h"
#include "service/base/status.h"
#include "service/http/problem.h"
#include "service/http/request_rules.h"
#include "service/http/response_head.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using asio::ip::tcp;
using http::field;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr SteadyTime kNever = SteadyTime::max();
constexpr size_t kReadBytes = 4'096;
constexpr size_t kDroppedBytes = 64;
constexpr size_t kLingerBytesMax = 1 << 20;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Returns the answer to a request for events that has no place. It keeps the fields that let pages read it.
HttpResponse NoPlace(const absl::Status& reason, const HttpResponse& intended) {
  HttpResponse response = Problem(reason);
  for (const field name : {field::access_control_allow_origin, field::access_control_expose_headers, field::vary}) {
    if (const auto value = intended.find(name); value != intended.end()) response.set(name, value->value());
  }
  return response;
}

// Lets a session wait until its WatchPeer has ended.
struct PeerWatch {
  AsyncEvent end;
  bool ended = false;
};

// `Stream` is a socket, or a TLS stream on a socket.
template <typename Stream>
class StreamSession final : public HttpSession {
 public:
  template <typename... StreamArguments>
  StreamSession(const HttpRouter& router, const HttpLimits& limits, EventPlaces& places, bool shared,
                StreamArguments&&... arguments)
      : stream_(std::forward<StreamArguments>(arguments)...),
        router_(router),
        limits_(limits),
        places_(places),
        shared_(shared),
        buffer_(limits.header_bytes_max + kReadBytes) {
    beast::error_code ignored;
    peer_ = socket().remote_endpoint(ignored).address();
    // Put first tries to write without waiting, which needs a non-blocking socket.
    socket().non_blocking(true, ignored);
    if (router.fast_path() != nullptr) fast_path_ = router.fast_path()->Open(socket().get_executor(), peer_);
  }

  awaitable<void> Run() override;
  void Finish() override;
  void EndWait() override;
  void CloseIfLate(SteadyTime now) override {
    if (deadline_ <= now) Close();
  }

 private:
  using Parser = http::request_parser<http::string_body>;
  static constexpr bool kTls = !std::is_same_v<Stream, tcp::socket>;

  tcp::socket& socket() { return beast::get_lowest_layer(stream_); }
  // Sets the time within which the awaited operations must end. Otherwise CloseIfLate closes the connection. The
  // deadline is only stored, because a timer per read and write would cost more than these.
  void SetDeadline(std::chrono::milliseconds time) { deadline_ = std::chrono::steady_clock::now() + time; }
  void Close() {
    beast::error_code ignored;
    socket().close(ignored);
    deadline_ = kNever;
  }
  // Returns true if the session ends without waiting for another request, because the server stops.
  bool EndsNow() const { return finishing_ && limits_.drain_idle_timeout.count() == 0; }
  // Performs the TLS handshake, if any. Returns false if it fails.
  awaitable<bool> Greet();
  // Waits for the first byte of a request. Returns false if the peer sends none.
  awaitable<bool> AwaitRequest();
  // Offers the buffered request to the fast path. Returns its size, or 0 if the request needs the general path.
  size_t TakeFastPath();
  // Answers the request that TakeFastPath accepted. Returns false if the session takes no further request.
  awaitable<bool> AnswerExpress();
  // Reads one request into `parser`. If the request cannot be read but the peer can get an answer, returns the refusal.
  // If the connection is broken, sets `gone_` instead.
  awaitable<std::optional<HttpResponse>> Read(Parser& parser);
  // Returns the refusal of a request whose fields are read, or sets the limit of its body.
  std::optional<HttpResponse> LimitBody(Parser& parser);
  // Answers a request on the general path. Returns false if the session takes no further request.
  awaitable<bool> Answer(Parser& parser, std::optional<HttpResponse>& refusal);
  // Writes an answer's bytes, which need not stay valid. Returns false if the connection is broken.
  awaitable<bool> Put(std::string_view bytes);
  // Writes an answer. Returns false if the connection is broken.
  awaitable<bool> Write(HttpResponse& response, unsigned version, bool keep_alive, bool head);
  // Sends events until there are no more, the peer closes the connection, or it does not accept them in time. In
  // chunks, the last one says that the body is whole.
  awaitable<void> Send(EventSource& events, bool chunked);
  // Waits until the peer closes the connection, and ends the events then. Without it, a closed stream would keep its
  // place until its next event.
  awaitable<void> WatchPeer(EventSource& events, PeerWatch& watch);
  // Closes the connection so that the peer can still read the last answer.
  awaitable<void> Linger();

  Stream stream_;
  const HttpRouter& router_;
  const HttpLimits& limits_;
  EventPlaces& places_;
  const bool shared_;
  asio::ip::address peer_;
  // Null if there is no fast path.
  std::unique_ptr<FastPathConnection> fast_path_;
  beast::flat_buffer buffer_;
  SteadyTime deadline_ = kNever;
  size_t body_bytes_max_ = 0;
  bool answering_ = false;
  bool awaiting_request_ = false;
  bool finishing_ = false;
  bool gone_ = false;
  // Set while events are sent.
  EventSource* events_ = nullptr;
};

template <typename Stream>
awaitable<void> StreamSession<Stream>::Run() {
  if (!co_await Greet()) co_return;
  while (co_await AwaitRequest()) {
    // This is not part of the loop's condition, because g++ 12 evaluates a co_await after && in any case.
    bool more;
    if (const size_t size = TakeFastPath(); size > 0) {
      buffer_.consume(size);
      more = co_await AnswerExpress();
    } else {
      Parser parser;
      auto refusal = co_await Read(parser);
      if (gone_) co_return;
      more = co_await Answer(parser, refusal);
    }
    if (!more) break;
  }
  if (!gone_) co_await Linger();
}

template <typename Stream>
awaitable<bool> StreamSession<Stream>::Answer(Parser& parser, std::optional<HttpResponse>& refusal) {
  answering_ = true;
  deadline_ = kNever;
  const auto& request = parser.get();
  // After a refusal, the beginning of the next request is unknown.
  bool keep_alive = !refusal && request.keep_alive();
  const bool head = request.method() == http::verb::head;
  const unsigned version = request.version() == 10 ? 10 : 11;
  // This does not use ?:, because g++ 12 then destroys the awaited result twice.
  HttpResponse response;
  if (refusal) {
    response = *std::move(refusal);
  } else {
    HttpRequest taken(parser.release(), peer_);
    response = co_await router_.Handle(std::move(taken));
  }
  absl::StatusOr<EventPlaces::Place> place = absl::CancelledError();
  if (response.events != nullptr) {
    place = places_.Take(peer_, shared_);
    if (!place.ok()) response = NoPlace(place.status(), response);
  }
  keep_alive = keep_alive && !finishing_ && response.events == nullptr;
  if (!co_await Write(response, version, keep_alive, head)) co_return false;
  if (response.events != nullptr) co_await Send(*response.events, response.events->has_end() && version == 11);
  answering_ = false;
  // If the answer said that the connection is kept, the peer may already have sent its next request.
  co_return keep_alive && !EndsNow();
}

template <typename Stream>
size_t StreamSession<Stream>::TakeFastPath() {
  if (fast_path_ == nullptr) return 0;
  const auto received = buffer_.data();
  return fast_path_->Take({static_cast<const char*>(received.data()), received.size()});
}

template <typename Stream>
awaitable<bool> StreamSession<Stream>::AnswerExpress() {
  answering_ = true;
  deadline_ = kNever;
  co_await fast_path_->Wait();
  const bool keep_alive = !finishing_;
  const bool written = co_await Put(fast_path_->Answer(keep_alive));
  answering_ = false;
  co_return written&& keep_alive && !EndsNow();
}

template <typename Stream>
awaitable<bool> StreamSession<Stream>::Put(std::string_view bytes) {
  beast::error_code error;
  if constexpr (!kTls) {
    bytes.remove_prefix(socket().write_some(asio::buffer(bytes), error));
    if (error == asio::error::would_block) error = {};
  }
  if (!error && !bytes.empty()) {
    const std::string rest(bytes);
    SetDeadline(limits_.request_timeout);
    const auto [write_error, size] = co_await asio::async_write(stream_, asio::buffer(rest), kAwait);
    error = write_error;
  }
  gone_ = gone_ || error;
  co_return !gone_;
}

template <typename Stream>
void StreamSession<Stream>::Finish() {
  finishing_ = true;
  if (events_ != nullptr) events_->Close();
  if (events_ != nullptr || (!answering_ && EndsNow())) Close();
}

template <typename Stream>
void StreamSession<Stream>::EndWait() {
  if (answering_) return;
  beast::error_code ignored;
  if (awaiting_request_ && socket().available(ignored) > 0) return;
  Close();
}

template <typename Stream>
awaitable<bool> StreamSession<Stream>::Greet() {
  if constexpr (kTls) {
    SetDeadline(limits_.request_timeout);
    const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAwait);
    co_return !error;
  }
  co_return true;
}

template <typename Stream>
awaitable<bool> StreamSession<Stream>::AwaitRequest() {
  if (buffer_.size() > 0) co_return true;
  SetDeadline(limits_.idle_timeout);
  awaiting_request_ = true;
  const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(kReadBytes), kAwait);
  awaiting_request_ = false;
  buffer_.commit(size);
  if (error) gone_ = true;
  co_return !error;
}

template <typename Stream>
awaitable<std::optional<HttpResponse>> StreamSession<Stream>::Read(Parser& parser) {
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  // The limit of the body depends on the fields, so it is set after they are read.
  parser.body_limit(std::numeric_limits<uint64_t>::max());
  // One deadline covers the whole request, so a peer that sends one byte a second cannot hold a connection for long.
  SetDeadline(limits_.request_timeout);
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
  CompleteHead(response, version, keep_alive);
  SetDeadline(limits_.request_timeout);
  if (response.events != nullptr && response.events->has_end() && version == 11) {
    // Only the head is written here, because the serializer would end an empty body with the last chunk.
    response.chunked(true);
    http::response_serializer<http::string_body> head_only(response);
    const auto [head_error, head_size] = co_await http::async_write_header(stream_, head_only, kAwait);
    gone_ = gone_ || head_error;
    co_return !gone_;
  }
  // For HEAD, the router has set the length of the omitted body. A body of events ends with the connection.
  if (response.events == nullptr && (!head || !response.has_content_length())) response.prepare_payload();
  const auto [error, size] = co_await http::async_write(stream_, response, kAwait);
  // end_of_stream is not an error: a response without a length ends with the connection.
  if (error && error != http::error::end_of_stream) gone_ = true;
  co_return !gone_;
}

template <typename Stream>
awaitable<void> StreamSession<Stream>::Send(EventSource& events, bool chunked) {
  events_ = &events;
  // Events that the reader has not taken wait in the kernel. The buffer is small, because there may be many readers.
  beast::error_code ignored;
  socket().set_option(asio::socket_base::send_buffer_size(limits::kHttpEventsSendBufferBytes), ignored);
  buffer_.clear();
  buffer_.shrink_to_fit();
  PeerWatch watch{.end = AsyncEvent(stream_.get_executor())};
  asio::co_spawn(stream_.get_executor(), WatchPeer(events, watch), asio::detached);
  bool whole = false;
  while (!finishing_ && !gone_ && !whole) {
    auto bytes = co_await events.Next();
    if (finishing_ || gone_) break;
    if (!bytes) {
      const auto end = chunked ? events.TakeEnd() : std::nullopt;
      if (!end) break;
      whole = true;
      bytes = fmt::format("0\r\n{}\r\n", end->trailer);
    } else if (chunked) {
      // An empty chunk would be the last one.
      if (bytes->empty()) continue;
      bytes = fmt::format("{:x}\r\n{}\r\n", bytes->size(), *bytes);
    }
    SetDeadline(limits_.request_timeout);
    const auto [error, size] = co_await asio::async_write(stream_, asio::buffer(*bytes), kAwait);
    if (error) {
      gone_ = true;
      break;
    }
    deadline_ = kNever;
  }
  // Without the last chunk the reader knows that the body is cut off.
  if (chunked && !whole) gone_ = true;
  // Ends WatchPeer, which uses this session.
  socket().cancel(ignored);
  while (!watch.ended) co_await watch.end.Wait();
  events_ = nullptr;
}

template <typename Stream>
awaitable<void> StreamSession<Stream>::WatchPeer(EventSource& events, PeerWatch& watch) {
  // A reader of events sends nothing, so its bytes mean nothing.
  std::array<char, kDroppedBytes> dropped;
  beast::error_code error;
  while (!error) {
    const auto [read_error, size] = co_await stream_.async_read_some(asio::buffer(dropped), kAwait);
    error = read_error;
  }
  watch.ended = true;
  if (error != asio::error::operation_aborted) {
    gone_ = true;
    events.Close();
  }
  watch.end.NotifyAll();
}

template <typename Stream>
awaitable<void> StreamSession<Stream>::Linger() {
  if constexpr (kTls) {
    if (!EndsNow()) {
      SetDeadline(limits::kHttpLingerTimeout);
      co_await stream_.async_shutdown(kAwait);
    }
  }
  beast::error_code ignored;
  socket().shutdown(tcp::socket::shutdown_send, ignored);
  if (EndsNow()) co_return;
  // Closing with unread bytes would reset the connection, and the peer might lose the answer.
  SetDeadline(limits::kHttpLingerTimeout);
  for (size_t read = 0; read < kLingerBytesMax;) {
    buffer_.clear();
    const auto [error, size] = co_await socket().async_read_some(buffer_.prepare(kReadBytes), kAwait);
    if (error) break;
    read += size;
  }
}

}  // namespace

std::unique_ptr<HttpSession> HttpSession::Make(tcp::socket socket, asio::ssl::context* tls, const HttpRouter& router,
                                               const HttpLimits& limits, EventPlaces& places, bool shared) {
  if (tls == nullptr) {
    return std::make_unique<StreamSession<tcp::socket>>(router, limits, places, shared, std::move(socket));
  }
  return std::make_unique<StreamSession<beast::ssl_stream<tcp::socket>>>(router, limits, places, shared,
                                                                         std::move(socket), *tls);
}

}  // namespace viewcount
