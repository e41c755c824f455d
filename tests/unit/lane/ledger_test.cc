// What is pending, to the view: whatever the flusher and the lane do in whatever order.
#include "service/lane/ledger.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>

#include "service/base/hash.h"
#include "service/sites/site_directory.h"
#include "tests/support/seed.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

constexpr Window kAll{Window::Kind::kAllTime, 0};
constexpr Window kBots{Window::Kind::kBots, 0};
// 2026-11-22T22:00Z.
constexpr int64_t kFirstHourMs = int64_t{498'718} * 3'600'000;

std::shared_ptr<const Site> MakeIndexed(std::string_view name, uint32_t index, std::string_view zone = "") {
  Site site = *MakeSite(name, zone);
  site.index = {index};
  return std::make_shared<const Site>(std::move(site));
}

// A ledger beside a plain count of what was folded and what was applied.
class ModelledLedger {
 public:
  // Site and ID.
  using Key = std::pair<std::string, std::string>;

  explicit ModelledLedger(uint64_t seed) : random_(seed) {
    for (const auto& site : sites_) ledger_.ApplySite(site);
  }

  void Fold() {
    const auto& site = sites_[Roll(2)];
    std::vector<std::string> ids;
    for (size_t n = 1 + Roll(30); n > 0; --n) ids.push_back("story " + std::to_string(Roll(150)));
    TestBatch batch(ids);
    batch.site = site->index;
    for (DecodedView& view : batch.request.views) {
      view.event_time_unix_ms = kFirstHourMs + static_cast<int64_t>(Roll(4)) * 3'600'000;
      view.count = static_cast<uint32_t>(1 + Roll(5));
      view.bot = Roll(5) == 0;
      const auto hour = static_cast<uint32_t>(view.event_time_unix_ms / 3'600'000);
      auto& counts = open_[{site->name, std::string(view.article_id)}];
      if (view.bot) {
        counts[kBots] += view.count;
      } else {
        counts[kAll] += view.count;
        counts[{Window::Kind::kHour, hour}] += view.count;
        counts[{Window::Kind::kDay, hour < 498'720 ? 20261122u : 20261123u}] += view.count;
      }
      pending_views_ += view.count;
    }
    position_.value += 1 + Roll(1'000);
    ledger_.Fold(batch, position_);
  }

  void Seal() {
    const auto chunk = ledger_.Seal();
    if (chunk_ != nullptr) {
      EXPECT_EQ(chunk, chunk_) << "sealed twice";
      return;
    }
    EXPECT_EQ(chunk == nullptr, open_.empty());
    if (chunk == nullptr) return;
    chunk_ = chunk;
    EXPECT_EQ(chunk->to(), position_);
    for (auto& [key, counts] : std::exchange(open_, {})) {
      sealed_[ShardOfKey(key)].emplace(key, std::move(counts));
    }
  }

  // Some articles of a shard reach the store; the last shard releases the chunk.
  void Apply() {
    if (chunk_ == nullptr) return;
    auto shard = sealed_.begin();
    std::advance(shard, Roll(sealed_.size()));
    auto& [number, articles] = *shard;
    size_t applied = 1 + Roll(articles.size());
    Key last;
    for (; applied > 0; --applied) {
      last = articles.begin()->first;
      for (const auto& [window, views] : articles.begin()->second) {
        if (window == kAll || window == kBots) flushed_views_ += views;
      }
      articles.erase(articles.begin());
    }
    const Position before = ledger_.HoldStill().CursorOf(number).applied_to();
    ledger_.SetCursor(number, articles.empty()
                                  ? Cursor::End(chunk_->to())
                                  : Cursor::Middle(before, chunk_->to(), {last.first, last.second}, chunk_->to()));
    if (articles.empty()) sealed_.erase(shard);
    if (!sealed_.empty()) return;
    ledger_.Release();
    chunk_ = nullptr;
    pending_views_ -= std::exchange(flushed_views_, 0);
  }

  void Check() {
    for (const Window window : kWindows) {
      for (const auto& site : sites_) {
        std::map<std::string, uint64_t> expected;
        for (const auto& [key, counts] : open_) AddTo(expected, *site, key, counts, window);
        for (const auto& [shard, articles] : sealed_) {
          for (const auto& [key, counts] : articles) AddTo(expected, *site, key, counts, window);
        }
        ASSERT_EQ(Visited(*site, window), expected);
        const auto still = ledger_.HoldStill();
        for (int i = 0; i < 20; ++i) {
          const std::string id = "story " + std::to_string(Roll(150));
          const uint64_t hash = ArticleHash(site->seed, id);
          const auto known = expected.find(id);
          ASSERT_EQ(still.Pending(still.CursorOf(ShardOf(hash)), *site, hash, id, window),
                    known == expected.end() ? 0 : known->second)
              << id;
        }
      }
    }
    const Ledger::Totals totals = ledger_.totals();
    ASSERT_EQ(totals.position, position_);
    ASSERT_EQ(totals.sealed, chunk_ != nullptr);
    ASSERT_EQ(totals.pending_views, pending_views_);
    if (open_.empty() && chunk_ == nullptr) {
      ASSERT_EQ(totals.flushed, position_);
    }
  }

  uint64_t Roll(uint64_t sides) { return random_() % sides; }

 private:
  using ByWindow = std::map<Window, uint64_t>;
  static constexpr Window kWindows[] = {
      kAll, kBots, {Window::Kind::kDay, 20261122}, {Window::Kind::kDay, 20261123}, {Window::Kind::kHour, 498'719}};

  Shard ShardOfKey(const Key& key) const { return ShardOf(ArticleHash(Hash64(key.first), key.second)); }
  static void AddTo(std::map<std::string, uint64_t>& expected, const Site& site, const Key& key, const ByWindow& counts,
                    Window window) {
    const auto views = counts.find(window);
    if (key.first == site.name && views != counts.end()) expected[key.second] += views->second;
  }
  std::map<std::string, uint64_t> Visited(const Site& site, Window window) {
    const Ledger::Mark mark = ledger_.MarkNow();
    ShardCursors cursors;
    for (uint8_t i = 0; i < limits::kShards; ++i) cursors[i] = ledger_.HoldStill().CursorOf(Shard{i});
    std::map<std::string, uint64_t> visited;
    EXPECT_TRUE(ledger_.ForEachPending(mark, cursors, site, window,
                                       [&](Shard shard, uint64_t hash, std::string_view id, uint64_t views) {
                                         EXPECT_EQ(hash, ArticleHash(site.seed, id));
                                         EXPECT_EQ(shard, ShardOf(hash));
                                         visited[std::string(id)] += views;
                                       }));
    return visited;
  }

  std::mt19937_64 random_;
  // In order of index, not of name.
  const std::vector<std::shared_ptr<const Site>> sites_ = {MakeIndexed("zeta", 0), MakeIndexed("alpha", 1)};
  Ledger ledger_{RandomId<LaneId>()};
  Position position_;
  std::map<Key, ByWindow> open_;
  // What is not applied of the sealed chunk.
  std::map<Shard, std::map<Key, ByWindow>> sealed_;
  std::shared_ptr<const Chunk> chunk_;
  uint64_t pending_views_ = 0;
  uint64_t flushed_views_ = 0;
};

TEST(Ledger, PendingIsExactInEveryInterleaving) {
  ModelledLedger ledger(TestSeed());
  for (int step = 0; step < 4'000; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    switch (ledger.Roll(20)) {
      case 0:
        ledger.Seal();
        break;
      case 1:
      case 2:
        ledger.Fold();
        break;
      default:
        ledger.Apply();
    }
    if (ledger.Roll(4) == 0) {
      ASSERT_NO_FATAL_FAILURE(ledger.Check());
    }
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

TEST(Ledger, NothingIsSealedOfNothing) {
  Ledger ledger(RandomId<LaneId>());
  EXPECT_EQ(ledger.Seal(), nullptr);
  EXPECT_EQ(ledger.totals().oldest, SteadyTime::max());
}

TEST(Ledger, OldestIsThatOfBothChunks) {
  Ledger ledger(RandomId<LaneId>());
  ledger.ApplySite(MakeIndexed("demo", 0));
  TestBatch first({"a"});
  TestBatch second({"b"});
  second.receipt_time = first.receipt_time + std::chrono::seconds(1);
  ledger.Fold(first, Position{10});
  const auto chunk = ledger.Seal();
  ledger.Fold(second, Position{20});
  EXPECT_EQ(ledger.totals().oldest, first.receipt_time);
  EXPECT_EQ(ledger.totals().flushed, Position{0});
  ledger.Release();
  EXPECT_EQ(ledger.totals().oldest, second.receipt_time);
  EXPECT_EQ(ledger.totals().flushed, Position{10});
}

TEST(Ledger, ASealedChunkNeverChanges) {
  Ledger ledger(RandomId<LaneId>());
  ledger.ApplySite(MakeIndexed("demo", 0));
  TestBatch batch({"a", "b"});
  ledger.Fold(batch, Position{10});
  const auto chunk = ledger.Seal();
  ledger.Fold(batch, Position{20});
  EXPECT_EQ(ledger.Seal(), chunk);
  EXPECT_EQ(chunk->views(), 2u);
  EXPECT_EQ(chunk->to(), Position{10});
}

// The same moment belongs to another day from the change on, and only from then.
TEST(Ledger, SettingsHoldFromWhereTheyStand) {
  Ledger ledger(RandomId<LaneId>());
  const auto utc = MakeIndexed("demo", 0);
  ledger.ApplySite(utc);
  TestBatch batch({"a"});
  batch.request.views[0].event_time_unix_ms = kFirstHourMs;
  ledger.Fold(batch, Position{10});
  const auto hanoi = MakeIndexed("demo", 0, "Asia/Ho_Chi_Minh");
  ledger.ApplySite(hanoi);
  for (uint64_t i = 2; i < 5; ++i) ledger.Fold(batch, Position{10 * i});
  const auto still = ledger.HoldStill();
  const uint64_t hash = ArticleHash(utc->seed, "a");
  EXPECT_EQ(still.Pending(Cursor(), *hanoi, hash, "a", {Window::Kind::kDay, 20261122}), 1u);
  EXPECT_EQ(still.Pending(Cursor(), *hanoi, hash, "a", {Window::Kind::kDay, 20261123}), 3u);
  EXPECT_EQ(still.Pending(Cursor(), *hanoi, hash, "a", kAll), 4u);
}

// Cursors read after a mark can be completed as long as no chunk came and went; then they are to be read again.
TEST(Ledger, AMarkHoldsForOneChunkOnly) {
  Ledger ledger(RandomId<LaneId>());
  const auto site = MakeIndexed("demo", 0);
  ledger.ApplySite(site);
  TestBatch batch({"a"});
  const Shard shard = ShardOf(ArticleHash(site->seed, "a"));
  uint64_t seen = 0;
  const auto sum = [&](Shard, uint64_t, std::string_view, uint64_t views) { seen += views; };
  const auto flush = [&] {
    ledger.SetCursor(shard, Cursor::End(ledger.Seal()->to()));
    ledger.Release();
  };
  ledger.Fold(batch, Position{10});
  ASSERT_NE(ledger.Seal(), nullptr);
  const Ledger::Mark mark = ledger.MarkNow();
  // Read before the sealed chunk reached the store.
  const ShardCursors cursors;
  flush();
  ledger.Fold(batch, Position{20});
  EXPECT_TRUE(ledger.ForEachPending(mark, cursors, *site, kAll, sum));
  EXPECT_EQ(seen, 2u);
  flush();
  EXPECT_FALSE(ledger.ForEachPending(mark, cursors, *site, kAll, sum));
}

// One article, one view a batch, positions equal to views: cursor and pending always add up to what was folded.
TEST(Ledger, CursorsAndPendingAreOfOneMoment) {
  constexpr uint64_t kViews = 100'000;
  Ledger ledger(RandomId<LaneId>());
  const auto site = MakeIndexed("demo", 0);
  ledger.ApplySite(site);
  const uint64_t hash = ArticleHash(site->seed, "a");
  const Shard shard = ShardOf(hash);
  std::atomic<uint64_t> folded = 0;
  std::thread lane([&] {
    TestBatch batch({"a"});
    for (uint64_t i = 1; i <= kViews; ++i) {
      ledger.Fold(batch, Position{i});
      folded = i;
    }
  });
  std::thread flusher([&] {
    while (ledger.totals().flushed < Position{kViews}) {
      const auto chunk = ledger.Seal();
      if (chunk == nullptr) continue;
      ledger.SetCursor(shard, Cursor::End(chunk->to()));
      ledger.Release();
    }
  });
  uint64_t total = 0;
  while (total < kViews) {
    const uint64_t before = folded;
    {
      const auto still = ledger.HoldStill();
      const Cursor& cursor = still.CursorOf(shard);
      total = cursor.to().value + still.Pending(cursor, *site, hash, "a", kAll);
    }
    EXPECT_GE(total, before);
    EXPECT_LE(total, folded + 1);
  }
  lane.join();
  flusher.join();
}

}  // namespace
}  // namespace viewcount
