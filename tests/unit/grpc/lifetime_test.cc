// Tests calls whose two sides end in every order. No call may leave resources in use.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "service/grpc/http2/http2_limits.h"
#include "tests/unit/grpc/grpc_fixture.h"
#include "tests/unit/grpc/raw_client.h"

namespace viewcount {
namespace {

constexpr char kDeadlineExceeded[] = "4";
// An answer of two bytes has this size with its prefix.
constexpr uint32_t kWindow = 7;
constexpr int kCalls = 20;

class LifetimeTest : public GrpcServerTest {
 protected:
  LifetimeTest() : client_(address()) {}
  // Makes calls that are forwarded to gRPC and whose answers fill their windows exactly, so that the trailers wait.
  // Other calls must still be answered meanwhile.
  void FillWindows() {
    client_.Begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow}});
    for (int i = 0; i < kCalls; ++i) client_.Call(Stream(i), kInnerEcho, "xy");
    for (int i = 0; i < kCalls; ++i) {
      ASSERT_TRUE(client_.Await([&] { return client_.stream(Stream(i)).data.size() == kWindow; })) << i;
      EXPECT_FALSE(client_.stream(Stream(i)).ended);
    }
    // By then gRPC has ended its side of all these calls.
    ASSERT_TRUE(Eventually([&] { return server_->forwarded_calls() <= size_t{kCalls}; }));
    client_.Call(1'001, kEcho, "");
    ASSERT_TRUE(client_.Await([&] { return client_.stream(1'001).data.size() == 5; }));
  }
  static int32_t Stream(int i) { return 2 * i + 1; }
  bool NothingIsLeft() {
    return Eventually([&] { return server_->forwarded_calls() == 0; });
  }
  std::string Timeout(const std::string& value) { return RawClient::HeaderField("grpc-timeout", value); }

  RawClient client_;
};

TEST_F(LifetimeTest, TrailersThatWaitAreSentWhenTheWindowGrows) {
  FillWindows();
  for (int i = 0; i < kCalls; ++i) client_.Send(RawClient::WindowUpdate(Stream(i), 1));
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_TRUE(client_.AwaitEnd(Stream(i)));
    EXPECT_EQ(client_.header(Stream(i), "grpc-status"), "0");
  }
  EXPECT_TRUE(NothingIsLeft());
}

TEST_F(LifetimeTest, CallsWhoseTrailersWaitAreCancelled) {
  FillWindows();
  for (int i = 0; i < kCalls; ++i) client_.Send(RawClient::Reset(Stream(i)));
  client_.Send(RawClient::Reset(1'001));
  client_.Call(1'003, kEcho, "");
  EXPECT_TRUE(client_.Await([&] { return client_.stream(1'003).data.size() == 5; }));
  EXPECT_TRUE(NothingIsLeft());
}

TEST_F(LifetimeTest, ConnectionClosesWhileTrailersWait) {
  FillWindows();
  client_.Vanish();
  EXPECT_TRUE(NothingIsLeft());
  EXPECT_EQ(HeldBytes(), 0u);
}

TEST_F(LifetimeTest, ConnectionIsResetWhileTrailersWait) {
  FillWindows();
  client_.Vanish(true);
  EXPECT_TRUE(NothingIsLeft());
}

TEST_F(LifetimeTest, CallerThatLeavesWhileAnswersWaitLeavesNoCall) {
  client_.Begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 3}});
  for (int i = 0; i < kCalls; ++i) {
    client_.Send(RawClient::Headers(Stream(i), kInnerStream) +
                 RawClient::Data(Stream(i), RawClient::Message("a message"), false));
  }
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_TRUE(client_.Await([&] { return client_.stream(Stream(i)).data.size() == 3; })) << i;
  }
  EXPECT_EQ(server_->forwarded_calls(), size_t{kCalls});
  for (int i = 0; i < kCalls / 2; ++i) client_.Send(RawClient::Reset(Stream(i)));
  EXPECT_TRUE(Eventually([&] { return server_->forwarded_calls() == size_t{kCalls / 2}; }));
  client_.Vanish();
  EXPECT_TRUE(NothingIsLeft());
}

TEST_F(LifetimeTest, CallThatIsCancelledBeforeItsFirstMessageLeavesNothing) {
  client_.Begin();
  for (int i = 0; i < kCalls; ++i)
    client_.Send(RawClient::Headers(Stream(i), kInnerStream) + RawClient::Reset(Stream(i)));
  ASSERT_TRUE(client_.AwaitAllTaken());
  EXPECT_TRUE(NothingIsLeft());
}

TEST_F(LifetimeTest, CallsAreEndedAtTheirDeadlineWhileTheirAnswersWait) {
  client_.Begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 3}});
  client_.Send(RawClient::Headers(1, kInnerStream, false, Timeout("50m")) +
               RawClient::Data(1, RawClient::Message("a message"), false));
  ASSERT_TRUE(client_.Await([&] { return client_.stream(1).data.size() == 3; }));
  // In practice a caller is gone by its deadline. This one widens its window, so that it receives the status.
  client_.Send(RawClient::WindowUpdate(1, 100));
  ASSERT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), kDeadlineExceeded);
  EXPECT_TRUE(NothingIsLeft());
}

TEST_F(LifetimeTest, FloodOfCancelledCallsIsBoundedAndLeavesNothing) {
  client_.Begin();
  int32_t stream = 1;
  size_t most = 0;
  for (int i = 0; i < 50; ++i) {
    std::string calls;
    for (int j = 0; j < 150; ++j, stream += 2)
      calls += RawClient::Headers(stream, kInnerStream) + RawClient::Reset(stream);
    ASSERT_TRUE(client_.Send(calls));
    most = std::max(most, server_->forwarded_calls());
  }
  ASSERT_TRUE(client_.AwaitAllTaken());
  most = std::max(most, server_->forwarded_calls());
  EXPECT_LE(most, limits::kGrpcAbandonedCallsMax + 150);
  EXPECT_TRUE(NothingIsLeft());
  // Calls are forwarded to gRPC again.
  client_.Call(stream, kInnerEcho, "x");
  EXPECT_TRUE(client_.AwaitEnd(stream));
  EXPECT_EQ(client_.header(stream, "grpc-status"), "0");
}

// Returns the number of bytes that the program has allocated. It is 0 under a sanitizer, which has its own allocator.
size_t AllocatedBytes() { return mallinfo2().uordblks; }

TEST_F(LifetimeTest, AnsweredCallsLeaveNoMemory) {
  client_.Begin();
  int32_t stream = 1;
  const auto call = [&](int calls) {
    for (int i = 0; i < calls; ++i, stream += 2) {
      client_.Call(stream, kInnerEcho, "xy");
      ASSERT_TRUE(client_.AwaitEnd(stream));
    }
    ASSERT_TRUE(NothingIsLeft());
  };
  call(200);
  const size_t before = AllocatedBytes();
  constexpr int kMany = 1'000;
  call(kMany);
  // The test client itself keeps a few hundred bytes of each call.
  EXPECT_LT(AllocatedBytes(), before + kMany * size_t{4'000});
}

// The following tests are about deadlines of methods that this server answers itself.

TEST_F(LifetimeTest, ExpiredCallIsNotHandedOver) {
  client_.Begin();
  client_.Send(RawClient::Headers(1, kLane, false, Timeout("0n")) + RawClient::Data(1, RawClient::Message("x"), true));
  ASSERT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), kDeadlineExceeded);
  EXPECT_EQ(lane_.waiting(), 0u);
}

TEST_F(LifetimeTest, MessageAfterTheDeadlineIsNotHandedOver) {
  client_.Begin();
  client_.Send(RawClient::Headers(1, kLane, false, Timeout("30m")));
  ASSERT_TRUE(client_.AwaitAllTaken());
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(Eventually([&] { return std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(40); }));
  client_.Send(RawClient::Data(1, RawClient::Message("x"), true));
  ASSERT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), kDeadlineExceeded);
  EXPECT_EQ(lane_.waiting(), 0u);
}

