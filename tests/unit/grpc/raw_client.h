// This HTTP/2 client sends any bytes, frame by frame, and keeps the frames that it receives.
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

// Holds the frames of one stream that were received until now.
struct RawStream {
  std::map<std::string, std::string> headers;
  std::string data;
  bool ended = false;
  // Holds the code of an RST_STREAM.
  std::optional<uint32_t> reset;
  // Counts the bytes by which the server widened the stream's window.
  uint64_t window = 0;
};

// Every wait ends after ten seconds at the latest. Not thread-safe.
class RawClient {
 public:
  using Settings = std::initializer_list<std::pair<uint16_t, uint32_t>>;

  // Connects to host:port, where host is an IP address, or to unix:PATH. Sends nothing yet. If `receive_buffer` is
  // given, it is the size of the kernel's receive buffer in bytes. A small buffer soon blocks the server's writes.
  explicit RawClient(const std::string& address, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // Sends the preface, SETTINGS, and the acknowledgement of the server's SETTINGS.
  void Begin(Settings settings = {});
  // Sends HEADERS, one message and END_STREAM.
  void Call(int32_t stream, const std::string& path, std::string_view message);
  // Returns false if the server has closed the connection, or accepts no bytes for ten seconds.
  bool Send(std::string_view bytes);

  // Processes received frames until `reached` returns true. Returns false if the connection ended or no bytes came for
  // ten seconds.
  bool Await(const std::function<bool()>& reached);
  // Waits until the stream has ended or was reset.
  bool AwaitEnd(int32_t stream);
  // Waits until the server has handled all bytes that were sent.
  bool AwaitAllTaken();
  // Waits for the end of the connection. Returns true if the server has ended it, whatever frames came before.
  bool IsClosed();
  // Closes the socket. With `reset` the connection is reset immediately, and unread bytes are discarded.
  void Vanish(bool reset = false);

  RawStream& stream(int32_t id) { return streams_[id]; }
  // Returns the value of a header of an answer, or an empty string.
  std::string header(int32_t stream, const std::string& name) { return streams_[stream].headers[name]; }
  // Return the code of the last GOAWAY, and the last stream of each GOAWAY.
  const std::optional<uint32_t>& goaway() const { return goaway_; }
  const std::vector<int32_t>& goaway_streams() const { return goaway_streams_; }
  // Returns the payloads of the server's PINGs. Only AnswerPings() answers them.
  const std::vector<std::string>& pings() const { return pings_; }
  void AnswerPings();
  int pings_answered() const { return pings_answered_; }
  int settings_answered() const { return settings_answered_; }

  // The following functions build the parts of a request.
  static std::string Frame(uint8_t type, uint8_t flags, int32_t stream, std::string_view payload);
  static std::string Data(int32_t stream, std::string_view bytes, bool end);
  static std::string Reset(int32_t stream, uint32_t code = NGHTTP2_CANCEL);
  static std::string WindowUpdate(int32_t stream, uint32_t bytes);
  static std::string HeaderField(std::string_view name, std::string_view value);
  // Returns a call's headers, encoded without compression and followed by the fields in `more`.
  static std::string HeaderBlock(const std::string& path, const std::string& more = "",
                                 std::string_view content_type = "application/grpc");
  static std::string Headers(int32_t stream, const std::string& path, bool end = false, const std::string& more = "");
  // Returns a gRPC message with its prefix.
  static std::string Message(std::string_view message);
  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

 private:
  bool ReceiveSome();
  // Processes one whole frame of the received bytes, if there is one.
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
