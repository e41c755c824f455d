// Lets every call to Redis of every script fail, one at a time. No view may be counted twice or lost, whatever request
// comes next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "service/base/status.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/store_scripts.h"
#include "tests/support/seed.h"
#include "tests/unit/store/failing_calls.h"
#include "tests/unit/store/random_parts.h"
#include "tests/unit/store/store_rigs.h"

namespace viewcount {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Copies all keys of the shards, or puts the copies back.
constexpr const char* kSaveLua = R"lua(
for _, key in ipairs(redis.call('KEYS', 'saved:*')) do redis.call('DEL', key) end
for _, key in ipairs(redis.call('KEYS', 'vc:{*')) do redis.call('COPY', key, 'saved:' .. key) end
)lua";
constexpr const char* kPutBackLua = R"lua(
for _, key in ipairs(redis.call('KEYS', 'vc:{*')) do redis.call('DEL', key) end
for _, key in ipairs(redis.call('KEYS', 'saved:*')) do redis.call('COPY', key, string.sub(key, 7)) end
)lua";

// This fixture has a Redis whose scripts fail on demand. A store in memory gives the expected result.
class FailingScriptsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(pipeline_.Open().ok());
    calls_.FailAt(redis_, 0);
    for (LaneIdentity& lane : lanes_) {
      lane = {.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
      for (uint8_t shard = 0; shard < kRandomShards; ++shard) {
        ASSERT_TRUE(Await(store().Claim(Shard{shard}, lane)).ok());
        ASSERT_TRUE(memory_.Await(memory_.store().Claim(Shard{shard}, lane)).ok());
      }
    }
  }

  RedisStore& store() { return pipeline_.store(); }
  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    return pipeline_.Await(std::move(coroutine));
  }
  // ContentOf() requires a rig of this type.
  struct Rig {
    FailingScriptsTest& test;
    RedisStore& store() { return test.store(); }
    template <typename Result>
    Result Await(boost::asio::awaitable<Result> coroutine) {
      return test.Await(std::move(coroutine));
    }
  };
  std::string Content() {
    Rig rig{*this};
    return ContentOf(rig, {lanes_[0].id, lanes_[1].id});
  }
  std::string RightContent() { return ContentOf(memory_, {lanes_[0].id, lanes_[1].id}); }

  // Returns a random part of a lane that its shard will accept, with several hashes.
  Part PartOf(const LaneIdentity& lane, Shard shard = Shard{0}) {
    Part part;
    while (part.hashes.size() < 2) part = parts_.AnyPart();
    part.shard = shard;
    part.lane = lane.id;
    part.incarnation = lane.incarnation;
    part.expected = memory_.Await(memory_.store().ReadLane(shard, lane.id))->entry->cursor;
    part.next = Cursor::End(Position{part.expected.to().value + 10});
    return part;
  }
  void ApplyToBoth(const Part& part) {
    ASSERT_TRUE(memory_.Await(memory_.store().Apply(part))->applied);
    ASSERT_TRUE(Await(store().Apply(part))->applied);
  }
  // Makes the same random history in both stores. PutBack() restores it.
  void MakeHistory(int length) {
    for (int i = 0; i < length; ++i) ApplyToBoth(PartOf(lanes_[parts_.Below(2)], parts_.AnyShard()));
    Save();
  }
  void Save() { redis_.Command({"EVAL", kSaveLua, "0"}); }
  void PutBack() {
    calls_.FailAt(redis_, 0);
    redis_.Command({"EVAL", kPutBackLua, "0"});
  }
  // Reloads the append-only file, as Redis does after a crash.
  void Crash() {
    const std::string before = redis_.Command({"DEBUG", "DIGEST"});
    ASSERT_EQ(redis_.Command({"DEBUG", "LOADAOF"}), "OK");
    ASSERT_EQ(redis_.Command({"DEBUG", "DIGEST"}), before);
    // A connection that sent a command meanwhile received LOADING and is opened again.
    AwaitReady();
  }
  void AwaitReady() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!store().problem().empty() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(store().problem(), "");
  }
  bool IsTorn(Shard shard = Shard{0}) {
    const std::string undo = redis_.Command({"HGET", keys::Lanes(shard), "undo"});
    return undo != "(nil)" && !undo.empty();
  }
  // Random parts are not always as lanes make them, so there may be differences. Failures must not add others.
  std::vector<std::string> Differences() {
    const auto report = Await(store().Audit());
    EXPECT_TRUE(report.ok()) << report.status();
    EXPECT_THAT(report->busy, IsEmpty());
    return report->differences;
  }

  // Calls `attempt` from the saved state with the 1st, 2nd, … call of its scripts failing. After each failure it calls
  // `judge`, with true if the shard is torn. It stops when no call with that number is made.
  void ForEveryCall(const std::function<absl::Status(int call)>& attempt, const std::function<void(bool torn)>& judge) {
    for (int call = 1;; ++call) {
      PutBack();
      calls_.FailAt(redis_, call);
      const absl::Status status = attempt(call);
      EXPECT_THAT(FailingCalls::Vanished(redis_), IsEmpty());
      const bool failed = calls_.Failed(redis_);
      // No later script of the test may fail, also when there was no call of this number.
      calls_.FailAt(redis_, 0);
      if (!failed) {
        EXPECT_TRUE(status.ok()) << status;
        return;
      }
      EXPECT_FALSE(status.ok());
      ++cases_;
      const bool torn = IsTorn();
      torn_ += torn ? 1 : 0;
      SCOPED_TRACE("call " + std::to_string(call));
      judge(torn);
      if (HasFailure()) return;
    }
  }

  // Works like RightContent(), but reads a site and a shard that random parts do not use.
  template <typename Rig>
  static std::string RankedOfThird(Rig& rig, const LaneId& lane) {
    const std::vector<LaneId> lanes = {lane};
    const std::vector<WindowRead> reads = {{.window = Window{}, .places = 10}};
    const auto read = rig.Await(rig.store().ReadWindows(Shard{0}, lanes, "third", reads));
    std::string text;
    for (const RankedCount& article : read->windows[0].ranking.articles) {
      text += article.article_id + " " + std::to_string(article.views) + "\n";
    }
    return text;
  }
  // Returns a part of one hash of that site.
  Part PartOfThird(std::vector<ArticleDelta> deltas, bool adjustment) {
    Part part = PartOf(lanes_[0]);
    part.hashes = {{"third", {Window::Kind::kAllTime, 0}, std::move(deltas), adjustment}};
    part.lost = 0;
    part.notes.clear();
    return part;
  }
  // Lets every call of the part's script fail, and sends the part again after each failure.
  void CheckPart(const Part& part) {
    Save();
    Rig rig{*this};
    const std::string before = Content() + RankedOfThird(rig, part.lane);
    ASSERT_TRUE(memory_.Await(memory_.store().Apply(part))->applied);
    ForEveryCall([&](int) { return Await(store().Apply(part)).status(); },
                 [&](bool) {
                   ASSERT_EQ(Content() + RankedOfThird(rig, part.lane), before);
                   ASSERT_TRUE(Await(store().Apply(part))->applied);
                   ASSERT_EQ(Content(), RightContent());
                   ASSERT_EQ(RankedOfThird(rig, part.lane), RankedOfThird(memory_, part.lane));
                 });
  }

  // Lets every call of a random part's script fail, and checks the requests that follow.
  void CheckRandomPart();

  RedisProcess redis_{{"--appendonly", "yes", "--enable-debug-command", "yes"}};
  FailingCalls calls_;
  LanePipeline pipeline_{redis_,
                         {.ranked = kShortRankings, .edit_script = [this](std::string_view name, std::string text) {
                            return calls_.Edit(name, text);
                          }}};
  MemoryRig memory_;
  // The parts of this seed reach every call, and counts at the lowest possible count. VIEWCOUNT_TEST_SEED runs others.
  RandomParts parts_{std::getenv("VIEWCOUNT_TEST_SEED") == nullptr ? 83552898u : TestSeed()};
  std::array<LaneIdentity, 2> lanes_;
  int cases_ = 0;
  int torn_ = 0;
};

