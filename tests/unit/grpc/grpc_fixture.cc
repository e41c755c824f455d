#include "tests/unit/grpc/grpc_fixture.h"

#include <boost/asio/post.hpp>
#include <charconv>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "service/base/check.h"

namespace viewcount {
namespace {

constexpr std::chrono::seconds kPatience{10};

// Calls `action` with each message immediately.
class SimpleCall final : public CallHandler {
 public:
  using Action = void (*)(Call& call, const std::string& message);
  SimpleCall(Call& call, Action action) : call_(call), action_(action) {}
  void OnMessage(std::string message) override { action_(call_, message); }
  void OnRequestEnd() override { call_.Finish(grpc::Status::OK); }
  void OnEnd() override {}

 private:
  Call& call_;
  const Action action_;
};

// Fails before it has read anything.
class FailingCall final : public CallHandler {
 public:
  explicit FailingCall(Call& call) { call.Finish({grpc::StatusCode::FAILED_PRECONDITION, kFailText, kFailDetails}); }
  void OnMessage(std::string) override { ADD_FAILURE() << "a message after the end"; }
  void OnRequestEnd() override { ADD_FAILURE() << "an end after the end"; }
  void OnEnd() override {}
};

// The lane holds a reference to this handler, as it does to a call with views.
class LaneCall final : public CallHandler, public LoopTask {
 public:
  LaneCall(SlowLane& lane, Call& call, bool stream) : lane_(lane), loop_(call.loop()), call_(&call), stream_(stream) {}
  void OnMessage(std::string message) override {
    message_ = std::move(message);
    of_lane_ = this;
    lane_.Give(*this, loop_);
  }
  void OnRequestEnd() override { call_->Finish(grpc::Status::OK); }
  void OnEnd() override { call_ = nullptr; }
  void Run() override {
    const HandlerRef self = std::move(of_lane_);
    if (call_ == nullptr) return;
    call_->Send(message_);
    stream_ ? call_->Read() : call_->Finish(grpc::Status::OK);
  }

 private:
  SlowLane& lane_;
  EventLoop& loop_;
  Call* call_;
  const bool stream_;
  HandlerRef of_lane_;
  std::string message_;
};

Method Simple(bool one_request, SimpleCall::Action action) {
  return {.begin = [action](Call& call) { return HandlerRef(new SimpleCall(call, action)); },
          .one_request = one_request};
}

size_t NumberIn(const std::string& text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  VIEWCOUNT_CHECK(error == std::errc());
  return number;
}

void Echo(Call& call, const std::string& message) {
  call.Send(message);
  call.Finish(grpc::Status::OK);
}

Methods MakeMethods(SlowLane& lane) {
  const auto lane_method = [&lane](bool stream) {
    return Method{.begin = [&lane, stream](Call& call) { return HandlerRef(new LaneCall(lane, call, stream)); },
                  .one_request = !stream};
  };
  return {
      {kEcho, Simple(true, Echo)},
      {kEchoStream, Simple(false,
                           [](Call& call, const std::string& message) {
                             call.Send(message);
                             call.Read();
                           })},
      {kLane, lane_method(false)},
      {kLaneStream, lane_method(true)},
      {kFail, {.begin = [](Call& call) { return HandlerRef(new FailingCall(call)); }}},
      {kBig, Simple(true, [](Call& call, const std::string& m) { Echo(call, std::string(NumberIn(m), 'b')); })},
      {kChatty, Simple(true,
                       [](Call& call, const std::string& message) {
                         const std::string text(NumberIn(message), 'c');
                         call.Finish({grpc::StatusCode::INTERNAL, text, text});
                       })},
  };
}

class EchoReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  EchoReactor() { StartRead(&message_); }
  void OnReadDone(bool ok) override { ok ? StartWrite(&message_) : Finish(grpc::Status::OK); }
  void OnWriteDone(bool ok) override {
    if (ok) return StartRead(&message_);
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer message_;
};

}  // namespace

void SlowLane::Give(LoopTask& task, EventLoop& loop) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({&task, &loop});
  came_.notify_all();
}

bool SlowLane::Await(size_t waiting) {
  std::unique_lock lock(mutex_);
  return came_.wait_for(lock, kPatience, [&] { return waiting_.size() >= waiting; });
}

size_t SlowLane::waiting() {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void SlowLane::Answer() {
  const std::lock_guard lock(mutex_);
  for (const auto& waiting : std::exchange(waiting_, {})) waiting.loop->Post(*waiting.task);
}

class GrpcServerTest::EchoService final : public Inner {
 public:
  grpc::ServerUnaryReactor* RecordViews(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override {
    *response = *request;
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(request->Length() > 0 ? grpc::Status::OK
                                          : grpc::Status(grpc::StatusCode::ABORTED, kFailText, kFailDetails));
    return reactor;
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamViews(grpc::CallbackServerContext*) override {
    return new EchoReactor;
  }
};

GrpcServerTest::GrpcServerTest(size_t loops, Http2Limits limits, AcceptedPeers::Observer observer)
    : service_(std::make_unique<EchoService>()) {
  auto server = GrpcServer::Start({.address = "127.0.0.1:0",
                                   .services = {service_.get()},
                                   .methods =
                                       [this](const Method&) {
                                         auto methods = MakeMethods(lane_);
                                         for (auto& [path, method] : methods) {
                                           method.begin = [begin = method.begin, loop = loop_](Call& call) {
                                             *loop = &call.loop();
                                             return begin(call);
                                           };
                                         }
                                         return methods;
                                       },
                                   .loops = loops,
                                   .limits = limits,
                                   .observer = std::move(observer)});
  VIEWCOUNT_CHECK(server.ok());
  server_ = *std::move(server);
}

GrpcServerTest::~GrpcServerTest() {
  if (server_ == nullptr) return;
  server_->Stop(std::chrono::milliseconds(0));
  // Runs the tasks that still wait for the lane, so that their call handlers are destroyed.
  lane_.Answer();
  if (*loop_ != nullptr) {
    EXPECT_EQ(HeldBytes(), 0u);
  }
  // Destroys the server before the objects that it serves.
  server_.reset();
}

bool GrpcServerTest::Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

size_t GrpcServerTest::HeldBytes() {
  VIEWCOUNT_CHECK(*loop_ != nullptr);
  std::promise<size_t> held;
  boost::asio::post((*loop_)->context(), [&] { held.set_value((*loop_)->held_bytes); });
  return held.get_future().get();
}

}  // namespace viewcount
