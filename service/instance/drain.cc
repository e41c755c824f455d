#include "service/instance/drain.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "service/base/files.h"
#include "service/base/status.h"
#include "service/base/store_thread.h"
#include "service/instance/data_set_file.h"
#include "service/instance/lane_set.h"
#include "service/lane/fenced_cursors.h"
#include "service/store/redis/redis_store.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kPause{100};

template <typename Attempt>
asio::awaitable<absl::Status> RetryWhileUnavailable(Attempt attempt) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (true) {
    const absl::Status status = co_await attempt();
    if (status.ok() || !IsTransient(status)) co_return status;
    pause.expires_after(kPause);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

// Brings the views that a fenced lane took on its own into the store, as the views of a new lane.
class DrainAsNew {
 public:
  DrainAsNew(LaneSet::Dependencies parts, std::string folder) : parts_(parts), folder_(std::move(folder)) {}
  ~DrainAsNew() { blocking_.join(); }

  // Locks the folder of the fenced lane, opens the new lane, and reads the journal.
  absl::Status Open();
  asio::awaitable<absl::Status> Run(CountStore& store);
  uint64_t views() const { return fresh_->drained_views(); }

 private:
  asio::awaitable<absl::Status> Place(CountStore& store, Shard shard);

  const LaneSet::Dependencies parts_;
  const std::string folder_;
  UniqueFd lock_;
  std::optional<LaneDirectory> old_;
  ShardCursors cursors_;
  asio::thread_pool blocking_{1};
  // The new lane. Its folder lies inside the old one, so that a repeated drain continues as the same lane.
  std::unique_ptr<LaneRuntime> fresh_;
};

absl::Status DrainAsNew::Open() {
  auto lock = LockLane(folder_);
  if (!lock.ok()) return lock.status();
  lock_ = *std::move(lock);
  auto cursors = ReadFencedCursors(parts_.disk, folder_);
  if (!cursors.ok()) return cursors.status();
  cursors_ = *std::move(cursors);
  auto old = LaneDirectory::OpenUnlocked(parts_.disk, parts_.clock, folder_);
  if (!old.ok()) return old.status();
  old_.emplace(*std::move(old));
  auto directory = LaneDirectory::OpenUnlocked(parts_.disk, parts_.clock, folder_ + "/as-new");
  if (!directory.ok()) return directory.status();
  if (auto status = directory->Begin(); !status.ok()) return status;
  auto fresh =
      LaneRuntime::Open({.disk = parts_.disk,
                         .sites = parts_.sites,
                         .clock = parts_.clock,
                         .metrics = parts_.metrics,
                         .blocking = blocking_.get_executor()},
                        {.journal = LaneRuntime::ForeignJournal{folder_, old_->identity().id}}, *std::move(directory));
  if (!fresh.ok()) return fresh.status();
  fresh_ = *std::move(fresh);
  return absl::OkStatus();
}

// Claims the shard for the new lane and sets its cursor to the fenced lane's cursor, so that it begins there.
asio::awaitable<absl::Status> DrainAsNew::Place(CountStore& store, Shard shard) {
  const auto claimed = co_await store.Claim(shard, fresh_->identity());
  if (!claimed.ok()) co_return claimed.status();
  const Cursor& begin = cursors_[shard.value];
  if (claimed->cursor != Cursor() || begin == Cursor()) co_return absl::OkStatus();
  Part part;
  part.shard = shard;
  part.lane = fresh_->identity().id;
  part.incarnation = fresh_->identity().incarnation;
  part.next = begin;
  const auto applied = co_await store.Apply(part);
  if (!applied.ok()) co_return applied.status();
  if (!applied->applied) co_return absl::UnavailableError("the store changed meanwhile");
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> DrainAsNew::Run(CountStore& store) {
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const Shard shard{static_cast<uint8_t>(i)};
    if (auto status = co_await Place(store, shard); !status.ok()) co_return status;
  }
  if (auto status = co_await fresh_->Drain(store); !status.ok()) co_return status;
  // The folder is removed before the store's entry. Otherwise a start that finds the journal would count its views
  // again.
  if (auto removed = old_->Remove(); !removed.ok()) co_return removed;
  co_await ForgetLane(store, fresh_->identity().id);
  co_return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint64_t> DrainJournals(const DrainOptions& options) {
  PosixDisk disk;
  const SystemClock clock;
  Metrics metrics;
  SiteDirectory sites;
  const LaneSet::Dependencies parts{disk, sites, clock, metrics};
  const auto lanes = ListLanes(disk, options.data_dir);
  if (!lanes.ok()) return lanes.status();
  if (lanes->empty()) return absl::NotFoundError(fmt::format("{} holds no lane of a journal", options.data_dir));
  const auto data_set = ReadDataSet(disk, options.data_dir);
  if (!data_set.ok()) return data_set.status();

  std::vector<std::unique_ptr<DrainAsNew>> fenced;
  std::unique_ptr<LaneSet> set;
  if (options.as_new) {
    for (const auto& [number, folder] : *lanes) {
      fenced.push_back(std::make_unique<DrainAsNew>(parts, folder));
      if (auto status = fenced.back()->Open(); !status.ok()) return status;
    }
  } else {
    auto opened = LaneSet::Open(parts, {.data_dir = options.data_dir, .count = 0});
    if (!opened.ok()) return opened.status();
    set = *std::move(opened);
  }

  StoreThread thread;
  RedisStore store(
      thread.executor(),
      {.address = options.redis,
       .data_set = *data_set,
       .keep_data_set =
           [](DataSetId) {
             return absl::FailedPreconditionError("this directory never met a Redis; there is nothing to bring");
           },
       .waivers = options.redis_waivers},
      metrics);
  const auto run = [&]() -> asio::awaitable<absl::Status> {
    absl::Status status = co_await store.Open();
    const auto drain_set = [&]() { return set->Settle(store); };
    if (status.ok() && set != nullptr) status = co_await RetryWhileUnavailable(drain_set);
    for (const auto& lane : fenced) {
      const auto drain_lane = [&]() { return lane->Run(store); };
      if (status.ok()) status = co_await RetryWhileUnavailable(drain_lane);
    }
    store.Close();
    co_return status;
  };
  const absl::Status status = thread.Spawn(run()).get();
  thread.Drain(limits::kStopStoreWait);
  if (!status.ok()) return status;
  uint64_t views = set != nullptr ? set->retired_views() : 0;
  for (const auto& lane : fenced) views += lane->views();
  return views;
}

}  // namespace viewcount
