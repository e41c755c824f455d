// Tests the contract of a count store on the store in Redis and on the store in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <utility>

#include "service/base/status.h"
#include "tests/support/seed.h"
#include "tests/support/windows.h"
#include "tests/unit/store/random_parts.h"
#include "tests/unit/store/store_rigs.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <typename Rig>
class CountStoreContract : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(Claim(lane_).ok()); }

  absl::StatusOr<Claimed> Claim(const LaneIdentity& lane) { return rig_.Await(rig_.store().Claim(kShard, lane)); }
  // Returns the next part of the lane.
  Part NextPart(std::vector<HashDelta> hashes = {}) {
    const Cursor expected = Cursor::End(at_);
    at_.value += 10;
    return {kShard, lane_.id, lane_.incarnation, expected, Cursor::End(at_), std::move(hashes)};
  }
  ApplyResult Apply(const Part& part) { return *rig_.Await(rig_.store().Apply(part)); }
  std::vector<int64_t> Counts(Window window, const std::vector<std::string_view>& ids) {
    const std::vector<LaneId> lanes = {lane_.id};
    const std::vector<Window> windows = {window};
    return rig_.Await(rig_.store().ReadCounts(kShard, lanes, "demo", windows, ids))->counts[0];
  }
  std::vector<std::string> Ranked() {
    const std::vector<LaneId> lanes = {lane_.id};
    std::vector<std::string> ids;
    const std::vector<WindowRead> reads = {{.window = kAll, .places = limits::kRankedAllTimeAndDay}};
    const auto read = rig_.Await(rig_.store().ReadWindows(kShard, lanes, "demo", reads));
    for (const RankedCount& article : read->windows[0].ranking.articles) ids.push_back(article.article_id);
    return ids;
  }
  LaneTotals Totals() { return rig_.Await(rig_.store().ReadLane(kShard, lane_.id))->totals; }

  Rig rig_;
  LaneIdentity lane_{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
  Position at_;
};

using Rigs = ::testing::Types<RedisRig, MemoryRig>;
TYPED_TEST_SUITE(CountStoreContract, Rigs);

TYPED_TEST(CountStoreContract, APartIsAppliedOnce) {
  const Part part = this->NextPart({Views(kAll, {{"a", 2}, {"b", 5}}), Views(kBots, {{"a", 1}})});
  EXPECT_TRUE(this->Apply(part).applied);
  const ApplyResult again = this->Apply(part);
  EXPECT_FALSE(again.applied);
  EXPECT_EQ(again.stored, ToHex(this->lane_.incarnation) + " END 10");
  EXPECT_THAT(this->Counts(kAll, {"a", "b", "", "c"}), ElementsAre(2, 5, 7, 0));
  EXPECT_EQ(this->Totals(), (LaneTotals{.views = 8}));
}

TYPED_TEST(CountStoreContract, RankingsOfSeveralWindowsAreReadAtOnceAndNoFartherThanAsked) {
  const Window day{Window::Kind::kDay, 20261122};
  const Window hour{Window::Kind::kHour, 498'712};
  EXPECT_TRUE(
      this->Apply(this->NextPart({Views(kAll, {{"a", 2}, {"b", 5}, {"c", 1}}), Views(day, {{"a", 9}})})).applied);
  const std::vector<LaneId> lanes = {this->lane_.id};
  const std::vector<WindowRead> reads = {
      {.window = kAll, .places = 2}, {.window = day, .places = 2}, {.window = hour, .places = 2}};
  const auto read = this->rig_.Await(this->rig_.store().ReadWindows(kShard, lanes, "demo", reads));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->windows.size(), 3u);
  std::vector<std::string> texts;
  for (const WindowState& window : read->windows) {
    const Ranking& ranking = window.ranking;
    for (const RankedCount& article : ranking.articles) {
      texts.push_back(article.article_id + " " + std::to_string(article.views));
    }
    texts.push_back("others at most " + std::to_string(ranking.unlisted_views_max));
  }
  EXPECT_THAT(texts, ElementsAre("b 5", "a 2", "others at most 2", "a 9", "others at most 0", "others at most 0"));
  ASSERT_EQ(read->lanes.size(), 1u);
  EXPECT_EQ(read->lanes[0]->cursor, Cursor::End(Position{10}));
}

