// Provides a server with a few test methods. The server forwards other methods to a real gRPC service.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "service/grpc/http2/grpc_server.h"
#include "viewcount/v1/ingest.grpc.pb.h"

namespace viewcount {

// Simulates a lane. It keeps each task until Answer() is called, and then posts it to the task's event loop.
// Thread-safe.
class SlowLane {
 public:
  // May be called on any thread. The task must exist until its Run() is called.
  void Give(LoopTask& task, EventLoop& loop);
  // Waits until `waiting` tasks wait. Returns false if that takes more than ten seconds.
  bool Await(size_t waiting);
  size_t waiting();
  // Posts all waiting tasks to their loops.
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

// These are the paths of the test methods. kLane and kLaneStream answer when the lane does.
inline constexpr char kEcho[] = "/test.Test/Echo";              // Returns the one message.
inline constexpr char kEchoStream[] = "/test.Test/EchoStream";  // Returns each message.
inline constexpr char kLane[] = "/test.Test/Lane";              // Returns the one message after the lane's answer.
inline constexpr char kLaneStream[] = "/test.Test/LaneStream";  // Returns each message, and then reads the next.
inline constexpr char kFail[] = "/test.Test/Fail";              // Fails with details before it reads anything.
inline constexpr char kBig[] = "/test.Test/Big";                // Returns as many bytes as the message says.
inline constexpr char kChatty[] = "/test.Test/Chatty";          // Fails with a text as long as the message says.
// These are the paths of two echo methods that gRPC's own server answers.
inline constexpr char kInnerEcho[] = "/viewcount.v1.IngestService/RecordViews";
inline constexpr char kInnerStream[] = "/viewcount.v1.IngestService/StreamViews";

// kFail's error has this text and these details.
inline constexpr char kFailText[] = "a text with ü, % and\nlines";
inline const std::string kFailDetails("\x08\x09\x00\xFF details", 12);

class GrpcServerTest : public testing::Test {
 protected:
  // Starts a server with `loops` event loops, each on its own thread.
  explicit GrpcServerTest(size_t loops = 1, Http2Limits limits = {}, AcceptedPeers::Observer observer = {});
  ~GrpcServerTest() override;

  const std::string& address() const { return server_->address(); }
  // Returns false if the condition does not become true within ten seconds.
  static bool Eventually(const std::function<bool()>& condition);
  // Returns the bytes that the calls of all connections of the first loop hold.
  size_t HeldBytes();

  SlowLane lane_;
  std::unique_ptr<GrpcServer> server_;

 private:
  using Inner = v1::IngestService::WithRawCallbackMethod_RecordViews<
      v1::IngestService::WithRawCallbackMethod_StreamViews<v1::IngestService::Service>>;
  class EchoService;

  std::unique_ptr<grpc::Service> service_;
  // The first calls set it, because they know their loop.
  std::shared_ptr<EventLoop*> loop_ = std::make_shared<EventLoop*>(nullptr);
};

}  // namespace viewcount
