// Tests the audit of a real Redis. It must report nothing about flushed views, and every manual change by its key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

#include "service/base/hash.h"
#include "service/store/redis/keys.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/seed.h"
#include "tests/support/windows.h"

namespace viewcount {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AuditTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(pipeline_.Open().ok()); }

  // Flushes views by people and by bots, of many articles, in all shards and on two days.
  void Fill() {
    std::vector<std::string> ids;
    for (int i = 0; i < 2'000; ++i) ids.push_back("/story/" + std::to_string(i));
    for (int round = 0; round < 3; ++round) {
      std::vector<DecodedView> views;
      for (const std::string& id : ids) {
        DecodedView view;
        view.article_id = id;
        view.count = static_cast<uint32_t>(1 + random_() % 5);
        view.bot = random_() % 10 == 0;
        view.event_time_unix_ms = SystemClock().UnixMillis() - static_cast<int64_t>(random_() % 2) * 24 * 3'600'000;
        views.push_back(view);
      }
      pipeline_.Fold(views);
      ASSERT_TRUE(pipeline_.Flush().ok());
    }
  }
  static Shard ShardOfId(const std::string& id) { return ShardOf(ArticleHash(Hash64("demo"), id)); }
  static std::string Key(Shard shard, const std::string& rest) { return keys::Lanes(shard).substr(0, 8) + rest; }
  AuditReport Audit() {
    auto report = pipeline_.Await(pipeline_.store().Audit());
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : AuditReport();
  }
  std::vector<std::string> Differences() {
    const AuditReport report = Audit();
    EXPECT_THAT(report.busy, IsEmpty());
    return report.differences;
  }
  // Applies an administrator's part to the shard of the first article. The part belongs to a separate lane.
  ApplyResult Adjust(std::vector<HashDelta> hashes) {
    const Shard shard = ShardOfId(std::string(hashes.front().deltas.front().article_id));
    const auto claimed = pipeline_.Await(pipeline_.store().Claim(shard, administrator_));
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    Part part{.shard = shard, .lane = administrator_.id, .incarnation = administrator_.incarnation};
    part.expected = claimed->cursor;
    part.next = Cursor::End(Position{claimed->cursor.to().value + 1});
    part.hashes = std::move(hashes);
    const auto result = pipeline_.Await(pipeline_.store().Apply(part));
    EXPECT_TRUE(result.ok() && result->applied);
    return *result;
  }
  // Removes the days before `first`, and returns their number.
  size_t RemoveDays(const std::string& site, uint32_t first) {
    const auto days = pipeline_.Await(pipeline_.store().ListDaysBefore({{site, first}}));
    EXPECT_TRUE(days.ok()) << days.status();
    for (const StoredDay& day : *days) {
      EXPECT_TRUE(pipeline_.Await(pipeline_.store().RemoveDay(day.site, day.day)).ok());
    }
    return days->size();
  }
  HashDelta Lower(std::string_view id, int64_t views) const { return {"demo", kAll, {{id, -views}}, true}; }

  std::mt19937_64 random_{TestSeed()};
  RedisProcess redis_;
  LanePipeline pipeline_{redis_, {.ranked = {10, 5}}};
  const LaneIdentity administrator_{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
};

TEST_F(AuditTest, AnEmptyStoreIsInOrder) { EXPECT_THAT(Differences(), IsEmpty()); }

TEST_F(AuditTest, WhatWasFlushedIsInOrder) {
  Fill();
  const AuditReport report = Audit();
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_THAT(report.busy, IsEmpty());
  ASSERT_EQ(report.lanes.size(), 1u);
  EXPECT_EQ(static_cast<double>(report.lanes.begin()->second.views), pipeline_.metrics().flush_views.Value());
  EXPECT_GT(report.hashes, 64u * 4);
  EXPECT_GT(report.articles, 8'000u);
}

TEST_F(AuditTest, AdjustmentsRetiredLanesAndWhatWasSetAsideAreInOrder) {
  Fill();
  const std::string id = "/story/1";
  Adjust({Lower(id, 1)});
  Adjust({{"demo", kAll, {{"", 1'000'000}, {id, 7}}, true}, {"demo", {Window::Kind::kBots, 0}, {{id, 3}}, true}});
  Adjust({{"demo", {Window::Kind::kDay, 20260101}, {{id, 5}}, true}});
  EXPECT_THAT(Differences(), IsEmpty());
  // The article's all-time count has no room for more views, but its count of the day has.
  Adjust({{"demo", kAll, {{id, kHighest - 2'000'000}}, true}});
  pipeline_.Fold(id, 1'000'000);
  pipeline_.Fold(id, 1'000'000);
  ASSERT_TRUE(pipeline_.Flush().ok());
  EXPECT_GT(pipeline_.metrics().flush_set_aside_views.Value(), 0);
  EXPECT_THAT(Differences(), IsEmpty());
  ASSERT_TRUE(pipeline_.Await(pipeline_.store().RemoveLanes(ShardOfId(id), {pipeline_.lane().id})).ok());
  const AuditReport report = Audit();
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_GT(report.retired.set_aside, 0u);
}

struct ByHand {
  std::vector<std::string> command;
  // Both texts must occur in one difference.
  std::string key;
  std::string words;
};

TEST_F(AuditTest, DaysThatAreRemovedLeaveEverythingInOrder) {
  Fill();
  const absl::CivilDay now = absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  const uint32_t today = DayNumber(now), yesterday = DayNumber(now - 1);
  const std::string id = "/story/1";
  Adjust({Lower(id, 1), {"demo", {Window::Kind::kDay, yesterday}, {{id, -1}}, true}});
  const auto windows = [&] { return *pipeline_.Await(pipeline_.store().ListWindows("demo")); };
  const size_t before = windows().size();
  const auto all_time = *pipeline_.Read({id, "/story/2"});
  // Another site, and later days, stay.
  EXPECT_EQ(RemoveDays("other", today), 0u);
  EXPECT_EQ(RemoveDays("demo", yesterday), 0u);
  EXPECT_EQ(windows().size(), before);
  EXPECT_GE(RemoveDays("demo", today), 1u);
  for (const Window window : windows()) EXPECT_FALSE(window.kind == Window::Kind::kDay && window.number < today);
  EXPECT_TRUE(windows().contains({Window::Kind::kDay, today}));
  EXPECT_THAT(Differences(), IsEmpty());
  EXPECT_EQ((*pipeline_.Read({id, "/story/2"})).totals, all_time.totals);
  // An instance that does not know the setting may write the day again. It is removed again.
  pipeline_.Fold({{.article_id = id, .event_time_unix_ms = SystemClock().UnixMillis() - 24 * int64_t{3'600'000}}});
  ASSERT_TRUE(pipeline_.Flush().ok());
  EXPECT_THAT(Differences(), IsEmpty());
  EXPECT_EQ(RemoveDays("demo", today), 1u);
  EXPECT_EQ(RemoveDays("demo", today), 0u);
  EXPECT_THAT(Differences(), IsEmpty());
}

TEST_F(AuditTest, ARepairMakesEverythingAgreeAndChangesNoCount) {
  const std::string prefix = Key(ShardOfId("a"), "");
  pipeline_.Fold("a", 10);
  ASSERT_TRUE(pipeline_.Flush().ok());
  const std::string day = redis_.List({"KEYS", prefix + "demo:d:*"}).at(0);
  const std::vector<std::vector<std::string>> by_hand = {{"HSET", prefix + "demo:all", "a", "17", "", "17"},
                                                         {"HSET", prefix + "demo:all", "b", "3"},
                                                         {"HINCRBY", day, "", "-2"},
                                                         {"HSET", prefix + "demo:bots", "a", "1", "", "1"},
                                                         {"ZADD", prefix + "demo:top:all", "-99", "nobody"},
                                                         {"DEL", day + ":none"}};
  for (const auto& command : by_hand) {
    redis_.Command(command);
    const std::vector<std::string> counts = redis_.List({"HGETALL", prefix + "demo:all"});
    const AuditReport report = Audit();
    EXPECT_EQ(report.differences.empty(), report.repairs.empty());
    ASSERT_TRUE(pipeline_.Await(pipeline_.store().Repair(report.repairs)).ok());
    EXPECT_THAT(Differences(), IsEmpty()) << command[0] << " " << command[1];
    EXPECT_EQ(redis_.List({"HGETALL", prefix + "demo:all"}), counts);
  }
  // Views that are counted from now on agree with the totals.
  pipeline_.Fold("a", 5);
  ASSERT_TRUE(pipeline_.Flush().ok());
  EXPECT_THAT(Differences(), IsEmpty());
}

TEST_F(AuditTest, WhatAHandChangedIsNamed) {
  const Shard shard = ShardOfId("a");
  const std::string prefix = Key(shard, "");
  pipeline_.Fold("a", 10);
  ASSERT_TRUE(pipeline_.Flush().ok());
  std::string day;
  std::string hour;
  for (const std::string& key : redis_.List({"KEYS", prefix + "demo:?:*"})) {
    (key.substr(prefix.size()).starts_with("demo:d:") ? day : hour) = key;
  }
  const std::string all = prefix + "demo:all";
  const std::string sums = "the sums of all sites' all and bots";
  const ByHand cases[] = {
      {{"HSET", all, "a", "11"}, all, "holds 10 as its sum (the empty field), expected 11"},
      {{"HINCRBY", all, "", "1"}, all, "holds 11 as its sum (the empty field), expected 10"},
      {{"HINCRBY", all, "", "1"}, sums, "are 11, expected 10"},
      {{"HSET", all, "a", "many"}, all, "holds \"many\" for \"a\", expected a count"},
      {{"HSET", all, "", "many"}, all, "holds \"many\" as its sum"},
      {{"HSET", all, "new", "3"}, prefix + "demo:top:all", "holds nothing in place 2, expected \"new\" with 3"},
      {{"HSET", all, "a", "11", "", "11"}, sums, "are 11, expected 10"},
      {{"HDEL", all, "a"}, all, "holds 10 as its sum (the empty field), expected 0"},
      {{"DEL", all}, all, "holds 0 as its sum (the empty field), expected 10"},
      {{"DEL", all}, prefix + "demo:top:all", "holds \"a\" with 10 in place 1, expected nothing"},
      {{"DEL", day}, all, "holds 10 as its sum (the empty field), expected 0: its days' 0"},
      {{"DEL", hour}, prefix + "demo:top:h:", "expected nothing"},
      {{"HSET", day, "a", "12"}, day, "holds 10 as its sum (the empty field), expected 12"},
      {{"HSET", hour, "a", "12"}, hour, "holds 10 as its sum (the empty field), expected 12"},
      {{"HSET", prefix + "demo:bots", "a", "1", "", "1"}, sums, "are 11, expected 10"},
      {{"ZADD", prefix + "demo:top:all", "-12", "a"},
       prefix + "demo:top:all",
       "\"a\" with 12 in place 1, expected \"a\" with 10"},
      {{"ZADD", prefix + "demo:top:all", "-1", "b"},
       prefix + "demo:top:all",
       "\"b\" with 1 in place 2, expected nothing"},
      {{"DEL", prefix + "demo:top:all"}, prefix + "demo:top:all", "holds nothing in place 1, expected \"a\" with 10"},
      {{"DEL", prefix + "totals"}, sums, "are 10, expected 0"},
      {{"HSET", prefix + "totals", "start:demo:all", "x"}, prefix + "totals", "holds \"x\" for \"start:demo:all\""},
      {{"DEL", prefix + "lanes"}, prefix + "lanes", "holds nothing for lane"},
      {{"HSET", prefix + "lanes", "x", "y"}, prefix + "lanes", "holds \"y\" for \"x\", expected a lane's cursor"},
      {{"SET", all, "x"}, all, "is a string, expected a hash"},
      {{"SET", prefix + "demo:top:all", "x"}, prefix + "demo:top:all", "is a string, expected a sorted set"},
      {{"SET", prefix + "lanes", "x"}, prefix + "lanes", "is a string, expected a hash"},
      {{"SET", prefix + "totals", "x"}, prefix + "totals", "is a string, expected a hash"},
  };
  for (const ByHand& by_hand : cases) {
    SCOPED_TRACE(::testing::PrintToString(by_hand.command));
    const std::string& key = by_hand.command[1];
    EXPECT_THAT(Differences(), IsEmpty());
    redis_.Command({"DEL", "kept"});
    redis_.Command({"COPY", key, "kept"});
    redis_.Command(by_hand.command);
    EXPECT_THAT(Differences(), Contains(AllOf(HasSubstr(by_hand.key), HasSubstr(by_hand.words))));
    redis_.Command({"DEL", key});
    redis_.Command({"COPY", "kept", key});
  }
}

TEST_F(AuditTest, ManyDifferencesAreCountedBeyondAHundred) {
  const Shard shard = ShardOfId("a");
  std::vector<std::string> words = {"HSET", Key(shard, "demo:all")};
  for (int i = 0; i < 150; ++i) {
    words.push_back("broken-" + std::to_string(i));
    words.push_back("many");
  }
  redis_.Command(words);
  const AuditReport report = Audit();
  EXPECT_EQ(report.differences.size(), limits::kAuditDifferencesMax);
  EXPECT_EQ(report.more_differences, 50u);
}

// A shard that changes during the audit is read again or reported as busy. It is never reported as different.
TEST_F(AuditTest, FlushesMeanwhileAreNoDifferences) {
  Fill();
  std::atomic<int> flushes = 0;
  auto audits = std::async(std::launch::async, [&] {
    // Audits are repeated until enough flushes have run, because one audit may be much faster than a flush.
    while (flushes < 4) EXPECT_THAT(Audit().differences, IsEmpty());
  });
  while (audits.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    for (int i = 0; i < 50; ++i) pipeline_.Fold("/story/" + std::to_string(random_() % 3'000));
    ASSERT_TRUE(pipeline_.Flush().ok());
    ++flushes;
  }
  EXPECT_THAT(Differences(), IsEmpty());
}

}  // namespace
}  // namespace viewcount
