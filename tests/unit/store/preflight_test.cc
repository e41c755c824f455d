// Tests the requirements that a Redis must meet before any data is stored in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/base/status.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/log_capture.h"

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

TEST(Preflight, CountsWhoseDataSetIsUnknownAreNotTaken) {
  RedisProcess redis;
  DataSetId data_set;
  {
    LanePipeline pipeline(redis);
    ASSERT_TRUE(pipeline.Open().ok());
    data_set = pipeline.store().data_set();
  }
  redis.Command({"DEL", "vc:meta"});
  EXPECT_THAT(OpenError(redis), HasSubstr("vc:meta, which says of which data set they are, is gone"));
  EXPECT_EQ(redis.Command({"EXISTS", "vc:meta"}), "0");
  // The instance that owns the data set restores vc:meta.
  LanePipeline own(redis, {.data_set = data_set});
  ASSERT_TRUE(own.Open().ok());
  EXPECT_EQ(redis.Command({"HGET", "vc:meta", "data_set"}), ToHex(data_set));
}

constexpr char kNoRewrite[] = "BGREWRITEAOF";

LanePipeline::Options Waiving(RedisWaivers waivers) {
  return {.configure = [waivers](RedisStore::Options& options) { options.waivers = waivers; }};
}

TEST(Preflight, AForbiddenRewriteIsRefusedAndCanBeWaived) {
  RedisProcess redis({"--appendonly", "yes"});
  redis.Command({"ACL", "SETUSER", "default", "-bgrewriteaof"});
  const std::string error = OpenError(redis);
  EXPECT_THAT(error, HasSubstr(kNoRewrite));
  EXPECT_THAT(error, HasSubstr("ACL SETUSER NAME +bgrewriteaof"));
  EXPECT_THAT(error, HasSubstr("--redis-waive aof-rewrite"));
  LanePipeline pipeline(redis, Waiving({.aof_rewrite = true}));
  EXPECT_TRUE(pipeline.Open().ok());
}

TEST(Preflight, AMissingRewriteIsRefusedAndCanBeWaived) {
  RedisProcess redis({"--appendonly", "yes", "--rename-command", kNoRewrite, ""});
  const std::string error = OpenError(redis);
  EXPECT_THAT(error, HasSubstr("does not have the command BGREWRITEAOF"));
  EXPECT_THAT(error, HasSubstr("--redis-waive aof-rewrite"));
  LanePipeline pipeline(redis, Waiving({.aof_rewrite = true}));
  EXPECT_TRUE(pipeline.Open().ok());
}

TEST(Preflight, AForbiddenConfigIsSaidOnceAndIsNoRefusal) {
  const LogCapture log;
  RedisProcess redis;
  redis.Command({"ACL", "SETUSER", "default", "-config"});
  {
    LanePipeline pipeline(redis);
    ASSERT_TRUE(pipeline.Open().ok());
  }
  const std::string text = log.text();
  EXPECT_THAT(text, HasSubstr("does not tell its user whether it saves snapshots (CONFIG GET save: NOPERM"));
  EXPECT_THAT(text, HasSubstr("--redis-waive persistence"));
  EXPECT_EQ(text.find("--redis-waive"), text.rfind("--redis-waive"));
}

TEST(Preflight, ARedisWithoutInfoIsRefused) {
  RedisProcess redis({"--rename-command", "INFO", ""});
  EXPECT_THAT(OpenError(redis), HasSubstr("does not know these commands, which viewcountd needs: info"));
}

}  // namespace
}  // namespace viewcount
