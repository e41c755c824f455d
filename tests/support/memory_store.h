// A store in memory that keeps the promises of CountStore, SiteStore and SaltStore, and can be rolled back. It serves
// simulations that need thousands of stores a second. The contract tests in tests/unit/store check that it behaves like
// Redis.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "service/store/annotation_store.h"
#include "service/store/count_store.h"
#include "service/store/day_store.h"
#include "service/store/ranked_limits.h"
#include "service/store/salt_store.h"
#include "service/store/site_store.h"

namespace viewcount {

// Used by one thread only. Every call is complete when it returns, and nothing waits. Shard s is stored on node s %
// nodes. All sites and salts are stored on node 0. Hours do not expire, and no number is ever broken. Everything else
// follows KEYS.md. A test can make a write be refused or end half way. In the second case the shard is torn until the
// next call for it. That call restores the shard, as RedisStore does.
class MemoryStore final : public CountStore,
                          public SiteStore,
                          public SaltStore,
                          public DayStore,
                          public AnnotationStore {
 public:
  struct Options {
    RankedLimits ranked = {};
    uint32_t nodes = 1;
    // The number of writes of each node that can be rolled back.
    size_t history = 1'000;
  };

  MemoryStore() : MemoryStore(Options()) {}
  explicit MemoryStore(Options options);
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  // Restores the node to its state before its last `writes` writes, or before as many as it remembers. Returns the
  // number of writes rolled back. Every connection is lost.
  size_t Rollback(uint32_t node, size_t writes);
  // Deletes everything, as after FLUSHALL or on a new disk. The store cannot be rolled back to the state before.
  void Empty();
  // Simulates a restart: every connection is lost, but no data.
  void Restart() { ++generation_; }
  // Makes the next part or removal write nothing, as if an ACL refused a command of its script.
  void RefuseNext() { next_ = Next::kRefused; }
  // Makes the next part or removal end after `changes` changed values, as if its script failed half way. If there are
  // fewer changes, it ends before the last one. A write of a single value is refused, because one command is carried
  // out completely or not at all.
  void TearNext(size_t changes) {
    next_ = Next::kTorn;
    tear_after_ = changes;
  }
  bool IsTorn(Shard shard) const { return shards_[shard.value].undo != nullptr; }
  // Returns all stored salts by site and day.
  const std::map<std::pair<std::string, uint32_t>, ViewerSalt>& salts() const { return salts_; }
  // Returns the number of writes that Rollback can undo.
  size_t history(uint32_t node) const { return nodes_[node].writes.size(); }
  uint32_t NodeOf(Shard shard) const { return shard.value % options_.nodes; }
  // Calls `visit(shard, site, window, articles by ID, sum)` for every hash.
  template <typename Visit>
  void ForEachHash(Visit visit) const {
    for (uint8_t i = 0; i < limits::kShards; ++i) {
      for (const auto& [key, hash] : shards_[i].hashes) visit(Shard{i}, key.first, key.second, hash.articles, hash.sum);
    }
  }
  // Returns the totals of all lanes that the shard ever knew.
  LaneTotals TotalsOf(Shard shard) const;
  // Returns the totals of all lanes that were removed from the shard.
  const LaneTotals& retired(Shard shard) const { return shards_[shard.value].retired; }

  boost::asio::awaitable<absl::StatusOr<Claimed>> Claim(Shard shard, const LaneIdentity& lane) override;
  boost::asio::awaitable<absl::StatusOr<StoredLane>> ReadLane(Shard shard, const LaneId& lane) override;
  boost::asio::awaitable<absl::StatusOr<ApplyResult>> Apply(const Part& part) override;
  boost::asio::awaitable<absl::Status> RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) override;
  boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                 std::string_view site,
                                                                 const std::vector<Window>& windows,
                                                                 const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::Status> AddViewers(Shard shard, const std::vector<ViewerSet>& sets) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> EstimateViewers(
      Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) override;
  boost::asio::awaitable<absl::StatusOr<ShardWindows>> ReadWindows(Shard shard, const std::vector<LaneId>& lanes,
                                                                   std::string_view site,
                                                                   const std::vector<WindowRead>& reads) override;
  boost::asio::awaitable<absl::StatusOr<ArticleScan>> ScanArticles(Shard shard, std::string_view site, Window window,
                                                                   std::string_view cursor) override;
  boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows(std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> ReadNotes(Shard shard,
                                                                            std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> ReadSites() override;
  boost::asio::awaitable<absl::Status> WriteSite(const StoredSite& site) override;
  boost::asio::awaitable<absl::StatusOr<bool>> SwapSite(const StoredSite& site, const SiteSettings& expected) override;
  boost::asio::awaitable<absl::Status> WriteAliases(std::string_view site, const AliasEntries& aliases) override;
  boost::asio::awaitable<absl::Status> WriteArticles(Shard shard, std::string_view site,
                                                     const std::map<std::string, std::string>& articles) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::StatusOr<TextScan>> ScanArticleTexts(Shard shard, std::string_view site,
                                                                    std::string_view cursor) override;
  boost::asio::awaitable<absl::Status> WritePublications(
      Shard shard, std::string_view site, const std::map<std::string, std::optional<int64_t>>& articles) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<Publication>>> ReadPublications(
      Shard shard, std::string_view site, const PublicationRange& range) override;
  boost::asio::awaitable<absl::Status> WritePageArticle(Shard shard, std::string_view site, std::string_view id,
                                                        std::string_view text) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadPageArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::StatusOr<std::map<std::string, std::string>>> ReadAnnotations(
      Shard shard, std::string_view site) override;
  boost::asio::awaitable<absl::Status> WriteAnnotation(Shard shard, std::string_view site, std::string_view id,
                                                       std::string_view text) override;
  boost::asio::awaitable<absl::StatusOr<bool>> RemoveAnnotation(Shard shard, std::string_view site,
                                                                std::string_view id) override;
  boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainSalt(std::string_view site, uint32_t day,
                                                                const ViewerSalt& fresh) override;
  boost::asio::awaitable<absl::Status> RemoveSalts(const SiteDays& first_days) override;
  boost::asio::awaitable<absl::StatusOr<std::set<StoredDay>>> ListDaysBefore(const SiteDays& first_days) override;
  // Cannot be rolled back.
  boost::asio::awaitable<absl::Status> RemoveDay(std::string_view site, uint32_t day) override;
  uint64_t generation() const override { return generation_; }

 private:
  using Texts = std::map<std::string, std::string, std::less<>>;
  // An absent entry means 0. Zeros are not stored, so a hash has exactly the articles that Redis would have.
  using Numbers = std::map<std::string, int64_t, std::less<>>;
  using Lanes = std::map<LaneId, LaneEntry>;
  // The members of all viewer sets, by set name and viewer. The sets are exact, whereas Redis estimates their size.
  using Viewers = std::map<std::pair<std::string, uint64_t>, bool>;
  using Salts = std::map<std::pair<std::string, uint32_t>, ViewerSalt>;
  struct Hash {
    Numbers articles;
    int64_t sum = 0;
  };
  struct UndoLog;
  // Maps that other structures point into only grow, so these pointers stay valid.
  struct ShardState {
    Lanes lanes;
    std::map<LaneId, LaneTotals> totals;
    LaneTotals retired;
    // See HashVersion.
    int64_t adjusted_parts = 0;
    std::map<std::pair<std::string, Window>, Hash> hashes;
    std::map<std::string, Texts, std::less<>> notes;
    // Announced articles, by site and then by article.
    std::map<std::string, Texts, std::less<>> articles;
    // Texts that pages announced about themselves, and annotations, by site.
    std::map<std::string, Texts, std::less<>> pages;
    std::map<std::string, Texts, std::less<>> annotations;
    // The articles' times of publication, by site.
    std::map<std::string, Numbers, std::less<>> publications;
    Viewers viewers;
    // Undoes the half part that the shard holds. Null if the shard is whole.
    std::shared_ptr<const UndoLog> undo;
  };

  // The previous value of a map entry. `before` is empty if there was no entry.
  template <typename Map>
  struct Entry {
    Map* map;
    typename Map::key_type key;
    std::optional<typename Map::mapped_type> before;

    void PutBack() {
      if (before) {
        map->insert_or_assign(key, *std::move(before));
      } else {
        map->erase(key);
      }
    }
  };
  template <typename Value>
  struct Variable {
    Value* variable;
    Value before;

    void PutBack() { *variable = before; }
  };
  using Undo =
      std::variant<Entry<Numbers>, Entry<Texts>, Entry<Lanes>, Entry<AliasEntries>, Entry<Salts>, Entry<Viewers>,
                   Variable<int64_t>, Variable<LaneTotals>, Variable<std::shared_ptr<const UndoLog>>>;
  // The undo entries of one write. They are undone in reverse order.
  using Write = std::vector<Undo>;
  struct UndoLog {
    Write half;
    // The lane and the entry that it would have had after the whole write.
    LaneId lane;
    std::optional<LaneEntry> next;
  };
  struct Node {
    std::deque<Write> writes;
  };

  using TextsOfSites = std::map<std::string, Texts, std::less<>>;
  static std::vector<std::optional<std::string>> Find(const TextsOfSites& texts, std::string_view site,
                                                      const std::vector<std::string_view>& ids);
  // Begins a write on `node`. All changes until the next Begin belong to it.
  void Begin(uint32_t node);
  // Stores a value and records the previous one. Removes the entry if there is no value.
  template <typename Map>
  void Put(Map& map, const typename Map::key_type& key, std::optional<typename Map::mapped_type> value);
  template <typename Value>
  void Put(Value& variable, const Value& value);

  template <typename Map>
  void PutBefore(const Entry<Map>& place) {
    Put(*place.map, place.key, place.before);
  }
  template <typename Value>
  void PutBefore(const Variable<Value>& place) {
    Put(*place.variable, place.before);
  }
  // Undoes the half part that the shard holds, if there is one.
  void Restore(Shard shard);
  // Undoes the present write's changes after its first `tear_after_` values. Keeps the undo entries of those first
  // values in the shard.
  void Tear(Shard shard, const LaneId& lane);
  static absl::Status Refusal();
  void ApplyHash(const Part& part, const HashDelta& delta, LaneTotals& totals, ApplyResult& result);
  static Ranking RankingOf(const Hash& hash, size_t places);
  const Hash* Find(Shard shard, std::string_view site, Window window) const;
  // Returns the number of viewers in the union of all these sets.
  uint64_t CountViewers(Shard shard, std::string_view site, const std::vector<ViewerSetName>& sets) const;
  std::vector<std::optional<LaneEntry>> EntriesOf(Shard shard, const std::vector<LaneId>& lanes) const;

  const Options options_;
  std::array<ShardState, limits::kShards> shards_;
  Texts sites_;
  // Aliases by site. Entries are only added.
  std::map<std::string, AliasEntries, std::less<>> aliases_;
  Salts salts_;
  std::vector<Node> nodes_;
  Write* write_ = nullptr;
  enum class Next { kGood, kRefused, kTorn };
  Next next_ = Next::kGood;
  size_t tear_after_ = 0;
  uint64_t generation_ = 1;
};

}  // namespace viewcount
