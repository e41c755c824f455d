// One HTTP/2 connection (RFC 9113, by nghttp2) over which gRPC's calls come.
#pragma once

#include <nghttp2/nghttp2.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "service/http2/call.h"
#include "service/http2/event_loop.h"

namespace viewcount {

// Of its loop's thread, except for making it. Kept alive by what it waits for; `closed` is called once, when it is
// over.
class Http2Connection final : public Flushable, public std::enable_shared_from_this<Http2Connection> {
 public:
  Http2Connection(EventLoop& loop, boost::asio::ip::tcp::socket socket, const CallRoutes& routes,
                  std::function<void(Http2Connection*)> closed);
  ~Http2Connection() override;

  void Start();
  // Takes no new calls; closes when those under way have ended.
  void Drain();
  // Ends all calls. Nothing more is sent.
  void Close();
  // Sends what nghttp2 and the calls have to send, as far as the peer takes it.
  void Flush() override;

 private:
  friend class Call;

  // nghttp2's callbacks; `user` is the connection.
  static nghttp2_session_callbacks* MakeCallbacks();
  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_bytes,
                      const uint8_t* value, size_t value_bytes, uint8_t flags, void* user);
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnData(nghttp2_session*, uint8_t flags, int32_t stream, const uint8_t* data, size_t bytes, void* user);
  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnStreamClose(nghttp2_session*, int32_t stream, uint32_t error, void* user);
  static ssize_t OnResponseRead(nghttp2_session*, int32_t stream, uint8_t* out, size_t bytes, uint32_t* flags,
                                nghttp2_data_source* source, void* user);

  Call* Find(int32_t stream) { return static_cast<Call*>(nghttp2_session_get_stream_user_data(session_, stream)); }
  void ReadHeader(Call& call, std::string_view name, std::string_view value);
  void Begin(Call& call);
  void Receive(Call& call, std::string_view bytes);
  void EndRequest(Call& call);
  // Hands over the next message, or that there is none, if the handler waits for it.
  void Deliver(Call& call);
  void Consume(Call& call);
  void CountBytes(Call& call);
  void Respond(Call& call);
  // The status, behind messages or alone.
  void SubmitEnd(Call& call, bool alone);
  // Lets go of the request, of which nothing is handed over any more.
  void Release(Call& call);
  ssize_t ReadResponse(Call& call, std::span<uint8_t> out, uint32_t* flags);
  void End(Call& call);

  // Closes after a while, unless `stall_` is cancelled before.
  void CloseLater();
  void WaitReadable();
  void OnReadable();
  void WaitWritable();
  // True if all of it was taken.
  bool Write(std::string_view bytes);
  void FlushSoon();
  // What nghttp2 has to send, up to some amount; false if the connection is broken.
  bool Gather(std::string& out);

  EventLoop& loop_;
  boost::asio::ip::tcp::socket socket_;
  const CallRoutes& routes_;
  const std::function<void(Http2Connection*)> closed_;
  nghttp2_session* session_ = nullptr;
  boost::intrusive::list<Call> calls_;
  // What the socket did not take at once; nothing is read until it has.
  std::string unsent_;
  boost::asio::steady_timer stall_;
  // The peer said something in HTTP/2.
  bool met_ = false;
  bool reading_ = false;
  bool flush_wanted_ = false;
  bool closed_already_ = false;
};

}  // namespace viewcount
