// Forwards calls to gRPC's own server in this process. It serves every method that has no handler of our own.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>

#include <atomic>
#include <memory>

#include "service/grpc/http2/call.h"

namespace viewcount {

// Thread-safe. The server must outlive this object.
class InProcessCalls {
 public:
  explicit InProcessCalls(grpc::Server& server);
  // Requires that all calls have ended.
  ~InProcessCalls();

  // Returns a method that forwards calls of any path and kind. A call gets RESOURCE_EXHAUSTED beyond
  // limits::kGrpcForwardedCallsMax. It also does while its connection has limits::kGrpcAbandonedCallsMax calls that
  // their caller abandoned. The method must not be used after this object is destroyed.
  Method method();

  // Returns the number of forwarded calls under way, including calls that their caller abandoned.
  size_t calls() const { return calls_; }

  // Waits until the calls under way have ended. Their connections must be closed and the server shut down. The loops
  // must still run, because the calls end there.
  void Wait();

 private:
  class Forwarded;

  grpc::GenericStub stub_;
  std::atomic<size_t> calls_{0};
};

}  // namespace viewcount
