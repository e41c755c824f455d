// Tests the reactions that RFC 9113 demands to frames in an unexpected state. Each test covers one case.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "service/base/limits.h"
#include "service/grpc/http2/closed_streams.h"
#include "service/grpc/http2/http2_limits.h"
#include "tests/unit/grpc/grpc_fixture.h"
#include "tests/unit/grpc/raw_client.h"

namespace viewcount {
namespace {

class ConformanceTest : public GrpcServerTest {
 protected:
  ConformanceTest() : client_(address()) { client_.Begin(); }
  // Begins a call whose answer waits for the lane.
  void BeginWaiting(int32_t stream) {
    client_.Call(stream, kLane, "x");
    ASSERT_TRUE(lane_.Await(1));
  }
  // Makes a call and waits until both sides have ended it.
  void CallEnded(int32_t stream) {
    client_.Call(stream, kEcho, "x");
    ASSERT_TRUE(client_.AwaitEnd(stream));
    ASSERT_EQ(client_.header(stream, "grpc-status"), "0");
  }
  void ExpectConnectionError(uint32_t code) {
    EXPECT_TRUE(client_.IsClosed());
    EXPECT_EQ(client_.goaway(), code);
  }
  void ExpectStreamError(int32_t stream, uint32_t code) {
    EXPECT_TRUE(client_.Await([&] { return client_.stream(stream).reset.has_value(); }));
    EXPECT_EQ(client_.stream(stream).reset, code);
    CallEnded(1001);
  }

  RawClient client_;
};

// These tests cover RFC 9113 section 5.1, state "closed", after an RST_STREAM of the peer.
TEST_F(ConformanceTest, DataOnAStreamThatThePeerResetIsAStreamError) {
  BeginWaiting(1);
  client_.Send(RawClient::Reset(1) + RawClient::Data(1, "late", true));
  ExpectStreamError(1, NGHTTP2_STREAM_CLOSED);
}

// grpc-java over Netty cancels many calls at once, and sends their messages afterwards.
TEST_F(ConformanceTest, DataOnAStreamThatThePeerResetLongAgoIsAStreamError) {
  BeginWaiting(1);
  std::string frames = RawClient::Headers(3, kEcho) + RawClient::Reset(3);
  // More streams than ClosedStreams remembers.
  for (int32_t stream = 5; stream < 205; stream += 2) {
    frames += RawClient::Headers(stream, kEcho) + RawClient::Reset(stream);
  }
  client_.Send(frames + RawClient::Data(3, "late", true));
  ExpectStreamError(3, NGHTTP2_STREAM_CLOSED);
  lane_.Answer();
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), "0");
}

TEST_F(ConformanceTest, HeadersOnAStreamThatThePeerResetAreAStreamError) {
  BeginWaiting(1);
  client_.Send(RawClient::Reset(1) + RawClient::Headers(1, kEcho, true));
  ExpectStreamError(1, NGHTTP2_STREAM_CLOSED);
}

// These tests cover RFC 9113 section 5.1, state "closed", after END_STREAM from both sides.
TEST_F(ConformanceTest, DataOnAnEndedStreamIsAConnectionError) {
  CallEnded(1);
  client_.Send(RawClient::Data(1, "late", true));
  ExpectConnectionError(NGHTTP2_STREAM_CLOSED);
}

TEST_F(ConformanceTest, HeadersOnAnEndedStreamAreAConnectionError) {
  CallEnded(1);
  client_.Send(RawClient::Headers(1, kEcho, true));
  ExpectConnectionError(NGHTTP2_STREAM_CLOSED);
}

// RFC 9113 section 5.1, state "closed", says that frames are ignored if they were on their way when the other side
// closed the stream.
TEST_F(ConformanceTest, FramesOnAStreamThatTheServerResetAreIgnored) {
  client_.Send(RawClient::Headers(1, kFail));
  ASSERT_TRUE(client_.Await([&] { return client_.stream(1).reset.has_value(); }));
  EXPECT_EQ(client_.stream(1).reset, uint32_t{NGHTTP2_NO_ERROR});
  const std::string trailers = RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                                                RawClient::HeaderField("x-trailer", "y"));
  client_.Send(RawClient::Data(1, RawClient::Message("late"), false) + trailers + RawClient::WindowUpdate(1, 10) +
               RawClient::Reset(1));
  CallEnded(3);
}

