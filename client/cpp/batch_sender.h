// Sends one serialised RecordViewsRequest until its outcome is known.
//
// A time-out or a lost connection leaves open whether the batch was counted, so it is sent again as the very same
// bytes: same writer, same sequence, and the service counts it once (docs/PROTOCOL.md, "Promises").
#pragma once

#include <absl/status/status.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "client/cpp/rpc_error.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount::client {

// Times of one batch.
struct SendOptions {
  // For one attempt.
  std::chrono::milliseconds call_timeout{10'000};
  // For all attempts together, pauses included.
  std::chrono::milliseconds batch_timeout{300'000};
  // The first pause between attempts, and the longest.
  std::chrono::milliseconds backoff_min{50};
  std::chrono::milliseconds backoff_max{5'000};
  // Told before every pause: the failed attempt's error and the length of the pause. May be empty. Called by the thread
  // that sends.
  std::function<void(const absl::Status&, std::chrono::milliseconds)> on_retry;
};

// How a batch ended.
struct SendResult {
  // OK: `response` is the answer. Else the last attempt's error, with its code.
  absl::Status status;
  ErrorDetails details;
  v1::RecordViewsResponse response;
  // How often it was sent after the first time.
  uint32_t retries = 0;
  // An attempt ended without an answer, so that the batch may have been counted whatever `status` says.
  bool outcome_unknown = false;
};

// One Send at a time; Cancel and retries() from any thread.
class BatchSender {
 public:
  BatchSender(const std::shared_ptr<grpc::Channel>& channel, SendOptions options);
  BatchSender(const BatchSender&) = delete;
  BatchSender& operator=(const BatchSender&) = delete;

  // Sends `request` and waits for its outcome, at most `batch_timeout`.
  //
  // Sent again: UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED (not before its RetryInfo allows), and what a broken
  // connection or a proxy answers in a service's place (ABORTED, CANCELLED, INTERNAL, UNKNOWN). Any other error is
  // final. CANCELLED after Cancel.
  SendResult Send(const std::string& request);

  // Ends the running Send, and every later one at once. Thread safe.
  void Cancel();

  // Attempts after the first of all batches so far. Thread safe.
  uint64_t retries() const { return retries_; }

 private:
  grpc::Status Attempt(const grpc::ByteBuffer& request, std::chrono::steady_clock::time_point deadline,
                       v1::RecordViewsResponse& response);
  // False if cancelled.
  bool Sleep(std::chrono::milliseconds delay);
  bool cancelled();

  grpc::GenericStub stub_;
  const SendOptions options_;
  std::atomic<uint64_t> retries_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  // The attempt under way; null between attempts.
  grpc::ClientContext* running_ = nullptr;
  bool cancelled_ = false;
};

// A channel that comes back within seconds after the service was away, whatever the length of its absence, and notices
// a connection that died in silence. Without encryption.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& server);

}  // namespace viewcount::client
