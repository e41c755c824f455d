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

}  // namespace
}  // namespace viewcount
