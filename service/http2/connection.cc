#include "service/http2/connection.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <utility>
#include <vector>

#include "service/base/check.h"
#include "service/base/status.h"
#include "service/grpc/status.h"
#include "service/http2/grpc_headers.h"
#include "service/http2/http2_limits.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

std::string_view Text(const uint8_t* bytes, size_t count) { return {reinterpret_cast<const char*>(bytes), count}; }

// The name must stay for ever, and with NGHTTP2_NV_FLAG_NO_COPY_VALUE the value, too.
nghttp2_nv Header(std::string_view name, std::string_view value, uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
  // nghttp2 does not write to them.
  return {.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          .value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = static_cast<uint8_t>(flags | NGHTTP2_NV_FLAG_NO_COPY_NAME)};
}

const std::array<nghttp2_nv, 2> kResponseHeaders{
    Header(":status", "200", NGHTTP2_NV_FLAG_NO_COPY_VALUE),
    Header("content-type", "application/grpc", NGHTTP2_NV_FLAG_NO_COPY_VALUE)};
const std::array<nghttp2_nv, 1> kOkTrailers{Header("grpc-status", "0", NGHTTP2_NV_FLAG_NO_COPY_VALUE)};

// Of input, each as large as the loop's buffer, before others have their turn.
constexpr int kReadsAtOnce = 4;
// Of output, roughly, in one write.
constexpr size_t kGatherBytes = 128 << 10;

bool IsGrpc(std::string_view content_type) {
  constexpr std::string_view kGrpc = "application/grpc";
  if (!content_type.starts_with(kGrpc)) return false;
  // gRPC-Web is something else.
  return content_type.size() == kGrpc.size() || content_type[kGrpc.size()] == '+' || content_type[kGrpc.size()] == ';';
}

// As much as a header may have, whole characters of it.
std::string_view StatusText(std::string_view text) {
  if (text.size() <= limits::kGrpcStatusTextBytesMax) return text;
  size_t size = limits::kGrpcStatusTextBytesMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

absl::Status MemoryFull() {
  return RetryLater(absl::StatusCode::kResourceExhausted, "requests take as much memory as they may",
                    limits::kRetryDelay);
}

}  // namespace

nghttp2_session_callbacks* Http2Connection::MakeCallbacks() {
  nghttp2_session_callbacks* callbacks = nullptr;
  VIEWCOUNT_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
  return callbacks;
}

Http2Connection::Http2Connection(EventLoop& loop, asio::ip::tcp::socket socket, const CallRoutes& routes,
                                 std::function<void(Http2Connection*)> closed)
    : loop_(loop), socket_(std::move(socket)), routes_(routes), closed_(std::move(closed)), stall_(loop.context()) {
  static nghttp2_session_callbacks* const callbacks = MakeCallbacks();
  nghttp2_option* option = nullptr;
  VIEWCOUNT_CHECK(nghttp2_option_new(&option) == 0);
  // A handler that is busy holds its sender back.
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, limits::kHttp2ResetsMax, limits::kHttp2ResetsPerSecond);
  VIEWCOUNT_CHECK(nghttp2_session_server_new2(&session_, callbacks, this, option) == 0);
  nghttp2_option_del(option);
}

Http2Connection::~Http2Connection() { nghttp2_session_del(session_); }

void Http2Connection::Start() {
  const std::array<nghttp2_settings_entry, 4> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits::kGrpcStreamsPerConnectionMax},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits::kHttp2StreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits::kHttp2FrameBytesMax},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits::kHttp2HeaderBytesMax},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, limits::kHttp2ConnectionWindowBytes);
  CloseLater();
  Flush();
  WaitReadable();
}

void Http2Connection::Drain() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  Flush();
}

void Http2Connection::Close() {
  if (std::exchange(closed_already_, true)) return;
  const auto self = shared_from_this();
  while (!calls_.empty()) End(calls_.front());
  boost::system::error_code ignored;
  socket_.close(ignored);
  stall_.cancel();
  closed_(this);
}

// --- The socket ---

void Http2Connection::WaitReadable() {
  if (closed_already_ || reading_) return;
  reading_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    self->reading_ = false;
    if (self->closed_already_) return;
    if (error) return self->Close();
    self->OnReadable();
    self->loop_.FlushOutputs();
  });
}

