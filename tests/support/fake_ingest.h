// An IngestService in this process that follows the service's rules for writers and fails on demand.
//
// It replaces the service in tests that need faults at exact places: before a batch is counted, after it is counted, or
// on the n-th attempt. The rules are those of ingest.proto.
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

// One attempt as it was received over the network.
struct Attempt {
  std::string bytes;
  v1::RecordViewsRequest request;
};

// The fault that one attempt meets.
struct Fault {
  enum class Kind {
    // No fault.
    kNone,
    // Answers `status` and counts nothing.
    kRefuse,
    // Counts the batch, then answers `status`, so that the reply is lost.
    kLoseReply,
    // Counts nothing and does not answer until Release.
    kHang,
    // Counts the batch and does not answer until Release.
    kCountAndHang,
    // Forgets all writers, then handles the attempt normally.
    kForget,
    // Forgets this many of the writer's last sequences, like a journal that was rolled back, then handles the attempt
    // normally.
    kRollBack,
  };
  Kind kind = Kind::kNone;
  grpc::Status status = grpc::Status::OK;
  uint64_t sequences = 0;
};

// Create a status with google.rpc details, as the service sends it.
grpc::Status WithReason(grpc::StatusCode code, const std::string& reason,
                        const std::map<std::string, std::string>& metadata = {});
grpc::Status WithRetryDelay(grpc::StatusCode code, std::chrono::milliseconds delay);

// The fake service. Listens on a free port of the loopback address. Thread-safe.
class FakeIngest {
 public:
  // `others` are further services on the same port. They must outlive this object.
  explicit FakeIngest(const std::vector<grpc::Service*>& others = {});
  ~FakeIngest();
  FakeIngest(const FakeIngest&) = delete;
  FakeIngest& operator=(const FakeIngest&) = delete;

  // Appends faults for the next attempts. Attempts after the last fault are handled normally.
  void Script(std::vector<Fault> faults);
  // Sets a function that decides in place of the script.
  void Decide(std::function<Fault(const Attempt&)> decide);
  // Answers all hanging attempts with UNAVAILABLE.
  void Release();
  // Waits until this many attempts were received. Returns false if that did not happen within 10 seconds.
  bool WaitForAttempts(size_t count);

  const std::string& address() const { return address_; }
  std::shared_ptr<grpc::Channel> channel() const;
  std::vector<Attempt> attempts() const;
  // Returns the counted views by article.
  std::map<std::string, uint64_t> counts() const;
  uint64_t total() const;
  // Returns the counted batches in the order in which they were counted.
  std::vector<v1::RecordViewsRequest> counted() const;
  // Forgets the counts and the attempts, but not the writers.
  void ResetCounts();

 private:
  class Service;

  const std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace viewcount::testing
