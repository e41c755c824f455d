// Tests broken connections and restarted Redis servers.
#include <gtest/gtest.h>
#include <signal.h>

#include <future>

#include "service/base/status.h"
#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"

namespace viewcount {
namespace {

const std::vector<std::string> kDurable = {"--appendonly", "yes", "--appendfsync", "always"};

TEST(Reconnect, AKilledRedisIsUnavailableAndThenUsedAgain) {
  RedisProcess redis(kDurable);
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  const uint64_t generation = pipeline.store().generation();
  redis.Kill();
  EXPECT_TRUE(Eventually([&] { return !pipeline.store().problem().empty(); }));
  EXPECT_TRUE(absl::IsUnavailable(pipeline.Await(pipeline.store().ReadSites()).status()));
  redis.Start();
  EXPECT_TRUE(Eventually([&] { return pipeline.store().problem().empty(); }));
  EXPECT_GT(pipeline.store().generation(), generation);
  EXPECT_TRUE(pipeline.Await(pipeline.store().ReadSites()).ok());
}

TEST(Reconnect, AStoreThatIsAwayAtTheStartIsWaitedFor) {
  RedisProcess redis(kDurable);
  redis.Kill();
  LanePipeline pipeline(redis);
  auto opened = std::async(std::launch::async, [&] { return pipeline.Open(); });
  EXPECT_TRUE(Eventually([&] { return pipeline.store().problem().find("redis.sock") != std::string::npos; }));
  redis.Start();
  EXPECT_TRUE(opened.get().ok());
}

TEST(Reconnect, ASilentRedisCostsTheConnectionAfterTheTimeout) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  kill(redis.pid(), SIGSTOP);
  const auto began = std::chrono::steady_clock::now();
  const auto answer = pipeline.Await(pipeline.store().ReadSites());
  EXPECT_TRUE(absl::IsDeadlineExceeded(answer.status())) << answer.status();
  EXPECT_GE(std::chrono::steady_clock::now() - began, limits::kStoreCommandTimeout);
  kill(redis.pid(), SIGCONT);
  EXPECT_TRUE(Eventually([&] { return pipeline.store().problem().empty(); }));
}

TEST(Reconnect, AnotherDataSetBehindTheSameAddressIsNotUsed) {
  RedisProcess redis(kDurable);
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  redis.Command({"HSET", "vc:meta", "data_set", ToHex(RandomId<DataSetId>())});
  redis.Kill();
  redis.Start();
  EXPECT_TRUE(Eventually([&] { return pipeline.store().problem().find("belongs to data set") != std::string::npos; }));
  EXPECT_TRUE(absl::IsUnavailable(pipeline.Await(pipeline.store().ReadSites()).status()));
}

}  // namespace
}  // namespace viewcount
