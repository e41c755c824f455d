// Fuzzes the gRPC port with any bytes from a peer. After a correct preface the bytes are frames for a connection. The
// connection must end when they end, and hold no memory afterwards. As a body the bytes are messages, which must be the
// same wherever the body is cut.
//
// Paths that begin with /u and /s are answered on the connection's loop. All others are answered by gRPC's own server
// in this process. The first byte of an input selects how the connection ends. The second byte selects the number of
// bytes after which the sender waits for the calls under way. The rest of the input is sent.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "service/base/check.h"
#include "service/base/unique_fd.h"
#include "service/grpc/http2/connection.h"
#include "service/grpc/http2/event_loop.h"
#include "service/grpc/http2/grpc_headers.h"
#include "service/grpc/http2/header_block.h"
#include "service/grpc/http2/in_process_calls.h"

namespace viewcount {
namespace {

// The number of bytes that a socket accepts although its peer does not read.
constexpr size_t kInputBytesMax = 64 << 10;
constexpr size_t kMessageBytesMax = 100'000;
const Http2Limits kLimits;
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Sends each message back to the caller. A unary call ends after its first message. Used by the loop's thread only.
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

// Sends each message back to the caller. gRPC calls its functions one at a time. It deletes itself when the call has
// ended.
class EchoReactor final : public grpc::ServerGenericBidiReactor {
 public:
  EchoReactor() { StartRead(&message_); }
  void OnReadDone(bool ok) override { ok ? StartWrite(&message_) : Finish(grpc::Status::OK); }
  void OnWriteDone(bool ok) override { ok ? StartRead(&message_) : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer message_;
};

// Answers every call of gRPC's own server with an EchoReactor. Thread-safe.
class EchoService final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new EchoReactor;
  }
};

// The parts that all inputs share.
struct Port {
  Port() {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&service);
    server = builder.BuildAndStart();
    VIEWCOUNT_CHECK(server != nullptr);
    forwarding.emplace(*server);
    routes = {{{"/u", EchoMethod(true)}, {"/s", EchoMethod(false)}}, forwarding->method()};
  }

  EventLoop loop;
  EchoService service;
  std::unique_ptr<grpc::Server> server;
  std::optional<InProcessCalls> forwarding;
  CallRoutes routes;
};

// The ways in which a connection ends.
enum class Ending : uint8_t { kHalfClosed, kClosed, kDrained, kClosedByServer, kPinged };
constexpr int kEndings = 5;

void WaitUntil(const std::function<bool()>& condition, std::chrono::microseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
}

void CheckConnection(std::string_view bytes) {
  static auto& port = *new Port;
  if (bytes.size() < 2) return;
  const auto ending = static_cast<Ending>(static_cast<uint8_t>(bytes[0]) % kEndings);
  const size_t pause_at = std::min<size_t>(static_cast<uint8_t>(bytes[1]) * size_t{4}, bytes.size() - 2);
  bytes = bytes.substr(2, kInputBytesMax);

  int ends[2];
  VIEWCOUNT_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd peer(ends[0]);
  std::promise<void> closed;
  std::weak_ptr<Http2Connection> made;
  const auto on_loop = [&](const std::function<void()>& action) {
    std::promise<void> done;
    boost::asio::post(port.loop.context(), [&] {
      action();
      port.loop.FlushOutputs();
      done.set_value();
    });
    done.get_future().wait();
  };
  on_loop([&] {
    Http2Connection::Socket socket(port.loop.context());
    socket.assign({AF_UNIX, 0}, ends[1]);
    socket.non_blocking(true);
    const auto ended = [&](Http2Connection*) {
      VIEWCOUNT_CHECK(port.loop.held_bytes == 0);
      closed.set_value();
    };
    const auto connection = std::make_shared<Http2Connection>(port.loop, std::move(socket), port.routes, kLimits,
                                                              Http2Connection::Events{.closed = ended});
    made = connection;
    connection->Start();
  });
  const auto act = [&](void (Http2Connection::*action)()) {
    on_loop([&] {
      if (const auto connection = made.lock()) (connection.get()->*action)();
    });
  };
  // The server may close the connection before it has read all bytes.
  const auto send_all = [&](std::string_view text) { send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL); };
  send_all(std::string(kPreface).append(bytes.substr(0, pause_at)));
  // The wait lets gRPC's answers arrive, so that they wait for the peer's window.
  if (port.forwarding->calls() > 0)
    WaitUntil([&] { return port.forwarding->calls() == 0; }, std::chrono::microseconds(300));
  if (ending == Ending::kDrained) act(&Http2Connection::Drain);
  if (ending == Ending::kPinged) {
    for (int i = 0; i < kLimits.silent_checks_max; ++i) act(&Http2Connection::CheckPeer);
  }
  send_all(bytes.substr(pause_at));
  if (ending == Ending::kClosedByServer) act(&Http2Connection::Close);
  if (ending == Ending::kClosed) {
    peer = UniqueFd();
  } else {
    shutdown(peer.get(), SHUT_WR);
    char answers[16 << 10];
    while (recv(peer.get(), answers, sizeof(answers), 0) > 0) {
    }
  }
  closed.get_future().wait();
  // Every call must end, whatever its caller did.
  WaitUntil([&] { return port.forwarding->calls() == 0; }, std::chrono::seconds(5));
  VIEWCOUNT_CHECK(port.forwarding->calls() == 0);
  // After this, all posted functions have run, so nothing refers to this connection.
  on_loop([] {});
}

// Returns all messages up to the first error, and true if there was no error.
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

void CheckHeaderBlock(std::string_view block) {
  constexpr size_t kLong = 100;
  constexpr size_t kReplacement = 90;
  const auto shortened = ShortenHeaderBlock(block, kLong, kReplacement);
  if (!shortened) return;
  VIEWCOUNT_CHECK(shortened->size() <= block.size());
  // The shortened block must not contain any long header.
  VIEWCOUNT_CHECK(ShortenHeaderBlock(*shortened, kLong, kReplacement) == shortened);
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
  CheckHeaderBlock(body);
  return 0;
}