TYPED_TEST(CountStoreContract, OnlyTheExpectedCursorIsTaken) {
  EXPECT_TRUE(this->Apply(this->NextPart()).applied);
  Part part = this->NextPart({Views(kAll, {{"a", 1}})});
  part.expected = Cursor::End(Position{20});
  EXPECT_FALSE(this->Apply(part).applied);
  part.expected = Cursor();
  EXPECT_FALSE(this->Apply(part).applied);
  part.expected = Cursor::Middle(Position{0}, Position{10}, {"demo", "a"}, Position{10});
  EXPECT_FALSE(this->Apply(part).applied);
  part.expected = Cursor::End(Position{10});
  EXPECT_TRUE(this->Apply(part).applied);
}

TYPED_TEST(CountStoreContract, AnUnclaimedShardOrAnotherIncarnationIsRefused) {
  Part part = this->NextPart({Views(kAll, {{"a", 1}})});
  part.shard = Shard{6};
  const ApplyResult unclaimed = this->Apply(part);
  EXPECT_FALSE(unclaimed.applied);
  EXPECT_FALSE(unclaimed.stored);
  part.shard = kShard;
  part.incarnation = RandomId<Incarnation>();
  EXPECT_FALSE(this->Apply(part).applied);
  EXPECT_THAT(this->Counts(kAll, {"a"}), ElementsAre(0));
}

TYPED_TEST(CountStoreContract, AClaimTellsWhereTheLaneStandsAndFencesStrangers) {
  Part part = this->NextPart({Views(kAll, {{"a", 3}})});
  part.lost = 2;
  EXPECT_TRUE(this->Apply(part).applied);
  const LaneIdentity restarted{
      this->lane_.id, RandomId<Incarnation>(), {RandomId<Incarnation>(), this->lane_.incarnation}};
  const Claimed claimed = *this->Claim(restarted);
  EXPECT_TRUE(claimed.known);
  EXPECT_EQ(claimed.cursor, Cursor::End(Position{10}));
  EXPECT_EQ(claimed.totals, (LaneTotals{.views = 3, .lost = 2}));
  EXPECT_EQ(this->Claim(restarted)->cursor, Cursor::End(Position{10}));
  const auto fenced = this->Claim(this->lane_);
  EXPECT_TRUE(absl::IsAborted(fenced.status()));
  EXPECT_EQ(ReasonOf(fenced.status()), "FENCED");
  EXPECT_EQ(MetadataOf(fenced.status(), "cursor"), "END 10");
  const LaneIdentity other{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
  EXPECT_FALSE(this->Claim(other)->known);
}

TYPED_TEST(CountStoreContract, ViewersCountOnceInEachSetAlsoWhereThePartIsRefused) {
  const auto part_of = [&](std::vector<uint64_t> viewers) {
    Part part = this->NextPart();
    part.viewers = {{"demo", {.kind = ViewerSetName::Kind::kAllTime}, viewers},
                    {"demo", {.kind = ViewerSetName::Kind::kDay, .number = 20261122}, {viewers[0]}},
                    {"demo", {.kind = ViewerSetName::Kind::kOnline, .number = 359'000'000}, viewers},
                    {"demo", {.kind = ViewerSetName::Kind::kArticle, .article_id = "a"}, viewers}};
    return part;
  };
  const std::vector<std::vector<ViewerSetName>> unions = {
      {{.kind = ViewerSetName::Kind::kAllTime}},
      {{.kind = ViewerSetName::Kind::kDay, .number = 20261122},
       {.kind = ViewerSetName::Kind::kDay, .number = 20261123}},
      {{.kind = ViewerSetName::Kind::kOnline, .number = 359'000'000}},
      {{.kind = ViewerSetName::Kind::kArticle, .article_id = "b"}}};
  const auto estimate = [&] { return *this->rig_.Await(this->rig_.store().EstimateViewers(kShard, "demo", unions)); };
  EXPECT_THAT(estimate(), ElementsAre(0, 0, 0, 0));
  const Part first = part_of({1, 2, 3});
  EXPECT_TRUE(this->Apply(first).applied);
  EXPECT_FALSE(this->Apply(first).applied);
  EXPECT_THAT(estimate(), ElementsAre(3, 1, 3, 0));
  Part late = part_of({4, 3});
  late.incarnation = RandomId<Incarnation>();
  EXPECT_FALSE(this->Apply(late).applied);
  EXPECT_THAT(estimate(), ElementsAre(4, 2, 4, 0));
  EXPECT_THAT(this->Counts({Window::Kind::kViewers, 0}, {"a", "b"}), ElementsAre(4, 0));
}

TYPED_TEST(CountStoreContract, ViewersCanBeAddedWithoutAPart) {
  const std::vector<ViewerSet> sets = {
      {"demo", {.kind = ViewerSetName::Kind::kOnline, .number = 359'000'000}, {1, 2, 3}},
      {"demo", {.kind = ViewerSetName::Kind::kOnline, .number = 359'000'001}, {3, 4}}};
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_TRUE(this->rig_.Await(this->rig_.store().AddViewers(kShard, sets)).ok());
    const auto online = this->rig_.Await(this->rig_.store().EstimateViewers(
        kShard, "demo", {{sets[0].name}, {sets[1].name}, {sets[0].name, sets[1].name}}));
    ASSERT_TRUE(online.ok()) << online.status();
    EXPECT_THAT(*online, ElementsAre(3, 2, 4));
  }
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().AddViewers(kShard, {})).ok());
}

