// Tests peers that are malicious or broken. The resources that they get are bounded, and other peers are served.
#include <gtest/gtest.h>

#include <string>

#include "service/base/limits.h"
#include "service/grpc/http2/http2_limits.h"
#include "tests/unit/grpc/grpc_fixture.h"
#include "tests/unit/grpc/raw_client.h"

namespace viewcount {
namespace {

// This is close to the smallest buffer that a kernel allows.
constexpr int kTinyBuffer = 4 << 10;

class AbuseTest : public GrpcServerTest {
 protected:
  AbuseTest() { ExpectServed(); }
  ~AbuseTest() override {
    if (server_ != nullptr) ExpectServed();
  }
  void ExpectServed() {
    RawClient client(address());
    client.Begin();
    client.Call(1, kEcho, "served");
    EXPECT_TRUE(client.AwaitEnd(1));
    EXPECT_EQ(client.header(1, "grpc-status"), "0");
  }
};

TEST_F(AbuseTest, CallsBegunOnlyToBeCancelledEndTheConnection) {
  RawClient client(address());
  client.Begin();
  int32_t stream = 1;
  const uint64_t calls = 3 * limits::kHttp2ResetsMax;
  bool open = true;
  for (uint64_t i = 0; open && i < calls; i += 100) {
    std::string bytes;
    for (int j = 0; j < 100; ++j, stream += 2) bytes += RawClient::Headers(stream, kLane) + RawClient::Reset(stream);
    open = client.Send(bytes);
  }
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(AbuseTest, ManyCallsMayBeCancelled) {
  RawClient client(address());
  client.Begin();
  int32_t stream = 1;
  for (int i = 0; i < 5'000; ++i, stream += 2) {
    ASSERT_TRUE(client.Send(RawClient::Headers(stream, kInnerEcho) + RawClient::Reset(stream)));
  }
  client.Call(stream, kEcho, "x");
  EXPECT_TRUE(client.AwaitEnd(stream));
}

TEST_F(AbuseTest, PingsWithoutEndFromAPeerThatReadsNothingEndTheConnection) {
  RawClient client(address(), kTinyBuffer);
  client.Begin();
  std::string pings;
  for (int i = 0; i < 10'000; ++i) pings += RawClient::Frame(NGHTTP2_PING, 0, 0, "12345678");
  bool open = true;
  for (int i = 0; open && i < 500; ++i) open = client.Send(pings);
  EXPECT_FALSE(open);
}

TEST_F(AbuseTest, SettingsWithoutEndFromAPeerThatReadsNothingEndTheConnection) {
  RawClient client(address(), kTinyBuffer);
  client.Begin();
  std::string settings;
  for (int i = 0; i < 10'000; ++i) settings += RawClient::Frame(NGHTTP2_SETTINGS, 0, 0, "");
  bool open = true;
  for (int i = 0; open && i < 500; ++i) open = client.Send(settings);
  EXPECT_FALSE(open);
}

TEST_F(AbuseTest, ContinuationsWithoutEndEndTheConnection) {
  RawClient client(address());
  client.Begin();
  client.Send(RawClient::Frame(NGHTTP2_HEADERS, 0, 1, RawClient::HeaderBlock(kEcho)));
  const std::string more = RawClient::Frame(NGHTTP2_CONTINUATION, 0, 1, RawClient::HeaderField("a", "b"));
  bool open = true;
  for (int i = 0; open && i < 100'000; ++i) open = client.Send(more);
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(AbuseTest, PeerThatNeverReadsSendsNoMoreRequests) {
  RawClient client(address(), kTinyBuffer);
  client.Begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 30}});
  client.Send(RawClient::WindowUpdate(0, 1 << 30));
  // These calls ask for about 100 MB of answers.
  for (int32_t stream = 1; stream < 2'000; stream += 2) client.Call(stream, kBig, "100000");
  // Answers that the connection has not sent yet count as held bytes.
  ExpectServed();
  EXPECT_LT(HeldBytes(), size_t{150} << 20);
  client.Vanish(true);
}

TEST_F(AbuseTest, PeerWhoseWindowIsClosedSendsNoMoreMessages) {
  RawClient client(address());
  client.Begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  client.Send(RawClient::Headers(1, kEchoStream));
  const std::string message = RawClient::Message(std::string(100, 'x'));
  std::string frame;
  while (frame.size() + message.size() < (16 << 10)) frame += message;
  // The test sends no more than the window that the server grants.
  uint64_t sent = 0;
  for (; sent + frame.size() < limits::kHttp2StreamWindowBytes; sent += frame.size()) {
    ASSERT_TRUE(client.Send(RawClient::Data(1, frame, false)));
  }
  ASSERT_TRUE(client.AwaitAllTaken());
  EXPECT_LE(client.stream(1).window, limits::kHttp2AnswerBytesMax * 4);
  EXPECT_LT(HeldBytes(), 3 * size_t{limits::kHttp2StreamWindowBytes});
  // Once the window is open, all answers come in order.
  client.Send(RawClient::WindowUpdate(1, 1 << 30) + RawClient::WindowUpdate(0, 1 << 30) + RawClient::Data(1, "", true));
  ASSERT_TRUE(client.AwaitEnd(1));
  EXPECT_EQ(client.stream(1).data.size(), sent);
  EXPECT_EQ(client.header(1, "grpc-status"), "0");
}

TEST_F(AbuseTest, EmptyMessagesWithoutEndAreHeldBack) {
  RawClient client(address());
  client.Begin();
  client.Send(RawClient::Headers(1, kLaneStream));
  std::string frame;
  while (frame.size() + 5 <= (16 << 10)) frame += RawClient::Message("");
  for (uint64_t sent = 0; sent + frame.size() < limits::kHttp2StreamWindowBytes; sent += frame.size()) {
    ASSERT_TRUE(client.Send(RawClient::Data(1, frame, false)));
  }
  ASSERT_TRUE(lane_.Await(1));
  ASSERT_TRUE(client.AwaitAllTaken());
  // An empty message has five bytes. The divisor of six allows for the last frame, which was not sent.
  EXPECT_GT(HeldBytes(), limits::kHttp2StreamWindowBytes / 6 * sizeof(std::string));
  ExpectServed();
}

TEST_F(AbuseTest, EmptyMessagesWithoutEndInAUnaryCallAreRefused) {
  RawClient client(address());
  client.Begin();
  client.Send(RawClient::Headers(1, kEcho) +
              RawClient::Data(1, RawClient::Message("") + RawClient::Message(""), false));
  EXPECT_TRUE(client.AwaitEnd(1));
  EXPECT_EQ(client.header(1, "grpc-status"), "13");
}

TEST_F(AbuseTest, RequestsNeverEndedStopAtTheMemoryLimit) {
  RawClient client(address());
  client.Begin();
  // Each request announces the largest message, so the server reserves its memory in advance. Reserved memory counts as
  // held.
  const std::string begun("\0\x00\x80\x00\x00xxx", 8);
  const int32_t streams = 3'000;
  for (int32_t i = 0; i < streams; ++i) {
    ASSERT_TRUE(client.Send(RawClient::Headers(2 * i + 1, kEcho) + RawClient::Data(2 * i + 1, begun, false)));
  }
  ASSERT_TRUE(client.AwaitEnd(2 * streams - 1));
  EXPECT_EQ(client.header(2 * streams - 1, "grpc-status"), "8");
  EXPECT_NE(client.header(2 * streams - 1, "grpc-status-details-bin"), "");
  // The first request still holds its memory.
  EXPECT_FALSE(client.stream(1).ended);
  EXPECT_LE(HeldBytes(), limits::kGrpcMemoryBytesMax + (1 << 20));
  client.Vanish();
  // As soon as the server notices that the client is gone, memory is available again.
  for (int i = 0; i < 1'000 && HeldBytes() > limits::kGrpcMemoryBytesMax / 2; ++i) {
  }
  EXPECT_LT(HeldBytes(), limits::kGrpcMemoryBytesMax / 2);
}

TEST_F(AbuseTest, MoreStreamsThanAllowedEndTheConnection) {
  RawClient client(address());
  client.Begin();
  const int32_t streams = static_cast<int32_t>(limits::kGrpcStreamsPerConnectionMax) + 1;
  for (int32_t i = 0; i < streams; ++i) ASSERT_TRUE(client.Send(RawClient::Headers(2 * i + 1, kLane)));
  EXPECT_TRUE(client.IsClosed());
  EXPECT_EQ(client.goaway(), uint32_t{NGHTTP2_PROTOCOL_ERROR});
}

TEST_F(AbuseTest, ClientThatVanishesWhileTheLaneHasItsBatch) {
  for (const bool reset : {false, true}) {
    RawClient client(address());
    client.Begin();
    for (int32_t stream = 1; stream < 200; stream += 2) client.Call(stream, kLane, "x");
    client.Send(RawClient::Headers(201, kLaneStream) + RawClient::Data(201, RawClient::Message("y"), false));
    ASSERT_TRUE(lane_.Await(101));
    client.Vanish(reset);
    ExpectServed();
    lane_.Answer();
    ExpectServed();
  }
}

TEST_F(AbuseTest, CancelledCallIsAnsweredByTheLaneLater) {
  RawClient client(address());
  client.Begin();
  client.Call(1, kLane, "x");
  ASSERT_TRUE(lane_.Await(1));
  client.Send(RawClient::Reset(1));
  client.Call(3, kEcho, "x");
  ASSERT_TRUE(client.AwaitEnd(3));
  lane_.Answer();
  client.Call(5, kEcho, "x");
  ASSERT_TRUE(client.AwaitEnd(5));
  EXPECT_FALSE(client.stream(1).ended);
}

TEST_F(AbuseTest, NoiseBehindThePrefaceHarmsNobody) {
  uint32_t seed = 12'345;
  for (int round = 0; round < 200; ++round) {
    RawClient client(address());
    client.Begin();
    std::string noise = RawClient::Headers(1, kEchoStream) + RawClient::Headers(3, kInnerStream);
    for (int i = 0; i < 50; ++i) {
      seed = seed * 1'664'525 + 1'013'904'223;
      const std::string payload(seed >> 8 & 0x3F, static_cast<char>(seed >> 16));
      noise += RawClient::Frame(static_cast<uint8_t>((seed >> 24) % 10), static_cast<uint8_t>(seed >> 12),
                                static_cast<int32_t>(seed >> 20 & 3), payload);
    }
    client.Send(noise);
    client.Vanish(round % 2 == 0);
  }
}

}  // namespace
}  // namespace viewcount
