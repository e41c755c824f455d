#include "service/grpc/http2/connection.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstring>
#include <utility>

#include "service/base/check.h"

namespace viewcount {
namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

// The size of the payload of RST_STREAM (RFC 9113, section 6.4).
constexpr uint8_t kResetBytes = 4;
// The head of a frame with that payload, of a type that has no meaning (RFC 9113, sections 4.1 and 5.5).
constexpr std::array<char, FrameScanner::kHeadBytes> kIgnoredHead{0, 0, kResetBytes, '\xFF', 0, 0, 0, 0, 0};

std::string_view Text(const uint8_t* bytes, size_t count) { return {reinterpret_cast<const char*>(bytes), count}; }

// The number of reads before other connections are served. Each read fills at most the loop's input buffer.
constexpr int kReadsAtOnce = 4;
// The approximate number of output bytes in one write.
constexpr size_t kGatherBytes = 128 << 10;

// The payloads of our PINGs. A PING carries exactly eight bytes.
constexpr std::string_view kDrainPing = "draining";
constexpr std::string_view kSilencePing = "silence?";
static_assert(kDrainPing.size() == 8 && kSilencePing.size() == 8);

const uint8_t* PingData(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

nghttp2_session* MakeSession(const nghttp2_session_callbacks* callbacks, void* user) {
  nghttp2_option* option = nullptr;
  VIEWCOUNT_CHECK(nghttp2_option_new(&option) == 0);
  // Without automatic window updates, a busy handler slows its sender down.
  nghttp2_option_set_no_auto_window_update(option, 1);
  // ClosedStreams remembers the necessary facts about closed streams in less memory.
  nghttp2_option_set_no_closed_streams(option, 1);
  // gRPC's clients send metadata with leading and trailing blanks.
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, limits::kHttp2ResetsMax, limits::kHttp2ResetsPerSecond);
  nghttp2_session* session = nullptr;
  VIEWCOUNT_CHECK(nghttp2_session_server_new2(&session, callbacks, user, option) == 0);
  nghttp2_option_del(option);
  return session;
}

}  // namespace

nghttp2_session_callbacks* Http2Connection::MakeCallbacks() {
  nghttp2_session_callbacks* callbacks = nullptr;
  VIEWCOUNT_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, OnInvalidFrame);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
  return callbacks;
}

Http2Connection::Http2Connection(EventLoop& loop, Socket socket, const CallRoutes& routes, const Http2Limits& limits,
                                 Events events)
    : loop_(loop),
      socket_(std::move(socket)),
      routes_(routes),
      limits_(limits),
      events_(std::move(events)),
      stall_(loop.context()),
      drain_wait_(loop.context()),
      deadlines_(loop.context()) {
  static nghttp2_session_callbacks* const callbacks = MakeCallbacks();
  session_ = MakeSession(callbacks, this);
}

Http2Connection::~Http2Connection() { nghttp2_session_del(session_); }

void Http2Connection::Start() {
  const std::array<nghttp2_settings_entry, 4> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits::kGrpcStreamsPerConnectionMax},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits::kHttp2StreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits::kHttp2FrameBytesMax},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits::kHttp2HeaderBytesMax},
  }};
  Expect(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()), "send settings");
  Expect(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, limits::kHttp2ConnectionWindowBytes),
         "widen the connection's window");
  CloseLater(limits_.greeting_max);
  Flush();
  WaitReadable();
}

void Http2Connection::Expect(int result, std::string_view what) {
  if (result == 0) return;
  spdlog::debug("grpc: a connection is closed: cannot {}: {}", what, nghttp2_strerror(result));
  broken_ = true;
  FlushSoon();
}

// --- Closing ---

void Http2Connection::Drain() {
  if (ending_ != Ending::kNone) return;
  ending_ = Ending::kNoticed;
  // OnFrameSent submits the PING once this GOAWAY is sent, because nghttp2 sends PINGs before other frames.
  Expect(nghttp2_submit_shutdown_notice(session_), "announce the end");
  drain_wait_.expires_after(limits::kHttp2DrainPingWait);
  drain_wait_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (self == nullptr || cancelled) return;
    self->SendLastGoAway();
    self->loop_.FlushOutputs();
  });
  Flush();
}

void Http2Connection::SendLastGoAway() {
  if (ending_ != Ending::kNoticed) return;
  ending_ = Ending::kGoneAway;
  drain_wait_.cancel();
  last_stream_ = nghttp2_session_get_last_proc_stream_id(session_);
  Expect(nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream_, NGHTTP2_NO_ERROR, nullptr, 0), "send GOAWAY");
  FlushSoon();
}

void Http2Connection::EndAll() {
  while (!calls_.empty()) End(calls_.front());
  headers_.reset();
  CountHeaders();
}

