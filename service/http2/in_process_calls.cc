#include "service/http2/in_process_calls.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/slice.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "service/base/check.h"
#include "service/base/status.h"
#include "service/grpc/status.h"
#include "service/http2/http2_limits.h"

namespace viewcount {

// Between two sides: the connection's loop, where everything of CallHandler runs, and gRPC's threads, where the
// reactor's functions run and whence they go to the loop at once.
class InProcessCalls::Forwarded final : public CallHandler,
                                        public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                                        public std::enable_shared_from_this<Forwarded> {
 public:
  static CallHandler* Begin(InProcessCalls& owner, Call& call) {
    const auto forwarded = std::make_shared<Forwarded>(owner, call);
    forwarded->self_ = forwarded;
    if (call.deadline()) forwarded->context_.set_deadline(*call.deadline());
    owner.stub_.PrepareBidiStreamingCall(&forwarded->context_, std::string(call.path()), grpc::StubOptions(),
                                         forwarded.get());
    // So that OnDone waits until the loop knows that there is no more to be read.
    forwarded->AddHold();
    forwarded->StartRead(&forwarded->incoming_);
    forwarded->StartCall();
    return forwarded.get();
  }

  Forwarded(InProcessCalls& owner, Call& call) : owner_(owner), loop_(call.loop()), call_(&call) { ++owner_.calls_; }
  ~Forwarded() override {
    if (--owner_.calls_ == 0) owner_.calls_.notify_all();
  }

  void OnMessage(std::string message) override {
    if (ended_) return;
    const grpc::Slice slice(message);
    outgoing_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&outgoing_);
  }
  void OnRequestEnd() override {
    if (!ended_) StartWritesDone();
  }
  void OnSent() override {
    if (!ended_) StartRead(&incoming_);
  }
  void OnEnd() override {
    call_ = nullptr;
    context_.TryCancel();
  }

  void OnReadDone(bool ok) override {
    OnLoop([ok](Forwarded& self) { ok ? self.Answer() : self.EndReading(); });
  }
  void OnWriteDone(bool ok) override {
    OnLoop([ok](Forwarded& self) {
      if (ok && self.call_ != nullptr) self.call_->Read();
    });
  }
  void OnDone(const grpc::Status& status) override {
    OnLoop([status](Forwarded& self) {
      if (self.call_ != nullptr) self.call_->Finish(status);
    });
    self_.reset();
  }

 private:
  template <typename Action>
  void OnLoop(Action action) {
    boost::asio::post(loop_.context(), [self = shared_from_this(), action] {
      action(*self);
      self->loop_.FlushOutputs();
    });
  }

  void Answer() {
    grpc::Slice slice;
    if (call_ == nullptr || !incoming_.DumpToSingleSlice(&slice).ok()) {
      // Nobody waits for it: TryCancel was called, and reading on ends soon.
      return StartRead(&incoming_);
    }
    call_->Send({reinterpret_cast<const char*>(slice.begin()), slice.size()});
  }

  void EndReading() {
    ended_ = true;
    RemoveHold();
  }

  InProcessCalls& owner_;
  EventLoop& loop_;
  // Of the loop's thread.
  Call* call_;
  bool ended_ = false;

  grpc::ClientContext context_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  // Until OnDone.
  std::shared_ptr<Forwarded> self_;
};

class InProcessCalls::Refused final : public CallHandler {
 public:
  explicit Refused(Call& call) {
    call.Finish(ToGrpc(RetryLater(absl::StatusCode::kResourceExhausted, "as many calls are under way as may be",
                                  limits::kRetryDelay)));
  }
  void OnMessage(std::string) override {}
  void OnRequestEnd() override {}
  void OnEnd() override { delete this; }
};

InProcessCalls::InProcessCalls(grpc::Server& server)
    : stub_([&] {
        // The callers' side of it is the server's own answers.
        grpc::ChannelArguments arguments;
        arguments.SetMaxReceiveMessageSize(-1);
        return server.InProcessChannel(arguments);
      }()) {}

InProcessCalls::~InProcessCalls() { VIEWCOUNT_CHECK(calls_ == 0); }

void InProcessCalls::Wait() {
  for (size_t calls = calls_; calls > 0; calls = calls_) calls_.wait(calls);
}

Method InProcessCalls::method() {
  return {.begin = [this](Call& call) -> CallHandler* {
    return calls_ < limits::kGrpcForwardedCallsMax ? Forwarded::Begin(*this, call) : new Refused(call);
  }};
}

}  // namespace viewcount