// These tests cover RFC 9113 section 5.1, state "half-closed (remote)". Section 5.4.1 permits a connection error in
// place of a stream error.
TEST_F(ConformanceTest, DataOnAHalfClosedStreamIsAnError) {
  BeginWaiting(1);
  client_.Send(RawClient::Data(1, "more", true));
  ExpectConnectionError(NGHTTP2_STREAM_CLOSED);
}

TEST_F(ConformanceTest, HeadersOnAHalfClosedStreamAreAnError) {
  BeginWaiting(1);
  client_.Send(RawClient::Headers(1, kEcho, true));
  ExpectConnectionError(NGHTTP2_STREAM_CLOSED);
}

TEST_F(ConformanceTest, WindowUpdateAndPriorityOnAHalfClosedStreamAreTaken) {
  BeginWaiting(1);
  const std::string priority(5, '\0');
  client_.Send(RawClient::WindowUpdate(1, 100) + RawClient::Frame(NGHTTP2_PRIORITY, 0, 1, priority));
  ASSERT_TRUE(client_.AwaitAllTaken());
  lane_.Answer();
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), "0");
}

TEST_F(ConformanceTest, WindowUpdateAndPriorityOnAnEndedStreamAreTaken) {
  CallEnded(1);
  client_.Send(RawClient::WindowUpdate(1, 100) + RawClient::Frame(NGHTTP2_PRIORITY, 0, 1, std::string(5, '\0')) +
               RawClient::Reset(1));
  CallEnded(3);
}

// This test covers RFC 9113 section 5.1, state "idle".
TEST_F(ConformanceTest, DataOnAnIdleStreamIsAConnectionError) {
  CallEnded(1);
  client_.Send(RawClient::Data(3, "x", true));
  ExpectConnectionError(NGHTTP2_PROTOCOL_ERROR);
}

// RFC 9113 section 6.4 calls this a connection error. But gRPC's C++ core sends it for a call that is cancelled before
// its HEADERS were sent. The error would end all other calls of the connection. The stream below the reset one begins
// afterwards, as that client does it.
TEST_F(ConformanceTest, ResetOfAStreamThatNeverBeganIsIgnored) {
  BeginWaiting(1);
  client_.Send(RawClient::Reset(7) + RawClient::Reset(5) + RawClient::Headers(3, kEcho) + RawClient::Reset(9) +
               RawClient::Data(3, RawClient::Message("whole"), true));
  ASSERT_TRUE(client_.AwaitEnd(3));
  EXPECT_EQ(client_.header(3, "grpc-status"), "0");
  CallEnded(11);
  lane_.Answer();
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), "0");
}

TEST_F(ConformanceTest, ResetOfAStreamThatNeverBeganMayArriveInPieces) {
  const std::string frames = RawClient::Reset(3) + RawClient::Headers(1, kEcho) + RawClient::Reset(3) +
                             RawClient::Data(1, RawClient::Message("whole"), true);
  for (const char byte : frames) {
    ASSERT_TRUE(client_.Send({&byte, 1}));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), "0");
}

TEST_F(ConformanceTest, ResetOfAWrongLengthIsAConnectionError) {
  client_.Send(RawClient::Frame(NGHTTP2_RST_STREAM, 0, 3, "12345"));
  ExpectConnectionError(NGHTTP2_FRAME_SIZE_ERROR);
}

TEST_F(ConformanceTest, ResetOfAnEvenStreamIsAConnectionError) {
  client_.Send(RawClient::Reset(2));
  ExpectConnectionError(NGHTTP2_PROTOCOL_ERROR);
}

// These tests cover RFC 9113 section 5.1.1 about stream identifiers.
TEST_F(ConformanceTest, StreamIdBelowTheOneBeforeIsAConnectionError) {
  CallEnded(5);
  client_.Send(RawClient::Headers(3, kEcho, true));
  ExpectConnectionError(NGHTTP2_PROTOCOL_ERROR);
}

