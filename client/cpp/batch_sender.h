// Sends one serialised RecordViewsRequest until its outcome is known.
//
// After a time-out or a lost connection the sender does not know whether the batch was counted. It sends exactly the
// same bytes again, with the same writer and sequence. The service counts the batch once (docs/PROTOCOL.md,
// "Promises").
#pragma once

#include <absl/status/status.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <string>

#include "client/cpp/rpc_error.h"
#include "service/base/mutex.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount::client {

// The time limits of one batch.
struct SendOptions {
  // The time limit of one attempt.
  std::chrono::milliseconds call_timeout{10'000};
  // The time limit of all attempts together, including the pauses.
  std::chrono::milliseconds batch_timeout{300'000};
  // The first pause between attempts, and the longest pause.
  std::chrono::milliseconds backoff_min{50};
  std::chrono::milliseconds backoff_max{5'000};
  // Called before every pause with the failed attempt's error and the length of the pause. May be empty. The thread
  // that sends calls it.
  std::function<void(const absl::Status&, std::chrono::milliseconds)> on_retry;
};

// The outcome of a batch.
struct SendResult {
  // If OK, `response` is the answer. Otherwise the last attempt's error with its code.
  absl::Status status;
  ErrorDetails details;
  v1::RecordViewsResponse response;
  // The number of attempts after the first one.
  uint32_t retries = 0;
  // True if an attempt ended without an answer. The batch may then have been counted, whatever `status` says.
  bool outcome_unknown = false;
};

// Sends batches over one channel, which it shares. Only one Send may run at a time. Cancel and retries() are
// thread-safe.
class BatchSender {
 public:
  BatchSender(const std::shared_ptr<grpc::Channel>& channel, SendOptions options);
  BatchSender(const BatchSender&) = delete;
  BatchSender& operator=(const BatchSender&) = delete;

  // Sends `request` and waits for its outcome, at most `batch_timeout`.
  //
  // These errors are retried: UNAVAILABLE, DEADLINE_EXCEEDED, and RESOURCE_EXHAUSTED, which is not retried before its
  // RetryInfo allows it. ABORTED, CANCELLED, INTERNAL and UNKNOWN are retried too, because a broken connection or a
  // proxy answers with them in place of a service. Any other error is final. Returns CANCELLED after Cancel.
  SendResult Send(const std::string& request);

  // Ends the running Send and every later one immediately. Thread-safe.
  void Cancel();

  // Returns the number of attempts after the first, summed over all batches so far. Thread-safe.
  uint64_t retries() const { return retries_; }

 private:
  grpc::Status Attempt(const grpc::ByteBuffer& request, std::chrono::steady_clock::time_point deadline,
                       v1::RecordViewsResponse& response);
  // Waits for `delay`. Returns false if the sender was cancelled.
  bool Sleep(std::chrono::milliseconds delay);
  bool cancelled();

  grpc::GenericStub stub_;
  const SendOptions options_;
  std::atomic<uint64_t> retries_{0};
  Mutex mutex_;
  std::condition_variable changed_;
  // The context of the running attempt, or null between attempts.
  grpc::ClientContext* running_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// Creates a channel that reconnects within seconds after the service was away, whatever the length of its absence. The
// channel notices connections that died without a message. It does not encrypt.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& server);

}  // namespace viewcount::client