void Http2Connection::OnReadable() {
  std::string& input = loop_.input();
  size_t count = 0;
  // Whoever fills all of the room has probably more, but others wait, too.
  for (int reads = 0; reads < kReadsAtOnce && (reads == 0 || count == input.size()); ++reads) {
    boost::system::error_code error;
    count = socket_.read_some(asio::buffer(input), error);
    if (error == asio::error::would_block) break;
    if (error) return Close();
    const ssize_t taken = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(input.data()), count);
    if (taken < 0) {
      spdlog::debug("grpc: a connection breaks HTTP/2: {}", nghttp2_strerror(static_cast<int>(taken)));
      return Close();
    }
  }
  Flush();
  // A peer that does not take its answers sends no more requests.
  if (unsent_.empty()) WaitReadable();
}

void Http2Connection::FlushSoon() {
  if (!std::exchange(flush_wanted_, true)) loop_.FlushLater(shared_from_this());
}

void Http2Connection::Flush() {
  flush_wanted_ = false;
  if (closed_already_ || !unsent_.empty()) return;
  std::string& output = loop_.output();
  do {
    output.clear();
    if (!Gather(output) || !Write(output)) return Close();
  } while (output.size() >= kGatherBytes && unsent_.empty());
  if (unsent_.empty() && !nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_)) Close();
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
      CloseLater();
      WaitWritable();
      return true;
    }
    if (error) return false;
    bytes.remove_prefix(count);
  }
  return true;
}

void Http2Connection::CloseLater() {
  stall_.expires_after(limits::kHttp2StallMax);
  stall_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    if (const auto self = weak.lock(); self != nullptr && !cancelled) self->Close();
  });
}

void Http2Connection::WaitWritable() {
  socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](boost::system::error_code error) {
    if (self->closed_already_) return;
    self->stall_.cancel();
    const std::string bytes = std::exchange(self->unsent_, {});
    if (error || !self->Write(bytes)) return self->Close();
    self->Flush();
    if (self->unsent_.empty()) self->WaitReadable();
    self->loop_.FlushOutputs();
  });
}

// --- What comes ---

int Http2Connection::OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  auto* call = new Call(self, frame->hd.stream_id);
  self.calls_.push_back(*call);
  nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
  return 0;
}

int Http2Connection::OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_bytes,
                              const uint8_t* value, size_t value_bytes, uint8_t, void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  if (Call* call = self.Find(frame->hd.stream_id))
    self.ReadHeader(*call, Text(name, name_bytes), Text(value, value_bytes));
  return 0;
}

void Http2Connection::ReadHeader(Call& call, std::string_view name, std::string_view value) {
  // As SETTINGS_MAX_HEADER_LIST_SIZE counts it.
  constexpr size_t kHeaderOverhead = 32;
  call.header_bytes_ += name.size() + value.size() + kHeaderOverhead;
  if (call.header_bytes_ > limits::kHttp2HeaderBytesMax) return;
  if (name == ":path") {
    const auto found = routes_.methods.find(value);
    const bool known = found != routes_.methods.end();
    call.method_ = known ? &found->second : &routes_.others;
    call.path_ = known ? std::string_view(found->first) : call.other_path_ = value;
  } else if (name == "content-type") {
    call.is_grpc_ = IsGrpc(value);
  } else if (name == "grpc-encoding") {
    if (value == "gzip" || value == "deflate") call.reader_.AllowCompressed();
    call.known_encoding_ = value == "gzip" || value == "deflate" || value == "identity";
  } else if (name == "grpc-timeout") {
    if (const auto timeout = ParseGrpcTimeout(value)) {
      call.deadline_ =
          std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(*timeout);
    }
  }
}

int Http2Connection::OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  if (!std::exchange(self.met_, true)) self.stall_.cancel();
  const bool begins = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  if (!begins && frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
  Call* const call = self.Find(frame->hd.stream_id);
  if (call == nullptr) return 0;
  if (begins) self.Begin(*call);
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) self.EndRequest(*call);
  return 0;
}

