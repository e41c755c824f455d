// Calls handed on to gRPC's own server in this process: everything that need not be answered by hand.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>

#include <atomic>
#include <memory>

#include "service/http2/call.h"

namespace viewcount {

// Method may be called from any thread.
class InProcessCalls {
 public:
  explicit InProcessCalls(grpc::Server& server);
  // All calls must have ended.
  ~InProcessCalls();

  // Hands on calls of any method and kind; RESOURCE_EXHAUSTED beyond limits::kGrpcForwardedCallsMax, and while a
  // connection has limits::kGrpcAbandonedCallsMax calls that their caller gave up. Must not be used any more when this
  // goes away.
  Method method();

  // Calls under way that were handed on, those among them whose caller has gone. Any thread.
  size_t calls() const { return calls_; }

  // Waits for the end of the calls under way. Their connections must be closed, the server shut down, and their loops
  // run, since there they end.
  void Wait();

 private:
  class Forwarded;

  grpc::GenericStub stub_;
  std::atomic<size_t> calls_{0};
};

}  // namespace viewcount
