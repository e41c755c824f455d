// One HTTP/2 connection (RFC 9113, by nghttp2) that carries gRPC calls.
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

#include "service/http2/call.h"
#include "service/http2/closed_streams.h"
#include "service/http2/event_loop.h"
#include "service/http2/frame_scanner.h"
#include "service/http2/header_block.h"
#include "service/http2/http2_limits.h"

namespace viewcount {

// Belongs to its loop's thread, except for its constructor. The operations that it waits for keep it alive.
//
// A connection ends in two steps. First it is shut down for sending, and what still comes is read and thrown away; then
// it is closed, when the peer has closed it or after limits::kHttp2LingerMax. A socket that is closed with unread
// bytes makes the kernel send a reset, and the peer loses answers that it has not read yet.
class Http2Connection final : public Flushable, public std::enable_shared_from_this<Http2Connection> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  // Each is called once at most.
  struct Events {
    // The peer has begun to speak HTTP/2. May be null.
    std::function<void()> greeted;
    // The connection is over.
    std::function<void(Http2Connection*)> closed;
  };

  // `routes` and `limits` must outlive the connection.
  Http2Connection(EventLoop& loop, Socket socket, const CallRoutes& routes, const Http2Limits& limits, Events events);
  ~Http2Connection() override;

  void Start();
  // Asks the peer to begin no more calls, and closes when the calls under way have ended. As gRPC's server does, in two
  // steps: GOAWAY with the highest stream ID and a PING; then, when the peer has answered or after
  // limits::kHttp2DrainPingWait, GOAWAY with the last stream that was begun. So no call that was on its way is lost.
  void Drain();
  // Ends all calls at once and closes. Nothing more is sent.
  void Close();
  // Sends what nghttp2 and the calls have to send, as far as the peer takes it.
  void Flush() override;

  // Looks whether the peer is still there: to be called every Http2Limits::peer_check_interval. A peer that has sent
  // nothing for so many checks gets a PING, and is closed when it does not answer in the same time again.
  void CheckPeer();

 private:
  friend class Call;

  // nghttp2's callbacks; `user` is the connection.
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
  // All are false if the peer breaks HTTP/2 beyond an answer.
  bool Receive(std::string_view bytes);
  bool Feed(std::string_view bytes);
  // Both take bytes off the front of `bytes`: frames up to a block of headers that is to be gathered, and such a block.
  bool Scan(std::string_view& bytes);
  bool CollectHeaders(std::string_view& bytes);
  // Brings the loop's sum of held bytes up to date.
  void CountHeaders();
  // Answers a frame on a stream that is not open. nghttp2 would ignore most of them.
  void RefuseFrame(const FrameHead& head);
  // Closes the connection soon unless nghttp2 did what was asked: it refuses only when it lacks memory, or when this
  // program is wrong.
  void Expect(int result, std::string_view what);
  void End(Call& call);
  void EndAll();

  // Finishes the call at its deadline. False if that is past, and the call finished already.
  bool WatchDeadline(Call& call);
  bool FinishIfLate(Call& call);
  void FinishLateCalls();

  void SendLastGoAway();
  // Closes for sending, and waits for the peer to close, too.
  void Linger();
  // Closes after `delay`, unless `stall_` is cancelled before.
  void CloseLater(std::chrono::milliseconds delay);
  void WaitReadable();
  void OnReadable();
  void WaitWritable();
  // False if the connection is broken. What the socket does not take stays in `unsent_`.
  bool Write(std::string_view bytes);
  void FlushSoon();
  // Takes what nghttp2 has to send, up to some amount; false if the connection is broken.
  bool Gather(std::string& out);

  // How far the end is.
  enum class Ending : uint8_t {
    kNone,
    kNoticed,    // The peer was asked to begin no more calls; its answer to the PING is awaited.
    kGoneAway,   // The last GOAWAY was sent.
    kLingering,  // Closed for sending.
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
  // The beginning of a frame's head, whose rest has not come yet.
  std::string partial_head_;
  // A block of headers that is being gathered, and its share of the loop's sum.
  std::optional<HeaderCollector> headers_;
  size_t counted_headers_ = 0;
  // nghttp2 gets a block whose long strings were shortened.
  bool headers_shortened_ = false;
  ClosedStreams closed_streams_;
  // The stream of the last RST_STREAM that came.
  int32_t reset_by_peer_ = 0;
  // What the socket did not take at once. Nothing is read until it has.
  std::string unsent_;
  boost::asio::steady_timer stall_;
  boost::asio::steady_timer drain_wait_;
  boost::asio::steady_timer deadlines_;
  // The earliest deadline that `deadlines_` waits for; max() if it does not run.
  std::chrono::steady_clock::time_point next_deadline_ = std::chrono::steady_clock::time_point::max();
  Ending ending_ = Ending::kNone;
  // The peer has answered the PING that Drain sent.
  bool drain_answered_ = false;
  // The last stream that is served, as the last GOAWAY says.
  int32_t last_stream_ = std::numeric_limits<int32_t>::max();
  // nghttp2 refused something.
  bool broken_ = false;
  bool greeted_ = false;
  // Calls of CheckPeer since bytes came.
  int silent_checks_ = 0;
  bool reading_ = false;
  bool flush_wanted_ = false;
};

}  // namespace viewcount
