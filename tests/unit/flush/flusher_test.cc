// Sends chunks to a real Redis that is killed, rolled back and cut off. Every view must be counted exactly once.
#include "service/flush/flusher.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/store/redis/keys.h"
#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/seed.h"
#include "tests/support/windows.h"
#include "tests/unit/flush/faulty_store.h"

namespace viewcount {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using CountsById = std::map<std::string, uint64_t>;

const std::vector<std::string> kDurable = {"--appendonly", "yes", "--appendfsync", "always"};
// With these options Redis returns to its last SAVE when it is killed.
const std::vector<std::string> kForgetful = {"--appendonly", "no", "--save", ""};
const uint64_t kDemoSeed = Hash64("demo");

Shard ShardOfId(const std::string& id) { return ShardOf(ArticleHash(kDemoSeed, id)); }

std::vector<std::string> IdsIn(Shard shard, size_t count) {
  std::vector<std::string> ids;
  for (int i = 0; ids.size() < count; ++i) {
    std::string id = "/story/" + std::to_string(i);
    if (ShardOfId(id) == shard) ids.push_back(std::move(id));
  }
  return ids;
}

// Returns the all-time counts in Redis, and checks the stored sum of every shard.
CountsById Stored(RedisProcess& redis) {
  CountsById totals;
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const auto words = redis.List({"HGETALL", keys::Counts(Shard{static_cast<uint8_t>(i)}, "demo", kAll)});
    uint64_t sum = 0;
    uint64_t stated = 0;
    for (size_t at = 0; at + 1 < words.size(); at += 2) {
      const uint64_t views = std::stoull(words[at + 1]);
      if (words[at].empty()) {
        stated = views;
      } else {
        totals[words[at]] = views;
        sum += views;
      }
    }
    EXPECT_EQ(stated, sum) << "shard " << i;
  }
  return totals;
}

// Returns options for a pipeline whose flusher uses a FaultyStore.
LanePipeline::Options Through(FaultyStore::Faults faults) {
  LanePipeline::Options options;
  options.decorate = [faults](CountStore& store) { return std::make_unique<FaultyStore>(store, faults); };
  return options;
}

// Folds views into the pipeline and counts them as well.
class Counted {
 public:
  explicit Counted(LanePipeline& pipeline) : pipeline_(pipeline) {}

  void Fold(const std::vector<std::string>& ids, uint32_t count = 1) {
    std::vector<DecodedView> views;
    for (const std::string& id : ids) {
      views.push_back({.article_id = id, .count = count});
      totals_[id] += count;
    }
    pipeline_.Fold(std::move(views));
  }
  const CountsById& totals() const { return totals_; }

 private:
  LanePipeline& pipeline_;
  CountsById totals_;
};

bool FlushedAtLast(LanePipeline& pipeline) {
  return Eventually([&] { return pipeline.Flush().ok(); }, std::chrono::seconds(20));
}

// Returns the views that readers see, as soon as the store is available again.
uint64_t ViewsOf(LanePipeline& pipeline, const std::string& id) {
  absl::StatusOr<Counts> read;
  EXPECT_TRUE(Eventually([&] { return (read = pipeline.Read({id})).ok() && read->exact; })) << read.status();
  return read.ok() ? read->totals[0].views : 0;
}

std::string EntryOf(RedisProcess& redis, const LanePipeline& pipeline, Shard shard) {
  return redis.Command({"HGET", keys::Lanes(shard), ToHex(pipeline.lane().id)});
}

TEST(Flusher, NothingFoldedIsFlushedAtOnce) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  EXPECT_TRUE(pipeline.Flush().ok());
  EXPECT_EQ(pipeline.metrics().flush_views.Value(), 0);
  // The site's settings form a chunk of their own. No further chunk follows.
  EXPECT_EQ(pipeline.metrics().flush_chunks.Value(), 1);
  EXPECT_TRUE(pipeline.Flush().ok());
  EXPECT_EQ(pipeline.metrics().flush_chunks.Value(), 1);
}

