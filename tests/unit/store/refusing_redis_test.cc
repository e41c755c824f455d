// A Redis answers but refuses some commands. The store must name what Redis cannot do, and continue with what it can
// do. It must notice an operator's changes while the service runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/flush/flush_error.h"
#include "service/store/redis/keys.h"
#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"

namespace viewcount {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::chrono::milliseconds kAskEvery{50};

LanePipeline::Options LookingOften() {
  return {.configure = [](RedisStore::Options& options) { options.look_interval = kAskEvery; }};
}

class RefusingRedisTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(pipeline_.Open().ok());
    ASSERT_NO_FATAL_FAILURE(CountAndExpect());
  }

  // Flushes views of "x" and reads them back.
  void CountAndExpect() {
    pipeline_.Fold("x", 3);
    views_ += 3;
    ASSERT_TRUE(Eventually([&] { return pipeline_.Flush().ok(); })) << store().problem() << store().refused_writes();
    const auto counts = pipeline_.Read({"x"});
    ASSERT_TRUE(counts.ok()) << counts.status();
    EXPECT_EQ(counts->totals[0].views, views_);
  }
  // Folds views that cannot be flushed now, and checks the kind of the error.
  void ExpectRefused(FlushError kind) {
    pipeline_.Fold("x", 3);
    views_ += 3;
    const absl::Status status = pipeline_.Flush();
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(FlushErrorOf(status), kind) << status;
  }
  RedisStore& store() { return pipeline_.store(); }
  std::string Refused() { return store().refused_writes(); }

  RedisProcess redis_;
  LanePipeline pipeline_{redis_, LookingOften()};
  int64_t views_ = 0;
};

TEST_F(RefusingRedisTest, ReadsGoOnWhileItsMemoryIsFull) {
  redis_.Command({"CONFIG", "SET", "maxmemory", "1"});
  ASSERT_THAT(redis_.Command({"SET", "x", "y"}), HasSubstr("OOM"));
  const Shard shard = ShardOf(ArticleHash(Hash64("demo"), "never read"));
  EXPECT_TRUE(pipeline_.Read({"never read"}).ok());
  EXPECT_TRUE(pipeline_.Popular().ok());
  EXPECT_TRUE(pipeline_.Await(store().ReadLane(shard, pipeline_.lane().id)).ok());
  EXPECT_TRUE(pipeline_.Await(store().ReadSites()).ok());
  EXPECT_TRUE(pipeline_.Await(store().Audit()).ok());
  const std::vector<std::vector<ViewerSetName>> unions = {{ViewerSetName{}}};
  EXPECT_TRUE(pipeline_.Await(store().EstimateViewers(shard, "demo", unions)).ok());
}

TEST_F(RefusingRedisTest, AStoredSaltIsReadWhileItsMemoryIsFull) {
  const ViewerSalt salt = RandomId<ViewerSalt>();
  ASSERT_TRUE(pipeline_.Await(store().ObtainSalt("demo", 20261122, salt)).ok());
  redis_.Command({"CONFIG", "SET", "maxmemory", "1"});
  const auto stored = pipeline_.Await(store().ObtainSalt("demo", 20261122, RandomId<ViewerSalt>()));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(*stored, salt);
}

TEST_F(RefusingRedisTest, FullMemoryIsNamedUntilItEnds) {
  EXPECT_THAT(Refused(), IsEmpty());
  redis_.Command({"CONFIG", "SET", "maxmemory", "1"});
  ExpectRefused(FlushError::kOutOfMemory);
  EXPECT_THAT(Refused(), HasSubstr("refuses writes with OOM: its memory is full"));
  EXPECT_THAT(store().problem(), IsEmpty());
  redis_.Command({"CONFIG", "SET", "maxmemory", "0"});
  CountAndExpect();
  EXPECT_THAT(Refused(), IsEmpty());
}

TEST_F(RefusingRedisTest, MissingReplicasAreNamed) {
  redis_.Command({"CONFIG", "SET", "min-replicas-to-write", "1"});
  ExpectRefused(FlushError::kNoReplicas);
  EXPECT_THAT(Refused(), HasSubstr("refuses writes with NOREPLICAS: "));
  redis_.Command({"CONFIG", "SET", "min-replicas-to-write", "0"});
  CountAndExpect();
}

