// Tests gRPC's own clients, both on methods that this server answers and on methods that it forwards to gRPC.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "service/base/limits.h"
#include "tests/unit/grpc/grpc_fixture.h"

namespace viewcount {
namespace {
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr char kHealthCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kHealthWatch[] = "/grpc.health.v1.Health/Watch";
constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
// These are encoded HealthCheckResponse messages with the statuses SERVING and NOT_SERVING.
const std::string kServing("\x08\x01", 2);
const std::string kNotServing("\x08\x02", 2);

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const auto& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

// Makes a call with one message in each direction. Start() returns without waiting for the answer.
class UnaryCall {
 public:
  UnaryCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& path, const std::string& message)
      : stub_(channel), path_(path), request_(ToBuffer(message)) {}
  grpc::ClientContext& context() { return context_; }
  UnaryCall& Start() {
    stub_.UnaryCall(&context_, path_, grpc::StubOptions(), &request_, &response_,
                    [this](grpc::Status status) { done_.set_value(std::move(status)); });
    return *this;
  }
  grpc::Status Wait() { return done_.get_future().get(); }
  std::string response() const { return ToString(response_); }

 private:
  grpc::GenericStub stub_;
  const std::string path_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::promise<grpc::Status> done_;
};

// Makes a call with many messages. Every operation blocks until it is done.
class StreamCall {
 public:
  StreamCall(const std::shared_ptr<grpc::Channel>& channel, const char* path) {
    stream_.reset(grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
        channel.get(), grpc::internal::RpcMethod(path, grpc::internal::RpcMethod::BIDI_STREAMING, channel), &context));
  }
  bool Write(const std::string& message) { return stream_->Write(ToBuffer(message)); }
  bool WritesDone() { return stream_->WritesDone(); }
  std::optional<std::string> Read() {
    grpc::ByteBuffer message;
    if (!stream_->Read(&message)) return std::nullopt;
    return ToString(message);
  }
  grpc::Status Finish() { return stream_->Finish(); }

  grpc::ClientContext context;

 private:
  std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream_;
};

