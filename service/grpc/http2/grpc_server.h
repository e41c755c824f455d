// The gRPC port. It serves HTTP/2 connections, answers some methods by its own handlers, and forwards all others to
// gRPC's server.
//
// gRPC 1.51's server spends most of the time of a small call on its own locks and threads. It also answers each call
// with a separate write. Here one thread reads the input, and one write carries all answers of a lane's group.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/server.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "service/base/log_throttle.h"
#include "service/grpc/http2/accepted_peers.h"
#include "service/grpc/http2/connection.h"
#include "service/grpc/http2/event_loop.h"
#include "service/grpc/http2/grpc_listener.h"
#include "service/grpc/http2/http2_limits.h"
#include "service/grpc/http2/in_process_calls.h"

namespace viewcount {

// Not thread-safe, except where a comment says so. Start, Stop and the destructor must be called on one thread.
class GrpcServer {
 public:
  struct Options {
    // The listening address, in the form that GrpcListener::Open accepts.
    std::string address;
    // All services. gRPC answers their methods, and also health checks and reflection, …
    std::vector<grpc::Service*> services;
    // … except for the methods of this table, keyed by path. `others` forwards a call to gRPC's server. May be null.
    std::function<Methods(const Method& others)> methods;
    // The number of threads that serve connections.
    size_t loops = 1;
    Http2Limits limits = {};
    AcceptedPeers::Observer observer = {};
  };
  // Starts the server, which serves immediately. The services, and all objects that the methods refer to, must outlive
  // the server. An error's message has one line, for example if the port is in use or the host is not an address of
  // this machine.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(Options options);
  // Stops the server. All work outside of the server that the handlers wait for must have ended.
  ~GrpcServer();

  // Returns the address with the actual port.
  const std::string& address() const { return listener_->address(); }
  // Returns the number of open connections. Thread-safe.
  size_t connections() const { return peers_.open(); }
  // Returns the number of calls under way that gRPC's own server answers. Thread-safe.
  size_t forwarded_calls() const { return forwarding_->calls(); }
  // Makes the health service report NOT_SERVING from now on. The server continues to serve.
  void SayNotServing();
  // Stops the server and returns when its connections are closed. It reports NOT_SERVING, and asks clients to use
  // another server (see Http2Connection::Drain). Calls under way have `grace` to end.
  void Stop(std::chrono::milliseconds grace);

 private:
  // A loop and its connections, which are used by the loop's thread only.
  struct Worker {
    EventLoop loop;
    std::set<std::shared_ptr<Http2Connection>> connections;
    boost::asio::steady_timer check{loop.context()};
    bool draining = false;
  };

  explicit GrpcServer(const Options& options);
  absl::Status StartInner(const std::vector<grpc::Service*>& services);
  absl::Status Listen(const std::string& address);
  void Accept(GrpcListener::Acceptor& acceptor);
  void Admit(Worker& worker, Http2Connection::Socket socket);
  void LogRefusal(AcceptedPeers::Refusal refusal);
  std::weak_ptr<Http2Connection> Serve(Worker& worker, Http2Connection::Socket socket,
                                       std::shared_ptr<AcceptedPeers::Ticket> ticket);
  // Runs Http2Connection::CheckPeer periodically for every connection of the worker.
  void CheckPeers(Worker& worker);
  // Calls `action` for every connection, on the connection's loop.
  void ForEachConnection(void (Http2Connection::*action)());
  void WaitForConnections(std::chrono::milliseconds timeout);

  const Http2Limits limits_;
  AcceptedPeers peers_;
  std::unique_ptr<grpc::Server> inner_;
  std::unique_ptr<InProcessCalls> forwarding_;
  CallRoutes routes_;
  std::vector<std::unique_ptr<Worker>> workers_;
  size_t next_worker_ = 0;
  // Used by the first worker's thread only.
  std::unique_ptr<GrpcListener> listener_;
  LogThrottle refusal_log_;
  LogThrottle failure_log_;
  bool stopped_ = false;
};

}  // namespace viewcount