TEST_F(RefusingRedisTest, ADiskThatCannotBeWrittenIsNamed) {
  // A folder takes the name of the file that the snapshot is renamed to.
  std::filesystem::create_directory(redis_.folder() + "/dump.rdb");
  redis_.Command({"CONFIG", "SET", "save", "3600 1"});
  redis_.Command({"BGSAVE"});
  const auto failed = [&] { return redis_.Command({"INFO"}).find("rdb_last_bgsave_status:err") != std::string::npos; };
  ASSERT_TRUE(Eventually(failed));
  ExpectRefused(FlushError::kMisconf);
  EXPECT_THAT(Refused(), HasSubstr("refuses writes with MISCONF: it cannot write to its disk"));
  redis_.Command({"CONFIG", "SET", "save", ""});
  CountAndExpect();
}

TEST_F(RefusingRedisTest, AMissingPermissionIsNamed) {
  redis_.Command({"ACL", "SETUSER", "default", "-hset"});
  ExpectRefused(FlushError::kNoPermission);
  EXPECT_THAT(Refused(), HasSubstr("refuses writes with NOPERM: "));
  redis_.Command({"ACL", "SETUSER", "default", "+hset"});
  CountAndExpect();
}

TEST_F(RefusingRedisTest, ADemotedMasterIsNamed) {
  redis_.Command({"REPLICAOF", "127.0.0.1", "1"});
  ExpectRefused(FlushError::kReadOnly);
  // The flush is also refused while preflight waits.
  ASSERT_TRUE(Eventually([&] { return store().problem().find("is a replica") != std::string::npos; }));
  ExpectRefused(FlushError::kReadOnly);
  redis_.Command({"REPLICAOF", "NO", "ONE"});
  CountAndExpect();
}

TEST_F(RefusingRedisTest, AnEvictingPolicyStopsFlushingUntilItIsRight) {
  redis_.Command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  ASSERT_TRUE(Eventually([&] {
    return store().problem().find("evicts keys (maxmemory-policy allkeys-lru)") != std::string::npos;
  })) << store().problem();
  ExpectRefused(FlushError::kEvicting);
  // This Redis may have evicted counted views, so no answer is taken from it.
  EXPECT_FALSE(pipeline_.Await(store().ReadSites()).ok());
  redis_.Command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  CountAndExpect();
}

