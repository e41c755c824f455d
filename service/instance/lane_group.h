// The lanes of one process, without threads: how they start, and how they change when their number changes.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "service/base/log_throttle.h"
#include "service/instance/lane_runtime.h"

namespace viewcount {

// The lanes start in steps, because the journals are read before the store is available, and the store's cursors before
// any view is counted. The steps are Open, Settle, the cache over the lanes, Recover.
//
// Views can also be taken while the store is unavailable. Then the steps are Open, BeginUnchecked, the cache over the
// lanes. When the store becomes available, Settle and Recover follow.
//
// A lane beyond the configured number takes no more views, and is called surplus. It stays a lane, because the store
// may go back to an earlier state, and is then repaired from the lane's journal. When the store has had everything of
// the lane for as long as journals are kept, the lane is marked as retired. The next start removes it.
//
// Thread safety is that of LaneRuntime. The objects in Dependencies must outlive it.
class LaneGroup {
 public:
  struct Options {
    std::string data_dir;
    // The number of lanes that take views. With 0, Settle brings all existing lanes into the store and removes them.
    uint32_t count = 1;
    LaneRuntime::Options lane;
    // Whether the folders are locked against other processes. A simulated disk has no locks.
    bool locked = true;
  };
  // Locks the folders of the lanes and reads their journals. Blocks. Moves every writer's dedupe entry to the lane that
  // receives the writer's batches with this number of lanes. Errors are those of LaneDirectory::Open and
  // LaneRuntime::Open.
  static absl::StatusOr<std::unique_ptr<LaneGroup>> Open(LaneRuntime::Dependencies parts, Options options);

  // Returns the lanes in the order of their numbers. The first `active_lanes()` of them take views, the rest are
  // surplus.
  const std::vector<std::unique_ptr<LaneRuntime>>& lanes() const { return lanes_; }
  uint32_t active_lanes() const { return options_.count; }
  // Returns the lanes for CountCache. Call it after Settle or BeginUnchecked, because a lane may be replaced before.
  std::vector<CountCache::Lane> cached_lanes() const;
  // Returns the number of pending views of the lanes that Settle has removed.
  uint64_t retired_views() const { return retired_views_; }

  // Calls LaneRuntime::BeginUnchecked for every lane. Call it before Settle has returned OK.
  absl::Status BeginUnchecked();
  // Prepares the lanes for the store with LaneRuntime::Settle. It brings retired lanes into the store, which normally
  // has them already, and removes them. Before BeginUnchecked nothing else may use the lanes meanwhile. An error may be
  // temporary: call it again.
  boost::asio::awaitable<absl::Status> Settle(CountStore& store);
  // Calls LaneRuntime::Recover for every lane, and records that they were compared with the store. An error may be
  // temporary: call it again.
  boost::asio::awaitable<absl::Status> Recover(const LaneRuntime::FlushParts& parts);
  // Marks surplus lanes as retired if the store has had everything of them for `retention`, the time for which journals
  // are kept. Call it periodically after Recover, on one thread at a time.
  void MarkRetired(std::chrono::milliseconds retention);

 private:
  LaneGroup(LaneRuntime::Dependencies parts, Options options)
      : parts_(std::move(parts)), options_(std::move(options)) {}
  absl::StatusOr<std::unique_ptr<LaneRuntime>> OpenLane(uint32_t number);
  // Returns true if a surplus lane is removed at this start.
  bool IsDue(const LaneRuntime& lane) const;
  absl::Status MoveWriters();
  // Adds to each lane the dedupe entries in `moving` that belong to it.
  absl::Status AddWriters(const std::string& moving);
  // Removes from each lane the dedupe entries that belong to another one.
  absl::Status RemoveWriters();

  const LaneRuntime::Dependencies parts_;
  const Options options_;
  std::vector<std::unique_ptr<LaneRuntime>> lanes_;
  // Lanes that Settle removes.
  std::vector<std::unique_ptr<LaneRuntime>> due_;
  LogThrottle mark_lines_;
  uint64_t retired_views_ = 0;
};

}  // namespace viewcount
