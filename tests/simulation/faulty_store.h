// A process's connection to the store of counts, with the faults of a network: it loses and delays commands and
// answers.
#pragma once

#include <vector>

#include "service/store/count_store.h"
#include "tests/simulation/network.h"
#include "tests/support/memory_store.h"

namespace viewcount::simulation {

// Passes calls to a store and lets them fail at random. Not thread-safe. The store and the network must outlive it, and
// it must outlive its calls.
class FaultyStore final : public CountStore {
 public:
  FaultyStore(MemoryStore& store, Network& network) : store_(store), network_(network) {}

  // Breaks the connection: calls that hang fail, and the process notices.
  void Disconnect() {
    ++connects_;
    network_.ReleaseAll(this, true);
  }

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
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> ReadNotes(Shard shard,
                                                                            std::string_view site) override;
  boost::asio::awaitable<absl::StatusOr<ArticleScan>> ScanArticles(Shard shard, std::string_view site, Window window,
                                                                   std::string_view cursor) override;
  boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows(std::string_view site) override;
  uint64_t generation() const override { return store_.generation() + connects_; }

 private:
  // The outcome of a call.
  enum class Fate { kGood, kLost, kLate, kAnswerLost, kOutOfMemory };
  Fate Draw() const;
  // Carries out a call according to its fate. `delay` hands the command to the network, which carries it out later.
  template <typename Result, typename Execute, typename DelayIt>
  boost::asio::awaitable<Result> Carry(Execute execute, DelayIt delay, uint32_t hang);

  // Decides whether the next part or removal is refused or torn.
  void DrawRefusal() const;

  MemoryStore& store_;
  Network& network_;
  uint64_t connects_ = 0;
};

}  // namespace viewcount::simulation
