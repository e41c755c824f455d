// One gRPC call between its HTTP/2 stream and whoever answers it.
#pragma once

#include <grpcpp/support/status.h>

#include <boost/intrusive/list_hook.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "service/http2/event_loop.h"
#include "service/http2/message_reader.h"

namespace viewcount {

class Call;
class Http2Connection;

// Answers one call, on the loop's thread. It may act on the call until OnEnd, and owns itself: it goes away some time
// after that.
class CallHandler {
 public:
  // The request's next message, for which it asked with Call::Read; the first one comes unasked.
  virtual void OnMessage(std::string message) = 0;
  // No message comes any more.
  virtual void OnRequestEnd() = 0;
  // What was sent is on its way to the peer: there is room for more.
  virtual void OnSent() {}
  // The call is over, finished or not, and must not be touched any more.
  virtual void OnEnd() = 0;

 protected:
  virtual ~CallHandler() = default;
};

struct PathHash {
  using is_transparent = void;
  size_t operator()(std::string_view path) const { return std::hash<std::string_view>()(path); }
};

// What one method's calls are answered by.
struct Method {
  // Makes the handler of a call that begins.
  std::function<CallHandler*(Call& call)> begin;
  // The request is one message, more are INTERNAL. Its handler hears of it when the request has ended, and only then.
  bool one_request = false;
};

// By path, `/package.Service/Method`.
using Methods = boost::unordered_flat_map<std::string, Method, PathHash, std::equal_to<>>;

// Which methods are answered here, and how the rest is.
struct CallRoutes {
  Methods methods;
  Method others;
};

// All of the loop's thread. Owned by its connection; gone after CallHandler::OnEnd.
class Call : public boost::intrusive::list_base_hook<> {
 public:
  // Asks for the request's next message.
  void Read();
  // Queues a message of the response. While many bytes of it wait for the peer, no message of the request comes.
  void Send(std::string_view message);
  // Has `handler` answer from now on, as if it had done so from the beginning. Whoever did until now gets no OnEnd.
  void HandOver(CallHandler* handler) { handler_ = handler; }
  // Ends the call, behind the messages sent. To be called once; nothing but OnEnd happens afterwards. A text of more
  // than limits::kGrpcStatusTextBytesMax is cut off, larger details are left out.
  void Finish(const grpc::Status& status);

  EventLoop& loop();
  // `/package.Service/Method`.
  std::string_view path() const { return path_; }
  // When the caller gives up.
  std::optional<std::chrono::system_clock::time_point> deadline() const { return deadline_; }

 private:
  friend class Http2Connection;
  Call(Http2Connection& connection, int32_t stream) : connection_(connection), stream_(stream) {}

  Http2Connection& connection_;
  const int32_t stream_;

  // As the headers say. A path that the routes know stands there, any other one here.
  std::string_view path_;
  std::string other_path_;
  std::optional<std::chrono::system_clock::time_point> deadline_;
  size_t header_bytes_ = 0;
  bool is_grpc_ = false;
  bool known_encoding_ = true;

  const Method* method_ = nullptr;
  // None before it began and after it ended.
  CallHandler* handler_ = nullptr;

  // In the loop's sum.
  size_t counted_bytes_ = 0;

  // Of the request.
  MessageReader reader_;
  // Bytes that came and do not widen the stream's window yet, since earlier messages wait.
  size_t unconsumed_ = 0;
  bool wants_message_ = true;
  bool delivering_ = false;
  bool request_ended_ = false;
  bool end_told_ = false;

  // Of the response.
  std::string out_;
  size_t out_sent_ = 0;
  bool began_response_ = false;
  // nghttp2 waits for more of it.
  bool deferred_ = false;
  bool finished_ = false;
  grpc::Status status_;
};

}  // namespace viewcount
