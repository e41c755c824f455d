// A server that uses gRPC's own C++ server library. The tests compare viewcountd with it: a client call that succeeds
// with this server must succeed with viewcountd.
//
//   peer_server DATA_DIR GRPC_ADDRESS
//
// It counts in memory, and it writes DATA_DIR/addresses as viewcountd does. On SIGTERM it stops in the way that the
// library provides.
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "viewcount/v1/admin.grpc.pb.h"
#include "viewcount/v1/ingest.grpc.pb.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount {
namespace {
using namespace std::chrono_literals;

// The time that viewcountd gives to calls under way.
constexpr auto kStopWait = 1500ms;
// RecordViews takes about as long as with a disk, so that a stop finds calls under way.
constexpr auto kRecordTime = 1ms;
constexpr auto kWatchInterval = 50ms;

// Views by article. Thread-safe.
class Counts {
 public:
  template <typename Request>
  uint64_t Add(const Request& request) {
    const std::lock_guard lock(mutex_);
    uint64_t sum = 0;
    for (const auto& view : request.views()) {
      const uint32_t count = view.count() == 0 ? 1 : view.count();
      views_[view.article_id()] += count;
      sum += count;
    }
    return sum;
  }
  uint64_t Of(const std::string& article) const {
    const std::lock_guard lock(mutex_);
    const auto found = views_.find(article);
    return found == views_.end() ? 0 : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> views_;
};

class Ingest final : public v1::IngestService::Service {
 public:
  explicit Ingest(Counts& counts) : counts_(counts) {}

 private:
  grpc::Status RecordViews(grpc::ServerContext*, const v1::RecordViewsRequest* request,
                           v1::RecordViewsResponse* response) override {
    std::this_thread::sleep_for(kRecordTime);
    response->set_accepted_views(counts_.Add(*request));
    response->set_durability(v1::DURABILITY_JOURNALED);
    return grpc::Status::OK;
  }
  grpc::Status StreamViews(grpc::ServerContext*,
                           grpc::ServerReaderWriter<v1::StreamViewsResponse, v1::StreamViewsRequest>* stream) override {
    v1::StreamViewsRequest request;
    while (stream->Read(&request)) {
      v1::StreamViewsResponse response;
      response.set_accepted_views(counts_.Add(request));
      if (!stream->Write(response)) break;
    }
    return grpc::Status::OK;
  }

  Counts& counts_;
};

class Query final : public v1::QueryService::Service {
 public:
  explicit Query(const Counts& counts) : counts_(counts) {}

 private:
  grpc::Status GetCounts(grpc::ServerContext*, const v1::GetCountsRequest* request,
                         v1::GetCountsResponse* response) override {
    for (const auto& article : request->article_ids()) {
      auto& count = *response->add_counts();
      count.set_article_id(article);
      count.set_views(counts_.Of(article));
    }
    response->set_exact(true);
    return grpc::Status::OK;
  }
  grpc::Status WatchCounts(grpc::ServerContext* context, const v1::WatchCountsRequest* request,
                           grpc::ServerWriter<v1::WatchCountsResponse>* stream) override {
    std::map<std::string, uint64_t> sent;
    while (!context->IsCancelled()) {
      v1::WatchCountsResponse response;
      for (const auto& article : request->article_ids()) {
        const uint64_t views = counts_.Of(article);
        const auto [entry, added] = sent.try_emplace(article, views);
        if (!added && entry->second == views) continue;
        entry->second = views;
        auto& count = *response.add_counts();
        count.set_article_id(article);
        count.set_views(views);
      }
      if (response.counts_size() > 0 && !stream->Write(response)) break;
      std::this_thread::sleep_for(kWatchInterval);
    }
    return grpc::Status::OK;
  }

  const Counts& counts_;
};

class Admin final : public v1::AdminService::Service {
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*, v1::GetStatusResponse* response) override {
    response->set_version("peer");
    return grpc::Status::OK;
  }
};

int Run(const std::filesystem::path& data_dir, const std::string& address) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  // Every thread inherits this mask, so that only sigwait receives the signal.
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  Counts counts;
  Ingest ingest(counts);
  Query query(counts);
  Admin admin;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&ingest);
  builder.RegisterService(&query);
  builder.RegisterService(&admin);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) {
    std::cerr << "peer_server: cannot listen on " << address << "\n";
    return 1;
  }
  const std::string host = address.substr(0, address.rfind(':'));
  std::ofstream(data_dir / "addresses") << "grpc=" << host << ":" << port << "\n";
  int signal = 0;
  sigwait(&stop, &signal);
  server->Shutdown(std::chrono::system_clock::now() + kStopWait);
  return 0;
}

}  // namespace
}  // namespace viewcount

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: peer_server DATA_DIR GRPC_ADDRESS\n";
    return 2;
  }
  return viewcount::Run(argv[1], argv[2]);
}
