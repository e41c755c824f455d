#include "service/grpc/http2/grpc_server.h"

#include <fmt/format.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <thread>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/grpc/http2/http2_limits.h"

namespace viewcount {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// The interval between two checks of the number of open connections.
constexpr std::chrono::milliseconds kPoll{2};

// By default gRPC writes to standard error. Its messages are details, so they go to the debug log.
void LogForGrpc(gpr_log_func_args* args) { spdlog::debug("grpc: {}", args->message); }

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(Options options) {
  auto server = std::unique_ptr<GrpcServer>(new GrpcServer(options));
  if (auto status = server->StartInner(options.services); !status.ok()) return status;
  server->routes_.others = server->forwarding_->method();
  if (options.methods) server->routes_.methods = options.methods(server->routes_.others);
  if (auto status = server->Listen(options.address); !status.ok()) return status;
  for (auto& acceptor : server->listener_->acceptors()) server->Accept(acceptor);
  for (const auto& worker : server->workers_) server->CheckPeers(*worker);
  return server;
}

GrpcServer::GrpcServer(const Options& options) : limits_(options.limits), peers_(limits_, options.observer) {
  for (size_t i = 0; i < options.loops; ++i) workers_.push_back(std::make_unique<Worker>());
}

GrpcServer::~GrpcServer() {
  Stop(std::chrono::milliseconds(0));
  // After this, no further call begins.
  WaitForConnections(std::chrono::hours(1));
  // The forwarded calls end on the loops, so the loops must still run.
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
  auto listener = GrpcListener::Open(workers_.front()->loop.context(), address);
  if (absl::IsInvalidArgument(listener.status())) return listener.status();
  if (!listener.ok()) {
    return absl::FailedPreconditionError(
        fmt::format("{}: it is in use (another viewcountd?) or not this machine's; choose another with --grpc-address",
                    ToStd(listener.status().message())));
  }
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

void GrpcServer::Accept(GrpcListener::Acceptor& acceptor) {
  Worker& worker = *workers_[next_worker_++ % workers_.size()];
  const asio::any_io_executor executor = worker.loop.context().get_executor();
  acceptor.async_accept(executor,
                        [this, &worker, &acceptor](boost::system::error_code error, Http2Connection::Socket socket) {
                          if (error == asio::error::operation_aborted || !acceptor.is_open()) return;
                          if (!error) {
                            Admit(worker, std::move(socket));
                            return Accept(acceptor);
                          }
                          // Usually the process has no file descriptors left. That ends when a connection is closed.
                          if (failure_log_.Take()) spdlog::warn("cannot accept a gRPC connection: {}", error.message());
                          const auto pause = std::make_shared<asio::steady_timer>(workers_.front()->loop.context());
                          pause->expires_after(limits::kHttpAcceptRetryDelay);
                          pause->async_wait([this, &acceptor, pause](boost::system::error_code) { Accept(acceptor); });
                        });
}

void GrpcServer::Admit(Worker& worker, Http2Connection::Socket socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  // The peer has already disconnected.
  if (error) return;
  // The ticket refers to the connection before the connection is created on its loop.
  const auto made = std::make_shared<std::weak_ptr<Http2Connection>>();
  const auto close = [&loop = worker.loop, made] {
    asio::post(loop.context(), [made] {
      if (const auto connection = made->lock()) connection->Close();
    });
  };
  auto [ticket, refusal] = peers_.Admit(AddressKey(peer), close);
  if (ticket == nullptr) return LogRefusal(refusal);
  asio::post(worker.loop.context(),
             [this, &worker, made, accepted = std::move(socket), admitted = std::move(ticket)]() mutable {
               *made = Serve(worker, std::move(accepted), std::move(admitted));
             });
}

void GrpcServer::LogRefusal(AcceptedPeers::Refusal refusal) {
  if (!refusal_log_.Take()) return;
  if (refusal == AcceptedPeers::Refusal::kTooManyOfAddress) {
    spdlog::warn("refusing gRPC connections: {} of one address", limits_.connections_per_address_max);
  } else {
    spdlog::warn("refusing gRPC connections: {} in all", limits_.connections_max);
  }
}

std::weak_ptr<Http2Connection> GrpcServer::Serve(Worker& worker, Http2Connection::Socket socket,
                                                 std::shared_ptr<AcceptedPeers::Ticket> ticket) {
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  // Http2Connection already gathers its output, so Nagle's algorithm would only add delay. UNIX sockets do not have
  // this option.
  socket.set_option(tcp::no_delay(true), ignored);
  // TCP keep-alive detects peers that vanished without closing.
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto connection = std::make_shared<Http2Connection>(
      worker.loop, std::move(socket), routes_, limits_,
      Http2Connection::Events{
          .greeted = [ticket] { ticket->Greeted(); },
          .closed = [&worker](Http2Connection* gone) { worker.connections.erase(gone->shared_from_this()); }});
  worker.connections.insert(connection);
  connection->Start();
  if (worker.draining) connection->Drain();
  return connection;
}

void GrpcServer::CheckPeers(Worker& worker) {
  worker.check.expires_after(limits_.peer_check_interval);
  worker.check.async_wait([this, &worker](boost::system::error_code cancelled) {
    if (cancelled) return;
    // Iterates over a copy, because a connection may close and remove itself from the set.
    for (const auto& connection : std::set(worker.connections)) connection->CheckPeer();
    worker.loop.FlushOutputs();
    CheckPeers(worker);
  });
}

void GrpcServer::ForEachConnection(void (Http2Connection::*action)()) {
  for (const auto& worker : workers_) {
    asio::post(worker->loop.context(), [&worker = *worker, action] {
      worker.draining = true;
      // Iterates over a copy, because an action may remove its connection from the set.
      for (const auto& connection : std::set(worker.connections)) (connection.get()->*action)();
    });
  }
}

void GrpcServer::WaitForConnections(std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (peers_.open() > 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kPoll);
}

void GrpcServer::SayNotServing() {
  if (auto* health = inner_->GetHealthCheckService()) health->SetServingStatus(false);
}

void GrpcServer::Stop(std::chrono::milliseconds grace) {
  if (inner_ == nullptr || std::exchange(stopped_, true)) return;
  SayNotServing();
  if (listener_ != nullptr) {
    asio::post(workers_.front()->loop.context(), [this] { listener_->Close(); });
  }
  ForEachConnection(&Http2Connection::Drain);
  WaitForConnections(grace);
  ForEachConnection(&Http2Connection::Close);
  WaitForConnections(limits::kHttp2CloseWait);
  inner_->Shutdown(std::chrono::system_clock::now());
  inner_->Wait();
}

}  // namespace viewcount
