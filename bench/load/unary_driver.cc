// A driver with one call for each request.
#include <grpc/grpc.h>
#include <grpc/slice.h>

#include <array>
#include <mutex>
#include <vector>

#include "bench/load/grpc_load.h"

namespace viewcount::bench {
namespace {

// A call in flight and the places where gRPC stores its results.
struct UnaryCall {
  grpc_call* call = nullptr;
  TimePoint due;
  grpc_byte_buffer* request = nullptr;
  grpc_metadata_array initial_metadata{};
  grpc_metadata_array trailing_metadata{};
  ReceivedMessage response;
  grpc_status_code code = GRPC_STATUS_OK;
  grpc_slice details{};
};

// Sends each request as a call. See GrpcDriver for its threads.
class UnaryDriver final : public GrpcDriver {
 public:
  UnaryDriver(const Options& options, Channels& channels, Books& books)
      : channels_(channels), books_(books), calls_(options.in_flight) {
    for (size_t i = 0; i < options.connections; ++i)
      methods_.push_back(grpc_channel_register_call(channels[i], books.method(), nullptr, nullptr));
  }

  void Send(size_t slot, TimePoint due) override {
    UnaryCall& call = calls_[slot];
    call.due = due;
    call.request = ToBuffer(books_.Next(slot));
    grpc_metadata_array_init(&call.initial_metadata);
    grpc_metadata_array_init(&call.trailing_metadata);
    call.call = grpc_channel_create_registered_call(channels_[slot], nullptr, GRPC_PROPAGATE_DEFAULTS,
                                                    channels_.queue(), methods_[slot % methods_.size()],
                                                    gpr_inf_future(GPR_CLOCK_REALTIME), nullptr);
    StartBatch(call);
  }

  void Complete(void* tag, bool, TimePoint now) override {
    auto& call = *static_cast<UnaryCall*>(tag);
    const auto slot = static_cast<size_t>(&call - calls_.data());
    books_.Answered(slot, call.due, now, call.code, call.response.Bytes());
    grpc_byte_buffer_destroy(call.request);
    grpc_metadata_array_destroy(&call.initial_metadata);
    grpc_metadata_array_destroy(&call.trailing_metadata);
    grpc_slice_unref(call.details);
    call.response.Reset();
    {
      const std::lock_guard lock(mutex_);
      grpc_call_unref(call.call);
      call.call = nullptr;
    }
    pump().Release(slot, now);
  }

  void CancelAll() override {
    const std::lock_guard lock(mutex_);
    for (UnaryCall& call : calls_) {
      if (call.call != nullptr) grpc_call_cancel(call.call, nullptr);
    }
  }

 private:
  static void StartBatch(UnaryCall& call) {
    std::array<grpc_op, 6> ops{};
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = call.request;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &call.initial_metadata;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = call.response.place();
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &call.trailing_metadata;
    ops[5].data.recv_status_on_client.status = &call.code;
    ops[5].data.recv_status_on_client.status_details = &call.details;
    grpc_call_start_batch(call.call, ops.data(), ops.size(), &call, nullptr);
  }

  Channels& channels_;
  Books& books_;
  // Guards the calls. A call must not be released while it is being cancelled.
  std::mutex mutex_;
  std::vector<UnaryCall> calls_;
  std::vector<void*> methods_;
};

}  // namespace

std::unique_ptr<GrpcDriver> MakeUnaryDriver(const Options& options, Channels& channels, Books& books) {
  return std::make_unique<UnaryDriver>(options, channels, books);
}

}  // namespace viewcount::bench
