// The gRPC port: HTTP/2 connections, methods answered by hand, and gRPC's own server for the rest.
//
// gRPC 1.51's server spends most of a small call on its own locks and threads, and answers each with a write of its
// own. Here one thread reads what came, and one write carries all the answers of a lane's group.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/server.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "service/http2/connection.h"
#include "service/http2/event_loop.h"
#include "service/http2/in_process_calls.h"

namespace viewcount {

// Start and Stop belong to one thread.
class GrpcServer {
 public:
  struct Options {
    // host:port; port 0 lets the system choose.
    std::string address;
    // All services; their methods are answered by gRPC, health and reflection with them, …
    std::vector<grpc::Service*> services;
    // … except for those of this table, by path. `others` answers as gRPC does. May be null.
    std::function<Methods(const Method& others)> methods;
    // Threads that serve connections.
    size_t loops = 1;
  };
  // Serves at once. Services and what the methods refer to must outlive the server. Errors in one line: the port is
  // used by somebody, the host is not of this machine.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(Options options);
  // Stops. What the methods' handlers wait for outside of the server must have ended.
  ~GrpcServer();

  // As it is: with the chosen port.
  const std::string& address() const { return address_; }
  // Says NOT_SERVING, takes no new calls, gives those under way `grace` to end, and returns when they have.
  void Stop(std::chrono::milliseconds grace);

 private:
  // A loop with its connections, which are its thread's.
  struct Worker {
    EventLoop loop;
    std::set<std::shared_ptr<Http2Connection>> connections;
    bool draining = false;
  };

  explicit GrpcServer(Options options);
  absl::Status StartInner(const std::vector<grpc::Service*>& services);
  absl::Status Listen(const std::string& address);
  void Accept();
  void Serve(Worker& worker, boost::asio::ip::tcp::socket socket);
  // Calls `action` for every connection, on its loop.
  void ForEachConnection(void (Http2Connection::*action)());
  void WaitForConnections(std::chrono::milliseconds timeout);

  std::string address_;
  std::unique_ptr<grpc::Server> inner_;
  std::unique_ptr<InProcessCalls> forwarding_;
  CallRoutes routes_;
  std::vector<std::unique_ptr<Worker>> workers_;
  size_t next_worker_ = 0;
  std::atomic<size_t> connections_{0};
  // Of the first worker's thread.
  std::unique_ptr<boost::asio::ip::tcp::acceptor> acceptor_;
  std::unique_ptr<boost::asio::steady_timer> accept_pause_;
  bool stopped_ = false;
};

}  // namespace viewcount
