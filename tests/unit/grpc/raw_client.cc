#include "tests/unit/grpc/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "service/base/address.h"
#include "service/base/check.h"
#include "service/grpc/http2/message_reader.h"

namespace viewcount {
namespace {

constexpr size_t kFrameHeaderBytes = 9;

// Decodes a big-endian number from the first four bytes at most.
uint32_t Number(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes.substr(0, 4)) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

std::string Bytes(uint32_t number, int count) {
  std::string bytes;
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

// Encodes a length as in RFC 7541, section 5.1, with a prefix of seven bits.
std::string HpackLength(size_t length) {
  constexpr size_t kPrefix = 127;
  if (length < kPrefix) return std::string(1, static_cast<char>(length));
  std::string bytes(1, static_cast<char>(kPrefix));
  for (length -= kPrefix; length >= 128; length /= 128) bytes += static_cast<char>(128 + length % 128);
  return bytes + static_cast<char>(length);
}

}  // namespace

namespace {

// Holds a socket address of any family.
struct Peer {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

template <typename Address>
Peer PeerOf(const Address& address) {
  Peer peer{.size = sizeof(address)};
  std::memcpy(&peer.storage, &address, sizeof(address));
  return peer;
}

Peer ReadPeer(const std::string& text) {
  const auto address = ParseListenAddress(text);
  VIEWCOUNT_CHECK(address.ok());
  if (!address->socket_path.empty()) {
    sockaddr_un peer{.sun_family = AF_UNIX, .sun_path = {}};
    address->socket_path.copy(peer.sun_path, sizeof(peer.sun_path) - 1);
    return PeerOf(peer);
  }
  sockaddr_in6 ipv6{.sin6_family = AF_INET6, .sin6_port = htons(address->tcp.port)};
  if (inet_pton(AF_INET6, address->tcp.host.c_str(), &ipv6.sin6_addr) == 1) return PeerOf(ipv6);
  sockaddr_in ipv4{.sin_family = AF_INET, .sin_port = htons(address->tcp.port)};
  VIEWCOUNT_CHECK(inet_pton(AF_INET, address->tcp.host.c_str(), &ipv4.sin_addr) == 1);
  return PeerOf(ipv4);
}

}  // namespace

RawClient::RawClient(const std::string& address, int receive_buffer) {
  const Peer peer = ReadPeer(address);
  fd_ = UniqueFd(socket(peer.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{10, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (receive_buffer > 0) setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  VIEWCOUNT_CHECK(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&peer.storage), peer.size) == 0);
  VIEWCOUNT_CHECK(nghttp2_hd_inflate_new(&inflater_) == 0);
}

RawClient::~RawClient() { nghttp2_hd_inflate_del(inflater_); }

void RawClient::Begin(Settings settings) {
  std::string payload;
  for (const auto& [name, value] : settings) payload += Bytes(name, 2) + Bytes(value, 4);
  // The server sends its settings before it reads, so they may be acknowledged here. They apply from the
  // acknowledgement on.
  Send(std::string(kPreface) + Frame(NGHTTP2_SETTINGS, 0, 0, payload) +
       Frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, ""));
}

void RawClient::Call(int32_t stream, const std::string& path, std::string_view message) {
  Send(Headers(stream, path) + Data(stream, Message(message), true));
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawClient::Await(const std::function<bool()>& reached) {
  while (!reached()) {
    if (!TakeFrame() && !ReceiveSome()) return false;
  }
  return true;
}

bool RawClient::AwaitEnd(int32_t stream) {
  return Await([&] { return streams_[stream].ended || streams_[stream].reset; });
}

bool RawClient::AwaitAllTaken() {
  Send(Frame(NGHTTP2_PING, 0, 0, "12345678"));
  return Await([this, before = pings_answered_] { return pings_answered_ > before; });
}

bool RawClient::IsClosed() {
  Await([] { return false; });
  return errno != EAGAIN;
}

void RawClient::AnswerPings() {
  for (const std::string& ping : std::exchange(pings_, {})) {
    Send(Frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, ping));
  }
}

void RawClient::Vanish(bool reset) {
  const linger at_once{1, 0};
  if (reset) setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  fd_ = UniqueFd();
}

bool RawClient::ReceiveSome() {
  char bytes[65'536];
  errno = 0;
  const ssize_t size = recv(fd_.get(), bytes, sizeof(bytes), 0);
  if (size <= 0) return false;
  received_.erase(0, std::exchange(applied_, 0));
  received_.append(bytes, static_cast<size_t>(size));
  return true;
}

bool RawClient::TakeFrame() {
  const std::string_view rest = std::string_view(received_).substr(applied_);
  if (rest.size() < kFrameHeaderBytes) return false;
  const size_t length = Number(rest.substr(0, 3));
  if (rest.size() < kFrameHeaderBytes + length) return false;
  applied_ += kFrameHeaderBytes + length;
  Apply(static_cast<uint8_t>(rest[3]), static_cast<uint8_t>(rest[4]), static_cast<int32_t>(Number(rest.substr(5, 4))),
        rest.substr(kFrameHeaderBytes, length));
  return true;
}

void RawClient::Apply(uint8_t type, uint8_t flags, int32_t stream, std::string_view payload) {
  const bool answer = (flags & NGHTTP2_FLAG_ACK) != 0;
  if (type == NGHTTP2_HEADERS) Inflate(streams_[stream], payload);
  if (type == NGHTTP2_DATA) streams_[stream].data += payload;
  if (type == NGHTTP2_DATA || type == NGHTTP2_HEADERS) {
    if ((flags & NGHTTP2_FLAG_END_STREAM) != 0) streams_[stream].ended = true;
  }
  if (type == NGHTTP2_RST_STREAM) streams_[stream].reset = Number(payload);
  if (type == NGHTTP2_WINDOW_UPDATE) streams_[stream].window += Number(payload);
  if (type == NGHTTP2_GOAWAY) {
    goaway_streams_.push_back(static_cast<int32_t>(Number(payload)));
    goaway_ = Number(payload.substr(4, 4));
  }
  if (type == NGHTTP2_PING && !answer) pings_.emplace_back(payload);
  if (type == NGHTTP2_PING && answer) ++pings_answered_;
  if (type == NGHTTP2_SETTINGS && answer) ++settings_answered_;
}

void RawClient::Inflate(RawStream& stream, std::string_view block) {
  while (!block.empty()) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t count = nghttp2_hd_inflate_hd2(inflater_, &field, &flags,
                                                 reinterpret_cast<const uint8_t*>(block.data()), block.size(), 1);
    VIEWCOUNT_CHECK(count >= 0);
    block.remove_prefix(static_cast<size_t>(count));
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      stream.headers[std::string(reinterpret_cast<char*>(field.name), field.namelen)] =
          std::string(reinterpret_cast<char*>(field.value), field.valuelen);
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
}

std::string RawClient::Frame(uint8_t type, uint8_t flags, int32_t stream, std::string_view payload) {
  std::string frame = Bytes(static_cast<uint32_t>(payload.size()), 3);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  return frame.append(Bytes(static_cast<uint32_t>(stream), 4)).append(payload);
}

std::string RawClient::Data(int32_t stream, std::string_view bytes, bool end) {
  return Frame(NGHTTP2_DATA, end ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE, stream, bytes);
}

std::string RawClient::Reset(int32_t stream, uint32_t code) {
  return Frame(NGHTTP2_RST_STREAM, 0, stream, Bytes(code, 4));
}

std::string RawClient::WindowUpdate(int32_t stream, uint32_t bytes) {
  return Frame(NGHTTP2_WINDOW_UPDATE, 0, stream, Bytes(bytes, 4));
}

std::string RawClient::HeaderField(std::string_view name, std::string_view value) {
  // The field is a literal without indexing and with a new name.
  std::string field(1, '\0');
  field.append(HpackLength(name.size())).append(name);
  return field.append(HpackLength(value.size())).append(value);
}

std::string RawClient::HeaderBlock(const std::string& path, const std::string& more, std::string_view content_type) {
  return HeaderField(":method", "POST") + HeaderField(":scheme", "http") + HeaderField(":path", path) +
         HeaderField(":authority", "test") + HeaderField("te", "trailers") + HeaderField("content-type", content_type) +
         more;
}

std::string RawClient::Headers(int32_t stream, const std::string& path, bool end, const std::string& more) {
  const int flags = NGHTTP2_FLAG_END_HEADERS | (end ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE);
  return Frame(NGHTTP2_HEADERS, static_cast<uint8_t>(flags), stream, HeaderBlock(path, more));
}

std::string RawClient::Message(std::string_view message) {
  std::string framed;
  AppendMessage(message, framed);
  return framed;
}

}  // namespace viewcount