void Http2Connection::Linger() {
  if (ending_ >= Ending::kLingering) return;
  ending_ = Ending::kLingering;
  const auto self = shared_from_this();
  EndAll();
  boost::system::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error) return Close();
  CloseLater(limits::kHttp2LingerMax);
  WaitReadable();
}

void Http2Connection::Close() {
  if (std::exchange(ending_, Ending::kClosed) == Ending::kClosed) return;
  const auto self = shared_from_this();
  EndAll();
  boost::system::error_code ignored;
  socket_.close(ignored);
  stall_.cancel();
  drain_wait_.cancel();
  deadlines_.cancel();
  events_.closed(this);
}

void Http2Connection::CloseLater(std::chrono::milliseconds delay) {
  stall_.expires_after(delay);
  stall_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    if (const auto self = weak.lock(); self != nullptr && !cancelled) self->Close();
  });
}

void Http2Connection::CheckPeer() {
  // A connection that has not greeted yet, does not read, or is about to be closed has its own time limit.
  if (!greeted_ || !unsent_.empty() || ending_ >= Ending::kLingering) return;
  ++silent_checks_;
  if (silent_checks_ == limits_.silent_checks_max) {
    Expect(nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, PingData(kSilencePing)), "send a PING");
    return Flush();
  }
  if (silent_checks_ < 2 * limits_.silent_checks_max) return;
  spdlog::debug("grpc: a connection is closed: its peer does not answer a PING");
  Close();
}

// --- The socket ---

void Http2Connection::WaitReadable() {
  if (ending_ == Ending::kClosed || reading_) return;
  reading_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    self->reading_ = false;
    if (self->ending_ == Ending::kClosed) return;
    if (error) return self->Close();
    self->OnReadable();
    self->loop_.FlushOutputs();
  });
}

void Http2Connection::OnReadable() {
  std::string& input = loop_.input();
  size_t count = 0;
  // A peer that fills the whole buffer has probably sent more, but other connections wait, too.
  for (int reads = 0; reads < kReadsAtOnce && (reads == 0 || count == input.size()); ++reads) {
    boost::system::error_code error;
    count = socket_.read_some(asio::buffer(input), error);
    if (error == asio::error::would_block) break;
    if (error) return Close();
    silent_checks_ = 0;
    if (ending_ == Ending::kLingering) continue;
    if (!Receive({input.data(), count})) return Close();
  }
  // The last GOAWAY is sent only after all bytes were processed. They may begin streams after the PING's answer, and
  // its last stream ID must include these.
  if (drain_answered_) SendLastGoAway();
  Flush();
  // While a peer does not take its answers, no further requests are read from it.
  if (unsent_.empty()) WaitReadable();
}

void Http2Connection::FlushSoon() {
  if (!std::exchange(flush_wanted_, true)) loop_.FlushLater(shared_from_this());
}

void Http2Connection::Flush() {
  flush_wanted_ = false;
  if (ending_ >= Ending::kLingering || !unsent_.empty()) return;
  std::string& output = loop_.output();
  do {
    output.clear();
    if (!Gather(output) || !Write(output)) return Close();
  } while (output.size() >= kGatherBytes && unsent_.empty());
  if (broken_) return Close();
  if (unsent_.empty() && !nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_)) Linger();
}

bool Http2Connection::Gather(std::string& out) {
  while (out.size() < kGatherBytes) {
    const uint8_t* bytes = nullptr;
    const ssize_t count = nghttp2_session_mem_send(session_, &bytes);
    if (count < 0) return false;
    if (count == 0) break;
    out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
  }
  return true;
}

bool Http2Connection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    boost::system::error_code error;
    const size_t count = socket_.write_some(asio::buffer(bytes), error);
    if (error == asio::error::would_block) {
      unsent_ = bytes;
      CloseLater(limits::kHttp2StallMax);
      WaitWritable();
      return true;
    }
    if (error) return false;
    bytes.remove_prefix(count);
  }
  return true;
}

void Http2Connection::WaitWritable() {
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](boost::system::error_code error) {
    if (self->ending_ == Ending::kClosed) return;
    self->stall_.cancel();
    const std::string bytes = std::exchange(self->unsent_, {});
    if (error || !self->Write(bytes)) return self->Close();
    self->Flush();
    if (self->unsent_.empty()) self->WaitReadable();
    self->loop_.FlushOutputs();
  });
}

// --- Incoming frames ---

bool Http2Connection::Receive(std::string_view bytes) {
  std::string joined;
  if (!partial_head_.empty()) {
    joined = std::exchange(partial_head_, {}).append(bytes);
    bytes = joined;
  }
  while (!bytes.empty()) {
    if (!(headers_ ? CollectHeaders(bytes) : Scan(bytes))) return false;
  }
  return true;
}