void FailingScriptsTest::CheckRandomPart() {
  ASSERT_NO_FATAL_FAILURE(MakeHistory(6));
  Part part = PartOf(lanes_[0]);
  while (part.hashes.empty()) part = PartOf(lanes_[0]);
  if (part.notes.empty()) part.notes.push_back({kRandomSites[0], kRandomIds[0], kRandomIds[1]});
  Part others = PartOf(lanes_[1]);
  // A note replaces a note of the same name, so the order of two notes would matter.
  others.notes.clear();
  const auto apply = [&](int) { return Await(store().Apply(part)).status(); };
  const std::string before = RightContent();
  const std::vector<std::string> differences = Differences();
  ASSERT_TRUE(memory_.Await(memory_.store().Apply(part))->applied);
  const std::string after = RightContent();
  ASSERT_TRUE(memory_.Await(memory_.store().Apply(others))->applied);
  const std::string after_both = RightContent();

  // The part is sent again.
  ForEveryCall(apply, [&](bool) {
    ASSERT_TRUE(Await(store().Apply(part))->applied);
    ASSERT_EQ(Content(), after);
  });
  // Redis crashes and restarts. A reader comes first, and then the part is sent again.
  ForEveryCall(apply, [&](bool torn) {
    // Crash() reads the history of all cases, so it is not called each time.
    if (torn && parts_.Below(8) == 0) {
      ASSERT_NO_FATAL_FAILURE(Crash());
    }
    ASSERT_EQ(Content(), before);
    ASSERT_TRUE(Await(store().Apply(part))->applied);
    ASSERT_EQ(Content(), after);
  });
  // Numbers near the limit may be set aside in one order of the parts and not in the other.
  PutBack();
  ASSERT_TRUE(Await(store().Apply(others))->applied);
  ASSERT_TRUE(Await(store().Apply(part))->applied);
  const std::string others_first = Content();
  // Another lane's part comes first, after a claim or without one. The audit must see the same differences.
  ForEveryCall(apply, [&](bool torn) {
    if (parts_.Below(2) == 0) {
      ASSERT_TRUE(Await(store().Claim(Shard{0}, lanes_[0])).ok());
    }
    if (torn && parts_.Below(8) == 0) {
      ASSERT_EQ(Differences(), differences);
    }
    ASSERT_TRUE(Await(store().Apply(others))->applied);
    ASSERT_TRUE(Await(store().Apply(part))->applied);
    ASSERT_EQ(Content(), others_first);
  });
  // The undoing of a torn part may fail as well.
  std::vector<int> tearing;
  int failing = 0;
  ForEveryCall(apply, [&](bool torn) {
    ++failing;
    if (torn) tearing.push_back(failing);
  });
  // A part whose numbers are all set aside writes only the cursor, so it cannot be torn.
  std::set<int> tear_at_calls;
  if (!tearing.empty()) tear_at_calls = {tearing.front(), tearing[tearing.size() / 2], tearing.back()};
  for (const int tear_at : tear_at_calls) {
    const auto restore = [&](int call) {
      calls_.FailAt(redis_, tear_at);
      EXPECT_FALSE(apply(0).ok());
      EXPECT_TRUE(IsTorn());
      calls_.FailAt(redis_, call);
      return Await(store().ReadLane(Shard{0}, lanes_[0].id)).status();
    };
    ForEveryCall(restore, [&](bool torn) {
      EXPECT_TRUE(torn);
      ASSERT_EQ(Content(), before);
      ASSERT_TRUE(Await(store().Apply(part))->applied);
      ASSERT_EQ(Content(), after);
    });
  }
  PutBack();
  ASSERT_TRUE(Await(store().Apply(part))->applied);
  ASSERT_TRUE(Await(store().Apply(others))->applied);
  ASSERT_EQ(Content(), after_both);
}

