#include "service/grpc/http2/grpc_headers.h"

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

namespace viewcount {
namespace {
using namespace std::chrono_literals;

TEST(GrpcHeadersTest, PrintableTextStaysAsItIs) {
  std::string printable;
  for (char c = 0x20; c < 0x7F; ++c) {
    if (c != '%') printable += c;
  }
  EXPECT_EQ(PercentEncode(printable), printable);
  EXPECT_EQ(PercentEncode(""), "");
}

TEST(GrpcHeadersTest, TheRestIsEncoded) {
  EXPECT_EQ(PercentEncode("100%"), "100%25");
  EXPECT_EQ(PercentEncode("a\r\nb\t"), "a%0D%0Ab%09");
  EXPECT_EQ(PercentEncode(std::string_view("\0\x7F", 2)), "%00%7F");
  EXPECT_EQ(PercentEncode("Số"), "S%E1%BB%91");
}

TEST(GrpcHeadersTest, Base64OfEveryLength) {
  EXPECT_EQ(Base64Encode(""), "");
  EXPECT_EQ(Base64Encode("f"), "Zg==");
  EXPECT_EQ(Base64Encode("fo"), "Zm8=");
  EXPECT_EQ(Base64Encode("foo"), "Zm9v");
  EXPECT_EQ(Base64Encode("\xFB\xFF"), "+/8=");
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  std::string decoded;
  ASSERT_TRUE(absl::Base64Unescape(Base64Encode(bytes), &decoded));
  EXPECT_EQ(decoded, bytes);
}

TEST(GrpcHeadersTest, TimeoutsOfEveryUnit) {
  EXPECT_EQ(ParseGrpcTimeout("1H"), 1h);
  EXPECT_EQ(ParseGrpcTimeout("2M"), 2min);
  EXPECT_EQ(ParseGrpcTimeout("3S"), 3s);
  EXPECT_EQ(ParseGrpcTimeout("4m"), 4ms);
  EXPECT_EQ(ParseGrpcTimeout("5u"), 5us);
  EXPECT_EQ(ParseGrpcTimeout("6n"), 6ns);
  EXPECT_EQ(ParseGrpcTimeout("0S"), 0s);
  EXPECT_EQ(ParseGrpcTimeout("00000001S"), 1s);
}

TEST(GrpcHeadersTest, LongTimeoutsDoNotOverflow) {
  for (const char unit : {'H', 'M', 'S', 'm', 'u', 'n'}) {
    const auto timeout = ParseGrpcTimeout(std::string("99999999") + unit);
    ASSERT_TRUE(timeout) << unit;
    EXPECT_GT(*timeout, 0ns);
    EXPECT_GT(std::chrono::system_clock::now() + *timeout, std::chrono::system_clock::now());
  }
  EXPECT_EQ(ParseGrpcTimeout("99999999H"), 2'400h);
}

TEST(GrpcHeadersTest, WhatIsNoTimeoutIsNone) {
  for (const std::string_view text : {"", "S", "1", "1s", "1 S", " 1S", "1S ", "-1S", "-0S", "+1S", "1.5S", "0x1S",
                                      "1SS", "123456789S", "99999999999999999999S", "1h"}) {
    EXPECT_EQ(ParseGrpcTimeout(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace viewcount
