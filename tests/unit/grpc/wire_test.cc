// Tests gRPC's protocol over HTTP/2, frame by frame. The tests check the frames that the server sends in answer to
// given frames.
#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

#include <string>

#include "service/base/limits.h"
#include "service/grpc/http2/http2_limits.h"
#include "tests/unit/grpc/grpc_fixture.h"
#include "tests/unit/grpc/raw_client.h"

namespace viewcount {
namespace {

constexpr char kStatusOk[] = "0";
constexpr char kUnimplemented[] = "12";
constexpr char kResourceExhausted[] = "8";
constexpr char kInternal[] = "13";

class WireTest : public GrpcServerTest {
 protected:
  WireTest() : client_(address()) {}
  // Sends a call's headers and these bytes as its body, and waits for its end.
  void Exchange(const std::string& path, std::string_view body, const std::string& more = "") {
    client_.Begin();
    client_.Send(RawClient::Headers(1, path, false, more) + RawClient::Data(1, body, true));
    EXPECT_TRUE(client_.AwaitEnd(1));
  }
  std::string status() { return client_.header(1, "grpc-status"); }

  RawClient client_;
};

TEST_F(WireTest, UnaryCallIsAnswered) {
  Exchange(kEcho, RawClient::Message("hello"));
  EXPECT_EQ(client_.header(1, ":status"), "200");
  EXPECT_EQ(client_.header(1, "content-type"), "application/grpc");
  EXPECT_EQ(client_.stream(1).data, RawClient::Message("hello"));
  EXPECT_EQ(status(), kStatusOk);
  EXPECT_FALSE(client_.stream(1).reset);
}

TEST_F(WireTest, EmptyMessageIsAMessage) {
  Exchange(kEcho, RawClient::Message(""));
  EXPECT_EQ(client_.stream(1).data, RawClient::Message(""));
  EXPECT_EQ(status(), kStatusOk);
}

TEST_F(WireTest, FramesOfOneByteAreTheSame) {
  client_.Begin();
  std::string bytes = RawClient::Headers(1, kEcho);
  for (const char byte : RawClient::Message("hello")) bytes += RawClient::Data(1, std::string(1, byte), false);
  client_.Send(bytes + RawClient::Data(1, "", true));
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.stream(1).data, RawClient::Message("hello"));
}

TEST_F(WireTest, PaddingWidensWindowsToo) {
  client_.Begin();
  client_.Send(RawClient::Headers(1, kEcho));
  const std::string padded = std::string(1, '\xFF') + "x" + std::string(255, '\0');
  // The frames together have several times the size of the stream's window.
  constexpr int kFrames = 70'000;
  const std::string prefix = RawClient::Message(std::string(kFrames, 'x')).substr(0, 5);
  client_.Send(RawClient::Data(1, prefix, false));
  std::string bytes;
  for (int i = 0; i < kFrames; ++i) {
    bytes += RawClient::Frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, padded);
    if (bytes.size() < (1 << 20) && i + 1 < kFrames) continue;
    const uint64_t sent = uint64_t(i + 1) * padded.size();
    ASSERT_TRUE(client_.Send(bytes));
    bytes.clear();
    ASSERT_TRUE(client_.Await([&] { return client_.stream(1).window + limits::kHttp2StreamWindowBytes / 2 >= sent; }));
  }
  client_.Send(RawClient::Data(1, "", true) + RawClient::WindowUpdate(1, 1 << 20) +
               RawClient::WindowUpdate(0, 1 << 20));
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.stream(1).data, RawClient::Message(std::string(kFrames, 'x')));
}

TEST_F(WireTest, BrokenPrefaceClosesTheConnection) {
  client_.Send("PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n");
  EXPECT_TRUE(client_.IsClosed());
}

TEST_F(WireTest, Http1RequestClosesTheConnection) {
  client_.Send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_TRUE(client_.IsClosed());
}

TEST_F(WireTest, FrameOnStreamZeroIsAnsweredByGoAway) {
  client_.Begin();
  client_.Send(RawClient::Data(0, "x", false));
  EXPECT_TRUE(client_.IsClosed());
  EXPECT_EQ(client_.goaway(), uint32_t{NGHTTP2_PROTOCOL_ERROR});
}

TEST_F(WireTest, WhatIsNotGrpcGets415) {
  client_.Begin();
  int stream = 1;
  for (const char* type : {"application/json", "application/grpc-web", "application/grpcs", ""}) {
    const std::string block = RawClient::HeaderBlock(kEcho, "", type);
    client_.Send(RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, block) +
                 RawClient::Data(stream, "{}", true));
    EXPECT_TRUE(client_.AwaitEnd(stream));
    EXPECT_EQ(client_.header(stream, ":status"), "415") << type;
    stream += 2;
  }
  for (const char* type : {"application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"}) {
    const std::string block = RawClient::HeaderBlock(kEcho, "", type);
    client_.Send(RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, block) +
                 RawClient::Data(stream, RawClient::Message("x"), true));
    EXPECT_TRUE(client_.AwaitEnd(stream));
    EXPECT_EQ(client_.header(stream, "grpc-status"), kStatusOk) << type;
    stream += 2;
  }
}

