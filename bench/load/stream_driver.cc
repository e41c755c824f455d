// A driver with one stream for each slot, and one request at a time on each stream.
#include <grpc/grpc.h>
#include <grpc/slice.h>

#include <array>
#include <mutex>
#include <vector>

#include "bench/load/grpc_load.h"

namespace viewcount::bench {
namespace {

// The two kinds of events of a stream. A tag is the address of one of them.
struct Stream;
struct StreamEvent {
  Stream* stream = nullptr;
};

// A stream and the places where gRPC stores what it receives. The first request opens the stream. If the server ends
// it, the next request opens it again.
struct Stream {
  StreamEvent exchanged{this};
  StreamEvent ended{this};
  grpc_call* call = nullptr;
  TimePoint due;
  grpc_byte_buffer* request = nullptr;
  ReceivedMessage response;
  // True while the stream's request is sent but not answered.
  bool waits = false;
  bool has_ended = false;
  grpc_metadata_array initial_metadata{};
  grpc_metadata_array trailing_metadata{};
  grpc_status_code code = GRPC_STATUS_OK;
  grpc_slice details{};
};

// Sends each request on its slot's stream. See GrpcDriver for its threads.
class StreamDriver final : public GrpcDriver {
 public:
  StreamDriver(const Options& options, Channels& channels, Books& books)
      : channels_(channels), books_(books), streams_(options.in_flight) {
    for (size_t i = 0; i < options.connections; ++i)
      methods_.push_back(grpc_channel_register_call(channels[i], books.method(), nullptr, nullptr));
  }

  void Send(size_t slot, TimePoint due) override {
    const std::lock_guard lock(mutex_);
    Stream& stream = streams_[slot];
    const bool is_new = stream.call == nullptr;
    if (is_new) Open(stream, slot);
    stream.due = due;
    stream.waits = true;
    stream.request = ToBuffer(books_.Next(slot));
    std::array<grpc_op, 4> ops{};
    ops[0].op = GRPC_OP_SEND_MESSAGE;
    ops[0].data.send_message.send_message = stream.request;
    ops[1].op = GRPC_OP_RECV_MESSAGE;
    ops[1].data.recv_message.recv_message = stream.response.place();
    // The operations that begin a stream are sent with its first request.
    ops[2].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &stream.initial_metadata;
    grpc_call_start_batch(stream.call, ops.data(), is_new ? 4 : 2, &stream.exchanged, nullptr);
  }

  void Complete(void* tag, bool, TimePoint now) override {
    auto& event = *static_cast<StreamEvent*>(tag);
    Stream& stream = *event.stream;
    if (!IsAnswered(event, stream, now)) return;
    // The mutex is not held here, because the pump sends the next request.
    pump().Release(static_cast<size_t>(&stream - streams_.data()), now);
  }

  void CancelAll() override {
    const std::lock_guard lock(mutex_);
    for (Stream& stream : streams_) {
      if (stream.call != nullptr) grpc_call_cancel(stream.call, nullptr);
    }
  }

  void HangUp() override {
    const std::lock_guard lock(mutex_);
    for (Stream& stream : streams_) {
      if (stream.call == nullptr) continue;
      grpc_op op{};
      op.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
      grpc_call_start_batch(stream.call, &op, 1, &stream.exchanged, nullptr);
    }
  }

  bool Idle() const override {
    const std::lock_guard lock(mutex_);
    for (const Stream& stream : streams_) {
      if (stream.call != nullptr) return false;
    }
    return true;
  }

 private:
  // Handles an event. Returns true if it answers the stream's request.
  bool IsAnswered(const StreamEvent& event, Stream& stream, TimePoint now) {
    const std::lock_guard lock(mutex_);
    if (&event == &stream.ended) {
      stream.has_ended = true;
    } else if (stream.request != nullptr) {
      grpc_byte_buffer_destroy(stream.request);
      stream.request = nullptr;
    }
    if (stream.request != nullptr) return false;
    const bool waited = stream.waits;
    if (stream.waits && !stream.response.empty()) Answer(stream, GRPC_STATUS_OK, now);
    if (stream.has_ended && stream.call != nullptr) Close(stream);
    // If there is no message, the stream has ended, and the status gives the reason. A stream that ended with OK did
    // not answer its request.
    if (stream.waits && stream.has_ended)
      Answer(stream, stream.code == GRPC_STATUS_OK ? GRPC_STATUS_UNAVAILABLE : stream.code, now);
    return waited && !stream.waits;
  }

  void Open(Stream& stream, size_t slot) {
    stream.has_ended = false;
    grpc_metadata_array_init(&stream.initial_metadata);
    grpc_metadata_array_init(&stream.trailing_metadata);
    stream.call = grpc_channel_create_registered_call(channels_[slot], nullptr, GRPC_PROPAGATE_DEFAULTS,
                                                      channels_.queue(), methods_[slot % methods_.size()],
                                                      gpr_inf_future(GPR_CLOCK_REALTIME), nullptr);
    grpc_op op{};
    op.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    op.data.recv_status_on_client.trailing_metadata = &stream.trailing_metadata;
    op.data.recv_status_on_client.status = &stream.code;
    op.data.recv_status_on_client.status_details = &stream.details;
    grpc_call_start_batch(stream.call, &op, 1, &stream.ended, nullptr);
  }

  void Answer(Stream& stream, grpc_status_code code, TimePoint now) {
    stream.waits = false;
    books_.Answered(static_cast<size_t>(&stream - streams_.data()), stream.due, now, code, stream.response.Bytes());
    stream.response.Reset();
  }

  static void Close(Stream& stream) {
    grpc_call_unref(stream.call);
    stream.call = nullptr;
    grpc_metadata_array_destroy(&stream.initial_metadata);
    grpc_metadata_array_destroy(&stream.trailing_metadata);
    grpc_slice_unref(stream.details);
  }

  Channels& channels_;
  Books& books_;
  // Guards the streams. A server may end a stream while another thread sends a request on it.
  mutable std::mutex mutex_;
  std::vector<Stream> streams_;
  std::vector<void*> methods_;
};

}  // namespace

std::unique_ptr<GrpcDriver> MakeStreamDriver(const Options& options, Channels& channels, Books& books) {
  return std::make_unique<StreamDriver>(options, channels, books);
}

}  // namespace viewcount::bench