TYPED_TEST(CountStoreContract, ManyViewersAreEstimatedWithinTheirError) {
  constexpr uint64_t kViewers = 20'000;
  Part part = this->NextPart();
  part.viewers = {{"demo", {.kind = ViewerSetName::Kind::kAllTime}, {}}};
  for (uint64_t viewer = 1; viewer <= kViewers; ++viewer) part.viewers[0].viewers.push_back(viewer);
  EXPECT_TRUE(this->Apply(part).applied);
  const std::vector<std::vector<ViewerSetName>> unions = {{{.kind = ViewerSetName::Kind::kAllTime}}};
  const auto estimates = *this->rig_.Await(this->rig_.store().EstimateViewers(kShard, "demo", unions));
  EXPECT_NEAR(static_cast<double>(estimates[0]), kViewers, 4 * kViewersStandardError * kViewers);
}

TYPED_TEST(CountStoreContract, VisitsAreTheSitesAndOfNoArticle) {
  const Window visits{Window::Kind::kVisits, 0};
  const Window of_day{Window::Kind::kVisitDay, 20261122};
  for (int i = 0; i < 2; ++i) {
    const Part part =
        this->NextPart({Views(kAll, {{"a", 5}}), AdjustmentOf(visits, {{"", 2}}), AdjustmentOf(of_day, {{"", 2}})});
    EXPECT_TRUE(this->Apply(part).applied);
    EXPECT_FALSE(this->Apply(part).applied);
  }
  EXPECT_THAT(this->Counts(visits, {"", "a"}), ElementsAre(4, 0));
  EXPECT_THAT(this->Counts(of_day, {"", "a"}), ElementsAre(4, 0));
  // Visits are not counted as views.
  EXPECT_EQ(this->Totals(), (LaneTotals{.views = 10}));
  EXPECT_THAT(*this->rig_.Await(this->rig_.store().ListWindows("demo")),
              ::testing::UnorderedElementsAre(kAll, visits, of_day));
}

