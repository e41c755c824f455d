// What gRPC itself allows on this machine: a server of the same interface and settings that does almost nothing.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "bench/limits/view_adder.h"
#include "service/ingest/raw_message.h"
#include "service/server/grpc_server.h"
#include "service/server/stop_signal.h"
#include "viewcount/v1/ingest.grpc.pb.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount::bench {
namespace {

// Answers a message of views. Without an adder the answer is empty, and nobody looks at the message.
grpc::ByteBuffer AnswerViews(ViewAdder* adder, const grpc::ByteBuffer& request) {
  IngestResult result;
  RawMessage message;
  if (adder != nullptr && message.Assign(request)) result.accepted_views = adder->Add(message.bytes());
  return ToResponse(result);
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

// A message without fields: nothing but its frame is sent.
grpc::ByteBuffer EmptyMessage() {
  const grpc::Slice nothing;
  return grpc::ByteBuffer(&nothing, 1);
}

class StreamReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit StreamReactor(ViewAdder* adder) : adder_(adder) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    response_ = adder_ == nullptr ? EmptyMessage() : AnswerViews(adder_, request_);
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  ViewAdder* const adder_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

class IngestLimit final : public v1::IngestService::WithRawCallbackMethod_RecordViews<
                              v1::IngestService::WithRawCallbackMethod_StreamViews<v1::IngestService::Service>> {
 public:
  explicit IngestLimit(ViewAdder* adder) : adder_(adder) {}

  grpc::ServerUnaryReactor* RecordViews(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override {
    *response = adder_ == nullptr ? EmptyMessage() : AnswerViews(adder_, *request);
    return Finish(context);
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamViews(grpc::CallbackServerContext*) override {
    return new StreamReactor(adder_);
  }

 private:
  ViewAdder* const adder_;
};

class QueryLimit final : public v1::QueryService::WithRawCallbackMethod_GetCounts<
                             v1::QueryService::WithRawCallbackMethod_ListPopular<v1::QueryService::Service>> {
 public:
  grpc::ServerUnaryReactor* GetCounts(grpc::CallbackServerContext* context, const grpc::ByteBuffer*,
                                      grpc::ByteBuffer* response) override {
    *response = EmptyMessage();
    return Finish(context);
  }
  grpc::ServerUnaryReactor* ListPopular(grpc::CallbackServerContext* context, const grpc::ByteBuffer*,
                                        grpc::ByteBuffer* response) override {
    *response = EmptyMessage();
    return Finish(context);
  }
};

int Run(const std::string& mode, const std::string& address) {
  StopSignal stop;
  ViewAdder adder;
  IngestLimit ingest(mode == "decode" ? &adder : nullptr);
  QueryLimit query;
  const auto server = GrpcServer::Start(address, {&ingest, &query});
  if (!server.ok()) {
    fmt::print(stderr, "limit_server: {}\n", std::string(server.status().message()));
    return 1;
  }
  fmt::print("ready {}\n", (*server)->address());
  std::fflush(stdout);
  while (!stop.Wait(std::chrono::hours(1))) {
  }
  (*server)->Stop(std::chrono::milliseconds(100));
  return 0;
}

int Main(int argc, char** argv) {
  std::string mode = "empty";
  std::string address = "127.0.0.1:0";
  CLI::App app(
      "Answers RecordViews, StreamViews, GetCounts and ListPopular with next to no work, over the gRPC server of "
      "viewcountd, to show what gRPC allows. Prints \"ready HOST:PORT\"; SIGTERM stops it.",
      "limit_server");
  app.add_option("--mode", mode, "empty: empty answers; decode: views are decoded and added up in one hash map")
      ->check(CLI::IsMember({"empty", "decode"}))
      ->capture_default_str();
  app.add_option("--address", address, "Where to listen")->type_name("HOST:PORT")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return Run(mode, address);
}

}  // namespace
}  // namespace viewcount::bench

int main(int argc, char** argv) { return viewcount::bench::Main(argc, argv); }