TEST_F(LifetimeTest, CallAtTheLaneEndsAtItsDeadline) {
  for (const char* path : {kLane, kLaneStream}) {
    RawClient client(address());
    client.Begin();
    const auto begun = std::chrono::steady_clock::now();
    client.Send(RawClient::Headers(1, path, false, Timeout("50m")) + RawClient::Data(1, RawClient::Message("x"), true));
    ASSERT_TRUE(lane_.Await(1));
    // A later deadline does not delay an earlier one, and an earlier one does not delay a later one.
    client.Send(RawClient::Headers(3, path, false, Timeout("20m")) + RawClient::Data(3, RawClient::Message("y"), true));
    ASSERT_TRUE(client.AwaitEnd(3));
    ASSERT_TRUE(client.AwaitEnd(1));
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(50));
    EXPECT_EQ(client.header(1, "grpc-status"), kDeadlineExceeded);
    EXPECT_EQ(client.header(3, "grpc-status"), kDeadlineExceeded);
    lane_.Answer();
    client.Call(5, kEcho, "still here");
    ASSERT_TRUE(client.AwaitEnd(5));
    EXPECT_EQ(client.header(5, "grpc-status"), "0");
  }
}

// The following test is about metadata.

TEST_F(LifetimeTest, MetadataMayHaveBlanksAtEitherEnd) {
  client_.Begin();
  const std::string more = RawClient::HeaderField("x-blank", " value ") +
                           RawClient::HeaderField("user-agent", " me\t") +
                           RawClient::HeaderField("grpc-timeout", " 10S ");
  client_.Send(RawClient::Headers(1, kEcho, false, more) + RawClient::Data(1, RawClient::Message("x"), true));
  ASSERT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), "0");
}

}  // namespace
}  // namespace viewcount
