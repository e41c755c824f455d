// One HTTP/2 connection (RFC 9113, implemented by nghttp2) that carries gRPC calls.
#pragma once

#include <nghttp2/nghttp2.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "service/grpc/http2/call.h"
#include "service/grpc/http2/closed_streams.h"
#include "service/grpc/http2/event_loop.h"
#include "service/grpc/http2/frame_scanner.h"
#include "service/grpc/http2/header_block.h"
#include "service/grpc/http2/http2_limits.h"

namespace viewcount {

// Not thread-safe: everything except the constructor runs on the loop's thread. Pending socket operations keep the
// connection alive.
//
// A connection ends in two steps. First it is shut down for sending, and further input is read and discarded. Then it
// is closed, either when the peer has closed it or after limits::kHttp2LingerMax. Closing a socket with unread bytes
// makes the kernel send a reset, and the peer would lose answers that it has not read yet.
class Http2Connection final : public Flushable, public std::enable_shared_from_this<Http2Connection> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  // Each is called at most once, on the loop's thread.
  struct Events {
    // The peer has sent its first HTTP/2 frame. May be null.
    std::function<void()> greeted;
    // The connection is closed.
    std::function<void(Http2Connection*)> closed;
  };

  // `routes` and `limits` must outlive the connection.
  Http2Connection(EventLoop& loop, Socket socket, const CallRoutes& routes, const Http2Limits& limits, Events events);
  ~Http2Connection() override;

  void Start();
  // Asks the peer to begin no more calls, and closes the connection when the calls under way have ended. Like gRPC's
  // server, it does so in two steps. First it sends GOAWAY with the highest stream ID, and a PING. When the peer has
  // answered, or after limits::kHttp2DrainPingWait, it sends GOAWAY with the last stream that was begun. So no call
  // that was already on its way is lost.
  void Drain();
  // Ends all calls immediately and closes the connection. Nothing more is sent.
  void Close();
  // Sends the pending output of nghttp2 and of the calls, as far as the socket accepts it.
  void Flush() override;

  // Checks whether the peer is still alive. Must be called every Http2Limits::peer_check_interval. A peer that has sent
  // nothing during Http2Limits::silent_checks_max checks gets a PING. If it sends nothing during as many further
  // checks, the connection is closed.
  void CheckPeer();

 private:
  friend class Call;

  // nghttp2's callbacks. `user` is the connection.
  static nghttp2_session_callbacks* MakeCallbacks();
  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_bytes,
                      const uint8_t* value, size_t value_bytes, uint8_t flags, void* user);
  static int OnInvalidFrame(nghttp2_session*, const nghttp2_frame* frame, int error, void* user);
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnData(nghttp2_session*, uint8_t flags, int32_t stream, const uint8_t* data, size_t bytes, void* user);
  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnStreamClose(nghttp2_session*, int32_t stream, uint32_t error, void* user);
  static ssize_t OnResponseRead(nghttp2_session*, int32_t stream, uint8_t* out, size_t bytes, uint32_t* flags,
                                nghttp2_data_source* source, void* user);

  Call* Find(int32_t stream) { return static_cast<Call*>(nghttp2_session_get_stream_user_data(session_, stream)); }
  // The next four functions return false if the connection must be closed. Either the peer violates HTTP/2, or the loop
  // holds more than limits::kGrpcMemoryBytesMax.
  bool Receive(std::string_view bytes);
  bool Feed(std::string_view bytes);
  // Both remove bytes from the front of `bytes`. Scan removes frames up to a header block that must be collected,
  // CollectHeaders removes bytes of that block.
  bool Scan(std::string_view& bytes);
  bool CollectHeaders(std::string_view& bytes);
  // Returns true for an RST_STREAM on a stream that the peer has not begun. It is ignored.
  bool IsResetOfIdleStream(const FrameHead& head) const;
  // Updates the share of EventLoop::held_bytes that the collected headers have.
  void CountHeaders();
  // Answers a frame on a stream that is not open. nghttp2 would ignore most such frames.
  void RefuseFrame(const FrameHead& head);
  // Closes the connection soon if `result`, returned by nghttp2, is an error. nghttp2 refuses a request only when
  // memory is exhausted or this program has a bug. `what` names the request in the log.
  void Expect(int result, std::string_view what);
  void End(Call& call);
  void EndAll();

  // Arranges that the call is finished at its deadline. Returns false if the deadline has passed, and has then finished
  // the call.
  bool WatchDeadline(Call& call);
  bool FinishIfLate(Call& call);
  void FinishLateCalls();

  void SendLastGoAway();
  // Shuts the socket down for sending, and waits until the peer closes, too.
  void Linger();
  // Closes the connection after `delay`, unless `stall_` is cancelled before.
  void CloseLater(std::chrono::milliseconds delay);
  void WaitReadable();
  void OnReadable();
  void WaitWritable();
  // Returns false if the connection is broken. Bytes that the socket does not accept stay in `unsent_`.
  bool Write(std::string_view bytes);
  void FlushSoon();
  // Appends nghttp2's pending output to `out`, up to roughly kGatherBytes. Returns false if the connection is broken.
  bool Gather(std::string& out);

  // The progress of closing the connection.
  enum class Ending : uint8_t {
    kNone,
    kNoticed,    // The peer was asked to begin no more calls. Its answer to the PING is awaited.
    kGoneAway,   // The last GOAWAY was submitted.
    kLingering,  // The socket is shut down for sending.
    kClosed,
  };

  EventLoop& loop_;
  Socket socket_;
  const CallRoutes& routes_;
  const Http2Limits& limits_;
  const Events events_;
  const std::shared_ptr<ConnectionShare> share_ = std::make_shared<ConnectionShare>();
  nghttp2_session* session_ = nullptr;
  boost::intrusive::list<Call> calls_;
  FrameScanner scanner_;
  // The first bytes of a frame's head, if its other bytes have not arrived yet.
  std::string partial_head_;
  // The header block that is being collected, and its share of EventLoop::held_bytes.
  std::optional<HeaderCollector> headers_;
  size_t counted_headers_ = 0;
  // True while nghttp2 is fed a header block whose long strings were shortened.
  bool headers_shortened_ = false;
  ClosedStreams closed_streams_;
  // The stream of the last RST_STREAM that the peer sent.
  int32_t reset_by_peer_ = 0;
  // Output that the socket did not accept. Nothing is read while it is not empty.
  std::string unsent_;
  boost::asio::steady_timer stall_;
  boost::asio::steady_timer drain_wait_;
  boost::asio::steady_timer deadlines_;
  // The earliest deadline that `deadlines_` waits for, or max() if the timer does not run.
  std::chrono::steady_clock::time_point next_deadline_ = std::chrono::steady_clock::time_point::max();
  Ending ending_ = Ending::kNone;
  // True when the peer has answered the PING that Drain sent.
  bool drain_answered_ = false;
  // The last stream that is served, according to the last GOAWAY.
  int32_t last_stream_ = std::numeric_limits<int32_t>::max();
  // True after nghttp2 refused a request of this program.
  bool broken_ = false;
  bool greeted_ = false;
  // The number of CheckPeer calls since the last bytes arrived.
  int silent_checks_ = 0;
  bool reading_ = false;
  bool flush_wanted_ = false;
};

}  // namespace viewcount
