#include "service/grpc/http2/call.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "service/base/status.h"
#include "service/grpc/http2/connection.h"
#include "service/grpc/http2/grpc_headers.h"
#include "service/grpc/http2/grpc_status.h"
#include "service/grpc/http2/http2_limits.h"
#include "service/grpc/http2/nghttp2_header.h"

namespace viewcount {
namespace {

const std::array<nghttp2_nv, 2> kResponseHeaders{
    Http2Header(":status", "200", NGHTTP2_NV_FLAG_NO_COPY_VALUE),
    Http2Header("content-type", "application/grpc", NGHTTP2_NV_FLAG_NO_COPY_VALUE)};
const std::array<nghttp2_nv, 1> kOkTrailers{Http2Header("grpc-status", "0", NGHTTP2_NV_FLAG_NO_COPY_VALUE)};
const std::array<nghttp2_nv, 2> kOtherProtocolHeaders{
    Http2Header(":status", "415", NGHTTP2_NV_FLAG_NO_COPY_VALUE),
    Http2Header("content-type", "text/plain; charset=utf-8", NGHTTP2_NV_FLAG_NO_COPY_VALUE)};
constexpr std::string_view kOtherProtocolText = "This port speaks gRPC only (content-type: application/grpc).\n";

// Returns the prefix of a status text that fits into a header. The cut is between two UTF-8 characters.
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

EventLoop& Call::loop() { return connection_.loop_; }

const std::shared_ptr<ConnectionShare>& Call::share() const { return connection_.share_; }

// --- The request ---

void Call::ReadHeader(std::string_view name, std::string_view value) {
  head_.Add(name, value);
  if (name != ":path" || head_.too_large()) return;
  const auto found = connection_.routes_.methods.find(value);
  const bool known = found != connection_.routes_.methods.end();
  method_ = known ? &found->second : &connection_.routes_.others;
  path_ = known ? std::string_view(found->first) : other_path_ = value;
}

void Call::Begin() {
  CountBytes();
  if (head_.too_large()) {
    return Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "the call's metadata is larger than it may be"});
  }
  // The answer is sent when the request has ended. Until then the peer's further frames arrive on a stream that is
  // still open.
  if (!head_.is_grpc) {
    request_ = Request::kDropped;
    return;
  }
  if (!head_.known_encoding) {
    return Finish({grpc::StatusCode::UNIMPLEMENTED, "messages may be compressed by gzip or deflate, else not"});
  }
  if (!path_.starts_with('/')) return Finish({grpc::StatusCode::UNIMPLEMENTED, "the path names no method"});
  if (loop().held_bytes > limits::kGrpcMemoryBytesMax) return Finish(ToGrpc(MemoryFull()));
  if (head_.compressed) reader_.AllowCompressed();
  if (head_.deadline && !connection_.WatchDeadline(*this)) return;
  handler_ = method_->begin(*this);
}

void Call::Receive(std::string_view bytes) {
  unconsumed_ += bytes.size();
  if (!finished()) {
    const absl::Status status = reader_.Add(bytes, limits::kGrpcMessageBytesMax);
    CountBytes();
    if (!status.ok()) return Finish(ToGrpc(status));
    if (loop().held_bytes > limits::kGrpcMemoryBytesMax) return Finish(ToGrpc(MemoryFull()));
    if (method_->one_request && reader_.messages() > 1) {
      return Finish({grpc::StatusCode::INTERNAL, "the request has more than one message"});
    }
    if (!method_->one_request) Deliver();
  }
  Consume();
}

void Call::EndRequest() {
  request_ended_ = true;
  if (!head_.is_grpc && response_ == Response::kNotBegun) return RefuseOtherProtocol();
  if (finished()) return;
  if (reader_.incomplete()) {
    return Finish({grpc::StatusCode::INTERNAL, "the request ends in the middle of a message"});
  }
  Deliver();
}

void Call::Deliver() {
  if (finished() || (method_->one_request && !request_ended_)) return;
  if (std::exchange(delivering_, true)) return;
  // The handler may call HandOver, so `handler` below keeps it alive until OnMessage returns.
  while (request_ == Request::kWanted && reader_.has_message() && out_.size() <= limits::kHttp2AnswerBytesMax) {
    if (connection_.FinishIfLate(*this)) break;
    request_ = Request::kHandled;
    std::string message = reader_.Take();
    CountBytes();
    const HandlerRef handler = handler_;
    handler->OnMessage(std::move(message));
  }
  delivering_ = false;
  if (request_ == Request::kWanted && request_ended_ && !reader_.has_message()) {
    request_ = Request::kEndTold;
    const HandlerRef handler = handler_;
    handler->OnRequestEnd();
  }
}

void Call::Consume() {
  // The window is not widened while whole messages wait. The sender may then fill its window, but not send more.
  if (unconsumed_ == 0 || (reader_.has_message() && !finished() && !method_->one_request)) return;
  connection_.Expect(nghttp2_session_consume_stream(connection_.session_, stream_, std::exchange(unconsumed_, 0)),
                     "widen a stream's window");
}

