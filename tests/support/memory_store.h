// A count store in memory that keeps the promises of CountStore, and goes back in time when told: for simulations that
// need thousands of stores a second. tests/unit/store/count_store_contract_test.cc holds it to what Redis does.
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

#include "service/store/count_store.h"

namespace viewcount {

// One thread. Every call is done when it returns: nothing waits. Shard s lives on node s % nodes; all sites and salts
// on node 0. Hours do not expire, and no number is ever broken; the rest is as KEYS.md has it. A write may be told to
// be refused, or to end half way: then the shard is torn until the next call for it, which restores it, as RedisStore
// does.
class MemoryStore final : public CountStore {
 public:
  struct Options {
    RankedLimits ranked = {};
    uint32_t nodes = 1;
    // Writes of each node that can be taken back.
    size_t history = 1'000;
  };

  MemoryStore() : MemoryStore(Options()) {}
  explicit MemoryStore(Options options);
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  // The node comes back as it was before its last `writes` writes, or as many as it remembers; returns how many. Every
  // connection was lost meanwhile.
  size_t Rollback(uint32_t node, size_t writes);
  // Comes back empty, as after FLUSHALL or on a new disk; cannot be rolled back to what was before.
  void Empty();
  // Every connection was lost; nothing else was.
  void Restart() { ++generation_; }
  // The next part or removal writes nothing, as where an ACL refuses a command of its script.
  void RefuseNext() { next_ = Next::kRefused; }
  // The next part or removal ends after `changes` changed values, or before its last one if there are fewer, as where a
  // script fails half way. One that changes a single value is refused: one command does that whole or not at all.
  void TearNext(size_t changes) {
    next_ = Next::kTorn;
    tear_after_ = changes;
  }
  bool IsTorn(Shard shard) const { return shards_[shard.value].undo != nullptr; }
  // All that are stored, by site and day.
  const std::map<std::pair<std::string, uint32_t>, ViewerSalt>& salts() const { return salts_; }
  // How far Rollback can go.
  size_t history(uint32_t node) const { return nodes_[node].writes.size(); }
  uint32_t NodeOf(Shard shard) const { return shard.value % options_.nodes; }
  // Calls `visit(shard, site, window, articles by ID, sum)` for every hash.
  template <typename Visit>
  void ForEachHash(Visit visit) const {
    for (uint8_t i = 0; i < limits::kShards; ++i) {
      for (const auto& [key, hash] : shards_[i].hashes) visit(Shard{i}, key.first, key.second, hash.articles, hash.sum);
    }
  }
  // Of all lanes the shard ever knew.
  LaneTotals TotalsOf(Shard shard) const;
  // Of all lanes removed from the shard.
  const LaneTotals& retired(Shard shard) const { return shards_[shard.value].retired; }

  boost::asio::awaitable<absl::StatusOr<Claimed>> Claim(Shard shard, const LaneIdentity& lane) override;
  boost::asio::awaitable<absl::StatusOr<StoredLane>> ReadLane(Shard shard, const LaneId& lane) override;
  boost::asio::awaitable<absl::StatusOr<ApplyResult>> Apply(const Part& part) override;
  boost::asio::awaitable<absl::Status> RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) override;
  boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                 std::string_view site,
                                                                 const std::vector<Window>& windows,
                                                                 const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> EstimateViewers(
      Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) override;
  boost::asio::awaitable<absl::StatusOr<ShardRanking>> ReadRanking(Shard shard, const std::vector<LaneId>& lanes,
                                                                   std::string_view site, Window window) override;
  boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows(std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> ReadNotes(Shard shard,
                                                                            std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> ReadSites() override;
  boost::asio::awaitable<absl::Status> WriteSite(const StoredSite& site) override;
  boost::asio::awaitable<absl::Status> WriteAliases(std::string_view site, const AliasEntries& aliases) override;
  boost::asio::awaitable<absl::Status> WriteArticles(Shard shard, std::string_view site,
                                                     const std::map<std::string, std::string>& articles) override;
  boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) override;
  boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainSalt(std::string_view site, uint32_t day,
                                                                const ViewerSalt& fresh) override;
  boost::asio::awaitable<absl::Status> RemoveSalts(const SiteDays& first_days) override;
  uint64_t generation() const override { return generation_; }

 private:
  using Texts = std::map<std::string, std::string, std::less<>>;
  // What is absent is 0; zeros are not kept, so that a hash has the articles that Redis would have.
  using Numbers = std::map<std::string, int64_t, std::less<>>;
  using Lanes = std::map<LaneId, LaneEntry>;
  // Which viewer is in the set of which name; exactly, where Redis estimates.
  using Viewers = std::map<std::pair<std::string, uint64_t>, bool>;
  using Salts = std::map<std::pair<std::string, uint32_t>, ViewerSalt>;
  struct Hash {
    Numbers articles;
    int64_t sum = 0;
  };
  struct UndoLog;
  // The maps that others point into only grow, so that what points into them stays valid.
  struct ShardState {
    Lanes lanes;
    std::map<LaneId, LaneTotals> totals;
    LaneTotals retired;
    std::map<std::pair<std::string, Window>, Hash> hashes;
    std::map<std::string, Texts, std::less<>> notes;
    // By site, then by article.
    std::map<std::string, Texts, std::less<>> articles;
    Viewers viewers;
    // What takes back the half part that the shard holds; null if it is whole.
    std::shared_ptr<const UndoLog> undo;
  };

  // What was at a place before; nothing if the place was empty.
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
  // What takes a write back, last first.
  using Write = std::vector<Undo>;
  struct UndoLog {
    Write half;
    // What the lane's entry would have been.
    LaneId lane;
    std::optional<LaneEntry> next;
  };
  struct Node {
    std::deque<Write> writes;
  };

  // Everything below until the next Begin is one write.
  void Begin(uint32_t node);
  // Puts a value, or takes it away if there is none.
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
  // Takes back the half part that the shard holds, if it does.
  void Restore(Shard shard);
  // Takes back what the present write changed beyond its first `tear_after_` values, and keeps what takes back those.
  void Tear(Shard shard, const LaneId& lane);
  static absl::Status Refusal();
  void ApplyHash(const Part& part, const HashDelta& delta, LaneTotals& totals, ApplyResult& result);
  const Hash* Find(Shard shard, std::string_view site, Window window) const;
  // Of all these sets together.
  uint64_t CountViewers(Shard shard, std::string_view site, const std::vector<ViewerSetName>& sets) const;
  std::vector<std::optional<LaneEntry>> EntriesOf(Shard shard, const std::vector<LaneId>& lanes) const;

  const Options options_;
  std::array<ShardState, limits::kShards> shards_;
  Texts sites_;
  // By site; entries only grow.
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
