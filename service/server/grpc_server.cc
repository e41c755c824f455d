#include "service/server/grpc_server.h"

#include <fmt/format.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "service/base/address.h"
#include "service/base/limits.h"

namespace viewcount {
namespace {

// gRPC writes to standard error by itself; what it has to say are details for whoever asks for them.
void LogForGrpc(gpr_log_func_args* args) { spdlog::debug("grpc: {}", args->message); }

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const std::string& address,
                                                              const std::vector<grpc::Service*>& services) {
  const auto wanted = ParseHostPort(address);
  if (!wanted.ok()) return wanted.status();
  gpr_set_log_function(LogForGrpc);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  // Else a second server would bind the same port, and each would get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits::kGrpcStreamsPerConnectionMax);
  builder.SetMaxReceiveMessageSize(limits::kGrpcMessageBytesMax);
  grpc::ResourceQuota quota("viewcount");
  quota.Resize(limits::kGrpcMemoryBytesMax);
  builder.SetResourceQuota(quota);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::FailedPreconditionError(fmt::format(
        "cannot listen on {} for gRPC: the port is in use (another viewcountd?) or the address is not this machine's; "
        "choose another with --grpc-address",
        address));
  }
  return std::unique_ptr<GrpcServer>(
      new GrpcServer(std::move(server), HostPort{wanted->host, static_cast<uint16_t>(port)}.ToString()));
}

GrpcServer::GrpcServer(std::unique_ptr<grpc::Server> server, std::string address)
    : server_(std::move(server)), address_(std::move(address)) {}

GrpcServer::~GrpcServer() { Stop(std::chrono::milliseconds(0)); }

void GrpcServer::Stop(std::chrono::milliseconds grace) {
  if (server_ == nullptr) return;
  if (auto* health = server_->GetHealthCheckService()) health->SetServingStatus(false);
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  server_->Wait();
  server_.reset();
}

}  // namespace viewcount
