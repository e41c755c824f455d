// The interface of a store of counts: the answers that it gives, and its guarantees. docs/PROTOCOL.md states the
// protocol, and docs/protocol_model.py checks it.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/identifiers.h"
#include "service/model/lane_identity.h"
#include "service/model/window.h"
#include "service/store/lane_progress.h"
#include "service/store/part.h"
#include "service/store/viewer_set.h"

namespace viewcount {

// Counts of one shard, and the progress of the requested lanes at the same moment. A count may be below 0 for a while.
// Lanes are flushed independently, so an adjustment may arrive before the views that it takes back.
struct ShardCounts {
  // One list for each requested window, with one count for each requested article.
  std::vector<std::vector<int64_t>> counts;
  // One entry for each requested lane; nothing for a lane that the shard does not know.
  std::vector<std::optional<LaneEntry>> lanes;
};

struct RankedCount {
  std::string article_id;
  // May be below 0, as in ShardCounts.
  int64_t views = 0;
};

// The articles with the highest counts in one hash of a shard, by views descending, then by ID ascending.
struct Ranking {
  std::vector<RankedCount> articles;
  // Articles that are not listed have at most this many views. It is 0 only if all articles are listed.
  uint64_t unlisted_views_max = 0;
};

// The state of a hash of counts in a shard. Two reads that find the same version find the same counts and the same
// ranking, unless the store was connected again in between. Views raise the sum. Adjustments may leave it as it is, so
// they are counted.
struct HashVersion {
  int64_t sum = 0;
  // The number of parts with adjustments that the shard has applied, whatever their hashes.
  int64_t adjusted_parts = 0;

  bool operator==(const HashVersion&) const = default;
};

// The parts of one window that are read. Its version is always read.
struct WindowRead {
  Window window;
  // The ranking is read up to this place. 0 means that it is not read. Otherwise the window must be of a ranked kind.
  size_t places = 0;
  // The articles whose counts are read.
  std::vector<std::string_view> ids = {};
};
struct WindowState {
  HashVersion version;
  Ranking ranking;
  // One for each requested article.
  std::vector<int64_t> counts;
};
// Windows of one shard, and the progress of the requested lanes at the same moment.
struct ShardWindows {
  // One for each read.
  std::vector<WindowState> windows;
  std::vector<std::optional<LaneEntry>> lanes;
};

// A step of a listing of articles.
struct ArticleScan {
  // An article may have been in an earlier step as well.
  std::vector<std::string> ids;
  // Where the next step begins. Empty after the last step.
  std::string cursor;
};

// A note as the store holds it.
struct StoredNote {
  std::string field;
  std::string text;

  bool operator==(const StoredNote&) const = default;
};

// The store that lanes flush to and that readers read from. Its coroutines run on the store's executor, which is a
// single thread, and wait for answers without blocking it. Only generation() may be called from other threads. Errors:
// - UNAVAILABLE, DEADLINE_EXCEEDED: the store is unreachable or silent. The outcome of a write is unknown: read the
//   cursor.
// - RESOURCE_EXHAUSTED: out of memory; nothing was written.
// - ABORTED with reason FENCED: another process has claimed this lane. The metadata hold its cursor as `cursor`.
// - DATA_LOSS: the store holds a value that no version of viewcount writes.
class CountStore {
 public:
  virtual ~CountStore() = default;

  // Replaces the lane's incarnation in the shard by the one of `lane`, and returns the lane's progress there.
  virtual boost::asio::awaitable<absl::StatusOr<Claimed>> Claim(Shard shard, const LaneIdentity& lane) = 0;
  // Returns the entry and the totals that a claim would find, without claiming.
  virtual boost::asio::awaitable<absl::StatusOr<StoredLane>> ReadLane(Shard shard, const LaneId& lane) = 0;
  // Applies a part, or reports the stored entry if it is not the one that the part expects.
  virtual boost::asio::awaitable<absl::StatusOr<ApplyResult>> Apply(const Part& part) = 0;
  // Deletes the entries of lanes that will never apply a part again. Their totals are added to those of the retired
  // lanes.
  virtual boost::asio::awaitable<absl::Status> RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) = 0;

  // Reads counts of one site. Requires at least one lane, window and article.
  virtual boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                         std::string_view site,
                                                                         const std::vector<Window>& windows,
                                                                         const std::vector<std::string_view>& ids) = 0;
  // Adds viewers to sets of a shard, outside of a part. All sets must belong to that shard.
  virtual boost::asio::awaitable<absl::Status> AddViewers(Shard shard, const std::vector<ViewerSet>& sets) = 0;
  // Estimates how many viewers each of these unions of sets has. All sets belong to one site and shard. No union may be
  // empty.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> EstimateViewers(
      Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) = 0;
  // Reads rankings and counts of windows, all at one moment. Requires at least one lane and one window, and no windows
  // of viewers.
  virtual boost::asio::awaitable<absl::StatusOr<ShardWindows>> ReadWindows(Shard shard,
                                                                           const std::vector<LaneId>& lanes,
                                                                           std::string_view site,
                                                                           const std::vector<WindowRead>& reads) = 0;

  // Lists the articles of the shard that have an entry in the window, in steps of about a thousand. An entry may be 0.
  // `cursor` is that of the previous step, and empty for the first one. An article that has an entry during the whole
  // listing is in one of the steps. The empty ID is the site's own start value.
  virtual boost::asio::awaitable<absl::StatusOr<ArticleScan>> ScanArticles(Shard shard, std::string_view site,
                                                                           Window window, std::string_view cursor) = 0;

  // Returns every window in which something of the site is counted, in any shard. Finds all windows that exist during
  // the whole call. Reads the whole key space, in steps.
  virtual boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows(std::string_view site) = 0;

  // Returns the site's notes in the order of their fields.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> ReadNotes(Shard shard,
                                                                                    std::string_view site) = 0;

  // Grows with every connect. State of the store that a caller remembers from an earlier generation may be outdated.
  virtual uint64_t generation() const = 0;
  // Called when a shard is found in an earlier state than it was left in. The store may have lost other data as well
  // (its identity, salts), which is then restored.
  virtual void NoteRollback() {}
};

}  // namespace viewcount