TEST_F(ConformanceTest, EvenStreamIdIsAConnectionError) {
  client_.Send(RawClient::Headers(2, kEcho, true));
  ExpectConnectionError(NGHTTP2_PROTOCOL_ERROR);
}

// This test covers RFC 9113 section 4.2 about the frame size.
TEST_F(ConformanceTest, HeadersAboveTheFrameSizeAreAConnectionError) {
  ASSERT_TRUE(client_.AwaitAllTaken());
  client_.Send(RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                                std::string(limits::kHttp2FrameBytesMax + 1, '\0')));
  ExpectConnectionError(NGHTTP2_FRAME_SIZE_ERROR);
}

// RFC 9113 section 8.1 says that a second block of headers is the trailers, which must end the request.
TEST_F(ConformanceTest, SecondHeadersWithoutEndAreAStreamError) {
  const std::string again =
      RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, RawClient::HeaderField("x-trailer", "y"));
  client_.Send(RawClient::Headers(1, kEcho) + again);
  ExpectStreamError(1, NGHTTP2_PROTOCOL_ERROR);
}

TEST_F(ConformanceTest, SecondHeadersOfAnotherProtocolAreTheSame) {
  const auto headers = [](const std::string& block) {
    return RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, block);
  };
  client_.Send(headers(RawClient::HeaderBlock("/", "", "text/html")));
  ASSERT_TRUE(client_.AwaitAllTaken());
  client_.Send(headers(RawClient::HeaderField("x-trailer", "y")));
  ExpectStreamError(1, NGHTTP2_PROTOCOL_ERROR);
}

// This test covers RFC 9113 section 5.1.2 about concurrent streams. The answers wait for the flow-control window, so
// the requests stay open.
TEST(StreamsTest, MoreStreamsThanAdvertisedAreRefusedInAnyProtocol) {
  class Server : public GrpcServerTest {
   public:
    using GrpcServerTest::address;
    void TestBody() override {}
  } server;
  RawClient client(server.address());
  client.Begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  const std::string block = RawClient::HeaderBlock("/", "", "text/html");
  bool open = true;
  for (int32_t i = 0; open && i <= limits::kGrpcStreamsPerConnectionMax; ++i) {
    open = client.Send(
        RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 2 * i + 1, block));
  }
  EXPECT_TRUE(client.IsClosed());
  EXPECT_EQ(client.goaway(), uint32_t{NGHTTP2_PROTOCOL_ERROR});
}

TEST(ClosedStreamsTest, TellsWhyAStreamIsClosed) {
  using Kind = ClosedStreams::Kind;
  ClosedStreams streams;
  EXPECT_EQ(streams.Find(1), Kind::kNew);
  streams.Begun(7);
  EXPECT_EQ(streams.Find(9), Kind::kNew);
  EXPECT_EQ(streams.Find(3), Kind::kUnknown);
  streams.Closed(7, false);
  EXPECT_EQ(streams.Find(7), Kind::kEnded);
  streams.Begun(9);
  streams.Closed(9, true);
  EXPECT_EQ(streams.Find(9), Kind::kResetByPeer);
  streams.ResetByUs(9);
  EXPECT_EQ(streams.Find(9), Kind::kResetByUs);
}

TEST(ClosedStreamsTest, RemembersAsManyResetsAsStreamsMayBeOpen) {
  ClosedStreams streams;
  const int32_t open = limits::kGrpcStreamsPerConnectionMax;
  streams.Begun(2 * open + 1);
  for (int32_t i = 0; i < open; ++i) streams.ResetByUs(2 * i + 1);
  EXPECT_EQ(streams.Find(1), ClosedStreams::Kind::kResetByUs);
  streams.ResetByUs(2 * open + 1);
  EXPECT_EQ(streams.Find(1), ClosedStreams::Kind::kUnknown);
  EXPECT_EQ(streams.Find(3), ClosedStreams::Kind::kResetByUs);
}

}  // namespace
}  // namespace viewcount
