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

// The deadline of calls that are expected to be answered.
inline constexpr std::chrono::seconds kCallMax{30};

using Articles = std::vector<std::string>;

// Returns `prefix/0`, `prefix/1` and so on. Each has `bytes` bytes, or as many as it needs.
Articles MakeArticles(const std::string& prefix, size_t size, size_t bytes = 0);

v1::RecordViewsRequest Batch(const Articles& articles);
v1::GetCountsRequest Question(const Articles& articles);
v1::WatchCountsRequest Watching(const Articles& articles);

// A channel that shares its connection with no other channel. Thread-safe.
class Channel {
 public:
  // `addresses` is any target of gRPC. Several servers are used in turn.
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

// A GetCounts call under way. It is destroyed when it has ended and no reference is left.
struct CountsCall {
  // Starts the call. `done` is called on a thread of gRPC.
  static std::shared_ptr<CountsCall> Start(Channel& channel, const Articles& articles,
                                           std::chrono::microseconds timeout,
                                           std::function<void(const grpc::Status&, const v1::GetCountsResponse&)> done);

  grpc::ClientContext context;
  v1::GetCountsRequest request;
  v1::GetCountsResponse response;
};

// Ends the process without destroying its channels. A gRPC callback may drop the last reference to the last channel.
// gRPC 1.51 then joins the callback's own thread, fails, and uses freed memory (grpc/grpc pull request 32584).
[[noreturn]] void Leave(int exit_code);

}  // namespace viewcount::clients