TEST_F(RefusingRedisTest, EvictedKeysAreCounted) {
  ASSERT_EQ(pipeline_.metrics().store_evicted_keys.Value(), 0);
  for (int i = 0; i < 100; ++i) redis_.Command({"SET", "other:" + std::to_string(i), std::string(10'000, 'x')});
  redis_.Command({"CONFIG", "SET", "maxmemory-policy", "allkeys-random"});
  redis_.Command({"CONFIG", "SET", "maxmemory", "1"});
  const auto evicted = [&] { return redis_.Command({"INFO"}).find("evicted_keys:0\r") == std::string::npos; };
  ASSERT_TRUE(Eventually([&] { return redis_.Command({"SET", "more", "y"}), evicted(); }));
  redis_.Command({"CONFIG", "SET", "maxmemory", "0"});
  redis_.Command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  EXPECT_TRUE(Eventually([&] { return pipeline_.metrics().store_evicted_keys.Value() > 0; }));
}

TEST_F(RefusingRedisTest, LostMetaIsPutBackWhenIdle) {
  const std::string data_set = redis_.Command({"HGET", "vc:meta", "data_set"});
  const uint64_t generation = store().generation();
  redis_.Command({"DEL", "vc:meta"});
  EXPECT_TRUE(Eventually([&] { return redis_.Command({"HGET", "vc:meta", "data_set"}) == data_set; }));
  EXPECT_EQ(redis_.Command({"HGET", "vc:meta", "shards"}), "64");
  // The new generation causes the salts to be written again.
  EXPECT_TRUE(Eventually([&] { return store().generation() > generation; }));
  CountAndExpect();
}

// Preflight runs immediately, without waiting for the next regular check.
TEST(EmptiedRedis, ARollbackOfAShardRunsPreflightAgain) {
  RedisProcess redis;
  LanePipeline pipeline(
      redis, {.configure = [](RedisStore::Options& options) { options.look_interval = std::chrono::hours(1); }});
  ASSERT_TRUE(pipeline.Open().ok());
  pipeline.Fold("x", 3);
  ASSERT_TRUE(pipeline.Flush().ok());
  const std::string data_set = redis.Command({"HGET", "vc:meta", "data_set"});
  const uint64_t generation = pipeline.store().generation();
  redis.Command({"FLUSHALL"});
  pipeline.Fold("x", 4);
  EXPECT_TRUE(Eventually([&] { return pipeline.Flush().ok(); }));
  EXPECT_TRUE(Eventually([&] { return redis.Command({"HGET", "vc:meta", "data_set"}) == data_set; }));
  EXPECT_TRUE(Eventually([&] { return pipeline.store().generation() > generation; }));
  EXPECT_EQ(pipeline.Read({"x"})->totals[0].views, 7);
  // Another instance can join the restored data set.
  LanePipeline second(redis);
  ASSERT_TRUE(second.Open().ok());
  EXPECT_EQ(second.store().data_set(), pipeline.store().data_set());
}

// Reads more articles than Lua accepts in one call. The test uses a transaction, and the script that reads while Redis
// refuses transactions.
TEST(ReadTogether, AnswersAlikeInTransactionsAndScripts) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  const Shard shard{7};
  const std::string views = keys::Counts(shard, "demo", {});
  redis.Command({"HSET", views, "0", "-3", "4000", "9007199254740992", "9999", "5", "", "6"});
  redis.Command(
      {"PFADD", keys::Viewers(shard, "demo", {.kind = ViewerSetName::Kind::kArticle, .article_id = "1"}), "x"});
  std::vector<std::string> texts;
  for (int i = 0; i < 10'000; ++i) texts.push_back(std::to_string(i));
  const std::vector<std::string_view> ids(texts.begin(), texts.end());
  const std::vector<LaneId> lanes = {RandomId<LaneId>(), pipeline.lane().id};
  const std::vector<Window> windows = {{}, {Window::Kind::kBots, 0}};
  const std::vector<Window> of_viewers = {{Window::Kind::kViewers, 0}};
  const std::vector<std::string_view> two = {"0", "1"};
  for (const char* memory : {"0", "1"}) {
    redis.Command({"CONFIG", "SET", "maxmemory", memory});
    const auto read = pipeline.Await(pipeline.store().ReadCounts(shard, lanes, "demo", windows, ids));
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ(read->counts.size(), 2u);
    for (const auto& counts : read->counts) ASSERT_EQ(counts.size(), ids.size());
    EXPECT_EQ(read->counts[0][0], -3);
    EXPECT_EQ(read->counts[0][4'000], int64_t{1} << 53);
    EXPECT_EQ(read->counts[0][9'999], 5);
    EXPECT_EQ(read->counts[0][1], 0);
    EXPECT_EQ(read->counts[1][0], 0);
    const auto viewers = pipeline.Await(pipeline.store().ReadCounts(shard, lanes, "demo", of_viewers, two));
    ASSERT_TRUE(viewers.ok()) << viewers.status();
    EXPECT_EQ(viewers->counts[0], (std::vector<int64_t>{0, 1}));
    EXPECT_FALSE(read->lanes[0].has_value());
    ASSERT_TRUE(read->lanes[1].has_value());
    EXPECT_EQ(read->lanes[1]->cursor, Cursor::End(Position{0}));
  }
}

// A key of another type, written by another program, is an error in both ways of reading.
TEST(ReadTogether, AnErrorOfOneCommandIsTheirs) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  redis.Command({"SET", keys::Counts(Shard{7}, "demo", {}), "text"});
  const std::vector<LaneId> lanes = {pipeline.lane().id};
  const std::vector<Window> windows = {{}};
  const std::vector<std::string_view> ids = {"x"};
  for (const char* memory : {"0", "1"}) {
    redis.Command({"CONFIG", "SET", "maxmemory", memory});
    const auto read = pipeline.Await(pipeline.store().ReadCounts(Shard{7}, lanes, "demo", windows, ids));
    EXPECT_EQ(ReasonOf(read.status()), "REDIS_WRONGTYPE") << read.status();
  }
}

}  // namespace
}  // namespace viewcount
