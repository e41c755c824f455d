#include "service/base/redis_address.h"

#include <gtest/gtest.h>

namespace viewcount {
namespace {

TEST(RedisAddress, UrlsAreRead) {
  const auto full = ParseRedisAddress("redis://news:p%40ss%3a%25@[::1]:7000/3");
  ASSERT_TRUE(full.ok()) << full.status();
  EXPECT_EQ(full->user, "news");
  EXPECT_EQ(full->password, "p@ss:%");
  EXPECT_EQ(full->host, "::1");
  EXPECT_EQ(full->port, 7000);
  EXPECT_EQ(full->database, 3u);
  EXPECT_EQ(full->ToString(), "[::1]:7000/3");
  const auto plain = ParseRedisAddress("redis://localhost");
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_EQ(plain->port, 6379);
  EXPECT_EQ(plain->password, "");
  EXPECT_EQ(ParseRedisAddress("redis://:secret@localhost/")->password, "secret");
  const auto socket = ParseRedisAddress("redis+unix:///run/redis/redis.sock?db=2");
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_EQ(socket->socket_path, "/run/redis/redis.sock");
  EXPECT_EQ(socket->database, 2u);
}

TEST(RedisAddress, WhatIsNoUrlIsRefusedWithoutRepeatingIt) {
  for (const char* text : {"", "localhost:6379", "http://localhost", "redis://", "redis://:secret@",
                           "redis://secret@host", "redis://host:0", "redis://host:65536", "redis://host:1x",
                           "redis://host/x", "redis://host/-1", "redis+unix://", "redis+unix://relative"}) {
    const auto address = ParseRedisAddress(text);
    ASSERT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(address.status().message().find("secret"), absl::string_view::npos) << address.status();
  }
}

TEST(RedisAddress, TopologiesThatAreNotBuiltSaySo) {
  for (const char* text : {"redis+sentinel://h:1,h:2/name", "redis+cluster://h:1", "rediss://h:1"}) {
    EXPECT_EQ(ParseRedisAddress(text).status().code(), absl::StatusCode::kUnimplemented) << text;
  }
}

TEST(RedisAddress, PasswordsAreMasked) {
  EXPECT_EQ(WithoutPassword("redis://news:secret@host:1/2"), "redis://news:***@host:1/2");
  EXPECT_EQ(WithoutPassword("redis://:se@cr:et@host"), "redis://:***@host");
  EXPECT_EQ(WithoutPassword("redis://secret@host"), "redis://***@host");
  EXPECT_EQ(WithoutPassword("redis://host:1"), "redis://host:1");
  EXPECT_EQ(WithoutPassword("embedded"), "embedded");
}

}  // namespace
}  // namespace viewcount