int Http2Connection::OnData(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* data, size_t bytes,
                            void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  nghttp2_session_consume_connection(session, bytes);
  if (Call* call = self.Find(stream)) self.Receive(*call, Text(data, bytes));
  return 0;
}

void Http2Connection::Begin(Call& call) {
  CountBytes(call);
  if (call.header_bytes_ > limits::kHttp2HeaderBytesMax) {
    return call.Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "the call's metadata is larger than it may be"});
  }
  if (!call.is_grpc_) {
    // As gRPC's protocol demands of what is not gRPC.
    const std::array<nghttp2_nv, 1> headers{Header(":status", "415")};
    nghttp2_submit_response(session_, call.stream_, headers.data(), headers.size(), nullptr);
    call.finished_ = call.began_response_ = true;
    return FlushSoon();
  }
  if (!call.known_encoding_) {
    return call.Finish({grpc::StatusCode::UNIMPLEMENTED, "messages may be compressed by gzip or deflate, else not"});
  }
  if (!call.path_.starts_with('/')) {
    return call.Finish({grpc::StatusCode::UNIMPLEMENTED, "the path names no method"});
  }
  if (loop_.held_bytes > limits::kGrpcMemoryBytesMax) return call.Finish(ToGrpc(MemoryFull()));
  call.handler_ = call.method_->begin(call);
}

void Http2Connection::Receive(Call& call, std::string_view bytes) {
  call.unconsumed_ += bytes.size();
  if (!call.finished_) {
    const absl::Status status = call.reader_.Add(bytes, limits::kGrpcMessageBytesMax);
    CountBytes(call);
    if (!status.ok()) return call.Finish(ToGrpc(status));
    if (loop_.held_bytes > limits::kGrpcMemoryBytesMax) return call.Finish(ToGrpc(MemoryFull()));
    if (call.method_->one_request && call.reader_.messages() > 1) {
      return call.Finish({grpc::StatusCode::INTERNAL, "the request has more than one message"});
    }
    if (!call.method_->one_request) Deliver(call);
  }
  Consume(call);
}

void Http2Connection::Consume(Call& call) {
  // While whole messages wait, the sender may fill its window and no more.
  if (call.unconsumed_ == 0 || (call.reader_.has_message() && !call.finished_ && !call.method_->one_request)) return;
  nghttp2_session_consume_stream(session_, call.stream_, std::exchange(call.unconsumed_, 0));
}

void Http2Connection::CountBytes(Call& call) {
  const size_t bytes = sizeof(call) + call.path_.size() + call.reader_.bytes() + HeapBytes(call.out_);
  loop_.held_bytes += bytes - call.counted_bytes_;
  call.counted_bytes_ = bytes;
}

void Http2Connection::EndRequest(Call& call) {
  call.request_ended_ = true;
  if (call.finished_) return;
  if (call.reader_.incomplete()) {
    return call.Finish({grpc::StatusCode::INTERNAL, "the request ends in the middle of a message"});
  }
  Deliver(call);
}

void Http2Connection::Deliver(Call& call) {
  if (call.finished_ || (call.method_->one_request && !call.request_ended_)) return;
  if (std::exchange(call.delivering_, true)) return;
  while (call.wants_message_ && !call.finished_ && call.reader_.has_message() &&
         call.out_.size() <= limits::kHttp2AnswerBytesMax) {
    call.wants_message_ = false;
    std::string message = call.reader_.Take();
    CountBytes(call);
    call.handler_->OnMessage(std::move(message));
  }
  call.delivering_ = false;
  if (call.wants_message_ && !call.finished_ && call.request_ended_ && !call.reader_.has_message() &&
      !std::exchange(call.end_told_, true)) {
    call.handler_->OnRequestEnd();
  }
}

// --- What goes ---

void Call::Read() {
  wants_message_ = true;
  connection_.Deliver(*this);
  connection_.Consume(*this);
  connection_.FlushSoon();
}

void Call::Send(std::string_view message) {
  AppendMessage(message, out_);
  connection_.CountBytes(*this);
  connection_.Respond(*this);
}

void Call::Finish(const grpc::Status& status) {
  if (std::exchange(finished_, true)) return;
  status_ = status;
  connection_.Release(*this);
  connection_.Respond(*this);
}

