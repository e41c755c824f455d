// The load over gRPC.
//
// It uses gRPC's C interface, since grpc::ClientContext and the wrappers around calls cost a fifth of what a small
// call does, and the generator must cost less than the server.
#pragma once

#include <absl/status/status.h>
#include <grpc/grpc.h>

#include <memory>
#include <string_view>
#include <vector>

#include "bench/load/pump.h"
#include "bench/load/request_source.h"

namespace viewcount::bench {

// Connections to one server, whose events come from one queue. Not thread safe but for the queue.
class Channels {
 public:
  Channels(const std::string& target, size_t count);
  // No call may be under way.
  ~Channels();
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  // Waits until all are connected. UNAVAILABLE if one is not within some seconds.
  absl::Status Connect();
  grpc_channel* operator[](size_t index) const { return channels_[index % channels_.size()]; }
  grpc_completion_queue* queue() const { return queue_; }

 private:
  const std::string target_;
  grpc_completion_queue* const queue_;
  std::vector<grpc_channel*> channels_;
};

// What an exchange of messages has received, as one piece. Not thread safe.
class ReceivedMessage {
 public:
  ~ReceivedMessage() { Reset(); }
  void Reset();
  // For gRPC to put the message; null if none came.
  grpc_byte_buffer** place() { return &buffer_; }
  bool empty() const { return buffer_ == nullptr; }
  std::string_view Bytes();

 private:
  grpc_byte_buffer* buffer_ = nullptr;
  grpc_slice whole_{};
  bool is_copied_ = false;
};

// Makes gRPC's buffer of a request, whose slices it takes over.
grpc_byte_buffer* ToBuffer(Request request);

// Slots that send and receive; a driver is told by RunGrpcLoad what to do.
class GrpcDriver {
 public:
  virtual ~GrpcDriver() = default;

  // Before everything else: whom to tell of free slots.
  void UsePump(Pump& pump) { pump_ = &pump; }
  virtual void Send(size_t slot, TimePoint due) = 0;
  // An event of the queue. Send may be called by another thread meanwhile.
  virtual void Complete(void* tag, bool ok, TimePoint now) = 0;
  // All unanswered requests are to fail.
  virtual void CancelAll() = 0;
  // Before the end; afterwards events come until Idle.
  virtual void HangUp() {}
  virtual bool Idle() const { return true; }

 protected:
  Pump& pump() { return *pump_; }

 private:
  Pump* pump_ = nullptr;
};

std::unique_ptr<GrpcDriver> MakeUnaryDriver(const Options& options, Channels& channels, Books& books);
std::unique_ptr<GrpcDriver> MakeStreamDriver(const Options& options, Channels& channels, Books& books);

// Runs until all is sent and answered, or some seconds after the period's end.
void RunGrpcLoad(const Options& options, const Period& period, Channels& channels, RequestSource& source, Tally& tally);

}  // namespace viewcount::bench
