// One connection to the service, with gRPC's C++ client.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "grpc_messages/health.grpc.pb.h"
#include "grpc_messages/reflection.grpc.pb.h"
#include "viewcount/v1/ingest.grpc.pb.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount::clients {

// For calls that are expected to be answered.
inline constexpr std::chrono::seconds kCallMax{30};

using Articles = std::vector<std::string>;

// `prefix/0`, `prefix/1` and so on, each of `bytes` bytes or as long as it has to be.
Articles MakeArticles(const std::string& prefix, size_t size, size_t bytes = 0);

v1::RecordViewsRequest Batch(const Articles& articles);
v1::GetCountsRequest Question(const Articles& articles);
v1::WatchCountsRequest Watching(const Articles& articles);

// A channel that shares its connection with no other one. Thread-safe.
class Channel {
 public:
  // `addresses` is any target of gRPC; more than one server is used in turn.
  explicit Channel(const std::string& addresses);

  v1::IngestService::Stub& ingest() { return *ingest_; }
  v1::QueryService::Stub& query() { return *query_; }
  grpc::health::v1::Health::Stub& health() { return *health_; }
  grpc::reflection::v1alpha::ServerReflection::Stub& reflection() { return *reflection_; }

 private:
  std::unique_ptr<v1::IngestService::Stub> ingest_;
  std::unique_ptr<v1::QueryService::Stub> query_;
  std::unique_ptr<grpc::health::v1::Health::Stub> health_;
  std::unique_ptr<grpc::reflection::v1alpha::ServerReflection::Stub> reflection_;
};

// A GetCounts under way. It goes away when it has ended and nobody holds it.
struct CountsCall {
  // `done` is called on a thread of gRPC.
  static std::shared_ptr<CountsCall> Start(Channel& channel, const Articles& articles,
                                           std::chrono::microseconds timeout,
                                           std::function<void(const grpc::Status&, const v1::GetCountsResponse&)> done);

  grpc::ClientContext context;
  v1::GetCountsRequest request;
  v1::GetCountsResponse response;
};

// Ends the process without destroying its channels. If a gRPC callback drops the last reference to the last channel,
// gRPC 1.51 joins the callback's own thread, fails, and uses freed memory (grpc/grpc pull request 32584).
[[noreturn]] void Leave(int exit_code);

}  // namespace viewcount::clients
