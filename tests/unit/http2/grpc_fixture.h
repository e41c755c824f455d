// A server with a few methods of its own, and a real service of gRPC behind them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "service/http2/grpc_server.h"
#include "viewcount/v1/ingest.grpc.pb.h"

namespace viewcount {

// Stands for a lane: what it is given it answers when it is told to, from the caller's thread.
class SlowLane {
 public:
  // Any thread. It lives until its Run.
  void Give(LoopTask& task, EventLoop& loop);
  // True once so many are waiting; false if they do not come within ten seconds.
  bool Await(size_t waiting);
  size_t waiting();
  // Answers all that wait.
  void Answer();

 private:
  struct Waiting {
    LoopTask* task;
    EventLoop* loop;
  };
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Waiting> waiting_;
};

// Under these paths:
inline constexpr char kEcho[] = "/test.Test/Echo";              // one message, sent back
inline constexpr char kEchoStream[] = "/test.Test/EchoStream";  // each message, sent back
inline constexpr char kLane[] = "/test.Test/Lane";              // one message, sent back when the lane answers
inline constexpr char kLaneStream[] = "/test.Test/LaneStream";  // each message; the next is taken then
inline constexpr char kFail[] = "/test.Test/Fail";              // an error with details, before anything is read
inline constexpr char kBig[] = "/test.Test/Big";                // as many bytes as the message says
inline constexpr char kChatty[] = "/test.Test/Chatty";          // an error whose text is as long as the message says
// Of gRPC's own server, both echoes.
inline constexpr char kInnerEcho[] = "/viewcount.v1.IngestService/RecordViews";
inline constexpr char kInnerStream[] = "/viewcount.v1.IngestService/StreamViews";

// Of the error of kFail.
inline constexpr char kFailText[] = "a text with ü, % and\nlines";
inline const std::string kFailDetails("\x08\x09\x00\xFF details", 12);

class GrpcServerTest : public testing::Test {
 protected:
  // With `loops` threads.
  explicit GrpcServerTest(size_t loops = 1, Http2Limits limits = {}, AcceptedPeers::Observer observer = {});
  ~GrpcServerTest() override;

  const std::string& address() const { return server_->address(); }
  // False if it does not become true within ten seconds.
  static bool Eventually(const std::function<bool()>& condition);
  // Bytes held by the calls of all connections of the first loop.
  size_t HeldBytes();

  SlowLane lane_;
  std::unique_ptr<GrpcServer> server_;

 private:
  using Inner = v1::IngestService::WithRawCallbackMethod_RecordViews<
      v1::IngestService::WithRawCallbackMethod_StreamViews<v1::IngestService::Service>>;
  class EchoService;

  std::unique_ptr<grpc::Service> service_;
  // Known from its calls.
  std::shared_ptr<EventLoop*> loop_ = std::make_shared<EventLoop*>(nullptr);
};

}  // namespace viewcount
