// The gRPC port: services, health and reflection.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/server.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace viewcount {

class GrpcServer {
 public:
  // Listens on `address` (host:port; port 0 lets the system choose) and serves at once. The services must outlive the
  // server. Errors in one line: the port is used by somebody, the host is not of this machine.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const std::string& address,
                                                           const std::vector<grpc::Service*>& services);
  ~GrpcServer();

  // As it is: with the chosen port.
  const std::string& address() const { return address_; }
  // Says NOT_SERVING, takes no new calls, gives those under way `grace` to end, and returns when they have.
  void Stop(std::chrono::milliseconds grace);

 private:
  GrpcServer(std::unique_ptr<grpc::Server> server, std::string address);

  std::unique_ptr<grpc::Server> server_;
  const std::string address_;
};

}  // namespace viewcount
