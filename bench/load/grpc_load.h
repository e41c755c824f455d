// The load over gRPC.
//
// It uses gRPC's C interface. grpc::ClientContext and the C++ wrappers take a fifth of the cost of a small call, and
// the generator must cost less than the server.
#pragma once

#include <absl/status/status.h>
#include <grpc/grpc.h>

#include <memory>
#include <string_view>
#include <vector>

#include "bench/load/pump.h"
#include "bench/load/request_source.h"

namespace viewcount::bench {

// Connections to one server, whose events are delivered to one queue. Not thread-safe, except for the queue.
class Channels {
 public:
  Channels(const std::string& target, size_t count);
  // Requires that no call is in flight.
  ~Channels();
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  // Waits until all channels are connected. Returns UNAVAILABLE if one is not connected within some seconds.
  absl::Status Connect();
  grpc_channel* operator[](size_t index) const { return channels_[index % channels_.size()]; }
  grpc_completion_queue* queue() const { return queue_; }

 private:
  const std::string target_;
  grpc_completion_queue* const queue_;
  std::vector<grpc_channel*> channels_;
};

// A received message, which Bytes returns as one piece. Not thread-safe.
class ReceivedMessage {
 public:
  ~ReceivedMessage() { Reset(); }
  void Reset();
  // The place where gRPC stores the message. It stays null if no message was received.
  grpc_byte_buffer** place() { return &buffer_; }
  bool empty() const { return buffer_ == nullptr; }
  std::string_view Bytes();

 private:
  grpc_byte_buffer* buffer_ = nullptr;
  grpc_slice whole_{};
  bool is_copied_ = false;
};

// Creates gRPC's buffer of a request and takes over the request's slices.
grpc_byte_buffer* ToBuffer(Request request);

// Sends and receives the requests of all slots, as RunGrpcLoad directs it. Two threads may call Send at the same time,
// for different slots. One thread calls all other functions.
class GrpcDriver {
 public:
  virtual ~GrpcDriver() = default;

  // Sets the pump that is notified of free slots. Must be called before all other functions.
  void UsePump(Pump& pump) { pump_ = &pump; }
  virtual void Send(size_t slot, TimePoint due) = 0;
  // Handles an event of the queue. Another thread may call Send at the same time.
  virtual void Complete(void* tag, bool ok, TimePoint now) = 0;
  // Makes all unanswered requests fail.
  virtual void CancelAll() = 0;
  // Begins to end all connections' calls. Events must be handled afterwards until Idle returns true.
  virtual void HangUp() {}
  virtual bool Idle() const { return true; }

 protected:
  Pump& pump() { return *pump_; }

 private:
  Pump* pump_ = nullptr;
};

std::unique_ptr<GrpcDriver> MakeUnaryDriver(const Options& options, Channels& channels, Books& books);
std::unique_ptr<GrpcDriver> MakeStreamDriver(const Options& options, Channels& channels, Books& books);

// Sends the load. Returns when all requests are sent and answered, or some seconds after the period's end.
void RunGrpcLoad(const Options& options, const Period& period, Channels& channels, RequestSource& source, Tally& tally);

}  // namespace viewcount::bench