TEST_F(WireTest, ConnectAndStrangePathsAreNoMethods) {
  client_.Begin();
  const std::string type = RawClient::HeaderField("content-type", "application/grpc");
  const std::string connect =
      RawClient::HeaderField(":method", "CONNECT") + RawClient::HeaderField(":authority", "test") + type;
  client_.Send(RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, connect));
  int stream = 3;
  for (const std::string path : {"no-slash", "*", "/\x80\xFF", "/", "//", "/a/b/c?d#e"}) {
    const std::string block = RawClient::HeaderField(":method", "POST") + RawClient::HeaderField(":scheme", "other") +
                              RawClient::HeaderField(":path", path) + type;
    client_.Send(RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, stream, block));
    stream += 2;
  }
  for (int i = 1; i < stream; i += 2) {
    ASSERT_TRUE(client_.AwaitEnd(i)) << i;
    if (!client_.stream(i).reset || client_.stream(i).ended) {
      EXPECT_EQ(client_.header(i, "grpc-status"), kUnimplemented) << i;
    }
  }
}

TEST_F(WireTest, UnknownMethodIsUnimplemented) {
  Exchange("/test.Test/None", RawClient::Message("x"));
  EXPECT_EQ(status(), kUnimplemented);
}

TEST_F(WireTest, UnknownEncodingIsUnimplementedAndSaysWhatIsKnown) {
  Exchange(kEcho, RawClient::Message("x"), RawClient::HeaderField("grpc-encoding", "snappy"));
  EXPECT_EQ(status(), kUnimplemented);
  EXPECT_EQ(client_.header(1, "grpc-accept-encoding"), "identity,deflate,gzip");
}

TEST_F(WireTest, CompressedWithoutEncodingIsInternal) {
  std::string message = RawClient::Message("x");
  message[0] = 1;
  Exchange(kEcho, message);
  EXPECT_EQ(status(), kInternal);
}

TEST_F(WireTest, RequestWithoutMessageEnds) {
  client_.Begin();
  client_.Send(RawClient::Headers(1, kEcho, true));
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.stream(1).data, "");
  EXPECT_EQ(status(), kStatusOk);
}

TEST_F(WireTest, MessageCutOffByTheEndIsInternal) {
  for (size_t size = 1; size < RawClient::Message("hello").size(); ++size) {
    RawClient client(address());
    client.Begin();
    client.Send(RawClient::Headers(1, kEcho) + RawClient::Data(1, RawClient::Message("hello").substr(0, size), true));
    EXPECT_TRUE(client.AwaitEnd(1));
    EXPECT_EQ(client.header(1, "grpc-status"), kInternal) << size;
  }
}

TEST_F(WireTest, TwoMessagesInAUnaryCallAreInternal) {
  Exchange(kEcho, RawClient::Message("one") + RawClient::Message("two"));
  EXPECT_EQ(status(), kInternal);
  EXPECT_EQ(client_.stream(1).data, "");
}

TEST_F(WireTest, UnaryCallWaitsForItsEnd) {
  client_.Begin();
  client_.Send(RawClient::Headers(1, kEcho) + RawClient::Data(1, RawClient::Message("hello"), false));
  client_.Send(RawClient::Headers(3, kEcho) + RawClient::Data(3, RawClient::Message("other"), true));
  EXPECT_TRUE(client_.AwaitEnd(3));
  EXPECT_EQ(client_.stream(1).data, "");
  client_.Send(RawClient::Data(1, "", true));
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.stream(1).data, RawClient::Message("hello"));
}

TEST_F(WireTest, TrailersOfTheRequestEndIt) {
  client_.Begin();
  client_.Send(RawClient::Headers(1, kEcho) + RawClient::Data(1, RawClient::Message("hello"), false) +
               RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                                RawClient::HeaderField("x-trailer", "y")));
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.stream(1).data, RawClient::Message("hello"));
}

TEST_F(WireTest, ErrorAloneHasItsDetailsAndEndsTheRequestToo) {
  client_.Begin();
  client_.Send(RawClient::Headers(1, kFail));
  ASSERT_TRUE(client_.Await([&] { return client_.stream(1).reset.has_value(); }));
  EXPECT_TRUE(client_.stream(1).ended);
  EXPECT_EQ(client_.stream(1).reset, uint32_t{NGHTTP2_NO_ERROR});
  EXPECT_EQ(client_.header(1, ":status"), "200");
  EXPECT_EQ(client_.header(1, "content-type"), "application/grpc");
  EXPECT_EQ(status(), "9");
  EXPECT_EQ(client_.header(1, "grpc-message"), "a text with %C3%BC, %25 and%0Alines");
  EXPECT_EQ(client_.header(1, "grpc-status-details-bin"), absl::Base64Escape(kFailDetails));
  // Frames that were still on their way disturb no other call.
  client_.Send(RawClient::Data(1, RawClient::Message("late"), true));
  client_.Call(3, kEcho, "next");
  EXPECT_TRUE(client_.AwaitEnd(3));
}