// gRPC's C++ core, and Rust's h2 before 2026, send this if a call is cancelled before its HEADERS were sent. The stream
// then never begins, so there is nothing to end. See grpc/grpc issue 38758 and hyperium/h2 pull request 875.
bool Http2Connection::IsResetOfIdleStream(const FrameHead& head) const {
  return head.type == NGHTTP2_RST_STREAM && head.length == kResetBytes && head.stream % 2 == 1 &&
         closed_streams_.Find(head.stream) == ClosedStreams::Kind::kNew;
}

bool Http2Connection::Scan(std::string_view& bytes) {
  std::string_view rest = bytes;
  bool resets = false;
  while (const auto head = scanner_.Next(rest)) {
    if (IsResetOfIdleStream(*head)) {
      // nghttp2 would end the connection with all its other calls, as RFC 9113 section 6.4 wants. It ignores frames of
      // unknown types, so it is given such a head. The payload follows.
      const size_t fed = bytes.size() - rest.size() - FrameScanner::kHeadBytes;
      if (!Feed(bytes.substr(0, fed)) || !Feed({kIgnoredHead.data(), kIgnoredHead.size()})) return false;
      bytes = rest;
      resets = false;
      continue;
    }
    resets |= head->type == NGHTTP2_RST_STREAM;
    // Clients' streams have odd IDs. nghttp2 answers violations of that rule.
    const bool of_stream = (head->type == NGHTTP2_DATA || head->type == NGHTTP2_HEADERS) && head->stream % 2 == 1;
    const bool collects = head->type == NGHTTP2_HEADERS && HeaderCollector::IsNeeded(*head);
    if (!collects && (!of_stream || (Find(head->stream) != nullptr && !resets))) continue;
    // An earlier frame in `bytes` may begin or end this frame's stream. So nghttp2 processes all earlier frames first.
    const size_t fed = bytes.size() - rest.size() - FrameScanner::kHeadBytes;
    if (!Feed(bytes.substr(0, fed))) return false;
    bytes.remove_prefix(fed);
    resets = false;
    if (of_stream && Find(head->stream) == nullptr) RefuseFrame(*head);
    if (collects) {
      bytes = rest;
      headers_.emplace(*head);
      CountHeaders();
      return true;
    }
  }
  const size_t whole = bytes.size() - scanner_.TakeBack();
  partial_head_ = bytes.substr(whole);
  return Feed(std::exchange(bytes, {}).substr(0, whole));
}

bool Http2Connection::CollectHeaders(std::string_view& bytes) {
  headers_->Take(bytes);
  CountHeaders();
  if (!headers_->done()) return loop_.held_bytes <= limits::kGrpcMemoryBytesMax;
  const HeaderCollector::Result result = headers_->Finish();
  scanner_.Skip(headers_->missing());
  headers_.reset();
  CountHeaders();
  headers_shortened_ = result.shortened;
  const bool whole = Feed(result.frames);
  headers_shortened_ = false;
  return whole;
}

void Http2Connection::CountHeaders() {
  const size_t bytes = headers_ ? headers_->bytes() : 0;
  loop_.held_bytes += bytes - counted_headers_;
  counted_headers_ = bytes;
}

bool Http2Connection::Feed(std::string_view bytes) {
  if (bytes.empty()) return true;
  const ssize_t taken =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (taken >= 0) return true;
  spdlog::debug("grpc: a connection is closed: its peer breaks HTTP/2: {}", nghttp2_strerror(static_cast<int>(taken)));
  return false;
}

int Http2Connection::OnInvalidFrame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
  // nghttp2 resets the stream. It may have reported nothing else about it.
  if (frame->hd.stream_id != 0) static_cast<Http2Connection*>(user)->closed_streams_.ResetByUs(frame->hd.stream_id);
  return 0;
}

void Http2Connection::RefuseFrame(const FrameHead& head) {
  // Frames on streams begun after the last GOAWAY are ignored.
  if (ending_ >= Ending::kGoneAway) return;
  const bool headers = head.type == NGHTTP2_HEADERS;
  switch (closed_streams_.Find(head.stream)) {
    case ClosedStreams::Kind::kNew:
      // nghttp2 answers DATA on an idle stream itself.
      if (headers) closed_streams_.Begun(head.stream);
      return;
    case ClosedStreams::Kind::kResetByUs:
      return;
    case ClosedStreams::Kind::kEnded:
      return Expect(nghttp2_session_terminate_session(session_, NGHTTP2_STREAM_CLOSED), "end the connection");
    case ClosedStreams::Kind::kUnknown:
      if (headers) {
        return Expect(nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR), "end the connection");
      }
      // Netty sends the message of a call after it has reset the call's stream. Many other streams may have been closed
      // in between. An end of the connection would end all other calls.
      [[fallthrough]];
    case ClosedStreams::Kind::kResetByPeer:
      return Expect(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, head.stream, NGHTTP2_STREAM_CLOSED),
                    "reset a stream");
  }
}

