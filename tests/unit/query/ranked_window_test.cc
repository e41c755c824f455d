// Compares the popular lists of two lanes with a full sort. Views are folded, adjusted, sealed and flushed in any
// order. The rankings were read just now or earlier.
#include "service/query/ranked_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "service/base/hash.h"
#include "tests/support/seed.h"
#include "tests/unit/lane/test_batch.h"

namespace viewcount {
namespace {

constexpr Window kAll{Window::Kind::kAllTime, 0};
constexpr Window kDay{Window::Kind::kDay, 20261122};
// This hour begins at 2026-11-22T22:00Z. It and the hours after it fall on two days.
constexpr uint32_t kFirstHour = 498'718;
constexpr size_t kLanes = 2;

std::shared_ptr<const Site> MakeIndexed(std::string_view name, uint32_t index) {
  Site site = *MakeSite(name, {});
  site.index = {index};
  return std::make_shared<const Site>(std::move(site));
}

struct Shape {
  size_t articles = 1'000;
  // This many shards hold the articles. If a shard holds more than 256 articles, not all of them are ranked.
  uint32_t shards = 2;
  uint32_t count_max = 2;
  // This is the exponent of the distribution. A larger value gives more views to fewer articles.
  double skew = 1;
  size_t batch_views = 300;
  uint32_t hours = 3;
  // A shard ranks this many articles. If a list has more entries, only that many of them are guaranteed.
  size_t ranked = limits::kRankedAllTimeAndDay;
  // One in this many steps makes an adjustment. 0 makes none.
  uint32_t adjust_one_in = 0;
};

class RankedModel {
 public:
  RankedModel(const Shape& shape, std::mt19937_64& random) : shape_(shape), random_(random) {
    while (ids_.size() < shape.articles) {
      std::string id = "story " + std::to_string(ids_.size()) + "/" + std::to_string(random_());
      if (ShardOf(HashOf(id)).value < shape.shards) ids_.push_back(std::move(id));
    }
    for (auto& ledger : ledgers_) {
      ledger = std::make_unique<Ledger>(RandomId<LaneId>());
      for (const auto& site : sites_) ledger->ApplySite(site);
      pointers_.push_back(ledger.get());
    }
  }

  void Step() {
    const size_t lane = Roll(kLanes);
    Fold(lane);
    if (shape_.adjust_one_in > 0 && Roll(shape_.adjust_one_in) == 0) Adjust(lane);
    if (Roll(2) == 0) Apply(Roll(kLanes));
    for (const Window window : {kAll, kDay}) ASSERT_NO_FATAL_FAILURE(Check(window));
  }

  size_t exact_lists() const { return exact_lists_; }
  size_t stale_lists() const { return stale_lists_; }
  size_t candidates() const { return candidates_; }

 private:
  // Counts the views of one article in one window. `all` are the views that all lanes counted, and `stored` are those
  // in the store.
  struct Count {
    int64_t all = 0;
    int64_t stored = 0;
  };
  using Counts = std::map<std::string, Count>;

  size_t Roll(size_t sides) { return random_() % sides; }
  uint64_t HashOf(std::string_view id) const { return ArticleHash(sites_[0]->seed, id); }

  void Fold(size_t lane) {
    // Sometimes the views belong to the other site, with the same article IDs.
    const bool other = Roll(5) == 0;
    std::vector<std::string> ids;
    for (size_t n = 1 + Roll(shape_.batch_views); n > 0; --n) {
      const double place = std::pow(std::uniform_real_distribution<>(0, 1)(random_), shape_.skew);
      ids.push_back(ids_[static_cast<size_t>(place * static_cast<double>(ids_.size()))]);
    }
    TestBatch batch(ids);
    batch.site = sites_[other ? 1 : 0]->index;
    for (DecodedView& view : batch.request.views) {
      const auto hour = static_cast<uint32_t>(kFirstHour + Roll(shape_.hours));
      view.event_time_unix_ms = int64_t{hour} * 3'600'000;
      view.count = static_cast<uint32_t>(1 + Roll(shape_.count_max));
      view.bot = Roll(10) == 0;
      if (other || view.bot) continue;
      counts_[kAll][std::string(view.article_id)].all += view.count;
      if (hour < kFirstHour + 2) counts_[kDay][std::string(view.article_id)].all += view.count;
    }
    ledgers_[lane]->Fold(batch);
    // Sometimes pending views are not durable yet.
    if (Roll(4) != 0) MarkDurable(lane);
  }

  void MarkDurable(size_t lane) { ledgers_[lane]->MarkDurable(Position{++position_}); }

