#include "service/grpc/http2/header_block.h"

#include <gtest/gtest.h>

#include <string>

#include "service/grpc/http2/http2_limits.h"
#include "tests/unit/grpc/grpc_fixture.h"
#include "tests/unit/grpc/raw_client.h"

namespace viewcount {
namespace {

constexpr size_t kBlockMax = 200;
constexpr size_t kReplacement = 150;

std::optional<std::string> Shorten(std::string_view block) {
  return ShortenHeaderBlock(block, kBlockMax, kReplacement);
}

TEST(ShortenHeaderBlockTest, LeavesWhatIsShort) {
  const std::string block = RawClient::HeaderBlock("/path", RawClient::HeaderField("x", std::string(kBlockMax, 'v')));
  EXPECT_EQ(Shorten(block), block);
  EXPECT_EQ(Shorten(""), "");
  // The block has indexed fields, a change of the dynamic table's size, and literals with an indexed name.
  const std::string indexed("\x82\x3F\xE1\x1F\x44\x01/\x04\x01/\x14\x01/", 13);
  EXPECT_EQ(Shorten(indexed), indexed);
}

TEST(ShortenHeaderBlockTest, ReplacesLongNamesAndValues) {
  const std::string kept = RawClient::HeaderField("kept", "value");
  const std::string longer(kBlockMax + 1, 'v');
  const std::string shorter(kReplacement, 'x');
  EXPECT_EQ(Shorten(kept + RawClient::HeaderField("x", longer) + kept),
            kept + RawClient::HeaderField("x", shorter) + kept);
  EXPECT_EQ(Shorten(RawClient::HeaderField(longer, longer)), RawClient::HeaderField(shorter, shorter));
}

TEST(ShortenHeaderBlockTest, ReplacementsHaveAnyLength) {
  const std::string block = RawClient::HeaderField("x", std::string(1'000, 'v'));
  for (const size_t bytes : {0, 1, 126, 127, 128, 254, 255, 256, 900}) {
    EXPECT_EQ(ShortenHeaderBlock(block, 900, bytes), RawClient::HeaderField("x", std::string(bytes, 'x'))) << bytes;
  }
}

TEST(ShortenHeaderBlockTest, RefusesWhatEndsTooSoon) {
  const std::string block = RawClient::HeaderField("name", std::string(kBlockMax + 1, 'v'));
  for (size_t size = 1; size < block.size(); ++size) EXPECT_EQ(Shorten(block.substr(0, size)), std::nullopt) << size;
  EXPECT_EQ(Shorten(std::string(1, '\xFF') + std::string(20, '\xFF')), std::nullopt);
}

// The following tests send long metadata over a connection.

class LongMetadataTest : public GrpcServerTest {
 protected:
  LongMetadataTest() : client_(address()) { client_.Begin(); }
  // Sends a call's headers as HEADERS and CONTINUATION frames of at most `frame_bytes`.
  void SendHeaders(int32_t stream, const std::string& block, size_t frame_bytes) {
    std::string frames;
    for (size_t at = 0; at < block.size(); at += frame_bytes) {
      const bool last = at + frame_bytes >= block.size();
      frames +=
          RawClient::Frame(at == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION,
                           last ? NGHTTP2_FLAG_END_HEADERS : NGHTTP2_FLAG_NONE, stream, block.substr(at, frame_bytes));
    }
    ASSERT_TRUE(client_.Send(frames));
  }
  void ExpectOnlyThisCallIsRefused(const std::string& metadata, size_t frame_bytes) {
    client_.Call(1, kLane, "other");
    ASSERT_TRUE(lane_.Await(1));
    SendHeaders(3, RawClient::HeaderBlock(kEcho, metadata), frame_bytes);
    client_.Send(RawClient::Data(3, RawClient::Message("x"), true));
    ASSERT_TRUE(client_.AwaitEnd(3));
    EXPECT_EQ(client_.header(3, "grpc-status"), "8");
    lane_.Answer();
    ASSERT_TRUE(client_.AwaitEnd(1));
    EXPECT_EQ(client_.header(1, "grpc-status"), "0");
    client_.Call(5, kEcho, "next");
    ASSERT_TRUE(client_.AwaitEnd(5));
    EXPECT_EQ(client_.header(5, "grpc-status"), "0");
  }

  RawClient client_;
};

TEST_F(LongMetadataTest, ValueAbove64KiBInOneFrameFailsItsCallOnly) {
  ASSERT_TRUE(client_.AwaitAllTaken());
  ExpectOnlyThisCallIsRefused(RawClient::HeaderField("x-long", std::string(70'000, 'v')), limits::kHttp2FrameBytesMax);
}

TEST_F(LongMetadataTest, ValueAbove64KiBInManyFramesFailsItsCallOnly) {
  ExpectOnlyThisCallIsRefused(RawClient::HeaderField("x-long", std::string(900'000, 'v')), 16 << 10);
}

// Before the client acknowledges the settings, the server may not accept larger frames.
TEST_F(LongMetadataTest, FirstCallOfAConnectionBeforeSettingsAreAcknowledged) {
  RawClient client(address());
  const std::string block = RawClient::HeaderBlock(kEcho, RawClient::HeaderField("x-long", std::string(100'000, 'v')) +
                                                              RawClient::HeaderField("y", std::string(30'000, 'v')));
  std::string bytes = std::string(RawClient::kPreface) + RawClient::Frame(NGHTTP2_SETTINGS, 0, 0, "");
  constexpr size_t kFrame = 16 << 10;
  for (size_t at = 0; at < block.size(); at += kFrame) {
    bytes += RawClient::Frame(at == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION,
                              at + kFrame >= block.size() ? NGHTTP2_FLAG_END_HEADERS : NGHTTP2_FLAG_NONE, 1,
                              block.substr(at, kFrame));
  }
  client.Send(bytes);
  ASSERT_TRUE(client.AwaitEnd(1));
  EXPECT_EQ(client.header(1, "grpc-status"), "8");
  client.Send(RawClient::Data(1, RawClient::Message("late"), true));
  client.Call(3, kEcho, "next");
  ASSERT_TRUE(client.AwaitEnd(3));
  EXPECT_EQ(client.header(3, "grpc-status"), "0");
}

TEST_F(LongMetadataTest, NameAbove64KiBFailsItsCallOnly) {
  ExpectOnlyThisCallIsRefused(RawClient::HeaderField(std::string(70'000, 'n'), "v"), 16 << 10);
}

TEST_F(LongMetadataTest, ManyValuesInManyFramesFailTheirCallOnly) {
  std::string metadata;
  for (int i = 0; i < 20; ++i) metadata += RawClient::HeaderField("x-" + std::to_string(i), std::string(5'000, 'v'));
  ExpectOnlyThisCallIsRefused(metadata, 16 << 10);
}

TEST_F(LongMetadataTest, SmallHeadersInFramesOfAnySizeAreACall) {
  int32_t stream = 1;
  const std::string block = RawClient::HeaderBlock(kEcho, RawClient::HeaderField("x", "y"));
  for (const size_t frame_bytes : {block.size() / 2 + 1, block.size() / 4 + 1, block.size()}) {
    SendHeaders(stream, block, frame_bytes);
    client_.Send(RawClient::Data(stream, RawClient::Message("x"), true));
    ASSERT_TRUE(client_.AwaitEnd(stream));
    EXPECT_EQ(client_.header(stream, "grpc-status"), "0");
    stream += 2;
  }
}

TEST_F(LongMetadataTest, BytesThatComeOneByOneAreTheSame) {
  const std::string call =
      RawClient::Frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_NONE, 1, RawClient::HeaderBlock(kEcho)) +
      RawClient::Frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, RawClient::HeaderField("x", "y")) +
      RawClient::Data(1, RawClient::Message("x"), true);
  for (const char byte : call) ASSERT_TRUE(client_.Send(std::string(1, byte)));
  ASSERT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), "0");
}

TEST_F(LongMetadataTest, HeadersThatNeverEndAreNotGatheredForEver) {
  const std::string fragment(16'000, '\x80');
  bool open = client_.Send(RawClient::Frame(NGHTTP2_HEADERS, 0, 1, fragment));
  for (int i = 0; open && i < 1'000; ++i) open = client_.Send(RawClient::Frame(NGHTTP2_CONTINUATION, 0, 1, fragment));
  EXPECT_TRUE(client_.IsClosed());
}

TEST_F(LongMetadataTest, AnotherFrameBetweenIsAConnectionError) {
  client_.Send(RawClient::Frame(NGHTTP2_HEADERS, 0, 1, RawClient::HeaderBlock(kEcho)) +
               RawClient::Frame(NGHTTP2_PING, 0, 0, "12345678"));
  EXPECT_TRUE(client_.IsClosed());
  EXPECT_EQ(client_.goaway(), uint32_t{NGHTTP2_PROTOCOL_ERROR});
}

}  // namespace
}  // namespace viewcount