TYPED_TEST(CountStoreContract, WhatWouldPassTwoToThe53IsSetAside) {
  this->Apply(this->NextPart({Views(kAll, {{"a", kHighest - 5}}), Views(kDay, {{"b", kHighest}})}));
  const ApplyResult result = this->Apply(this->NextPart({Views(kAll, {{"a", 6}, {"b", 2}}), Views(kDay, {{"a", 1}})}));
  EXPECT_TRUE(result.applied);
  ASSERT_EQ(result.set_aside.size(), 2u);
  EXPECT_EQ(result.set_aside[0].key, "vc:{05}:demo:all");
  EXPECT_EQ(result.set_aside[0].article_id, "a");
  EXPECT_EQ(result.set_aside[0].views, 6);
  EXPECT_FALSE(result.set_aside[0].adjustment);
  EXPECT_EQ(result.set_aside[1].key, "vc:{05}:demo:d:20261122");
  EXPECT_THAT(this->Counts(kAll, {"a", "b", ""}), ElementsAre(kHighest - 5, 2, kHighest - 3));
  EXPECT_EQ(this->Totals(), (LaneTotals{.views = kHighest + 3, .set_aside = 6}));
}

// A double cannot distinguish 2^53 + 1 from 2^53.
TYPED_TEST(CountStoreContract, AHashWhoseSumWouldPassTwoToThe53ByOneIsSetAside) {
  EXPECT_EQ(this->Apply(this->NextPart({Views(kAll, {{"a", kHighest}, {"b", 1}})})).set_aside.size(), 2u);
  EXPECT_EQ(
      this->Apply(this->NextPart({AdjustmentOf(kAll, {{"", 2}, {"a", kHighest - 1}, {"b", 1}})})).set_aside.size(), 3u);
  EXPECT_EQ(this->Apply(this->NextPart({Views(kAll, {{"a", kHighest - 1}, {"b", 1}})})).set_aside.size(), 0u);
  EXPECT_THAT(this->Counts(kAll, {"a", "b", ""}), ElementsAre(kHighest - 1, 1, kHighest));
  EXPECT_EQ(this->Totals(), (LaneTotals{.views = 2 * kHighest + 1, .set_aside = kHighest + 1}));
}

TYPED_TEST(CountStoreContract, ACountLoweredBelowZeroIsMadeUpForByLaterViews) {
  this->Apply(this->NextPart({Views(kAll, {{"a", 5}, {"b", 5}})}));
  EXPECT_TRUE(this->Apply(this->NextPart({AdjustmentOf(kAll, {{"a", -7}, {"b", -5}})})).set_aside.empty());
  EXPECT_THAT(this->Counts(kAll, {"a", "b", ""}), ElementsAre(-2, 0, -2));
  EXPECT_THAT(this->Ranked(), ElementsAre("a"));
  this->Apply(this->NextPart({Views(kAll, {{"a", 2}})}));
  EXPECT_THAT(this->Counts(kAll, {"a", "b", ""}), ElementsAre(0, 0, 0));
  EXPECT_TRUE(this->Ranked().empty());
  this->Apply(this->NextPart({Views(kAll, {{"a", 4}})}));
  EXPECT_THAT(this->Counts(kAll, {"a", ""}), ElementsAre(4, 4));
  EXPECT_EQ(this->Totals(), (LaneTotals{.views = 16, .adjusted = -12}));
}

TYPED_TEST(CountStoreContract, ViewsOfAPartComeBeforeItsAdjustments) {
  this->Apply(this->NextPart({AdjustmentOf(kAll, {{"a", -2}, {"", 100}}), Views(kAll, {{"a", 5}})}));
  EXPECT_THAT(this->Counts(kAll, {"a", ""}), ElementsAre(3, 103));
  EXPECT_EQ(this->Totals(), (LaneTotals{.views = 5, .adjusted = 98}));
}

TYPED_TEST(CountStoreContract, RankingsAreTheHighestAfterEveryChange) {
  this->Apply(this->NextPart({Views(kAll, {{"a", 9}, {"b", 8}, {"c", 7}, {"d", 6}, {"f", 5}, {"e", 5}})}));
  EXPECT_THAT(this->Ranked(), ElementsAre("a", "b", "c", "d"));
  this->Apply(this->NextPart({AdjustmentOf(kAll, {{"b", -8}, {"c", -2}})}));
  EXPECT_THAT(this->Ranked(), ElementsAre("a", "d", "c", "e"));
}