  void Adjust(size_t lane) {
    journal::v1::Adjustment message;
    message.set_unix_ms(++position_);
    for (size_t n = 1 + Roll(4); n > 0; --n) {
      const std::string& id = ids_[Roll(Roll(2) == 0 ? ids_.size() : std::min<size_t>(ids_.size(), 300))];
      Count& count = counts_[kAll][id];
      const int64_t change = Roll(2) == 0 ? -static_cast<int64_t>(Roll(static_cast<size_t>(count.all) + 1))
                                          : static_cast<int64_t>(1 + Roll(20));
      count.all += change;
      auto* changed = message.add_changes();
      changed->set_article_id(id);
      *changed->add_windows() = ChangeOf(kAll, change);
    }
    ledgers_[lane]->Fold(sites_[0]->index, MakeAdjustment(std::move(message)), {});
    MarkDurable(lane);
  }

  // Applies the articles of some shards to the store, to the end of the chunk or only a part of them.
  void Apply(size_t lane) {
    Ledger& ledger = *ledgers_[lane];
    const SealedChunk sealed = ledger.Next();
    if (sealed.chunk == nullptr) return;
    const Chunk& chunk = *sealed.chunk;
    const bool to_the_end = Roll(2) == 0;
    bool finished = true;
    for (uint32_t i = 0; i < limits::kShards; ++i) {
      const Shard shard{static_cast<uint8_t>(i)};
      const Cursor before = ledger.Lock().CursorOf(shard);
      if (before.applied_to() >= chunk.to()) continue;
      Cursor next = Cursor::End(chunk.to());
      if (i < shape_.shards && !to_the_end && Roll(2) == 0) {
        next = Cursor::Middle(chunk.from(), chunk.to(), {sites_[0]->name, ids_[Roll(ids_.size())]}, chunk.to());
        if (!(before < next)) next = before;
        finished = false;
      }
      if (i < shape_.shards) Store(chunk, shard, before, next);
      ledger.SetCursor(shard, next);
    }
    if (finished) ledger.Release(chunk);
  }

  void Store(const Chunk& chunk, Shard shard, const Cursor& before, const Cursor& next) {
    for (const Chunk::Article& article : chunk.articles()) {
      if (article.site != sites_[0]->index || ShardOf(article.hash) != shard) continue;
      const ArticleKey key{sites_[0]->name, article.id};
      if (before.Covers(chunk.to(), key) || !next.Covers(chunk.to(), key)) continue;
      for (const Window window : {kAll, kDay}) {
        if (const int64_t views = chunk.ViewsOf(article, window)) {
          counts_[window][std::string(article.id)].stored += views;
        }
      }
    }
  }

  void Read(Window window) {
    RankedWindow::Rankings rankings;
    rankings.cursors.resize(kLanes);
    for (size_t lane = 0; lane < kLanes; ++lane) {
      rankings.marks.push_back(ledgers_[lane]->TakeSnapshot());
      for (uint32_t i = 0; i < limits::kShards; ++i) {
        rankings.cursors[lane][i] = ledgers_[lane]->Lock().CursorOf(Shard{static_cast<uint8_t>(i)});
      }
    }
    for (const auto& [id, count] : counts_[window]) {
      if (count.stored != 0) rankings.shards[ShardOf(HashOf(id)).value].articles.push_back({id, count.stored});
    }
    for (Ranking& shard : rankings.shards) {
      std::stable_sort(shard.articles.begin(), shard.articles.end(),
                       [](const RankedCount& a, const RankedCount& b) { return a.views > b.views; });
      if (shard.articles.size() < shape_.ranked) continue;
      shard.articles.resize(shape_.ranked);
      shard.unlisted_views_max = static_cast<uint64_t>(std::max<int64_t>(1, shard.articles.back().views));
    }
    read_[window] = std::make_unique<RankedWindow>(sites_[0], std::vector<Window>{window}, limits::kRankedAllTimeAndDay,
                                                   pointers_, std::move(rankings));
  }

  bool AddStored(Window window, const std::vector<RankedWindow::Candidate>& candidates) {
    for (const RankedWindow::Candidate& candidate : candidates) {
      const std::vector<RankedWindow::Stored> stored = {
          {candidate.id, candidate.hash, counts_[window][candidate.id].stored}};
      std::vector<Cursor> cursors;
      for (const auto& ledger : ledgers_) cursors.push_back(ledger->Lock().CursorOf(ShardOf(candidate.hash)));
      if (!read_[window]->AddStored(stored, cursors)) return false;
      ++candidates_;
    }
    return true;
  }

  void Check(Window window) {
    const bool fresh = read_[window] == nullptr || Roll(8) == 0;
    if (fresh) {
      const auto followed =
          read_[window] != nullptr ? read_[window]->TrackedCandidates() : std::vector<RankedWindow::Candidate>();
      Read(window);
      if (Roll(2) == 0) {
        ASSERT_TRUE(AddStored(window, followed));
      }
    }
    const auto which = Roll(2) == 0 ? RankedWindow::Candidates::kNear : RankedWindow::Candidates::kOne;
    auto answer = read_[window]->Complete(which);
    if (!answer) {
      ASSERT_FALSE(fresh);
      Read(window);
      answer = read_[window]->Complete(which);
      ASSERT_TRUE(answer);
    }
    while (!answer->candidates.empty()) {
      ASSERT_TRUE(AddStored(window, answer->candidates));
      if (!answer->more_candidates && Roll(2) == 0) {
        read_[window]->Settle(*answer);
      } else {
        answer = read_[window]->Complete(which);
        ASSERT_TRUE(answer);
      }
    }
    stale_lists_ += fresh ? 0 : 1;
    Compare(window, answer->list);
  }

