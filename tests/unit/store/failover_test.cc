// A Redis is no longer the master, and another server takes its place. Connections that stay open must not keep the
// store at the old server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>

#include "service/base/hash.h"
#include "service/store/redis/keys.h"
#include "tests/support/eventually.h"
#include "tests/support/free_port.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/redis_pair.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::milliseconds kOften{50};
// The interval is longer than any test, so the store learns of a change only from answers.
constexpr std::chrono::milliseconds kNever = std::chrono::hours(1);

// Returns the number of the server's clients, without the test itself and without its replica.
int ClientsOf(RedisProcess& redis) {
  int clients = -1;
  const std::string list = redis.Command({"CLIENT", "LIST", "TYPE", "NORMAL"});
  for (size_t at = 0; (at = list.find("id=", at)) != std::string::npos; ++at) ++clients;
  return clients;
}

class FailoverTest : public ::testing::Test {
 protected:
  void Open(std::chrono::milliseconds look_interval = kNever) {
    pipeline_ = std::make_unique<LanePipeline>(
        pair_.master(), LanePipeline::Options{.configure = [this, look_interval](RedisStore::Options& options) {
          options.address = *ParseRedisAddress(pair_.proxy().url());
          options.look_interval = look_interval;
        }});
    ASSERT_TRUE(pipeline_->Open().ok());
  }
  void Count(uint32_t views) {
    pipeline_->Fold("x", views);
    views_ += views;
  }
  // Flushes until it succeeds, and compares the count in the present master with the expected one.
  void ExpectStored() {
    EXPECT_TRUE(Eventually([&] { return pipeline_->Flush().ok(); })) << pipeline_->store().problem();
    const auto counts = pipeline_->Read({"x"});
    ASSERT_TRUE(counts.ok()) << counts.status();
    EXPECT_EQ(counts->totals[0].views, views_);
    const Shard shard = ShardOf(ArticleHash(pipeline_->site()->seed, "x"));
    EXPECT_EQ(pair_.master().Command({"HGET", keys::Counts(shard, "demo", {}), "x"}), std::to_string(views_));
  }

  RedisPair pair_{{}, TestSeed()};
  std::unique_ptr<LanePipeline> pipeline_;
  int64_t views_ = 0;
};

TEST_F(FailoverTest, AWriteToADemotedMasterLeadsToTheNewOne) {
  Open();
  Count(3);
  ExpectStored();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pair_.PromoteInOrder());
    Count(5);
    ExpectStored();
    // The reader's connection moves as well. Replies of the old server never count for the new one.
    EXPECT_TRUE(Eventually([&] { return ClientsOf(pair_.replica()) == 0; }));
  }
}

TEST_F(FailoverTest, ViewsThatTheOldMasterLostAreFlushedAgain) {
  Open();
  Count(3);
  ExpectStored();
  ASSERT_TRUE(Eventually([&] { return pair_.master().Command({"WAIT", "1", "100"}) == "1"; }));
  // Views that are flushed from now on never reach the replica.
  pair_.replica().Command({"REPLICAOF", "NO", "ONE"});
  Count(5);
  ExpectStored();
  pair_.Promote();
  Count(7);
  ExpectStored();
}

TEST_F(FailoverTest, AnIdleStoreFollowsAPromotion) {
  Open(kOften);
  ASSERT_TRUE(pair_.PromoteInOrder());
  EXPECT_TRUE(Eventually([&] { return ClientsOf(pair_.replica()) == 0; }));
  EXPECT_TRUE(Eventually([&] { return pipeline_->store().problem().empty(); }));
  EXPECT_GE(ClientsOf(pair_.master()), 2);
}

