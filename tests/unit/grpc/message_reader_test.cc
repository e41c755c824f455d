#include "service/grpc/http2/message_reader.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

namespace viewcount {
namespace {

constexpr size_t kMessageMax = 100'000;
constexpr int kGzip = 15 + 16;
constexpr int kDeflate = 15;
constexpr int kRaw = -15;

std::string Compress(std::string_view text, int window) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Framed(std::string_view message, char flag = 0) {
  std::string out;
  AppendMessage(message, out);
  out[0] = flag;
  return out;
}

std::vector<std::string> TakeAll(MessageReader& reader) {
  std::vector<std::string> messages;
  while (reader.has_message()) messages.push_back(reader.Take());
  return messages;
}

TEST(MessageReaderTest, MessagesCutAnywhereAreTheSame) {
  const std::string zipped = Compress("zipped zipped zipped", kGzip);
  const std::string bytes = Framed("first") + Framed("") + Framed(zipped, 1) + Framed(std::string(300, 'x'));
  const std::vector<std::string> expected{"first", "", "zipped zipped zipped", std::string(300, 'x')};
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    MessageReader reader;
    reader.AllowCompressed();
    ASSERT_TRUE(reader.Add(std::string_view(bytes).substr(0, cut), kMessageMax).ok());
    std::vector<std::string> messages = TakeAll(reader);
    ASSERT_TRUE(reader.Add(std::string_view(bytes).substr(cut), kMessageMax).ok());
    for (auto& message : TakeAll(reader)) messages.push_back(message);
    EXPECT_EQ(messages, expected) << cut;
    EXPECT_FALSE(reader.incomplete());
  }
}

TEST(MessageReaderTest, MessagesByteByByte) {
  MessageReader reader;
  const std::string bytes = Framed("abc") + Framed("defg");
  for (const char& byte : bytes) ASSERT_TRUE(reader.Add({&byte, 1}, kMessageMax).ok());
  EXPECT_EQ(TakeAll(reader), (std::vector<std::string>{"abc", "defg"}));
}

TEST(MessageReaderTest, IncompleteFromTheFirstByteToTheLast) {
  MessageReader reader;
  const std::string bytes = Framed("abc");
  EXPECT_FALSE(reader.incomplete());
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    ASSERT_TRUE(reader.Add(bytes.substr(i, 1), kMessageMax).ok());
    EXPECT_TRUE(reader.incomplete()) << i;
    EXPECT_FALSE(reader.has_message());
  }
  ASSERT_TRUE(reader.Add(bytes.substr(bytes.size() - 1), kMessageMax).ok());
  EXPECT_FALSE(reader.incomplete());
  EXPECT_TRUE(reader.has_message());
}

TEST(MessageReaderTest, GzipAndDeflateAreRead) {
  for (const int window : {kGzip, kDeflate}) {
    for (const std::string& text : {std::string(), std::string("short"), std::string(kMessageMax, 'a')}) {
      MessageReader reader;
      reader.AllowCompressed();
      ASSERT_TRUE(reader.Add(Framed(Compress(text, window), 1), kMessageMax).ok());
      EXPECT_EQ(reader.Take(), text);
    }
  }
}

TEST(MessageReaderTest, UncompressedAmongCompressedIsTakenAsItIs) {
  MessageReader reader;
  reader.AllowCompressed();
  ASSERT_TRUE(reader.Add(Framed("plain", 0), kMessageMax).ok());
  EXPECT_EQ(reader.Take(), "plain");
}

TEST(MessageReaderTest, CompressedWithoutEncodingIsRefused) {
  MessageReader reader;
  EXPECT_TRUE(absl::IsInternal(reader.Add(Framed(Compress("text", kGzip), 1), kMessageMax)));
}

TEST(MessageReaderTest, OtherFlagsAreRefused) {
  for (const int flag : {2, 3, 127, 255}) {
    MessageReader reader;
    reader.AllowCompressed();
    EXPECT_TRUE(absl::IsInternal(reader.Add(Framed("text", static_cast<char>(flag)), kMessageMax))) << flag;
  }
}

TEST(MessageReaderTest, LargestIsTakenAndOneMoreIsRefusedByItsPrefix) {
  MessageReader reader;
  ASSERT_TRUE(reader.Add(Framed(std::string(kMessageMax, 'x')), kMessageMax).ok());
  EXPECT_EQ(reader.Take().size(), kMessageMax);
  // The message is refused before any of its bytes arrive.
  const std::string prefix = Framed(std::string(kMessageMax + 1, 'x')).substr(0, MessageReader::kPrefixBytes);
  EXPECT_TRUE(absl::IsResourceExhausted(reader.Add(prefix, kMessageMax)));
}

TEST(MessageReaderTest, LongestLengthIsNoNegativeOne) {
  MessageReader reader;
  EXPECT_TRUE(absl::IsResourceExhausted(reader.Add(std::string_view("\0\xFF\xFF\xFF\xFF", 5), kMessageMax)));
}

