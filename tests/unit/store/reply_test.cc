#include "service/store/redis/reply.h"

#include <gtest/gtest.h>

#include "service/base/status.h"

namespace viewcount {
namespace {

Reply Text(std::string text) { return {.kind = Reply::Kind::kText, .text = std::move(text)}; }

TEST(Reply, CountsAreIntegersUpToTwoToThe53) {
  EXPECT_EQ(*CountOf(Reply()), 0);
  EXPECT_EQ(*CountOf(Text("-17")), -17);
  EXPECT_EQ(*CountOf(Text("17")), 17);
  EXPECT_EQ(*CountOf(Text("9007199254740992")), int64_t{1} << 53);
  for (const char* bad : {"", "-", "1.5", "1e3", "x", "9007199254740993", "17 "}) {
    EXPECT_TRUE(absl::IsDataLoss(CountOf(Text(bad)).status())) << bad;
  }
}

TEST(Reply, ErrorsBecomeStatusesByTheirFirstWord) {
  EXPECT_TRUE(absl::IsResourceExhausted(ErrorOfReply("OOM command not allowed when used memory > 'maxmemory'.")));
  EXPECT_TRUE(absl::IsUnavailable(ErrorOfReply("LOADING Redis is loading the dataset in memory")));
  EXPECT_TRUE(absl::IsUnavailable(ErrorOfReply("READONLY You can't write against a read only replica.")));
  EXPECT_TRUE(absl::IsPermissionDenied(ErrorOfReply("NOAUTH Authentication required.")));
  EXPECT_TRUE(absl::IsInternal(ErrorOfReply("ERR unknown command")));
  EXPECT_EQ(ReasonOf(ErrorOfReply("BUSY Redis is busy")), "REDIS_BUSY");
}

TEST(Reply, ErrorsInsideScriptsGetTheWordOfTheirCommand) {
  EXPECT_EQ(ReasonOf(ErrorOfReply("READONLY You can't write against a read only replica. script: 33e, on @u:1.")),
            "REDIS_READONLY");
  const auto denied = ErrorOfReply("ERR The user executing the script can't run this command or subcommand script: b6");
  EXPECT_TRUE(absl::IsPermissionDenied(denied));
  EXPECT_EQ(ReasonOf(denied), "REDIS_NOPERM");
  EXPECT_EQ(ReasonOf(ErrorOfReply("ERR unknown command 'CONFIG', with args beginning with: ")),
            "REDIS_UNKNOWN_COMMAND");
  EXPECT_EQ(ReasonOf(ErrorOfReply("ERR Unknown Redis command called from script script: a83")),
            "REDIS_UNKNOWN_COMMAND");
}

TEST(Reply, SomeErrorsSayThatTheServerIsTheWrongOne) {
  for (const char* text :
       {"READONLY You can't write", "MASTERDOWN Link with MASTER is down", "LOADING Redis is loading"})
    EXPECT_TRUE(IsFromWrongServer(text)) << text;
  for (const char* text : {"OOM command not allowed", "BUSY Redis is busy", "ERR READONLY", "MISCONF Redis is", ""})
    EXPECT_FALSE(IsFromWrongServer(text)) << text;
}

TEST(Reply, WhatOperatorsMeetIsExplained) {
  for (const char* reason : {"REDIS_OOM", "REDIS_READONLY", "REDIS_MISCONF", "REDIS_NOREPLICAS", "REDIS_NOPERM"})
    EXPECT_FALSE(ExplanationOf(reason).empty()) << reason;
}

}  // namespace
}  // namespace viewcount
