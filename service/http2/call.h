// One gRPC call, between its HTTP/2 stream and the object that answers it.
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

#include "service/http2/event_loop.h"
#include "service/http2/message_reader.h"
#include "service/http2/request_head.h"

namespace viewcount {

class Call;
class Http2Connection;

// Answers one call, on the loop's thread. It may use the call until OnEnd.
//
// Lifetime: a handler is reference counted, and lives until both of its sides have ended. The call holds a reference
// until its stream is closed. A handler that gives work to somebody else (a lane, gRPC's server) holds a second one
// itself, until the last result of that work has arrived on the loop's thread. References are taken and dropped on that
// thread only, so the counter is a plain number.
class CallHandler {
 public:
  CallHandler(const CallHandler&) = delete;
  CallHandler& operator=(const CallHandler&) = delete;

  // Brings the request's next message, which the handler asked for by Call::Read. The first message comes unasked.
  virtual void OnMessage(std::string message) = 0;
  // No message follows.
  virtual void OnRequestEnd() = 0;
  // All that was sent has been handed to HTTP/2, so there is room for more.
  virtual void OnSent() {}
  // The call is over, finished or not. The handler must not use it any more.
  virtual void OnEnd() = 0;

 protected:
  CallHandler() = default;
  virtual ~CallHandler() = default;
  // Runs when the last reference is dropped. A handler that is used again overrides it.
  virtual void Dispose() { delete this; }

 private:
  friend void intrusive_ptr_add_ref(CallHandler* handler) { ++handler->references_; }
  friend void intrusive_ptr_release(CallHandler* handler) {
    if (--handler->references_ == 0) handler->Dispose();
  }

  uint32_t references_ = 0;
};

// The status' text of a call that was not answered in time.
inline constexpr char kLateText[] = "the call's deadline has passed";

using HandlerRef = boost::intrusive_ptr<CallHandler>;

struct PathHash {
  using is_transparent = void;
  size_t operator()(std::string_view path) const { return std::hash<std::string_view>()(path); }
};

// How the calls of one method are answered.
struct Method {
  // Makes the handler of a call that begins.
  std::function<HandlerRef(Call& call)> begin;
  // The request is one message; a second one is INTERNAL. The handler gets it when the request has ended, and only
  // then.
  bool one_request = false;
};

// By path, `/package.Service/Method`.
using Methods = boost::unordered_flat_map<std::string, Method, PathHash, std::equal_to<>>;

// Which methods are answered here, and how all others are.
struct CallRoutes {
  Methods methods;
  Method others;
};

// What all calls of one connection share. It outlives the connection while a handler needs it.
struct ConnectionShare {
  // Calls handed on to gRPC whose caller has gone, while gRPC has not ended them yet.
  size_t abandoned_calls = 0;
};

// All functions belong to the loop's thread. The connection owns the call and deletes it after CallHandler::OnEnd.
class Call : public boost::intrusive::list_base_hook<> {
 public:
  // Asks for the request's next message.
  void Read();
  // Queues a message of the response. No message of the request comes while many bytes of it wait for the peer. Ignored
  // after Finish.
  void Send(std::string_view message);
  // Lets `handler` answer from now on, as if it had done so from the beginning. The former handler gets no OnEnd.
  void HandOver(HandlerRef handler) { handler_ = std::move(handler); }
  // Ends the call, after the messages sent. A second Finish is ignored: the deadline may have ended the call before. A
  // text of more than limits::kGrpcStatusTextBytesMax is cut off; larger details are left out.
  void Finish(const grpc::Status& status);

  EventLoop& loop();
  // `/package.Service/Method`.
  std::string_view path() const { return path_; }
  // When the caller gives up; the call is then finished with DEADLINE_EXCEEDED.
  std::optional<std::chrono::steady_clock::time_point> deadline() const { return head_.deadline; }
  const std::shared_ptr<ConnectionShare>& share() const;

 private:
  friend class Http2Connection;

  // What happens with messages of the request.
  enum class Request : uint8_t {
    kWanted,   // The handler waits for a message, or for the end.
    kHandled,  // The handler works on a message and has not asked for the next one.
    kEndTold,  // The handler knows that no message follows.
    kDropped,  // The status is known. What still comes is thrown away.
  };
  // How far the response is.
  enum class Response : uint8_t {
    kNotBegun,
    kFlowing,  // nghttp2 takes bytes of it as the peer's window allows.
    kWaiting,  // nghttp2 has taken all bytes and waits to be resumed.
    kEnding,   // The trailers, or an answer without a body, are with nghttp2.
  };

  Call(Http2Connection& connection, int32_t stream) : connection_(connection), stream_(stream) {}

  bool finished() const { return request_ == Request::kDropped; }

  // --- The request ---
  void ReadHeader(std::string_view name, std::string_view value);
  // All headers have come.
  void Begin();
  void Receive(std::string_view bytes);
  void EndRequest();
  // Hands over the next messages, or that there is none, if the handler waits for them.
  void Deliver();
  // Widens the stream's window by what was received, unless whole messages wait.
  void Consume();
  // Brings the loop's sum of held bytes up to date.
  void CountBytes();

  // --- The response ---
  void Respond();
  void RefuseOtherProtocol();
  // Submits the status, after messages or alone.
  void SubmitEnd(bool alone);
  // nghttp2 asks for up to `out.size()` bytes of the response's body.
  ssize_t ReadResponse(std::span<uint8_t> out, uint32_t* flags);
  // The stream is closed, or the connection.
  void End();

  Http2Connection& connection_;
  const int32_t stream_;

  RequestHead head_;
  // A path that the routes know is the one that stands there, so that it is not copied; any other one is kept here.
  std::string_view path_;
  std::string other_path_;
  const Method* method_ = nullptr;
  // None before Begin and after End.
  HandlerRef handler_;

  // This call's share of the loop's sum.
  size_t counted_bytes_ = 0;

  MessageReader reader_;
  // Bytes received that have not widened the stream's window yet, since earlier messages wait.
  size_t unconsumed_ = 0;
  Request request_ = Request::kWanted;
  // The peer has ended the request.
  bool request_ended_ = false;
  // Deliver runs: a handler that reads again from OnMessage does not start it a second time.
  bool delivering_ = false;

  Response response_ = Response::kNotBegun;
  std::string out_;
  size_t out_sent_ = 0;
  grpc::Status status_;
};

}  // namespace viewcount