void Call::CountBytes() {
  const size_t bytes = sizeof(*this) + path_.size() + reader_.bytes() + HeapBytes(out_);
  loop().held_bytes += bytes - counted_bytes_;
  counted_bytes_ = bytes;
}

// --- The response ---

void Call::Read() {
  if (request_ == Request::kHandled) request_ = Request::kWanted;
  Deliver();
  Consume();
  connection_.FlushSoon();
}

void Call::Send(std::string_view message) {
  if (finished()) return;
  AppendMessage(message, out_);
  CountBytes();
  Respond();
}

void Call::Finish(const grpc::Status& status) {
  if (finished()) return;
  request_ = Request::kDropped;
  status_ = status;
  // No more of the request is given to the handler.
  reader_.Clear();
  CountBytes();
  Consume();
  Respond();
}

void Call::Respond() {
  connection_.FlushSoon();
  switch (response_) {
    case Response::kNotBegun: {
      if (finished() && out_.empty()) return SubmitEnd(true);
      response_ = Response::kFlowing;
      nghttp2_data_provider body{.source = {.ptr = this}, .read_callback = Http2Connection::OnResponseRead};
      return connection_.Expect(nghttp2_submit_response(connection_.session_, stream_, kResponseHeaders.data(),
                                                        kResponseHeaders.size(), &body),
                                "begin a response");
    }
    case Response::kWaiting:
      response_ = Response::kFlowing;
      return connection_.Expect(nghttp2_session_resume_data(connection_.session_, stream_), "go on with a response");
    case Response::kFlowing:
    case Response::kEnding:
      return;
  }
}

void Call::RefuseOtherProtocol() {
  connection_.FlushSoon();
  out_ = kOtherProtocolText;
  response_ = Response::kFlowing;
  nghttp2_data_provider body{.source = {.ptr = this}, .read_callback = Http2Connection::OnResponseRead};
  connection_.Expect(nghttp2_submit_response(connection_.session_, stream_, kOtherProtocolHeaders.data(),
                                             kOtherProtocolHeaders.size(), &body),
                     "refuse another protocol");
}

void Call::SubmitEnd(bool alone) {
  response_ = Response::kEnding;
  nghttp2_session* const session = connection_.session_;
  if (status_.ok() && !alone) {
    return connection_.Expect(nghttp2_submit_trailer(session, stream_, kOkTrailers.data(), kOkTrailers.size()),
                              "end a response");
  }
  const std::string code = std::to_string(status_.error_code());
  const std::string message = PercentEncode(StatusText(status_.error_message()));
  const bool fits = status_.error_details().size() <= limits::kGrpcStatusDetailsBytesMax;
  const std::string details = fits ? Base64Encode(status_.error_details()) : "";
  std::vector<nghttp2_nv> headers;
  if (alone) headers.assign(kResponseHeaders.begin(), kResponseHeaders.end());
  headers.push_back(Http2Header("grpc-status", code));
  if (!message.empty()) headers.push_back(Http2Header("grpc-message", message));
  if (!details.empty()) headers.push_back(Http2Header("grpc-status-details-bin", details));
  if (!head_.known_encoding) headers.push_back(Http2Header("grpc-accept-encoding", "identity,deflate,gzip"));
  connection_.Expect(alone ? nghttp2_submit_response(session, stream_, headers.data(), headers.size(), nullptr)
                           : nghttp2_submit_trailer(session, stream_, headers.data(), headers.size()),
                     "end a response");
}

ssize_t Call::ReadResponse(std::span<uint8_t> out, uint32_t* flags) {
  const size_t count = std::min(out.size(), out_.size() - out_sent_);
  if (count == 0 && !finished()) {
    response_ = Response::kWaiting;
    return NGHTTP2_ERR_DEFERRED;
  }
  std::copy_n(out_.data() + out_sent_, count, out.data());
  out_sent_ += count;
  if (out_sent_ == out_.size()) {
    out_sent_ = 0;
    // A large buffer is freed, not kept for the next message.
    if (out_.capacity() > limits::kHttp2AnswerBytesMax) std::string().swap(out_);
    out_.clear();
    CountBytes();
    if (!finished() && count > 0) {
      const HandlerRef handler = handler_;
      handler->OnSent();
    }
    Deliver();
    Consume();
  }
  if (out_.empty() && finished()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (head_.is_grpc) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      SubmitEnd(false);
    } else {
      response_ = Response::kEnding;
    }
  }
  return static_cast<ssize_t>(count);
}

void Call::End() {
  loop().held_bytes -= counted_bytes_;
  request_ = Request::kDropped;
  if (const HandlerRef handler = std::move(handler_)) handler->OnEnd();
}

}  // namespace viewcount
