#include "service/grpc/http2/in_process_calls.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/slice.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "service/base/check.h"
#include "service/base/status.h"
#include "service/grpc/http2/grpc_status.h"
#include "service/grpc/http2/http2_limits.h"

namespace viewcount {
namespace {

std::chrono::system_clock::time_point SystemTime(std::chrono::steady_clock::time_point time) {
  using std::chrono::system_clock;
  return system_clock::now() +
         std::chrono::duration_cast<system_clock::duration>(time - std::chrono::steady_clock::now());
}

// Answers a call that cannot be forwarded.
class RefusedCall final : public CallHandler {
 public:
  RefusedCall(Call& call, std::string_view text) {
    call.Finish(ToGrpc(RetryLater(absl::StatusCode::kResourceExhausted, text, limits::kRetryDelay)));
  }
  void OnMessage(std::string) override {}
  void OnRequestEnd() override {}
  void OnEnd() override {}
};

}  // namespace

// Connects two sides. On the connection's loop all functions of CallHandler run; on gRPC's threads the functions of the
// reactor run. The latter only post their results to the loop, so all members are used by the loop's thread only.
//
// gRPC's side holds a reference to the handler from Begin until OnDone has arrived on the loop. gRPC calls OnDone last,
// and the loop runs posted actions in order. So every posted action finds the handler alive.
class InProcessCalls::Forwarded final : public CallHandler,
                                        public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  static HandlerRef Begin(InProcessCalls& owner, Call& call) {
    const HandlerRef handler(new Forwarded(owner, call));
    auto& forwarded = static_cast<Forwarded&>(*handler);
    forwarded.self_ = handler;
    forwarded.Start(call);
    return handler;
  }

  void OnMessage(std::string message) override {
    if (reading_ == Reading::kEnded) return;
    const grpc::Slice slice(message);
    outgoing_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&outgoing_);
  }
  void OnRequestEnd() override {
    if (reading_ != Reading::kEnded) StartWritesDone();
  }
  void OnSent() override {
    if (reading_ == Reading::kPaused) Read();
  }
  void OnEnd() override {
    call_ = nullptr;
    if (self_ == nullptr) return;
    ++share_->abandoned_calls;
    context_.TryCancel();
    // A read under way ends because of the cancellation. Otherwise gRPC would wait for the next read forever.
    if (reading_ == Reading::kPaused) EndReading();
  }

  void OnReadDone(bool ok) override {
    OnLoop([this, ok] { ok ? Answer() : EndReading(); });
  }
  void OnWriteDone(bool ok) override {
    OnLoop([this, ok] {
      if (ok && call_ != nullptr) call_->Read();
    });
  }
  void OnDone(const grpc::Status& status) override {
    OnLoop([this, status] { End(status); });
  }

 private:
  // The state of reading answers from gRPC.
  enum class Reading : uint8_t {
    kUnderWay,  // gRPC will call OnReadDone.
    kPaused,    // The last answer waits for the peer.
    kEnded,     // No more is read. The hold is removed, so gRPC may call OnDone.
  };

  Forwarded(InProcessCalls& owner, Call& call) : owner_(owner), loop_(call.loop()), share_(call.share()), call_(&call) {
    ++owner_.calls_;
  }
  ~Forwarded() override {
    if (--owner_.calls_ == 0) owner_.calls_.notify_all();
  }

  void Start(Call& call) {
    if (call.deadline()) context_.set_deadline(SystemTime(*call.deadline()));
    owner_.stub_.PrepareBidiStreamingCall(&context_, std::string(call.path()), grpc::StubOptions(), this);
    // The hold delays OnDone until the loop has processed the end of the answers.
    AddHold();
    Read();
    StartCall();
  }

  template <typename Action>
  void OnLoop(Action action) {
    // The handler may be deleted when the action has run, so the loop is captured separately.
    boost::asio::post(loop_.context(), [&loop = loop_, action = std::move(action)] {
      action();
      loop.FlushOutputs();
    });
  }

  void Read() {
    reading_ = Reading::kUnderWay;
    StartRead(&incoming_);
  }

  void Answer() {
    if (call_ == nullptr) return EndReading();
    grpc::Slice slice;
    if (!incoming_.DumpToSingleSlice(&slice).ok()) return Read();
    reading_ = Reading::kPaused;
    call_->Send({reinterpret_cast<const char*>(slice.begin()), slice.size()});
  }

  void EndReading() {
    reading_ = Reading::kEnded;
    RemoveHold();
  }

  void End(const grpc::Status& status) {
    if (call_ != nullptr) {
      call_->Finish(EndedByDeadline(status) ? grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, kLateText) : status);
    } else {
      --share_->abandoned_calls;
    }
    // gRPC's in-process transport keeps both halves of a call, even of one that has ended, until the call is cancelled.
    context_.TryCancel();
    // Deletes this handler, unless the call still refers to it.
    self_.reset();
  }

  // gRPC's server cancels a call at its deadline. The service may report that before the client side of the call does.
  bool EndedByDeadline(const grpc::Status& status) const {
    return status.error_code() == grpc::StatusCode::CANCELLED && call_->deadline() &&
           *call_->deadline() <= std::chrono::steady_clock::now() + limits::kHttp2DeadlineStep;
  }

  InProcessCalls& owner_;
  EventLoop& loop_;
  const std::shared_ptr<ConnectionShare> share_;
  // Null after OnEnd.
  Call* call_;
  Reading reading_ = Reading::kPaused;

  grpc::ClientContext context_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  // The reference held by gRPC's side. Null after OnDone.
  HandlerRef self_;
};

InProcessCalls::InProcessCalls(grpc::Server& server)
    : stub_([&] {
        // The client side receives answers of the server itself, so their size is not limited.
        grpc::ChannelArguments arguments;
        arguments.SetMaxReceiveMessageSize(-1);
        return server.InProcessChannel(arguments);
      }()) {}

InProcessCalls::~InProcessCalls() { VIEWCOUNT_CHECK(calls_ == 0); }

void InProcessCalls::Wait() {
  for (size_t calls = calls_; calls > 0; calls = calls_) calls_.wait(calls);
}

Method InProcessCalls::method() {
  return {.begin = [this](Call& call) -> HandlerRef {
    if (calls_ >= limits::kGrpcForwardedCallsMax) return new RefusedCall(call, "as many calls are under way as may be");
    if (call.share()->abandoned_calls >= limits::kGrpcAbandonedCallsMax) {
      return new RefusedCall(call, "too many cancelled calls of this connection have not ended yet");
    }
    return Forwarded::Begin(*this, call);
  }};
}

}  // namespace viewcount
