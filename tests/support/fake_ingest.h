// An IngestService in this process that keeps the service's rules for writers and fails on demand.
//
// It stands in for the service where faults must be placed exactly: before a batch is counted, after it, on the n-th
// attempt. Its rules are those of ingest.proto.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/server.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "viewcount/v1/ingest.grpc.pb.h"

namespace viewcount::testing {

// One attempt as it came over the wire.
struct Attempt {
  std::string bytes;
  v1::RecordViewsRequest request;
};

// What is to happen to one attempt.
struct Fault {
  enum class Kind {
    // Nothing.
    kNone,
    // Answer `status`; nothing is counted.
    kRefuse,
    // Count the batch, then answer `status`: the reply is lost.
    kLoseReply,
    // Never answer, until Release; nothing is counted.
    kHang,
    // Count the batch and never answer, until Release.
    kCountAndHang,
    // Forget all writers, then go on as if nothing had been.
    kForget,
    // Forget this many of the writer's last sequences, then go on: a rolled back journal.
    kRollBack,
  };
  Kind kind = Kind::kNone;
  grpc::Status status = grpc::Status::OK;
  uint64_t sequences = 0;
};

// A status with the details of google.rpc, as the service sends it.
grpc::Status WithReason(grpc::StatusCode code, const std::string& reason,
                        const std::map<std::string, std::string>& metadata = {});
grpc::Status WithRetryDelay(grpc::StatusCode code, std::chrono::milliseconds delay);

// Thread safe. Listens on a free port of the loopback address.
class FakeIngest {
 public:
  // `others` are served beside it, and must live as long.
  explicit FakeIngest(const std::vector<grpc::Service*>& others = {});
  ~FakeIngest();
  FakeIngest(const FakeIngest&) = delete;
  FakeIngest& operator=(const FakeIngest&) = delete;

  // Appends to what happens to the attempts to come; after the last one all is well.
  void Script(std::vector<Fault> faults);
  // Decides instead of the script.
  void Decide(std::function<Fault(const Attempt&)> decide);
  // Answers everything that hangs, with UNAVAILABLE.
  void Release();
  // Waits until this many attempts came; false if they did not within 10 seconds.
  bool WaitForAttempts(size_t count);

  const std::string& address() const { return address_; }
  std::shared_ptr<grpc::Channel> channel() const;
  std::vector<Attempt> attempts() const;
  // Views counted by article.
  std::map<std::string, uint64_t> counts() const;
  uint64_t total() const;
  // The batches counted, in the order of counting.
  std::vector<v1::RecordViewsRequest> counted() const;
  // Forgets counts and attempts, but not the writers.
  void ResetCounts();

 private:
  class Service;

  const std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace viewcount::testing
