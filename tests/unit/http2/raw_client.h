// A client of HTTP/2 that sends any bytes, frame by frame, and keeps what comes back.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/unique_fd.h"

namespace viewcount {

// Of one stream, as far as it came.
struct RawStream {
  std::map<std::string, std::string> headers;
  std::string data;
  bool ended = false;
  // The code of a RST_STREAM.
  std::optional<uint32_t> reset;
  // By which its window was widened.
  uint64_t window = 0;
};

// Every wait ends after ten seconds at the latest.
class RawClient {
 public:
  using Settings = std::initializer_list<std::pair<uint16_t, uint32_t>>;

  // Connects to host:port, where host is an IP address, or to unix:PATH, and sends nothing yet. `receive_buffer` of the
  // kernel's bytes, if given, so that the server's writes soon have no room.
  explicit RawClient(const std::string& address, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // The preface and SETTINGS, and that the server's were taken.
  void Begin(Settings settings = {});
  // Sends HEADERS, a message and the end.
  void Call(int32_t stream, const std::string& path, std::string_view message);
  // False if the server has closed the connection, or takes nothing for ten seconds.
  bool Send(std::string_view bytes);

  // Takes frames until `reached`; false if the connection ended or nothing came for ten seconds.
  bool Await(const std::function<bool()>& reached);
  // Until the stream is over in either way.
  bool AwaitEnd(int32_t stream);
  // Until the server has handled all that was sent.
  bool AwaitAllTaken();
  // True when the server has ended the connection, whatever came before that.
  bool IsClosed();
  // Closes the socket; with `reset` at once, and what was not read goes with it.
  void Vanish(bool reset = false);

  RawStream& stream(int32_t id) { return streams_[id]; }
  // The value of a header of an answer, or empty.
  std::string header(int32_t stream, const std::string& name) { return streams_[stream].headers[name]; }
  // The code of the last GOAWAY, and the last stream of each.
  const std::optional<uint32_t>& goaway() const { return goaway_; }
  const std::vector<int32_t>& goaway_streams() const { return goaway_streams_; }
  // What PINGs of the server carried. They are answered by AnswerPings only.
  const std::vector<std::string>& pings() const { return pings_; }
  void AnswerPings();
  int pings_answered() const { return pings_answered_; }
  int settings_answered() const { return settings_answered_; }

  // Pieces of what is sent.
  static std::string Frame(uint8_t type, uint8_t flags, int32_t stream, std::string_view payload);
  static std::string Data(int32_t stream, std::string_view bytes, bool end);
  static std::string Reset(int32_t stream, uint32_t code = NGHTTP2_CANCEL);
  static std::string WindowUpdate(int32_t stream, uint32_t bytes);
  static std::string HeaderField(std::string_view name, std::string_view value);
  // A call's headers, encoded without compression; `more` fields follow.
  static std::string HeaderBlock(const std::string& path, const std::string& more = "",
                                 std::string_view content_type = "application/grpc");
  static std::string Headers(int32_t stream, const std::string& path, bool end = false, const std::string& more = "");
  // A gRPC message with its prefix.
  static std::string Message(std::string_view message);
  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

 private:
  bool ReceiveSome();
  // One whole frame of what was received, if there is one.
  bool TakeFrame();
  void Apply(uint8_t type, uint8_t flags, int32_t stream, std::string_view payload);
  void Inflate(RawStream& stream, std::string_view block);

  UniqueFd fd_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string received_;
  size_t applied_ = 0;
  std::map<int32_t, RawStream> streams_;
  std::optional<uint32_t> goaway_;
  std::vector<int32_t> goaway_streams_;
  std::vector<std::string> pings_;
  int pings_answered_ = 0;
  int settings_answered_ = 0;
};

}  // namespace viewcount
