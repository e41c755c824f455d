#include "service/grpc/ingest_methods.h"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "service/base/check.h"
#include "service/grpc/http2/grpc_status.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace {

// RecordViewsResponse has three numbers of at most eleven bytes each, tag included, and a Boolean of two bytes.
constexpr size_t kResponseBytesMax = 3 * 11 + 2;
// Finished calls that an event loop keeps for reuse. With the views of usual batches they take at most about 12 MiB.
constexpr size_t kFreeCallsMax = 256;
constexpr size_t kKeptViewsMax = 1'024;

void SendResult(const IngestResult& result, Call& call) {
  // StreamViewsResponse has the same fields and field numbers.
  v1::RecordViewsResponse response;
  response.set_accepted_views(result.accepted_views);
  response.set_duplicate(result.duplicate);
  response.set_last_sequence(result.last_sequence);
  response.set_durability(static_cast<v1::Durability>(result.durability));
  std::array<char, kResponseBytesMax> bytes;
  const size_t size = response.ByteSizeLong();
  VIEWCOUNT_CHECK(response.SerializeToArray(bytes.data(), static_cast<int>(bytes.size())));
  call.Send({bytes.data(), size});
}

// A call, its batch, and the task that brings the lane's answer back to the event loop. They are one object, so that a
// call needs one allocation. The lane holds a reference to it from Submit until Run. Used by the loop's thread only,
// except Done.
class IngestCall : public CallHandler, public Batch, public LoopTask {
 public:
  void Begin(Ingestor& ingestor, Call& call) {
    ingestor_ = &ingestor;
    loop_ = &call.loop();
    call_ = &call;
  }

  void OnMessage(std::string message) final {
    message_ = std::move(message);
    bytes = message_;
    // The reference must be set before Submit, since the lane may answer at any time after it.
    of_lane_ = this;
    if (const auto status = ingestor_->Submit(this); !status.ok()) {
      of_lane_.reset();
      call_->Finish(ToGrpc(status));
    }
  }
  void OnEnd() final { call_ = nullptr; }

  // Called by the lane's thread.
  void Done(const absl::Status& status, const IngestResult& result) final {
    status_ = status;
    result_ = result;
    loop_->Post(*this);
  }
  void Run() final {
    const HandlerRef self = std::move(of_lane_);
    if (call_ == nullptr) return;
    if (status_.ok()) {
      Answer(result_, *call_);
    } else {
      call_->Finish(ToGrpc(status_));
    }
  }

 private:
  virtual void Answer(const IngestResult& result, Call& call) = 0;

  Ingestor* ingestor_ = nullptr;
  EventLoop* loop_ = nullptr;
  // Null after the call has ended.
  Call* call_ = nullptr;
  // The lane's reference. It is set while the lane has the batch, or while its answer is on the way.
  HandlerRef of_lane_;
  std::string message_;
  absl::Status status_;
  IngestResult result_;

 protected:
  Call& call() { return *call_; }
};

class RecordViewsCall final : public IngestCall {
 public:
  static RecordViewsCall* Make() {
    if (free_calls_.empty()) return new RecordViewsCall();
    RecordViewsCall* const call = free_calls_.back().release();
    free_calls_.pop_back();
    return call;
  }
  void OnRequestEnd() override { call().Finish({grpc::StatusCode::INTERNAL, "the request has no message"}); }

 private:
  void Answer(const IngestResult& result, Call& answered) override {
    SendResult(result, answered);
    answered.Finish(grpc::Status::OK);
  }
  void Dispose() override {
    std::unique_ptr<RecordViewsCall> self(this);
    if (free_calls_.size() < kFreeCallsMax && request.views.capacity() <= kKeptViewsMax) {
      free_calls_.push_back(std::move(self));
    }
  }

  // Finished calls for reuse, together with the memory into which they decoded. Each event loop has its own.
  static thread_local std::vector<std::unique_ptr<RecordViewsCall>> free_calls_;
};

thread_local std::vector<std::unique_ptr<RecordViewsCall>> RecordViewsCall::free_calls_;

// Reads the next request only after the previous one is answered. This keeps the order of the stream, and the stream's
// flow-control window slows down the sender.
class StreamViewsCall final : public IngestCall {
 public:
  void OnRequestEnd() override { call().Finish(grpc::Status::OK); }

 private:
  void Answer(const IngestResult& result, Call& answered) override {
    SendResult(result, answered);
    answered.Read();
  }
};

HandlerRef Begun(IngestCall* handler, Ingestor& ingestor, Call& call) {
  handler->Begin(ingestor, call);
  return handler;
}

}  // namespace

Method RecordViewsMethod(Ingestor& ingestor) {
  return {.begin = [&ingestor](Call& call) { return Begun(RecordViewsCall::Make(), ingestor, call); },
          .one_request = true};
}

Method StreamViewsMethod(Ingestor& ingestor) {
  return {.begin = [&ingestor](Call& call) { return Begun(new StreamViewsCall(), ingestor, call); }};
}

}  // namespace viewcount
