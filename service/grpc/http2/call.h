// One gRPC call. It connects an HTTP/2 stream with the object that answers the call.
#pragma once

#include <grpcpp/support/status.h>

#include <boost/intrusive/list_hook.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "service/grpc/http2/event_loop.h"
#include "service/grpc/http2/message_reader.h"
#include "service/grpc/http2/request_head.h"

namespace viewcount {

class Call;
class Http2Connection;

// Answers one call. All functions run on the thread of the call's loop. The handler may use the call until OnEnd.
//
// Lifetime: a handler is reference counted, and lives until both of its sides have ended. The call holds a reference
// until its stream is closed. A handler that gives work to another component (a lane, gRPC's server) holds a second
// reference itself. It keeps that one until the last result of the work has arrived on the loop's thread. References
// are taken and dropped on that thread only, so the counter needs no atomic operations.
class CallHandler {
 public:
  CallHandler(const CallHandler&) = delete;
  CallHandler& operator=(const CallHandler&) = delete;

  // Delivers the request's next message, which the handler asked for by Call::Read. The first message is delivered
  // without a Read.
  virtual void OnMessage(std::string message) = 0;
  // Reports that no further message follows.
  virtual void OnRequestEnd() = 0;
  // Reports that HTTP/2 has taken all messages sent so far, so there is room for more.
  virtual void OnSent() {}
  // Reports the end of the call, whether it was finished or not. The handler must not use the call after this.
  virtual void OnEnd() = 0;

 protected:
  CallHandler() = default;
  virtual ~CallHandler() = default;
  // Called when the last reference is dropped. A handler that is reused overrides it.
  virtual void Dispose() { delete this; }

 private:
  friend void intrusive_ptr_add_ref(CallHandler* handler) { ++handler->references_; }
  friend void intrusive_ptr_release(CallHandler* handler) {
    if (--handler->references_ == 0) handler->Dispose();
  }

  uint32_t references_ = 0;
};

// The status text of a call that was not answered before its deadline.
inline constexpr char kLateText[] = "the call's deadline has passed";

using HandlerRef = boost::intrusive_ptr<CallHandler>;

struct PathHash {
  using is_transparent = void;
  size_t operator()(std::string_view path) const { return std::hash<std::string_view>()(path); }
};

// Describes how the calls of one method are answered.
struct Method {
  // Creates the handler of a new call. Called when the call's headers have arrived.
  std::function<HandlerRef(Call& call)> begin;
  // True if the request is exactly one message; a second message ends the call with INTERNAL. The handler receives the
  // message only when the request has ended.
  bool one_request = false;
};

// Methods by path, `/package.Service/Method`.
using Methods = boost::unordered_flat_map<std::string, Method, PathHash, std::equal_to<>>;

// The methods that have handlers here, and the method that answers all other paths.
struct CallRoutes {
  Methods methods;
  Method others;
};

// State shared by all calls of one connection. It outlives the connection while a handler needs it.
struct ConnectionShare {
  // The number of forwarded calls that the caller has abandoned and that gRPC has not ended yet.
  size_t abandoned_calls = 0;
};

// Not thread-safe: all functions must be called on the loop's thread. The connection owns the call, and deletes it
// after CallHandler::OnEnd.
class Call : public boost::intrusive::list_base_hook<> {
 public:
  // Requests the next message of the request.
  void Read();
  // Queues a message of the response. While more than limits::kHttp2AnswerBytesMax of the response wait for the peer,
  // no further message of the request is delivered. Ignored after Finish.
  void Send(std::string_view message);
  // Makes `handler` answer the call from now on, as if it had done so from the beginning. The former handler receives
  // no OnEnd.
  void HandOver(HandlerRef handler) { handler_ = std::move(handler); }
  // Ends the call after the messages already sent. A second Finish is ignored, because the deadline may have ended the
  // call before. A status text longer than limits::kGrpcStatusTextBytesMax is truncated. Details larger than
  // limits::kGrpcStatusDetailsBytesMax are omitted.
  void Finish(const grpc::Status& status);

  EventLoop& loop();
  // Returns the method's path, `/package.Service/Method`.
  std::string_view path() const { return path_; }
  // Returns the time at which the caller gives up, if the caller set one. The call is then finished with
  // DEADLINE_EXCEEDED.
  std::optional<std::chrono::steady_clock::time_point> deadline() const { return head_.deadline; }
  const std::shared_ptr<ConnectionShare>& share() const;

 private:
  friend class Http2Connection;

  // The state of the delivery of request messages.
  enum class Request : uint8_t {
    kWanted,   // The handler waits for a message, or for the end of the request.
    kHandled,  // The handler works on a message and has not asked for the next one.
    kEndTold,  // The handler was notified that no further message follows.
    kDropped,  // The status is known. Further bytes of the request are discarded.
  };
  // The progress of the response.
  enum class Response : uint8_t {
    kNotBegun,
    kFlowing,  // nghttp2 takes bytes of the response as the peer's window allows.
    kWaiting,  // nghttp2 has taken all bytes and waits to be resumed.
    kEnding,   // The trailers, or an answer without a body, were submitted to nghttp2.
  };

  Call(Http2Connection& connection, int32_t stream) : connection_(connection), stream_(stream) {}

  bool finished() const { return request_ == Request::kDropped; }

  // --- The request ---
  void ReadHeader(std::string_view name, std::string_view value);
  // Starts the call. Called when all headers have arrived.
  void Begin();
  void Receive(std::string_view bytes);
  void EndRequest();
  // Delivers the next messages, or the end of the request, if the handler waits for them.
  void Deliver();
  // Widens the stream's window by the number of bytes received, unless whole messages wait.
  void Consume();
  // Updates this call's share of EventLoop::held_bytes.
  void CountBytes();

  // --- The response ---
  void Respond();
  void RefuseOtherProtocol();
  // Submits the status, either as trailers after messages or as an answer without a body (`alone`).
  void SubmitEnd(bool alone);
  // Copies up to `out.size()` bytes of the response's body. Called by nghttp2.
  ssize_t ReadResponse(std::span<uint8_t> out, uint32_t* flags);
  // Ends the call because its stream or its connection was closed.
  void End();

  Http2Connection& connection_;
  const int32_t stream_;

  RequestHead head_;
  // `path_` refers to the route table if the path is known there, which avoids a copy. Otherwise it refers to
  // `other_path_`.
  std::string_view path_;
  std::string other_path_;
  const Method* method_ = nullptr;
  // Null before Begin and after End.
  HandlerRef handler_;

  // This call's share of EventLoop::held_bytes.
  size_t counted_bytes_ = 0;

  MessageReader reader_;
  // Received bytes that have not widened the stream's window yet, because earlier messages wait.
  size_t unconsumed_ = 0;
  Request request_ = Request::kWanted;
  // True when the peer has ended the request.
  bool request_ended_ = false;
  // True while Deliver runs. A handler that calls Read from OnMessage does not start it a second time.
  bool delivering_ = false;

  Response response_ = Response::kNotBegun;
  std::string out_;
  size_t out_sent_ = 0;
  grpc::Status status_;
};

}  // namespace viewcount
