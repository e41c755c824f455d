// Any bytes from a peer of the gRPC port. Behind a preface that is right they are frames to a connection, which must
// end with them and let go of all it held; as a body, messages, which are the same wherever the body is cut.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/check.h"
#include "service/base/unique_fd.h"
#include "service/http2/connection.h"
#include "service/http2/event_loop.h"
#include "service/http2/grpc_headers.h"

namespace viewcount {
namespace {

// What a socket takes without anybody reading.
constexpr size_t kInputBytesMax = 64 << 10;
constexpr size_t kMessageBytesMax = 100'000;
const Http2Limits kLimits;
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class Echo final : public CallHandler {
 public:
  Echo(Call& call, bool one_request) : call_(call), one_request_(one_request) {}
  void OnMessage(std::string message) override {
    VIEWCOUNT_CHECK(!std::exchange(had_message_, true) || !one_request_);
    call_.Send(message);
    one_request_ ? call_.Finish(grpc::Status::OK) : call_.Read();
  }
  void OnRequestEnd() override {
    VIEWCOUNT_CHECK(!had_message_ || !one_request_);
    call_.Finish({grpc::StatusCode::INTERNAL, "an ü and an end"});
  }
  void OnEnd() override {}

 private:
  Call& call_;
  const bool one_request_;
  bool had_message_ = false;
};

Method EchoMethod(bool one_request) {
  return {.begin = [one_request](Call& call) { return HandlerRef(new Echo(call, one_request)); },
          .one_request = one_request};
}

void CheckConnection(std::string_view bytes) {
  static auto& loop = *new EventLoop;
  static const auto& routes = *new CallRoutes{{{"/u", EchoMethod(true)}}, EchoMethod(false)};
  int ends[2];
  VIEWCOUNT_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd peer(ends[0]);
  std::promise<void> closed;
  boost::asio::post(loop.context(), [&, descriptor = ends[1]] {
    Http2Connection::Socket socket(loop.context());
    socket.assign({AF_UNIX, 0}, descriptor);
    socket.non_blocking(true);
    const auto ended = [&](Http2Connection*) {
      VIEWCOUNT_CHECK(loop.held_bytes == 0);
      closed.set_value();
    };
    std::make_shared<Http2Connection>(loop, std::move(socket), routes, kLimits,
                                      Http2Connection::Events{.closed = ended})
        ->Start();
  });
  const std::string sent = std::string(kPreface).append(bytes.substr(0, kInputBytesMax));
  // It may close before it has read all.
  send(peer.get(), sent.data(), sent.size(), MSG_NOSIGNAL);
  shutdown(peer.get(), SHUT_WR);
  char answers[16 << 10];
  while (recv(peer.get(), answers, sizeof(answers), 0) > 0) {
  }
  closed.get_future().wait();
}

// All messages up to the first error, and whether there was one.
std::pair<std::vector<std::string>, bool> Read(std::string_view body, size_t cut) {
  MessageReader reader;
  reader.AllowCompressed();
  bool ok = reader.Add(body.substr(0, cut), kMessageBytesMax).ok();
  std::vector<std::string> messages;
  const auto take = [&] {
    while (reader.has_message()) messages.push_back(reader.Take());
  };
  take();
  ok = ok && reader.Add(body.substr(cut), kMessageBytesMax).ok();
  take();
  VIEWCOUNT_CHECK(std::ranges::all_of(messages, [](const auto& m) { return m.size() <= kMessageBytesMax; }));
  reader.Clear();
  VIEWCOUNT_CHECK(reader.bytes() == 0);
  return {std::move(messages), ok};
}

void CheckTexts(std::string_view text) {
  if (const auto timeout = ParseGrpcTimeout(text)) {
    VIEWCOUNT_CHECK(timeout->count() >= 0 && text.size() >= 2 && text.size() <= 9);
  }
  VIEWCOUNT_CHECK(std::ranges::all_of(PercentEncode(text), [](char c) { return c >= 0x20 && c < 0x7F; }));
  VIEWCOUNT_CHECK(Base64Encode(text).size() == (text.size() + 2) / 3 * 4);
}

}  // namespace
}  // namespace viewcount

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace viewcount;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckConnection(bytes);
  if (bytes.empty()) return 0;
  const std::string_view body = bytes.substr(1);
  VIEWCOUNT_CHECK(Read(body, body.size()) == Read(body, std::min<size_t>(data[0], body.size())));
  CheckTexts(body);
  return 0;
}