EventLoop& Call::loop() { return connection_.loop_; }

void Http2Connection::Respond(Call& call) {
  FlushSoon();
  if (std::exchange(call.began_response_, true)) {
    if (std::exchange(call.deferred_, false)) nghttp2_session_resume_data(session_, call.stream_);
    return;
  }
  if (call.finished_ && call.out_.empty()) return SubmitEnd(call, true);
  nghttp2_data_provider body{.source = {.ptr = &call}, .read_callback = OnResponseRead};
  nghttp2_submit_response(session_, call.stream_, kResponseHeaders.data(), kResponseHeaders.size(), &body);
}

void Http2Connection::SubmitEnd(Call& call, bool alone) {
  if (call.status_.ok() && !alone) {
    nghttp2_submit_trailer(session_, call.stream_, kOkTrailers.data(), kOkTrailers.size());
    return;
  }
  const std::string code = std::to_string(call.status_.error_code());
  const std::string message = PercentEncode(StatusText(call.status_.error_message()));
  const bool fits = call.status_.error_details().size() <= limits::kGrpcStatusDetailsBytesMax;
  const std::string details = fits ? Base64Encode(call.status_.error_details()) : "";
  std::vector<nghttp2_nv> headers;
  if (alone) headers.assign(kResponseHeaders.begin(), kResponseHeaders.end());
  headers.push_back(Header("grpc-status", code));
  if (!message.empty()) headers.push_back(Header("grpc-message", message));
  if (!details.empty()) headers.push_back(Header("grpc-status-details-bin", details));
  if (!call.known_encoding_) headers.push_back(Header("grpc-accept-encoding", "identity,deflate,gzip"));
  if (alone) {
    nghttp2_submit_response(session_, call.stream_, headers.data(), headers.size(), nullptr);
  } else {
    nghttp2_submit_trailer(session_, call.stream_, headers.data(), headers.size());
  }
}

void Http2Connection::Release(Call& call) {
  call.reader_.Clear();
  CountBytes(call);
  Consume(call);
}

ssize_t Http2Connection::OnResponseRead(nghttp2_session*, int32_t, uint8_t* out, size_t bytes, uint32_t* flags,
                                        nghttp2_data_source* source, void* user) {
  return static_cast<Http2Connection*>(user)->ReadResponse(*static_cast<Call*>(source->ptr), {out, bytes}, flags);
}

ssize_t Http2Connection::ReadResponse(Call& call, std::span<uint8_t> out, uint32_t* flags) {
  const size_t count = std::min(out.size(), call.out_.size() - call.out_sent_);
  std::copy_n(call.out_.data() + call.out_sent_, count, out.data());
  call.out_sent_ += count;
  if (call.out_sent_ == call.out_.size()) {
    call.out_sent_ = 0;
    // What is large is not kept for the next message.
    if (call.out_.capacity() > limits::kHttp2AnswerBytesMax) std::string().swap(call.out_);
    call.out_.clear();
    CountBytes(call);
    if (!call.finished_ && count > 0) call.handler_->OnSent();
    Deliver(call);
    Consume(call);
  }
  if (call.out_.empty() && call.finished_) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    SubmitEnd(call, false);
  } else if (count == 0) {
    call.deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  return static_cast<ssize_t>(count);
}

int Http2Connection::OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  const Call* const call = static_cast<Http2Connection*>(user)->Find(frame->hd.stream_id);
  // The rest of the request is of no use any more.
  if (call != nullptr && !call->request_ended_) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  }
  return 0;
}

int Http2Connection::OnStreamClose(nghttp2_session*, int32_t stream, uint32_t, void* user) {
  auto& self = *static_cast<Http2Connection*>(user);
  if (Call* call = self.Find(stream)) self.End(*call);
  return 0;
}

void Http2Connection::End(Call& call) {
  nghttp2_session_set_stream_user_data(session_, call.stream_, nullptr);
  loop_.held_bytes -= call.counted_bytes_;
  call.finished_ = true;
  if (call.handler_ != nullptr) std::exchange(call.handler_, nullptr)->OnEnd();
  calls_.erase(calls_.iterator_to(call));
  delete &call;
}

}  // namespace viewcount