TEST_F(FailingScriptsTest, EveryCallOfEveryScriptMayFail) {
  spdlog::set_level(spdlog::level::err);  // Hundreds of torn parts are undone.
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) ASSERT_NO_FATAL_FAILURE(CheckRandomPart());
  // Random parts rarely cover these cases. They are an empty part, a hash of many articles, a part that makes room in a
  // ranking, and totals beyond 2^53.
  Part rare = PartOfThird({}, false);
  rare.hashes.clear();
  ASSERT_NO_FATAL_FAILURE(CheckPart(rare));
  rare = PartOfThird({{"a", 3}, {"b", 2}}, false);
  ASSERT_NO_FATAL_FAILURE(CheckPart(rare));
  rare = PartOfThird({{"a", -3}}, true);
  ASSERT_NO_FATAL_FAILURE(CheckPart(rare));
  std::vector<ArticleDelta> lowered;
  for (const std::string& id : kRandomIds) lowered.push_back({id, -static_cast<int64_t>(lowered.size() + 1)});
  rare = PartOfThird(lowered, true);
  ASSERT_NO_FATAL_FAILURE(CheckPart(rare));
  rare = PartOfThird({{lowered[0].article_id, 1}}, false);
  ASSERT_NO_FATAL_FAILURE(CheckPart(rare));
  std::vector<std::string> ids;
  for (int i = 0; i < 200; ++i) ids.push_back("many/" + std::to_string(i));
  std::vector<ArticleDelta> many;
  for (const std::string& id : ids) many.push_back({id, 1});
  rare = PartOfThird(many, false);
  rare.lost = limits::kCountMax;
  ASSERT_NO_FATAL_FAILURE(CheckPart(rare));

  Save();
  const std::string claimed = Content();
  ForEveryCall([&](int) { return Await(store().Claim(Shard{0}, lanes_[0])).status(); },
               [&](bool torn) {
                 EXPECT_FALSE(torn);
                 ASSERT_EQ(Content(), claimed);
                 ASSERT_TRUE(Await(store().Claim(Shard{0}, lanes_[0])).ok());
               });

  Part viewers = PartOf(lanes_[0]);
  viewers.hashes.clear();
  viewers.notes.clear();
  viewers.viewers = {{"demo", {.kind = ViewerSetName::Kind::kAllTime}, {1, 2, 3}},
                     {"demo", {.kind = ViewerSetName::Kind::kOnline, .number = 359'000'000}, {1}}};
  const std::vector<std::vector<ViewerSetName>> unions = {{{.kind = ViewerSetName::Kind::kAllTime}}};
  ForEveryCall([&](int) { return Await(store().Apply(viewers)).status(); },
               [&](bool) {
                 ASSERT_TRUE(Await(store().Apply(viewers))->applied);
                 ASSERT_EQ(Await(store().EstimateViewers(Shard{0}, "demo", unions))->front(), 3u);
               });

  PutBack();
  const std::string kept = Content();
  const std::vector<std::string> differences = Differences();
  const std::vector<LaneId> removed = {lanes_[0].id};
  ASSERT_TRUE(memory_.Await(memory_.store().RemoveLanes(Shard{0}, removed)).ok());
  ForEveryCall([&](int) { return Await(store().RemoveLanes(Shard{0}, removed)); },
               [&](bool torn) {
                 // Crash() reads the history of all cases, so it is not called each time.
                 if (torn && parts_.Below(8) == 0) {
                   ASSERT_NO_FATAL_FAILURE(Crash());
                 }
                 ASSERT_EQ(Content(), kept);
                 ASSERT_TRUE(Await(store().RemoveLanes(Shard{0}, removed)).ok());
                 ASSERT_EQ(Content(), RightContent());
                 ASSERT_EQ(Differences(), differences);
               });

  // Only the totals are left of this lane.
  const std::vector<LaneId> forgotten = {RandomId<LaneId>()};
  PutBack();
  redis_.Command({"HSET", "vc:{00}:totals", ToHex(forgotten[0]) + ":views", "5"});
  Save();
  ForEveryCall([&](int) { return Await(store().RemoveLanes(Shard{0}, forgotten)); },
               [&](bool) {
                 const auto stored = Await(store().ReadLane(Shard{0}, forgotten[0]));
                 ASSERT_FALSE(stored->entry);
                 ASSERT_EQ(stored->totals.views, 5u);
                 ASSERT_TRUE(Await(store().RemoveLanes(Shard{0}, forgotten)).ok());
                 ASSERT_EQ(Await(store().ReadLane(Shard{0}, forgotten[0]))->totals, LaneTotals());
               });

  ForEveryCall(
      [&](int call) {
        calls_.FailAt(redis_, 5);
        EXPECT_FALSE(Await(store().RemoveLanes(Shard{0}, forgotten)).ok());
        EXPECT_TRUE(IsTorn());
        calls_.FailAt(redis_, call);
        return Await(store().ReadLane(Shard{0}, forgotten[0])).status();
      },
      [&](bool torn) {
        EXPECT_TRUE(torn);
        ASSERT_TRUE(Await(store().RemoveLanes(Shard{0}, forgotten)).ok());
        ASSERT_EQ(Await(store().ReadLane(Shard{0}, forgotten[0]))->totals, LaneTotals());
      });

  PutBack();
  redis_.Command({"HSET", "vc:{00}:few:all", "a", "3", "", "3"});
  redis_.Command({"ZADD", "vc:{00}:few:top:all", "-1000000", "nobody", "-5", "a"});
  redis_.Command({"HSET", "vc:{00}:totals", "apart:demo", "7"});
  Save();
  const StoreRepairs books{.totals = {{Shard{0}, "start:demo:all", 3}, {Shard{0}, "apart:demo", -2}}, .rankings = {}};
  const StoreRepairs ranking{
      .totals = {},
      .rankings = {{Shard{0}, "vc:{00}:few:all", "vc:{00}:few:top:all", kShortRankings.all_time_and_day}}};
  ForEveryCall([&](int) { return Await(store().Repair(books)); },
               [&](bool) {
                 ASSERT_TRUE(Await(store().Repair(books)).ok());
                 EXPECT_EQ(redis_.Command({"HGET", "vc:{00}:totals", "apart:demo"}), "5");
               });
  ForEveryCall([&](int) { return Await(store().Repair(ranking)); },
               [&](bool) {
                 ASSERT_TRUE(Await(store().Repair(ranking)).ok());
                 EXPECT_EQ(redis_.Command({"ZSCORE", "vc:{00}:few:top:all", "nobody"}), "(nil)");
                 const auto report = Await(store().Audit());
                 ASSERT_TRUE(report.ok());
                 EXPECT_THAT(report->repairs.rankings, IsEmpty());
               });

  PutBack();
  const std::string day = "few:d:20200101";
  redis_.Command({"HSET", "vc:{00}:" + day, "a", "3", "", "4"});
  redis_.Command({"ZADD", "vc:{00}:few:top:d:20200101", "-3", "a"});
  redis_.Command({"HSET", "vc:{00}:totals", "start:" + day, "1", "apart:few", "-1"});
  Save();
  // The keys of the day vanish, so this is no ForEveryCall.
  for (int call = 1;; ++call) {
    PutBack();
    calls_.FailAt(redis_, call);
    const absl::Status status = Await(store().RemoveDay("few", 20'200'101));
    const bool failed = calls_.Failed(redis_);
    calls_.FailAt(redis_, 0);
    EXPECT_NE(status.ok(), failed);
    EXPECT_FALSE(IsTorn());
    // The sum of all time is 3, and that of the day 4.
    EXPECT_THAT(Differences(), Each(Not(HasSubstr("few:all holds 3 as its sum")))) << call;
    ASSERT_TRUE(Await(store().RemoveDay("few", 20'200'101)).ok());
    EXPECT_EQ(redis_.Command({"EXISTS", "vc:{00}:" + day, "vc:{00}:few:top:d:20200101"}), "0") << call;
    EXPECT_EQ(redis_.Command({"HGET", "vc:{00}:totals", "apart:few"}), "3") << call;
    for (const std::string& field : {"start:" + day, "gone:" + day}) {
      EXPECT_EQ(redis_.Command({"HGET", "vc:{00}:totals", field}), "(nil)") << call;
    }
    if (!failed) break;
    ++cases_;
  }

  PutBack();
  const AlertKey alert("demo", "a");
  ForEveryCall(
      [&](int) {
        EXPECT_TRUE(Await(store().RemoveAlertState(alert)).ok());
        return Await(store().SwapAlertState(alert, "", "next")).status();
      },
      [&](bool torn) {
        EXPECT_FALSE(torn);
        EXPECT_FALSE(*Await(store().SwapAlertState(alert, "next", "other"))) << "something was written";
        ASSERT_TRUE(*Await(store().SwapAlertState(alert, "", "next")));
      });

  std::string open;
  for (const auto& [name, text] : StoreScriptTexts()) {
    if (name == "open") open = calls_.Edit(name, text);
  }
  const std::string id = ToHex(store().data_set());
  const auto run_open = [&] {
    const std::string answer = redis_.Command({"EVAL", open, "1", "vc:meta", id, "1", "64"});
    return answer == "BEGUN " + id + " 1 64" ? absl::OkStatus() : absl::InternalError(answer);
  };
  ForEveryCall(
      [&](int) {
        redis_.Command({"DEL", "vc:meta"});
        return run_open();
      },
      [&](bool) { ASSERT_TRUE(run_open().ok()); });

  for (const auto& [place, text] : calls_.places()) {
    EXPECT_TRUE(calls_.failed().contains(place)) << place << " never failed: " << text;
  }
  std::printf("scripts: %zu, calls: %zu, cases: %d (%d of them torn)\n", StoreScriptTexts().size(),
              calls_.places().size(), cases_, torn_);
  EXPECT_GT(torn_, 100);
}

}  // namespace
}  // namespace viewcount