TEST_F(WireTest, LongStatusIsCutToWhatClientsTake) {
  Exchange(kChatty, RawClient::Message("1000000"));
  EXPECT_EQ(status(), kInternal);
  EXPECT_EQ(client_.header(1, "grpc-message").size(), limits::kGrpcStatusTextBytesMax);
  EXPECT_EQ(client_.header(1, "grpc-status-details-bin"), "");
}

TEST_F(WireTest, TooLargeMessageIsRefusedByItsPrefix) {
  client_.Begin();
  client_.Send(RawClient::Headers(1, kEcho) + RawClient::Data(1, std::string_view("\0\x00\x80\x00\x01", 5), false));
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(status(), kResourceExhausted);
}

TEST_F(WireTest, TooManyHeaderBytesAreRefused) {
  client_.Begin();
  std::string more;
  for (int i = 0; i < 20; ++i) more += RawClient::HeaderField("x-large-" + std::to_string(i), std::string(900, 'x'));
  // The block is sent in two frames, because one frame has at most 16 KiB.
  const std::string block = RawClient::HeaderBlock(kEcho, more);
  client_.Send(RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_NONE, 1, block.substr(0, 10'000)) +
               RawClient::Frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, block.substr(10'000)) +
               RawClient::Data(1, RawClient::Message("x"), true));
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(status(), kResourceExhausted);
  client_.Call(3, kEcho, "next");
  EXPECT_TRUE(client_.AwaitEnd(3));
  EXPECT_EQ(client_.header(3, "grpc-status"), kStatusOk);
}

// The following tests are about flow-control windows.

TEST_F(WireTest, LargeMessagePassesASmallerWindow) {
  client_.Begin();
  const std::string message = RawClient::Message(std::string(limits::kGrpcMessageBytesMax, 'm'));
  client_.Send(RawClient::Headers(1, kEcho) + RawClient::WindowUpdate(0, 1 << 30) +
               RawClient::WindowUpdate(1, 1 << 30));
  constexpr size_t kStep = 16 << 10;
  for (size_t sent = 0; sent < message.size(); sent += kStep) {
    const auto room = [&] { return sent + kStep <= limits::kHttp2StreamWindowBytes + client_.stream(1).window; };
    ASSERT_TRUE(client_.Await(room)) << sent;
    ASSERT_TRUE(client_.Send(RawClient::Data(1, message.substr(sent, kStep), sent + kStep >= message.size())));
  }
  ASSERT_TRUE(client_.AwaitEnd(1));
  EXPECT_TRUE(client_.stream(1).data == message);
}

TEST_F(WireTest, BusyHandlerHoldsItsSenderBackAndGoesOnLater) {
  client_.Begin();
  const std::string message = RawClient::Message(std::string(10'000, 'm'));
  client_.Send(RawClient::Headers(1, kLaneStream) + RawClient::WindowUpdate(0, 1 << 30) +
               RawClient::WindowUpdate(1, 1 << 30));
  size_t sent = 0;
  for (; sent + message.size() <= limits::kHttp2StreamWindowBytes; sent += message.size()) {
    ASSERT_TRUE(client_.Send(RawClient::Data(1, message, false)));
  }
  ASSERT_TRUE(lane_.Await(1));
  // Other calls are still answered.
  client_.Call(3, kEcho, "other");
  ASSERT_TRUE(client_.AwaitEnd(3));
  EXPECT_LE(client_.stream(1).window, 2 * message.size());
  EXPECT_LT(HeldBytes(), 2 * limits::kHttp2StreamWindowBytes);
  const size_t messages = sent / message.size();
  for (size_t i = 0; i < messages; ++i) {
    ASSERT_TRUE(lane_.Await(1));
    EXPECT_EQ(lane_.waiting(), 1u);
    lane_.Answer();
    ASSERT_TRUE(client_.Await([&] { return client_.stream(1).data.size() == (i + 1) * message.size(); }));
  }
  ASSERT_TRUE(client_.Await([&] { return client_.stream(1).window >= limits::kHttp2StreamWindowBytes / 2; }));
  client_.Send(RawClient::Data(1, "", true));
  ASSERT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.stream(1).data.size(), sent);
  EXPECT_EQ(status(), kStatusOk);
}

TEST_F(WireTest, LargeAnswerPassesATinyWindow) {
  client_.Begin({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 100}});
  client_.Call(1, kBig, "10000");
  const size_t size = RawClient::Message(std::string(10'000, 'b')).size();
  for (size_t room = 100; room < size; room += 100) {
    ASSERT_TRUE(client_.Await([&] { return client_.stream(1).data.size() == room; })) << room;
    EXPECT_FALSE(client_.stream(1).ended);
    client_.Send(RawClient::WindowUpdate(1, 100));
  }
  EXPECT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.stream(1).data, RawClient::Message(std::string(10'000, 'b')));
  EXPECT_EQ(status(), kStatusOk);
}

}  // namespace
}  // namespace viewcount
