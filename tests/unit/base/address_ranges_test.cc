#include "service/base/address_ranges.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace viewcount {
namespace {

bool Contains(const std::vector<std::string>& ranges, const std::string& address) {
  const auto parsed = AddressRanges::Parse(ranges);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed->Contains(boost::asio::ip::make_address(address));
}

TEST(AddressRanges, ContainWhatSharesTheirFirstBits) {
  EXPECT_TRUE(Contains({"10.0.0.0/8"}, "10.255.0.1"));
  EXPECT_FALSE(Contains({"10.0.0.0/8"}, "11.0.0.0"));
  EXPECT_TRUE(Contains({"192.168.4.0/22"}, "192.168.7.255"));
  EXPECT_FALSE(Contains({"192.168.4.0/22"}, "192.168.8.0"));
  EXPECT_TRUE(Contains({"fd00::/7"}, "fc00::1"));
  EXPECT_FALSE(Contains({"fd00::/7"}, "fe00::1"));
  EXPECT_TRUE(Contains({"0.0.0.0/0"}, "255.1.2.3"));
  EXPECT_TRUE(Contains({"::/0"}, "1.2.3.4"));
}

TEST(AddressRanges, BitsBehindTheLengthDoNotMatter) { EXPECT_TRUE(Contains({"10.1.2.3/8"}, "10.9.9.9")); }

TEST(AddressRanges, AnAddressContainsItself) {
  EXPECT_TRUE(Contains({"127.0.0.1"}, "127.0.0.1"));
  EXPECT_FALSE(Contains({"127.0.0.1"}, "127.0.0.2"));
  EXPECT_TRUE(Contains({"::1"}, "::1"));
  EXPECT_FALSE(Contains({"::1"}, "::2"));
}

TEST(AddressRanges, MappedAddressesAreThoseOfIPv4) {
  EXPECT_TRUE(Contains({"127.0.0.0/8"}, "::ffff:127.0.0.1"));
  EXPECT_TRUE(Contains({"::ffff:10.0.0.0/104"}, "10.1.1.1"));
  EXPECT_FALSE(Contains({"0.0.0.0/0"}, "2001:db8::1"));
}

TEST(AddressRanges, AnyOfThemCountsAndNoneContainsNothing) {
  EXPECT_TRUE(Contains({"10.0.0.0/8", "::1"}, "::1"));
  EXPECT_FALSE(AddressRanges().Contains(boost::asio::ip::make_address("127.0.0.1")));
}

TEST(AddressRanges, WhatIsNoneIsRefusedByName) {
  for (const std::string bad : {"", "localhost", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
                                "10.0.0", "10.0.0.0/8/8", " 10.0.0.1", "fe80::1%lo", "fe80::1%none", "::1%a\nb",
                                "::1% https://a.example", "10.0.0.1%0", "[::1]", "10.0.0.1:80"}) {
    const auto parsed = AddressRanges::Parse(std::vector<std::string>{"::1", bad});
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_NE(parsed.status().message().find("\"" + bad + "\""), std::string::npos) << parsed.status();
  }
}

}  // namespace
}  // namespace viewcount