int Http2Connection::OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  if (frame->hd.stream_id > self.last_stream_) {
    // The GOAWAY that excludes this stream is queued but not sent yet. The client repeats the call on another
    // connection, so a view counted here would be counted twice.
    self.Expect(nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM),
                "refuse a stream");
    return 0;
  }
  auto* call = new Call(self, frame->hd.stream_id);
  if (self.headers_shortened_) call->head_.bytes = limits::kHttp2HeaderBytesMax + 1;
  self.calls_.push_back(*call);
  VIEWCOUNT_CHECK(nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call) == 0);
  return 0;
}

int Http2Connection::OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_bytes,
                              const uint8_t* value, size_t value_bytes, uint8_t, void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  if (Call* call = self.Find(frame->hd.stream_id)) call->ReadHeader(Text(name, name_bytes), Text(value, value_bytes));
  return 0;
}

int Http2Connection::OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  if (!std::exchange(self.greeted_, true)) {
    self.stall_.cancel();
    if (self.events_.greeted) self.events_.greeted();
  }
  if (frame->hd.type == NGHTTP2_RST_STREAM) self.reset_by_peer_ = frame->hd.stream_id;
  if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 &&
      Text(frame->ping.opaque_data, kDrainPing.size()) == kDrainPing) {
    self.drain_answered_ = true;
  }
  const bool begins = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  if (!begins && frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
  Call* const call = self.Find(frame->hd.stream_id);
  if (call == nullptr) return 0;
  if (begins) call->Begin();
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) call->EndRequest();
  return 0;
}

int Http2Connection::OnData(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* data, size_t bytes,
                            void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  self.Expect(nghttp2_session_consume_connection(session, bytes), "widen the connection's window");
  if (Call* call = self.Find(stream)) call->Receive(Text(data, bytes));
  return 0;
}

int Http2Connection::OnStreamClose(nghttp2_session*, int32_t stream, uint32_t, void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  self.closed_streams_.Closed(stream, self.reset_by_peer_ == stream);
  if (Call* call = self.Find(stream)) self.End(*call);
  return 0;
}

void Http2Connection::End(Call& call) {
  Expect(nghttp2_session_set_stream_user_data(session_, call.stream_, nullptr), "forget a stream");
  calls_.erase(calls_.iterator_to(call));
  call.End();
  delete &call;
}

// --- Outgoing frames ---

ssize_t Http2Connection::OnResponseRead(nghttp2_session*, int32_t, uint8_t* out, size_t bytes, uint32_t* flags,
                                        nghttp2_data_source* source, void*) {
  return static_cast<Call*>(source->ptr)->ReadResponse({out, bytes}, flags);
}

int Http2Connection::OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  if (frame->hd.type == NGHTTP2_RST_STREAM) self.closed_streams_.ResetByUs(frame->hd.stream_id);
  if (frame->hd.type == NGHTTP2_GOAWAY && self.ending_ == Ending::kNoticed) {
    self.Expect(nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, PingData(kDrainPing)), "send a PING");
  }
  const bool can_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!can_end || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  const Call* const call = self.Find(frame->hd.stream_id);
  // The response is complete, so the rest of the request is not needed.
  if (call != nullptr && !call->request_ended_) {
    self.Expect(nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR),
                "reset a stream");
  }
  return 0;
}

// --- Deadlines ---

bool Http2Connection::WatchDeadline(Call& call) {
  if (FinishIfLate(call)) return false;
  const auto when = std::max(*call.deadline(), steady_clock::now() + limits::kHttp2DeadlineStep);
  if (when >= next_deadline_) return true;
  next_deadline_ = when;
  deadlines_.expires_at(when);
  deadlines_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (self == nullptr || cancelled) return;
    self->FinishLateCalls();
    self->loop_.FlushOutputs();
  });
  return true;
}

bool Http2Connection::FinishIfLate(Call& call) {
  if (!call.deadline() || *call.deadline() > steady_clock::now()) return false;
  call.Finish({grpc::StatusCode::DEADLINE_EXCEEDED, kLateText});
  return true;
}

void Http2Connection::FinishLateCalls() {
  next_deadline_ = steady_clock::time_point::max();
  for (Call& call : calls_) {
    if (call.deadline() && !call.finished()) WatchDeadline(call);
  }
}

}  // namespace viewcount
