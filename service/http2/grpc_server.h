// The gRPC port: HTTP/2 connections, methods answered by hand, and gRPC's own server for the rest.
//
// gRPC 1.51's server spends most of a small call on its own locks and threads, and answers each with a write of its
// own. Here one thread reads what came, and one write carries all the answers of a lane's group.
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
#include "service/http2/accepted_peers.h"
#include "service/http2/connection.h"
#include "service/http2/event_loop.h"
#include "service/http2/grpc_listener.h"
#include "service/http2/http2_limits.h"
#include "service/http2/in_process_calls.h"

namespace viewcount {

// Start and Stop belong to one thread.
class GrpcServer {
 public:
  struct Options {
    // As GrpcListener::Open reads it.
    std::string address;
    // All services; their methods are answered by gRPC, health and reflection with them, …
    std::vector<grpc::Service*> services;
    // … except for those of this table, by path. `others` answers as gRPC does. May be null.
    std::function<Methods(const Method& others)> methods;
    // Threads that serve connections.
    size_t loops = 1;
    Http2Limits limits = {};
    AcceptedPeers::Observer observer = {};
  };
  // Serves at once. Services and what the methods refer to must outlive the server. Errors in one line: the port is
  // used by somebody, the host is not of this machine.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(Options options);
  // Stops. What the methods' handlers wait for outside of the server must have ended.
  ~GrpcServer();

  // The address with the port that was chosen.
  const std::string& address() const { return listener_->address(); }
  // Open connections. Any thread.
  size_t connections() const { return peers_.open(); }
  // Calls under way that gRPC's own server answers. Any thread.
  size_t forwarded_calls() const { return forwarding_->calls(); }
  // Has the health service say NOT_SERVING from now on, and goes on serving.
  void SayNotServing();
  // Says NOT_SERVING, asks clients to go elsewhere (see Http2Connection::Drain), gives calls under way `grace` to end,
  // and returns when the connections are closed.
  void Stop(std::chrono::milliseconds grace);

 private:
  // A loop with its connections, which belong to its thread.
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
  // Has every connection of the worker look at its peer, again and again.
  void CheckPeers(Worker& worker);
  // Calls `action` for every connection, on its loop.
  void ForEachConnection(void (Http2Connection::*action)());
  void WaitForConnections(std::chrono::milliseconds timeout);

  const Http2Limits limits_;
  AcceptedPeers peers_;
  std::unique_ptr<grpc::Server> inner_;
  std::unique_ptr<InProcessCalls> forwarding_;
  CallRoutes routes_;
  std::vector<std::unique_ptr<Worker>> workers_;
  size_t next_worker_ = 0;
  // Belong to the first worker's thread.
  std::unique_ptr<GrpcListener> listener_;
  LogThrottle refusal_log_;
  LogThrottle failure_log_;
  bool stopped_ = false;
};

}  // namespace viewcount