class GrpcClientsTest : public GrpcServerTest {
 protected:
  GrpcClientsTest() : GrpcServerTest(2), channel_(MakeChannel()) {}
  // Returns a channel that shares its connection with no other channel.
  std::shared_ptr<grpc::Channel> MakeChannel() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
  }
  void ExpectEcho(const char* path, const std::string& message) {
    UnaryCall call(channel_, path, message);
    const grpc::Status status = call.Start().Wait();
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(call.response() == message);
  }

  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(GrpcClientsTest, MessagesOfAllSizesUpToTheLargest) {
  for (const char* path : {kEcho, kInnerEcho}) {
    for (const size_t size : {size_t{1}, size_t{16} << 10, size_t{1} << 20, limits::kGrpcMessageBytesMax}) {
      ExpectEcho(path, std::string(size, 'm'));
    }
    UnaryCall call(channel_, path, std::string(limits::kGrpcMessageBytesMax + 1, 'm'));
    EXPECT_EQ(call.Start().Wait().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << path;
    ExpectEcho(path, "next");
  }
}

TEST_F(GrpcClientsTest, CompressedRequestsAreRead) {
  for (const char* path : {kEcho, kInnerEcho}) {
    for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
      UnaryCall call(channel_, path, std::string(1'000'000, 'z'));
      call.context().set_compression_algorithm(algorithm);
      EXPECT_TRUE(call.Start().Wait().ok());
      EXPECT_EQ(call.response().size(), 1'000'000u);
    }
    UnaryCall bomb(channel_, path, std::string(limits::kGrpcMessageBytesMax + 1, 'z'));
    bomb.context().set_compression_algorithm(GRPC_COMPRESS_GZIP);
    EXPECT_EQ(bomb.Start().Wait().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
}

TEST_F(GrpcClientsTest, MetadataOfTheClientDoesNoHarm) {
  UnaryCall call(channel_, kEcho, "x");
  call.context().AddMetadata("authorization", std::string(1'000, 'a'));
  call.context().AddMetadata("trace-bin", std::string("\0\x01\xFF", 3));
  EXPECT_TRUE(call.Start().Wait().ok());
}

TEST_F(GrpcClientsTest, ErrorsArriveWhole) {
  UnaryCall handled(channel_, kFail, "x");
  const grpc::Status status = handled.Start().Wait();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), kFailText);
  EXPECT_EQ(status.error_details(), kFailDetails);
  UnaryCall handed_on(channel_, kInnerEcho, "");
  const grpc::Status inner = handed_on.Start().Wait();
  EXPECT_EQ(inner.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(inner.error_message(), kFailText);
  EXPECT_EQ(inner.error_details(), kFailDetails);
  UnaryCall unknown(channel_, "/test.Test/None", "x");
  EXPECT_EQ(unknown.Start().Wait().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  UnaryCall chatty(channel_, kChatty, "100000");
  EXPECT_EQ(chatty.Start().Wait().error_code(), grpc::StatusCode::INTERNAL);
}

TEST_F(GrpcClientsTest, StreamsEchoInOrder) {
  for (const char* path : {kEchoStream, kInnerStream}) {
    StreamCall call(channel_, path);
    std::jthread writer([&] {
      for (int i = 0; i < 2'000; ++i) EXPECT_TRUE(call.Write(std::to_string(i)));
      EXPECT_TRUE(call.Write(std::string(limits::kGrpcMessageBytesMax, 'm')));
      call.WritesDone();
    });
    for (int i = 0; i < 2'000; ++i) ASSERT_EQ(call.Read(), std::to_string(i)) << path;
    EXPECT_EQ(call.Read()->size(), limits::kGrpcMessageBytesMax);
    EXPECT_EQ(call.Read(), std::nullopt);
    EXPECT_TRUE(call.Finish().ok());
  }
}

TEST_F(GrpcClientsTest, DeadlinesAreKept) {
  UnaryCall call(channel_, kLane, "x");
  call.context().set_deadline(std::chrono::system_clock::now() + 50ms);
  EXPECT_EQ(call.Start().Wait().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  StreamCall stream(channel_, kLaneStream);
  EXPECT_TRUE(stream.Write("x"));
  stream.context.TryCancel();
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
  ExpectEcho(kEcho, "next");
}

TEST_F(GrpcClientsTest, ManyCallsAtOnceOverManyChannels) {
  std::vector<std::shared_ptr<grpc::Channel>> channels{channel_, MakeChannel(), MakeChannel(), MakeChannel()};
  for (const char* path : {kEcho, kInnerEcho, kLane}) {
    std::vector<std::unique_ptr<UnaryCall>> calls;
    for (int i = 0; i < 2'000; ++i) {
      calls.push_back(std::make_unique<UnaryCall>(channels[i % channels.size()], path, std::to_string(i)));
      calls.back()->Start();
    }
    if (path == kLane) {
      ASSERT_TRUE(lane_.Await(2'000));
      lane_.Answer();
    }
    for (int i = 0; i < 2'000; ++i) {
      ASSERT_TRUE(calls[i]->Wait().ok());
      EXPECT_EQ(calls[i]->response(), std::to_string(i));
    }
  }
}

TEST_F(GrpcClientsTest, CallsCancelledInTheMiddle) {
  for (const char* path : {kLane, kInnerEcho, kEcho}) {
    std::vector<std::unique_ptr<UnaryCall>> calls;
    for (int i = 0; i < 500; ++i) calls.push_back(std::make_unique<UnaryCall>(channel_, path, "x"));
    for (auto& call : calls) call->Start();
    for (auto& call : calls) call->context().TryCancel();
    for (auto& call : calls) {
      const auto code = call->Wait().error_code();
      EXPECT_TRUE(code == grpc::StatusCode::CANCELLED || code == grpc::StatusCode::OK) << code;
    }
  }
  lane_.Answer();
  ExpectEcho(kEcho, "next");
}

TEST_F(GrpcClientsTest, HealthIsWatchedUntilTheStop) {
  UnaryCall check(channel_, kHealthCheck, "");
  EXPECT_TRUE(check.Start().Wait().ok());
  EXPECT_EQ(check.response(), kServing);
  StreamCall watch(channel_, kHealthWatch);
  EXPECT_TRUE(watch.Write(""));
  watch.WritesDone();
  EXPECT_EQ(watch.Read(), kServing);
  const auto begin = steady_clock::now();
  std::jthread stop([&] { server_->Stop(300ms); });
  EXPECT_EQ(watch.Read(), kNotServing);
  EXPECT_EQ(watch.Read(), std::nullopt);
  EXPECT_FALSE(watch.Finish().ok());
  stop.join();
  EXPECT_LT(steady_clock::now() - begin, 5s);
}

TEST_F(GrpcClientsTest, ReflectionListsTheServices) {
  StreamCall call(channel_, kReflection);
  EXPECT_TRUE(call.Write(std::string("\x3A\x00", 2)));
  const auto listed = call.Read();
  ASSERT_TRUE(listed);
  EXPECT_NE(listed->find("viewcount.v1.IngestService"), std::string::npos);
  EXPECT_NE(listed->find("grpc.health.v1.Health"), std::string::npos);
  call.WritesDone();
  EXPECT_EQ(call.Read(), std::nullopt);
  EXPECT_TRUE(call.Finish().ok());
}

// The following tests are about stopping the server.

TEST_F(GrpcClientsTest, StopWithIdleConnectionsIsQuick) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < 50; ++i) {
    channels.push_back(MakeChannel());
    ASSERT_TRUE(channels.back()->WaitForConnected(std::chrono::system_clock::now() + 10s));
  }
  const auto begin = steady_clock::now();
  server_->Stop(10s);
  EXPECT_LT(steady_clock::now() - begin, 2s);
}

TEST_F(GrpcClientsTest, StopWaitsForCallsThatEndWithinItsGrace) {
  UnaryCall call(channel_, kLane, "x");
  call.Start();
  ASSERT_TRUE(lane_.Await(1));
  std::jthread stop([&] { server_->Stop(10s); });
  // Waits until the stop has begun and new calls are refused.
  while (true) {
    UnaryCall late(MakeChannel(), kEcho, "late");
    if (!late.Start().Wait().ok()) break;
  }
  lane_.Answer();
  EXPECT_TRUE(call.Wait().ok());
}

TEST_F(GrpcClientsTest, StopEndsCallsOfAllKindsAfterItsGrace) {
  std::vector<std::unique_ptr<UnaryCall>> calls;
  for (int i = 0; i < 200; ++i) {
    calls.push_back(std::make_unique<UnaryCall>(channel_, kLane, "x"));
    calls.back()->Start();
  }
  std::vector<std::unique_ptr<StreamCall>> streams;
  for (int i = 0; i < 50; ++i) {
    streams.push_back(std::make_unique<StreamCall>(channel_, i % 2 == 0 ? kInnerStream : kEchoStream));
    ASSERT_TRUE(streams.back()->Write("x"));
    ASSERT_TRUE(streams.back()->Read());
  }
  ASSERT_TRUE(lane_.Await(200));
  const auto begin = steady_clock::now();
  server_->Stop(50ms);
  lane_.Answer();
  server_.reset();
  EXPECT_LT(steady_clock::now() - begin, 5s);
  for (auto& call : calls) EXPECT_EQ(call->Wait().error_code(), grpc::StatusCode::UNAVAILABLE);
  for (auto& stream : streams) {
    EXPECT_EQ(stream->Read(), std::nullopt);
    EXPECT_FALSE(stream->Finish().ok());
  }
}

TEST_F(GrpcClientsTest, StopWhileCallsBeginAndEnd) {
  std::atomic<bool> stopping = false;
  std::atomic<int> answered = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&, channel = MakeChannel(), path = i == 0 ? kEcho : kInnerEcho] {
      while (!stopping) {
        UnaryCall call(channel, path, "x");
        if (call.Start().Wait().ok()) ++answered;
      }
    });
  }
  while (answered < 100) std::this_thread::yield();
  server_->Stop(0ms);
  server_.reset();
  stopping = true;
}

}  // namespace
}  // namespace viewcount