// Views bring a ranked article from below 0 to 0, so it leaves the ranking. The only unranked article takes its place.
TYPED_TEST(CountStoreContract, AnArticleThatLeavesAFullRankingMakesRoomForAnUnrankedOne) {
  this->Apply(this->NextPart({AdjustmentOf(kAll, {{"a", -1}, {"b", -2}, {"c", -3}, {"d", -4}, {"e", -5}})}));
  EXPECT_THAT(this->Ranked(), ElementsAre("a", "b", "c", "d"));
  this->Apply(this->NextPart({Views(kAll, {{"a", 1}})}));
  EXPECT_THAT(this->Ranked(), ElementsAre("b", "c", "d", "e"));
  this->Apply(this->NextPart({AdjustmentOf(kAll, {{"a", -6}, {"f", -7}})}));
  this->Apply(this->NextPart({Views(kAll, {{"c", 3}})}));
  EXPECT_THAT(this->Ranked(), ElementsAre("b", "d", "e", "a"));
  this->Apply(this->NextPart({AdjustmentOf(kAll, {{"b", 2}})}));
  EXPECT_THAT(this->Ranked(), ElementsAre("d", "e", "a", "f"));
}

TYPED_TEST(CountStoreContract, AllArticlesOfAWindowAreListed) {
  const auto list = [this](Window window) {
    std::set<std::string> ids;
    std::string cursor;
    do {
      auto scan = this->rig_.Await(this->rig_.store().ScanArticles(kShard, "demo", window, cursor));
      EXPECT_TRUE(scan.ok()) << scan.status();
      for (const std::string& id : scan->ids) {
        if (!id.empty()) ids.insert(id);
      }
      cursor = scan->cursor;
    } while (!cursor.empty());
    return ids;
  };
  EXPECT_THAT(list(kAll), IsEmpty());
  this->Apply(this->NextPart({Views(kAll, {{"a", 9}, {"b", 1}})}));
  EXPECT_THAT(list(kAll), ElementsAre("a", "b"));
  EXPECT_THAT(list({Window::Kind::kBots, 0}), IsEmpty());
  std::vector<std::string> many;
  for (int i = 0; i < 3'000; ++i) many.push_back("many/" + std::to_string(i));
  std::vector<ArticleDelta> views;
  for (const std::string& id : many) views.push_back({id, 1});
  this->Apply(this->NextPart({Views(kAll, views)}));
  EXPECT_EQ(list(kAll).size(), 3'002u);
}

TYPED_TEST(CountStoreContract, NotesAreKept) {
  Part part = this->NextPart();
  part.notes = {{"demo", "2", "b"}, {"demo", "1", "a"}};
  this->Apply(part);
  EXPECT_THAT(*this->rig_.Await(this->rig_.store().ReadNotes(kShard, "demo")),
              ElementsAre(StoredNote{"1", "a"}, StoredNote{"2", "b"}));
  EXPECT_THAT(*this->rig_.Await(this->rig_.store().ReadNotes(kShard, "other")), IsEmpty());
}

TYPED_TEST(CountStoreContract, RemovedLanesAreUnknown) {
  this->Apply(this->NextPart({Views(kAll, {{"a", 9}})}));
  const std::vector<LaneId> lanes = {this->lane_.id, RandomId<LaneId>()};
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().RemoveLanes(kShard, lanes)).ok());
  EXPECT_FALSE(this->rig_.Await(this->rig_.store().ReadLane(kShard, this->lane_.id))->entry);
  const Claimed claimed = *this->Claim(this->lane_);
  EXPECT_FALSE(claimed.known);
  EXPECT_EQ(claimed.totals, LaneTotals());
  EXPECT_EQ(claimed.cursor, Cursor());
}

