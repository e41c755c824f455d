// What a Redis must be before anything is entrusted to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/base/status.h"
#include "tests/support/lane_pipeline.h"

namespace viewcount {
namespace {

using ::testing::HasSubstr;

std::string OpenError(RedisProcess& redis, DataSetId data_set = {}) {
  LanePipeline pipeline(redis, {.data_set = data_set});
  const absl::Status status = pipeline.Open();
  EXPECT_TRUE(IsRefusal(status)) << status;
  return std::string(status.message());
}

TEST(Preflight, AnEmptyStoreIsBegun) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  EXPECT_EQ(redis.Command({"HGET", "vc:meta", "data_set"}), ToHex(pipeline.store().data_set()));
  EXPECT_EQ(redis.Command({"HGET", "vc:meta", "format"}), "1");
  EXPECT_EQ(redis.Command({"HGET", "vc:meta", "shards"}), "64");
}

TEST(Preflight, TheDataSetOfTheStoreIsTaken) {
  RedisProcess redis;
  DataSetId first;
  {
    LanePipeline pipeline(redis);
    ASSERT_TRUE(pipeline.Open().ok());
    first = pipeline.store().data_set();
  }
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  EXPECT_EQ(pipeline.store().data_set(), first);
}

TEST(Preflight, AnotherDataSetIsRefused) {
  RedisProcess redis;
  {
    LanePipeline pipeline(redis);
    ASSERT_TRUE(pipeline.Open().ok());
  }
  const auto mine = RandomId<DataSetId>();
  const std::string error = OpenError(redis, mine);
  EXPECT_THAT(error, HasSubstr(ToHex(mine)));
  EXPECT_THAT(error, HasSubstr("--data-dir"));
}

TEST(Preflight, ANewerFormatIsRefused) {
  RedisProcess redis;
  redis.Command({"HSET", "vc:meta", "data_set", ToHex(RandomId<DataSetId>()), "format", "2", "shards", "64"});
  EXPECT_THAT(OpenError(redis), HasSubstr("use a newer viewcountd"));
}

TEST(Preflight, AnEvictingPolicyIsRefused) {
  RedisProcess redis({"--maxmemory-policy", "allkeys-lru"});
  const std::string error = OpenError(redis);
  EXPECT_THAT(error, HasSubstr("allkeys-lru"));
  EXPECT_THAT(error, HasSubstr("config set maxmemory-policy noeviction"));
}

TEST(Preflight, AMissingPasswordIsRefused) {
  RedisProcess redis({"--requirepass", "secret"});
  EXPECT_THAT(OpenError(redis), HasSubstr("password"));
}

}  // namespace
}  // namespace viewcount
