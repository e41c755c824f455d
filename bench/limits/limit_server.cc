// Shows the limits of gRPC itself on this machine: a server with the service's interface and settings that does almost
// nothing.
#include <fmt/format.h>
#include <grpcpp/server_builder.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "bench/limits/view_adder.h"
#include "service/grpc/http2/http2_limits.h"
#include "service/server/stop_signal.h"
#include "viewcount/v1/ingest.grpc.pb.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount::bench {
namespace {

// Answers a message of views. Without an adder the answer is empty and the message is ignored.
grpc::ByteBuffer AnswerViews(ViewAdder* adder, const grpc::ByteBuffer& request) {
  v1::RecordViewsResponse response;
  grpc::Slice slice;
  // The message is copied only if it was received in several pieces.
  if (adder != nullptr && (request.TrySingleSlice(&slice).ok() || request.DumpToSingleSlice(&slice).ok())) {
    response.set_accepted_views(adder->Add({reinterpret_cast<const char*>(slice.begin()), slice.size()}));
  }
  const grpc::Slice bytes(response.SerializeAsString());
  return grpc::ByteBuffer(&bytes, 1);
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

// Returns a message without fields, of which only the frame is sent.
grpc::ByteBuffer EmptyMessage() {
  const grpc::Slice nothing;
  return grpc::ByteBuffer(&nothing, 1);
}

// Answers the messages of one stream, one after the other. gRPC calls its functions one at a time. It deletes itself
// when the stream has ended.
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

// Answers RecordViews and StreamViews. Without an adder the answers are empty. Thread-safe. The adder must outlive it.
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

// Answers GetCounts and ListPopular with empty messages. Thread-safe.
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
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // The frame size is the one of viewcountd, so that a batch is received in one frame.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, limits::kHttp2FrameBytesMax);
  builder.RegisterService(&ingest);
  builder.RegisterService(&query);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    fmt::print(stderr, "limit_server: cannot listen on {}\n", address);
    return 1;
  }
  fmt::print("ready 127.0.0.1:{}\n", port);
  std::fflush(stdout);
  while (!stop.Wait(std::chrono::hours(1))) {
  }
  server->Shutdown(std::chrono::system_clock::now());
  server->Wait();
  return 0;
}

int Main(int argc, char** argv) {
  std::string mode = "empty";
  std::string address = "127.0.0.1:0";
  CLI::App app(
      "Answers RecordViews, StreamViews, GetCounts and ListPopular with next to no work, over gRPC's own server, to "
      "show what it allows. Prints \"ready HOST:PORT\"; SIGTERM stops it.",
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