TEST_F(FailoverTest, AReadFromAReplicaThatLostItsMasterEndsTheConnection) {
  Open();
  RedisProcess& redis = pair_.master();
  redis.Command({"CONFIG", "SET", "replica-serve-stale-data", "no"});
  redis.Command({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_FALSE(pipeline_->Await(pipeline_->store().ReadSites()).ok());
  EXPECT_TRUE(Eventually([&] { return pipeline_->store().problem().find("is a replica") != std::string::npos; }))
      << pipeline_->store().problem();
  redis.Command({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(Eventually([&] { return pipeline_->store().problem().empty(); }));
}

// This fixture has a host name whose addresses the test chooses.
class NamedHostTest : public ::testing::Test {
 protected:
  static std::vector<std::string> Listening(const std::string& address, uint16_t port) {
    return {"--bind", address, "--port", std::to_string(port)};
  }
  LanePipeline::Options Named() {
    return {.configure = [this](RedisStore::Options& options) {
      options.address = *ParseRedisAddress("redis://redis.example:" + std::to_string(port_));
      options.resolve = [this](std::string,
                               uint16_t) -> boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> {
        const std::lock_guard lock(mutex_);
        ++resolved_;
        co_return addresses_;
      };
    }};
  }
  void SetAddresses(std::vector<std::string> addresses) {
    const std::lock_guard lock(mutex_);
    addresses_ = std::move(addresses);
  }

  const uint16_t port_ = PickFreePort();
  std::mutex mutex_;
  std::vector<std::string> addresses_;
  std::atomic<int> resolved_{0};
};

TEST_F(NamedHostTest, AllAddressesAreTriedInTurn) {
  RedisProcess redis(Listening("127.0.0.1", port_));
  // No server listens at the first two addresses.
  SetAddresses({"::1", "127.0.0.7", "127.0.0.1"});
  LanePipeline pipeline(redis, Named());
  auto opened = pipeline.Spawn(pipeline.store().Open());
  ASSERT_EQ(opened.wait_for(std::chrono::seconds(10)), std::future_status::ready) << pipeline.store().problem();
  EXPECT_TRUE(opened.get().ok());
}

TEST_F(NamedHostTest, TheNameIsResolvedAtEachReconnect) {
  RedisProcess first(Listening("127.0.0.1", port_));
  RedisProcess second(Listening("127.0.0.2", port_));
  SetAddresses({"127.0.0.1"});
  LanePipeline pipeline(first, Named());
  ASSERT_TRUE(pipeline.Open().ok());
  const std::string data_set = ToHex(pipeline.store().data_set());
  SetAddresses({"127.0.0.1", "127.0.0.2"});
  first.Kill();
  EXPECT_TRUE(Eventually([&] { return second.Command({"HGET", "vc:meta", "data_set"}) == data_set; }));
  EXPECT_TRUE(Eventually([&] { return pipeline.store().problem().empty(); }));
}

TEST_F(NamedHostTest, AReplicaAmongTheAddressesIsPassedOver) {
  RedisProcess replica(Listening("127.0.0.1", port_));
  RedisProcess master(Listening("127.0.0.2", port_));
  replica.Command({"REPLICAOF", "127.0.0.2", std::to_string(port_)});
  SetAddresses({"127.0.0.1", "127.0.0.2"});
  LanePipeline pipeline(master, Named());
  auto opened = pipeline.Spawn(pipeline.store().Open());
  ASSERT_EQ(opened.wait_for(std::chrono::seconds(10)), std::future_status::ready) << pipeline.store().problem();
  ASSERT_TRUE(opened.get().ok());
  EXPECT_EQ(master.Command({"HGET", "vc:meta", "data_set"}), ToHex(pipeline.store().data_set()));
}

TEST_F(NamedHostTest, TheMostTellingOfSeveralErrorsIsReported) {
  RedisProcess redis({"--bind", "127.0.0.1", "--port", std::to_string(port_), "--maxmemory-policy", "allkeys-lru"});
  SetAddresses({"127.0.0.7", "127.0.0.1", "127.0.0.8"});
  LanePipeline pipeline(redis, Named());
  const absl::Status status = pipeline.Open();
  EXPECT_TRUE(IsRefusal(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("127.0.0.1: this Redis evicts keys"));
}

}  // namespace
}  // namespace viewcount