  void Compare(Window window, const PopularList& list) {
    std::vector<std::pair<int64_t, std::string>> expected;
    for (const auto& [id, count] : counts_[window]) {
      if (count.all > 0) expected.emplace_back(-count.all, id);
    }
    std::sort(expected.begin(), expected.end());
    expected.resize(std::min<size_t>(expected.size(), shape_.ranked));
    if (list.exact) {
      ++exact_lists_;
      ASSERT_GE(list.articles.size(), expected.size());
      ASSERT_LE(list.articles.size(), limits::kRankedAllTimeAndDay);
    } else {
      ASSERT_GT(shape_.adjust_one_in, 0u);
      ASSERT_EQ(window, kAll);
    }
    std::map<std::string, int64_t> listed;
    for (const PopularArticle& article : list.articles) {
      listed[article.article_id] = static_cast<int64_t>(article.views);
      ASSERT_EQ(counts_[window][article.article_id].all, static_cast<int64_t>(article.views)) << article.article_id;
    }
    ASSERT_EQ(listed.size(), list.articles.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      if (list.exact) {
        ASSERT_EQ(list.articles[i].article_id, expected[i].second) << i;
      }
      if (listed.contains(expected[i].second)) continue;
      ASSERT_LE(static_cast<uint64_t>(-expected[i].first), list.error_bound) << expected[i].second;
    }
  }

  const Shape shape_;
  std::mt19937_64& random_;
  const std::vector<std::shared_ptr<const Site>> sites_ = {MakeIndexed("demo", 0), MakeIndexed("sports", 1)};
  std::vector<std::string> ids_;
  std::array<std::unique_ptr<Ledger>, kLanes> ledgers_;
  std::vector<Ledger*> pointers_;
  uint64_t position_ = 0;
  std::map<Window, Counts> counts_;
  std::map<Window, std::unique_ptr<RankedWindow>> read_;
  size_t exact_lists_ = 0;
  size_t stale_lists_ = 0;
  size_t candidates_ = 0;
};

class RankedWindowTest : public ::testing::Test {
 protected:
  void Run(const Shape& shape, int steps) {
    RankedModel model(shape, random_);
    for (int i = 0; i < steps; ++i) {
      SCOPED_TRACE("step " + std::to_string(i));
      ASSERT_NO_FATAL_FAILURE(model.Step());
    }
    EXPECT_GT(model.exact_lists(), 0u);
    EXPECT_GT(model.stale_lists(), 0u) << "no rankings were used twice";
    candidates_ += model.candidates();
  }

  std::mt19937_64 random_{TestSeed()};
  size_t candidates_ = 0;
};

TEST_F(RankedWindowTest, EqualsAFullSortOfFewPopularArticles) { Run({.skew = 6, .batch_views = 2'000}, 60); }

TEST_F(RankedWindowTest, EqualsAFullSortWhereAllAreAlike) {
  Run({.articles = 1'500, .shards = 1, .count_max = 1}, 60);
  EXPECT_GT(candidates_, 0u) << "nobody had to be read";
}

TEST_F(RankedWindowTest, EqualsAFullSortAsFarAsShardsRank) {
  for (const size_t ranked : {1, 20, 190, 250}) {
    ASSERT_NO_FATAL_FAILURE(Run({.articles = 460, .shards = 1, .count_max = 1, .ranked = ranked}, 25));
  }
}

TEST_F(RankedWindowTest, EqualsAFullSortOverAllShards) {
  Run({.articles = 5'000, .shards = limits::kShards, .skew = 3, .batch_views = 3'000}, 30);
}

TEST_F(RankedWindowTest, EqualsAFullSortOfFewArticles) { Run({.articles = 40, .shards = 3, .batch_views = 20}, 150); }

TEST_F(RankedWindowTest, EqualsAFullSortOrSaysHowMuchIsMissingWhileCountsAreAdjusted) {
  for (int i = 0; i < 5; ++i) {
    const Shape shape{.articles = 50 + random_() % 1'500,
                      .shards = static_cast<uint32_t>(1 + random_() % 3),
                      .count_max = static_cast<uint32_t>(1 + random_() % 30),
                      .skew = 1.0 + static_cast<double>(random_() % 8),
                      .batch_views = 50 + random_() % 1'000,
                      .hours = static_cast<uint32_t>(1 + random_() % 6),
                      .adjust_one_in = static_cast<uint32_t>(1 + random_() % 8)};
    ASSERT_NO_FATAL_FAILURE(Run(shape, 40));
  }
}

}  // namespace
}  // namespace viewcount