std::string Describe(const absl::StatusOr<ApplyResult>& result) {
  if (!result.ok()) return result.status().ToString();
  std::string text = result->applied ? "applied" : "stored " + result->stored.value_or("nothing");
  // The store does not guarantee their order.
  std::set<std::string> set_aside;
  for (const Quarantined& aside : result->set_aside) {
    set_aside.insert("\n" + aside.key + " " + aside.article_id + " " + std::to_string(aside.views) +
                     (aside.adjustment ? " adjusted" : ""));
  }
  for (const std::string& line : set_aside) text += line;
  return text;
}

std::string Describe(const absl::StatusOr<Claimed>& claimed) {
  if (!claimed.ok()) return ReasonOf(claimed.status()) + " " + MetadataOf(claimed.status(), "cursor");
  return claimed->cursor.ToString() + (claimed->known ? " known " : " new ") + std::to_string(claimed->totals.views);
}

// Takes random steps, each in both stores.
class BothStores {
 public:
  explicit BothStores(uint64_t seed) : parts_(seed) {
    for (LaneIdentity& lane : lanes_) lane = {.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
  }

  void Step() {
    LaneIdentity& lane = lanes_[parts_.Below(lanes_.size())];
    const uint64_t what = parts_.Below(20);
    if (what == 0) {
      const std::vector<LaneId> ids = {lane.id};
      const Shard shard = parts_.AnyShard();
      EXPECT_TRUE(redis_.Await(redis_.store().RemoveLanes(shard, ids)).ok());
      EXPECT_TRUE(memory_.Await(memory_.store().RemoveLanes(shard, ids)).ok());
    } else if (what < 4) {
      Claim(lane);
    } else {
      Apply(lane);
    }
  }
  void ExpectEqual() {
    std::vector<LaneId> ids;
    for (const LaneIdentity& lane : lanes_) ids.push_back(lane.id);
    ASSERT_EQ(ContentOf(redis_, ids), ContentOf(memory_, ids));
  }
  int applied() const { return applied_; }

 private:
  void Claim(LaneIdentity& lane) {
    if (parts_.Below(2) == 0) {
      // Sometimes the lane has forgotten its earlier incarnation.
      if (parts_.Below(4) != 0) lane.earlier.push_back(lane.incarnation);
      lane.incarnation = RandomId<Incarnation>();
    }
    const Shard shard = parts_.AnyShard();
    EXPECT_EQ(Describe(redis_.Await(redis_.store().Claim(shard, lane))),
              Describe(memory_.Await(memory_.store().Claim(shard, lane))));
  }
  void Apply(const LaneIdentity& lane) {
    Part part = parts_.AnyPart();
    part.lane = lane.id;
    part.incarnation = lane.incarnation;
    const StoredLane stored = *memory_.Await(memory_.store().ReadLane(part.shard, lane.id));
    if (stored.entry && parts_.Below(10) != 0) part.expected = stored.entry->cursor;
    const Position next{part.expected.to().value + 1 + parts_.Below(3)};
    part.next =
        parts_.Below(3) == 0 ? Cursor::Middle(part.expected.to(), next, {"demo", "é /"}, next) : Cursor::End(next);
    const std::string in_memory = Describe(memory_.Await(memory_.store().Apply(part)));
    ASSERT_EQ(Describe(redis_.Await(redis_.store().Apply(part))), in_memory);
    applied_ += in_memory.starts_with("applied") ? 1 : 0;
  }

  RedisRig redis_;
  MemoryRig memory_;
  RandomParts parts_;
  std::array<LaneIdentity, 2> lanes_;
  int applied_ = 0;
};

TEST(CountStoreContract, BothStoresDoTheSame) {
  BothStores stores(TestSeed());
  for (int step = 1; step <= 3'000; ++step) {
    ASSERT_NO_FATAL_FAILURE(stores.Step());
    if (step % 10 == 0) {
      ASSERT_NO_FATAL_FAILURE(stores.ExpectEqual()) << "step " << step;
    }
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(stores.applied(), 500) << "too few to be a test";
}

}  // namespace
}  // namespace viewcount
