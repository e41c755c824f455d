#include "service/base/address.h"

#include <gtest/gtest.h>

#include <string>

namespace viewcount {
namespace {

TEST(Address, HostAndPortAreRead) {
  const auto ipv4 = ParseHostPort("127.0.0.1:7400");
  ASSERT_TRUE(ipv4.ok());
  EXPECT_EQ(ipv4->host, "127.0.0.1");
  EXPECT_EQ(ipv4->port, 7400);
  const auto ipv6 = ParseHostPort("[::1]:65535");
  ASSERT_TRUE(ipv6.ok());
  EXPECT_EQ(ipv6->host, "::1");
  EXPECT_EQ(ipv6->port, 65535);
  const auto name = ParseHostPort("views.example.org:0");
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->host, "views.example.org");
  EXPECT_EQ(name->port, 0);
}

TEST(Address, WhatIsNoAddressIsRefusedWithTheForm) {
  for (const char* text : {"", ":", "7400", "host", "host:", ":7400", "host:65536", "host:-1", "host:+1", "host:1x",
                           "::1:7400", "[::1]", "[::1]7400", "[host]:1", "[::1:7400", "a b:1", "a\n:1", "a:1:2"}) {
    const auto address = ParseHostPort(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_NE(address.status().message().find("host:port"), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace viewcount
