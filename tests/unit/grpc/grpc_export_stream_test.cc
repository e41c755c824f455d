// Tests that an export whose client reads slowly, or not at all, does not keep its place.
#include "service/grpc/grpc_export_stream.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount {
namespace {

using namespace std::chrono_literals;

constexpr int kArticles = 50'000;

// Exports the counts of one pipeline to clients that may take `patience` for a piece.
class ExportService final : public v1::QueryService::CallbackService {
 public:
  ExportService(LanePipeline& pipeline, CountExporter& exporter, std::chrono::milliseconds patience)
      : pipeline_(pipeline), exporter_(exporter), patience_(patience) {}

  grpc::ServerWriteReactor<v1::ExportCountsResponse>* ExportCounts(grpc::CallbackServerContext* context,
                                                                   const v1::ExportCountsRequest*) override {
    return viewcount::ExportCounts(context, exporter_, pipeline_.executor(), pipeline_.site(), {Window{}}, patience_);
  }

 private:
  LanePipeline& pipeline_;
  CountExporter& exporter_;
  const std::chrono::milliseconds patience_;
};

class GrpcExportStreamTest : public ::testing::Test {
 protected:
  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::ExportCountsResponse>> reader;
  };

  void SetUp() override {
    ASSERT_TRUE(pipeline_.Open().ok());
    std::vector<std::string> ids;
    for (int i = 0; i < kArticles; ++i) ids.push_back("/an-article-with-an-ordinary-address/" + std::to_string(i));
    std::vector<DecodedView> views;
    for (const std::string& id : ids) views.push_back({.article_id = id, .count = 1});
    pipeline_.Fold(views);
    ASSERT_TRUE(pipeline_.Flush().ok());
  }
  void TearDown() override {
    exporter_.Stop();
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now() + 10s);
  }
  void Serve(std::chrono::milliseconds patience) {
    service_ = std::make_unique<ExportService>(pipeline_, exporter_, patience);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    const std::string address = "127.0.0.1:" + std::to_string(port);
    grpc::ChannelArguments arguments;
    // Without this, gRPC would receive megabytes before its client reads them.
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    stub_ =
        v1::QueryService::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }
  std::unique_ptr<Call> Begin() {
    auto call = std::make_unique<Call>();
    call->context.set_deadline(std::chrono::system_clock::now() + 60s);
    v1::ExportCountsRequest request;
    request.set_site("demo");
    call->reader = stub_->ExportCounts(&call->context, request);
    return call;
  }
  static int ReadAll(Call& call) {
    int articles = 0;
    v1::ExportCountsResponse response;
    while (call.reader->Read(&response)) articles += response.counts_size();
    return articles;
  }

  RedisProcess redis_;
  LanePipeline pipeline_{redis_};
  CountExporter exporter_{pipeline_.store(), pipeline_.counts(), pipeline_.flush_function()};
  std::unique_ptr<ExportService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::QueryService::Stub> stub_;
};

TEST_F(GrpcExportStreamTest, ClientsThatDoNotReadLoseTheirPlaces) {
  Serve(500ms);
  std::vector<std::unique_ptr<Call>> idle;
  for (size_t i = 0; i < limits::kExportsMax; ++i) idle.push_back(Begin());
  // All places are taken once the first pieces have come.
  v1::ExportCountsResponse response;
  for (const auto& call : idle) ASSERT_TRUE(call->reader->Read(&response));
  const auto refused = Begin();
  EXPECT_EQ(ReadAll(*refused), 0);
  EXPECT_EQ(refused->reader->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Eventually([&] {
    const auto call = Begin();
    const int articles = ReadAll(*call);
    return call->reader->Finish().ok() && articles == kArticles;
  }));
  for (const auto& call : idle) {
    EXPECT_LT(ReadAll(*call), kArticles);
    EXPECT_EQ(call->reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

TEST_F(GrpcExportStreamTest, AClientThatReadsSlowlyGetsEverything) {
  Serve(2s);
  const auto call = Begin();
  int articles = 0;
  v1::ExportCountsResponse response;
  while (call->reader->Read(&response)) {
    articles += response.counts_size();
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(call->reader->Finish().ok());
  EXPECT_EQ(articles, kArticles);
}

TEST_F(GrpcExportStreamTest, ACancelledCallFreesItsPlace) {
  Serve(60s);
  std::vector<std::unique_ptr<Call>> cancelled;
  for (size_t i = 0; i < limits::kExportsMax; ++i) cancelled.push_back(Begin());
  v1::ExportCountsResponse response;
  for (const auto& call : cancelled) ASSERT_TRUE(call->reader->Read(&response));
  for (const auto& call : cancelled) call->context.TryCancel();
  EXPECT_TRUE(Eventually([&] {
    const auto call = Begin();
    return ReadAll(*call) == kArticles && call->reader->Finish().ok();
  }));
}

}  // namespace
}  // namespace viewcount
