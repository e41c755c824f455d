// This store of counts stands in front of the real one and injects faults. It loses commands, loses replies and changes
// their order.
#pragma once

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "service/store/count_store.h"

namespace viewcount {

// Describes the fault that is injected into one command.
struct Fate {
  enum class Kind : uint8_t {
    kForward,
    // The command never arrives.
    kLoseCommand,
    // The command is carried out, but its reply is lost.
    kLoseReply,
    // The reply is lost, and the command is carried out only after `delay`.
    kLate,
    // The command arrives after `delay`.
    kSlow,
  };
  Kind kind = Kind::kForward;
  std::chrono::milliseconds delay{0};
  // The store calls it after the command and before the command's answer.
  std::function<void()> after = {};
};

// Runs on the store's executor. The real store must be closed, and its thread drained, before this object is destroyed.
class FaultyStore final : public CountStore {
 public:
  struct Faults {
    // The store calls it for every part. Without a function no fault is injected.
    std::function<Fate(const Part&)> apply = {};
    std::function<Fate(Shard)> claim = {};
    // The store calls it for every shard that must forget lanes. If it returns true, the command does not arrive.
    std::function<bool(Shard)> loses_removal = {};
    // If true, lost connections are not reported.
    bool hides_reconnects = false;
    // Counts the commands that have not arrived yet.
    std::shared_ptr<std::atomic<int>> late = std::make_shared<std::atomic<int>>(0);
  };
  FaultyStore(CountStore& store, Faults faults) : store_(store), faults_(std::move(faults)) {}

  boost::asio::awaitable<absl::StatusOr<Claimed>> Claim(Shard shard, const LaneIdentity& lane) override {
    const Fate fate = faults_.claim ? faults_.claim(shard) : Fate();
    if (fate.kind == Fate::Kind::kLoseCommand) co_return Lost();
    auto result = co_await store_.Claim(shard, lane);
    if (fate.after) fate.after();
    if (fate.kind == Fate::Kind::kLoseReply) co_return Lost();
    co_return result;
  }

  boost::asio::awaitable<absl::StatusOr<ApplyResult>> Apply(const Part& part) override {
    const Fate fate = faults_.apply ? faults_.apply(part) : Fate();
    if (fate.kind == Fate::Kind::kLoseCommand) co_return Lost(fate);
    if (fate.kind == Fate::Kind::kLate) {
      ++*faults_.late;
      boost::asio::co_spawn(co_await boost::asio::this_coro::executor,
                            ApplyLate(store_, std::make_unique<Letter>(part), fate.delay, faults_.late),
                            boost::asio::detached);
      co_return Lost(fate);
    }
    if (fate.kind == Fate::Kind::kSlow) co_await Sleep(fate.delay);
    auto result = co_await store_.Apply(part);
    if (fate.kind == Fate::Kind::kLoseReply) co_return Lost(fate);
    if (fate.after) fate.after();
    co_return result;
  }

  boost::asio::awaitable<absl::StatusOr<StoredLane>> ReadLane(Shard shard, const LaneId& lane) override {
    return store_.ReadLane(shard, lane);
  }
  boost::asio::awaitable<absl::Status> RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) override {
    if (faults_.loses_removal && faults_.loses_removal(shard)) co_return Lost();
    co_return co_await store_.RemoveLanes(shard, lanes);
  }
  boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                 std::string_view site,
                                                                 const std::vector<Window>& windows,
                                                                 const std::vector<std::string_view>& ids) override {
    return store_.ReadCounts(shard, lanes, site, windows, ids);
  }
  boost::asio::awaitable<absl::Status> AddViewers(Shard shard, const std::vector<ViewerSet>& sets) override {
    return store_.AddViewers(shard, sets);
  }
  boost::asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> EstimateViewers(
      Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) override {
    return store_.EstimateViewers(shard, site, unions);
  }
  boost::asio::awaitable<absl::StatusOr<ShardWindows>> ReadWindows(Shard shard, const std::vector<LaneId>& lanes,
                                                                   std::string_view site,
                                                                   const std::vector<WindowRead>& reads) override {
    return store_.ReadWindows(shard, lanes, site, reads);
  }
  boost::asio::awaitable<absl::StatusOr<ArticleScan>> ScanArticles(Shard shard, std::string_view site, Window window,
                                                                   std::string_view cursor) override {
    return store_.ScanArticles(shard, site, window, cursor);
  }
  boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows(std::string_view site) override {
    return store_.ListWindows(site);
  }
  boost::asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> ReadNotes(Shard shard,
                                                                            std::string_view site) override {
    return store_.ReadNotes(shard, site);
  }
  uint64_t generation() const override { return faults_.hides_reconnects ? 1 : store_.generation(); }

 private:
  // This part owns its texts. The chunk that the original part points into may be deleted before this part arrives.
  struct Letter {
    explicit Letter(const Part& of) : part(of) {
      for (HashDelta& hash : part.hashes) {
        hash.site = texts.emplace_back(hash.site);
        for (ArticleDelta& delta : hash.deltas) delta.article_id = texts.emplace_back(delta.article_id);
      }
      for (Note& note : part.notes) {
        note = {texts.emplace_back(note.site), texts.emplace_back(note.field), texts.emplace_back(note.text)};
      }
    }
    Part part;
    std::deque<std::string> texts;
  };

  static absl::Status Lost(const Fate& fate = {}) {
    if (fate.after) fate.after();
    return absl::DeadlineExceededError("lost on purpose");
  }
  static boost::asio::awaitable<void> Sleep(std::chrono::milliseconds delay) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, delay);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
  static boost::asio::awaitable<void> ApplyLate(CountStore& store, std::unique_ptr<Letter> letter,
                                                std::chrono::milliseconds delay,
                                                std::shared_ptr<std::atomic<int>> late) {
    co_await Sleep(delay);
    // The result is ignored, because the caller has already received an error.
    (void)co_await store.Apply(letter->part);
    --*late;
  }

  CountStore& store_;
  const Faults faults_;
};

}  // namespace viewcount
