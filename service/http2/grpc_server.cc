#include "service/http2/grpc_server.h"

#include <fmt/format.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "service/base/address.h"
#include "service/base/limits.h"
#include "service/base/listen.h"
#include "service/http2/http2_limits.h"

namespace viewcount {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Between two looks at how many connections are left.
constexpr std::chrono::milliseconds kPoll{2};

// gRPC writes to standard error by itself; what it has to say are details for whoever asks for them.
void LogForGrpc(gpr_log_func_args* args) { spdlog::debug("grpc: {}", args->message); }

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(Options options) {
  auto server = std::unique_ptr<GrpcServer>(new GrpcServer(options));
  if (auto status = server->StartInner(options.services); !status.ok()) return status;
  server->routes_.others = server->forwarding_->method();
  if (options.methods) server->routes_.methods = options.methods(server->routes_.others);
  if (auto status = server->Listen(options.address); !status.ok()) return status;
  server->Accept();
  return server;
}

GrpcServer::GrpcServer(Options options) {
  for (size_t i = 0; i < options.loops; ++i) workers_.push_back(std::make_unique<Worker>());
}

GrpcServer::~GrpcServer() {
  Stop(std::chrono::milliseconds(0));
  // So that no call begins any more.
  WaitForConnections(std::chrono::hours(1));
  // Their calls end by way of the loops.
  if (forwarding_ != nullptr) forwarding_->Wait();
  for (const auto& worker : workers_) worker->loop.Stop();
}

absl::Status GrpcServer::StartInner(const std::vector<grpc::Service*>& services) {
  gpr_set_log_function(LogForGrpc);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(limits::kGrpcMessageBytesMax);
  grpc::ResourceQuota quota("viewcount");
  quota.Resize(limits::kGrpcMemoryBytesMax);
  builder.SetResourceQuota(quota);
  for (grpc::Service* service : services) builder.RegisterService(service);
  inner_ = builder.BuildAndStart();
  if (inner_ == nullptr) return absl::InternalError("gRPC's server does not start");
  forwarding_ = std::make_unique<InProcessCalls>(*inner_);
  return absl::OkStatus();
}

absl::Status GrpcServer::Listen(const std::string& address) {
  acceptor_ = std::make_unique<tcp::acceptor>(workers_.front()->loop.context());
  accept_pause_ = std::make_unique<asio::steady_timer>(workers_.front()->loop.context());
  if (auto status = ListenOn(address, *acceptor_); absl::IsInvalidArgument(status)) {
    return status;
  } else if (!status.ok()) {
    return absl::FailedPreconditionError(fmt::format(
        "cannot listen on {} for gRPC: the port is in use (another viewcountd?) or the address is not this machine's; "
        "choose another with --grpc-address",
        address));
  }
  address_ = HostPort{ParseHostPort(address)->host, acceptor_->local_endpoint().port()}.ToString();
  return absl::OkStatus();
}

void GrpcServer::Accept() {
  Worker& worker = *workers_[next_worker_++ % workers_.size()];
  acceptor_->async_accept(worker.loop.context(), [this, &worker](boost::system::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_->is_open()) return;
    if (!error) {
      if (connections_.fetch_add(1) < limits::kHttp2ConnectionsMax) {
        asio::post(worker.loop.context(),
                   [this, &worker, accepted = std::move(socket)]() mutable { Serve(worker, std::move(accepted)); });
      } else {
        --connections_;
      }
      return Accept();
    }
    // Mostly that the process has no descriptors left, which passes when some connection ends.
    spdlog::debug("grpc: cannot accept a connection: {}", error.message());
    accept_pause_->expires_after(limits::kHttpAcceptRetryDelay);
    accept_pause_->async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) Accept();
    });
  });
}

void GrpcServer::Serve(Worker& worker, tcp::socket socket) {
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  // Answers are gathered here already.
  socket.set_option(tcp::no_delay(true), ignored);
  // So that peers which vanished do not stay for ever.
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto connection = std::make_shared<Http2Connection>(worker.loop, std::move(socket), routes_,
                                                            [this, &worker](Http2Connection* gone) {
                                                              worker.connections.erase(gone->shared_from_this());
                                                              --connections_;
                                                            });
  worker.connections.insert(connection);
  connection->Start();
  if (worker.draining) connection->Drain();
}

void GrpcServer::ForEachConnection(void (Http2Connection::*action)()) {
  for (const auto& worker : workers_) {
    asio::post(worker->loop.context(), [&worker = *worker, action] {
      worker.draining = true;
      // An action may take its connection out of the set.
      for (const auto& connection : std::set(worker.connections)) (connection.get()->*action)();
    });
  }
}

void GrpcServer::WaitForConnections(std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (connections_ > 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kPoll);
}

void GrpcServer::Stop(std::chrono::milliseconds grace) {
  if (inner_ == nullptr || std::exchange(stopped_, true)) return;
  if (auto* health = inner_->GetHealthCheckService()) health->SetServingStatus(false);
  if (acceptor_ != nullptr) {
    asio::post(workers_.front()->loop.context(), [this] {
      boost::system::error_code ignored;
      acceptor_->close(ignored);
      accept_pause_->cancel();
    });
  }
  ForEachConnection(&Http2Connection::Drain);
  WaitForConnections(grace);
  ForEachConnection(&Http2Connection::Close);
  WaitForConnections(limits::kHttp2CloseWait);
  inner_->Shutdown(std::chrono::system_clock::now());
  inner_->Wait();
}

}  // namespace viewcount