TEST(Flusher, CountsWhatItBrings) {
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  Counted counted(pipeline);
  counted.Fold(IdsIn(Shard{1}, 700), 2);
  ASSERT_TRUE(pipeline.Flush().ok());
  EXPECT_EQ(Stored(redis), counted.totals());
  EXPECT_EQ(pipeline.metrics().flush_chunks.Value(), 1);
  // The 63 other shards get one part each, which moves their cursor.
  EXPECT_EQ(pipeline.metrics().flush_parts.Value(), 2 + 63);
  EXPECT_EQ(pipeline.metrics().flush_articles.Value(), 700);
  EXPECT_EQ(pipeline.metrics().flush_views.Value(), 1'400);
  EXPECT_EQ(pipeline.ledger().totals().pending_views, 0u);
  EXPECT_EQ(pipeline.ledger().totals().flushed, pipeline.ledger().totals().position);
}

TEST(Flusher, SaysWhatKeepsAFlushFromTheStore) {
  RedisProcess redis(kDurable);
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  redis.Kill();
  pipeline.Fold("a");
  const absl::Status status = pipeline.Flush();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  redis.Start();
  EXPECT_TRUE(FlushedAtLast(pipeline));
  EXPECT_EQ(Stored(redis), CountsById({{"a", 1}}));
}

// Redis is killed after the first of five parts. The flush continues after the cursor that Redis kept.
TEST(Flusher, AChunkIsResumedInTheMiddle) {
  const Shard shard{9};
  RedisProcess redis(kDurable);
  LanePipeline* lane = nullptr;
  int parts = 0;
  std::string entry;
  FaultyStore::Faults faults;
  faults.apply = [&](const Part& part) {
    if (part.shard != shard || ++parts != 1) return Fate();
    return Fate{.after = [&] {
      redis.Kill();
      redis.Start();
      entry = EntryOf(redis, *lane, shard);
    }};
  };
  LanePipeline pipeline(redis, Through(faults));
  lane = &pipeline;
  ASSERT_TRUE(pipeline.Open().ok());
  Counted counted(pipeline);
  counted.Fold(IdsIn(shard, 4 * limits::kFlushPartArticlesMax + 7), 3);
  const std::string end = std::to_string(pipeline.ledger().totals().position.value);
  EXPECT_TRUE(FlushedAtLast(pipeline));
  EXPECT_THAT(entry, AllOf(HasSubstr(" MID 0 " + end), HasSubstr(" demo//story/")));
  EXPECT_EQ(Stored(redis), counted.totals());
  EXPECT_EQ(EntryOf(redis, pipeline, shard), ToHex(pipeline.lane().incarnation) + " END " + end);
  EXPECT_EQ(pipeline.metrics().store_rollbacks.Value(), 0);
}

// Redis carries out each part and is killed before it can reply.
TEST(Flusher, ALostReplyIsNotCountedTwice) {
  const Shard shard{9};
  RedisProcess redis(kDurable);
  int parts = 0;
  FaultyStore::Faults faults;
  faults.apply = [&](const Part& part) {
    if (part.shard != shard || ++parts > 3) return Fate();
    return Fate{.kind = Fate::Kind::kLoseReply, .after = [&] {
                  redis.Kill();
                  redis.Start();
                }};
  };
  LanePipeline pipeline(redis, Through(faults));
  ASSERT_TRUE(pipeline.Open().ok());
  Counted counted(pipeline);
  const auto ids = IdsIn(shard, 2 * limits::kFlushPartArticlesMax + 1);
  counted.Fold(ids);
  EXPECT_TRUE(FlushedAtLast(pipeline));
  EXPECT_EQ(Stored(redis), counted.totals());
  EXPECT_EQ(parts, 3);
  // Readers count the parts whose replies were lost.
  EXPECT_EQ(ViewsOf(pipeline, ids[0]), 1u);
  EXPECT_EQ(pipeline.metrics().store_rollbacks.Value(), 0);
}

// A command that arrives after its repetition, or after the whole chunk, finds another cursor.
TEST(Flusher, ALateCommandIsRefused) {
  RedisProcess redis;
  int parts = 0;
  FaultyStore::Faults faults;
  faults.apply = [&](const Part& part) {
    if (part.shard != ShardOfId("a") || ++parts > 1) return Fate();
    return Fate{.kind = Fate::Kind::kLate, .delay = std::chrono::milliseconds(100)};
  };
  LanePipeline pipeline(redis, Through(faults));
  ASSERT_TRUE(pipeline.Open().ok());
  Counted counted(pipeline);
  counted.Fold({"a"});
  EXPECT_TRUE(FlushedAtLast(pipeline));
  counted.Fold({"a"});
  EXPECT_TRUE(FlushedAtLast(pipeline));
  ASSERT_TRUE(Eventually([&] { return *faults.late == 0; }));
  EXPECT_EQ(Stored(redis), counted.totals());
}

TEST(Flusher, RandomFaultsCostNoViewAndCountNoneTwice) {
  const uint64_t seed = TestSeed();
  // One generator is used by this thread, the other by the store's thread.
  std::mt19937_64 random(seed);
  std::mt19937_64 fates(seed + 1);
  const auto roll = [&](uint64_t sides) { return random() % sides; };
  const auto roll_fate = [&](uint64_t sides) { return fates() % sides; };
  RedisProcess redis;
  std::atomic<bool> faulty = false;
  std::atomic<int> faults_seen = 0;
  FaultyStore::Faults faults;
  faults.apply = [&](const Part&) {
    if (!faulty || roll_fate(6) != 0) return Fate();
    static constexpr Fate::Kind kKinds[] = {Fate::Kind::kLoseCommand, Fate::Kind::kLoseReply, Fate::Kind::kLate,
                                            Fate::Kind::kSlow};
    const Fate fate{.kind = kKinds[roll_fate(4)], .delay = std::chrono::milliseconds(roll_fate(40))};
    ++faults_seen;
    return fate;
  };
  faults.claim = [&](Shard) {
    if (!faulty || roll_fate(20) != 0) return Fate();
    return Fate{.kind = roll_fate(2) == 0 ? Fate::Kind::kLoseCommand : Fate::Kind::kLoseReply};
  };
  LanePipeline pipeline(redis, Through(faults));
  ASSERT_TRUE(pipeline.Open().ok());
  faulty = true;
  Counted counted(pipeline);
  std::vector<std::vector<std::string>> ids;
  for (uint8_t shard = 0; shard < 3; ++shard) ids.push_back(IdsIn(Shard{shard}, 1'200));
  for (int round = 0; round < 60; ++round) {
    for (const auto& of_shard : ids) {
      const size_t begin = roll(of_shard.size());
      const size_t size = 1 + roll(of_shard.size() - begin);
      counted.Fold({of_shard.begin() + begin, of_shard.begin() + begin + size}, static_cast<uint32_t>(1 + roll(3)));
    }
    // A read returns all folded views, in every state of the flush.
    const std::string& asked = ids[roll(ids.size())][roll(1'200)];
    (void)pipeline.Flush();
    const auto read = pipeline.Read({asked});
    ASSERT_TRUE(read.ok()) << read.status();
    const auto known = counted.totals().find(asked);
    EXPECT_EQ(read->totals[0].views, known == counted.totals().end() ? 0 : known->second) << asked;
  }
  faulty = false;
  EXPECT_TRUE(FlushedAtLast(pipeline));
  ASSERT_TRUE(Eventually([&] { return *faults.late == 0; }));
  EXPECT_EQ(Stored(redis), counted.totals());
  EXPECT_EQ(pipeline.metrics().store_rollbacks.Value(), 0);
  EXPECT_GE(faults_seen, 10) << "too few to be a test";
}

// Kills Redis with SIGKILL at random moments, repeatedly, with the append-only file on.
TEST(Flusher, KilledRedisServersCostNoView) {
  std::mt19937_64 random(TestSeed());
  RedisProcess redis(kDurable);
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  Counted counted(pipeline);
  std::vector<std::string> ids;
  for (int i = 0; i < 20'000; ++i) ids.push_back("/story/" + std::to_string(i));
  for (int round = 0; round < 5; ++round) {
    const auto before = pipeline.metrics().flush_parts.Value();
    const auto parts = static_cast<double>(random() % 64);
    counted.Fold(ids, static_cast<uint32_t>(1 + round));
    std::thread flush([&] { (void)pipeline.Flush(); });
    EXPECT_TRUE(Eventually([&] { return pipeline.metrics().flush_parts.Value() >= before + parts; }));
    redis.Kill();
    redis.Start();
    flush.join();
  }
  EXPECT_TRUE(FlushedAtLast(pipeline));
  EXPECT_EQ(Stored(redis), counted.totals());
  EXPECT_EQ(pipeline.metrics().store_rollbacks.Value(), 0);
}

TEST(Flusher, SomeoneElseWithTheLaneFencesIt) {
  const Shard shard = ShardOfId("a");
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  pipeline.Fold("a");
  ASSERT_TRUE(pipeline.Flush().ok());
  const LaneIdentity other{pipeline.lane().id, RandomId<Incarnation>(), {pipeline.lane().incarnation}};
  ASSERT_TRUE(pipeline.Await(pipeline.store().Claim(shard, other)).ok());
  pipeline.Fold("a");
  EXPECT_EQ(ReasonOf(pipeline.Flush()), "FENCED");
  EXPECT_EQ(ReasonOf(pipeline.fenced()), "FENCED");
  EXPECT_EQ(Stored(redis), CountsById({{"a", 1}}));
}

TEST(Flusher, WhatIsSetAsideDoesNotBlockTheRest) {
  const Shard shard = ShardOfId("broken");
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  redis.Command({"HSET", keys::Counts(shard, "demo", kAll), "broken", "many"});
  pipeline.Fold("broken", 5);
  pipeline.Fold("fine", 2);
  ASSERT_TRUE(pipeline.Flush().ok());
  pipeline.Fold("fine", 2);
  ASSERT_TRUE(pipeline.Flush().ok());
  EXPECT_EQ(redis.Command({"HGET", keys::Counts(shard, "demo", kAll), "broken"}), "many");
  EXPECT_EQ(redis.Command({"HGET", keys::Counts(ShardOfId("fine"), "demo", kAll), "fine"}), "4");
  EXPECT_EQ(pipeline.metrics().flush_set_aside_views.Value(), 5);
  EXPECT_EQ(pipeline.ledger().totals().pending_views, 0u);
}

// Saves all keys of a shard and restores them later. A restore rolls the shard back without a reconnect.
class SavedShard {
 public:
  SavedShard(RedisProcess& redis, Shard shard) : redis_(redis), tag_(fmt::format("{{{:02}}}", shard.value)) {
    redis_.Command({"EVAL", R"(for _, key in ipairs(redis.call('KEYS', 'vc:' .. ARGV[1] .. ':*')) do
                                 redis.call('COPY', key, 'saved:' .. key, 'REPLACE')
                               end)",
                    "0", tag_});
  }
  void BringBack() {
    redis_.Command({"EVAL", R"(for _, key in ipairs(redis.call('KEYS', 'vc:' .. ARGV[1] .. ':*')) do
                                 redis.call('DEL', key)
                               end
                               for _, key in ipairs(redis.call('KEYS', 'saved:vc:' .. ARGV[1] .. ':*')) do
                                 redis.call('COPY', key, key:sub(7))
                               end)",
                    "0", tag_});
  }

 private:
  RedisProcess& redis_;
  const std::string tag_;
};

TEST(Flusher, ARolledBackShardIsRefolded) {
  const Shard shard = ShardOfId("a");
  RedisProcess redis;
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  Counted counted(pipeline);
  counted.Fold({"a", "b"}, 10);
  ASSERT_TRUE(pipeline.Flush().ok());
  SavedShard saved(redis, shard);
  counted.Fold({"a", "b"}, 200);
  ASSERT_TRUE(pipeline.Flush().ok());
  saved.BringBack();
  counted.Fold({"a"}, 3'000);
  EXPECT_TRUE(FlushedAtLast(pipeline));
  EXPECT_EQ(Stored(redis), counted.totals());
  EXPECT_EQ(pipeline.metrics().store_rollbacks.Value(), 1);
  EXPECT_EQ(ViewsOf(pipeline, "a"), 3'210u);
  counted.Fold({"a"});
  EXPECT_TRUE(pipeline.Flush().ok());
  EXPECT_EQ(Stored(redis), counted.totals());
  EXPECT_EQ(pipeline.metrics().store_rollbacks.Value(), 1);
  EXPECT_EQ(pipeline.metrics().lost_views.Value(), 0);
}

// Redis returns to its state before a chunk whose first shards it had already confirmed. The chunk is still in memory.
TEST(Flusher, AChunkUnderWayIsGivenAgainToShardsThatWentBack) {
  RedisProcess redis(kForgetful);
  std::atomic<bool> armed = false;
  int parts = 0;
  FaultyStore::Faults faults;
  faults.apply = [&](const Part&) {
    if (!armed || ++parts != 30) return Fate();
    armed = false;
    return Fate{.kind = Fate::Kind::kLoseReply, .after = [&] {
                  redis.Kill();
                  redis.Start();
                }};
  };
  LanePipeline pipeline(redis, Through(faults));
  ASSERT_TRUE(pipeline.Open().ok());
  Counted counted(pipeline);
  std::vector<std::string> ids;
  for (int i = 0; i < 2'000; ++i) ids.push_back("/story/" + std::to_string(i));
  counted.Fold(ids);
  ASSERT_TRUE(pipeline.Flush().ok());
  ASSERT_EQ(redis.Command({"SAVE"}), "OK");
  armed = true;
  counted.Fold(ids);
  EXPECT_TRUE(FlushedAtLast(pipeline));
  EXPECT_EQ(Stored(redis), counted.totals());
  EXPECT_EQ(ViewsOf(pipeline, ids[0]), 2u);
  EXPECT_GT(pipeline.metrics().store_rollbacks.Value(), 0);
}

// Redis is rolled back between two chunks. The flushed chunks have left memory, so their views come from the journal.
TEST(Flusher, AnEmptiedStoreIsFilledFromTheJournal) {
  ASSERT_NE(ShardOfId("a"), ShardOfId("b"));
  RedisProcess redis(kForgetful);
  LanePipeline pipeline(redis);
  ASSERT_TRUE(pipeline.Open().ok());
  ASSERT_EQ(redis.Command({"SAVE"}), "OK");
  pipeline.Fold("a", 5);
  pipeline.Fold("b", 5);
  ASSERT_TRUE(pipeline.Flush().ok());
  redis.Kill();
  redis.Start();
  pipeline.Fold("a", 7);
  EXPECT_TRUE(FlushedAtLast(pipeline));
  // Redis may have been restored during that chunk. Before the next chunk the flusher checks all shards.
  pipeline.Fold("a", 1);
  EXPECT_TRUE(FlushedAtLast(pipeline));
  EXPECT_EQ(Stored(redis), CountsById({{"a", 13}, {"b", 5}}));
  EXPECT_EQ(pipeline.metrics().store_rollbacks.Value(), limits::kShards);
  EXPECT_EQ(pipeline.metrics().lost_views.Value(), 0);
  EXPECT_EQ(ViewsOf(pipeline, "a"), 13u);
  EXPECT_EQ(ViewsOf(pipeline, "b"), 5u);
}

}  // namespace
}  // namespace viewcount