TEST(MessageReaderTest, BombIsRefused) {
  const std::string bomb = Compress(std::string(100 * kMessageMax, '\0'), kGzip);
  ASSERT_LT(bomb.size(), kMessageMax);
  MessageReader reader;
  reader.AllowCompressed();
  EXPECT_TRUE(absl::IsResourceExhausted(reader.Add(Framed(bomb, 1), kMessageMax)));
  EXPECT_LT(reader.bytes(), 2 * kMessageMax);
}

TEST(MessageReaderTest, OneByteMoreOnceDecompressedIsRefused) {
  MessageReader reader;
  reader.AllowCompressed();
  ASSERT_TRUE(reader.Add(Framed(Compress(std::string(kMessageMax, 'x'), kGzip), 1), kMessageMax).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(
      reader.Add(Framed(Compress(std::string(kMessageMax + 1, 'x'), kGzip), 1), kMessageMax)));
}

TEST(MessageReaderTest, BrokenCompressionIsRefused) {
  const std::string zipped = Compress("some text that is long enough", kGzip);
  std::string flipped = zipped;
  flipped[zipped.size() / 2] = static_cast<char>(flipped[zipped.size() / 2] ^ 0x55);
  const std::vector<std::string> broken{"",
                                        "x",
                                        "no compression at all",
                                        zipped.substr(0, zipped.size() - 1),
                                        zipped.substr(0, 10),
                                        flipped,
                                        Compress("raw", kRaw)};
  for (const std::string& message : broken) {
    MessageReader reader;
    reader.AllowCompressed();
    EXPECT_TRUE(absl::IsInternal(reader.Add(Framed(message, 1), kMessageMax))) << testing::PrintToString(message);
  }
}

TEST(MessageReaderTest, WhatFollowsTheCompressedIsRefused) {
  MessageReader reader;
  reader.AllowCompressed();
  EXPECT_TRUE(absl::IsInternal(reader.Add(Framed(Compress("text", kGzip) + "garbage", 1), kMessageMax)));
}

TEST(MessageReaderTest, EmptyMessagesAndAnnouncedOnesCount) {
  MessageReader reader;
  std::string bytes;
  for (int i = 0; i < 1'000; ++i) bytes += Framed("");
  ASSERT_TRUE(reader.Add(bytes, kMessageMax).ok());
  EXPECT_GE(reader.bytes(), 1'000 * sizeof(std::string));
  const size_t before = reader.bytes();
  ASSERT_TRUE(reader.Add(Framed(std::string(kMessageMax, 'x')).substr(0, 10), kMessageMax).ok());
  // Memory is reserved for the announced message.
  EXPECT_GE(reader.bytes(), before + kMessageMax);
}

TEST(MessageReaderTest, SmallCompressedMessagesTakeLittleMemory) {
  MessageReader reader;
  reader.AllowCompressed();
  const std::string message = Framed(Compress("a text of some length, and more", kGzip), 1);
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(reader.Add(message, kMessageMax).ok());
  EXPECT_LT(reader.bytes(), 1'000 * 200);
}

TEST(MessageReaderTest, ManySmallMessagesAreTakenQuicklyAndLeaveNothing) {
  MessageReader reader;
  const std::string message = Framed("");
  std::string bytes;
  for (int i = 0; i < 800'000; ++i) bytes += message;
  ASSERT_TRUE(reader.Add(bytes, kMessageMax).ok());
  // The test would take far longer than a second if each removal moved all remaining messages.
  size_t taken = 0;
  for (; reader.has_message(); ++taken) reader.Take();
  EXPECT_EQ(taken, 800'000u);
  EXPECT_EQ(reader.bytes(), 0u);
}

TEST(MessageReaderTest, OrderStaysWhileMessagesComeAndGo) {
  MessageReader reader;
  int added = 0;
  int taken = 0;
  for (int round = 0; round < 1'000; ++round) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(reader.Add(Framed(std::to_string(added++)), kMessageMax).ok());
    for (int i = 0; i < (round % 2 == 0 ? 2 : 3); ++i) EXPECT_EQ(reader.Take(), std::to_string(taken++));
    EXPECT_EQ(reader.messages(), static_cast<size_t>(added - taken));
  }
  for (const auto& message : TakeAll(reader)) EXPECT_EQ(message, std::to_string(taken++));
  EXPECT_EQ(taken, added);
}

TEST(MessageReaderTest, ClearLeavesNothing) {
  MessageReader reader;
  ASSERT_TRUE(
      reader.Add(Framed(std::string(1'000, 'x')) + Framed(std::string(kMessageMax, 'y')).substr(0, 100), kMessageMax)
          .ok());
  reader.Clear();
  EXPECT_FALSE(reader.has_message());
  EXPECT_FALSE(reader.incomplete());
  EXPECT_EQ(reader.bytes(), 0u);
}

}  // namespace
}  // namespace viewcount
