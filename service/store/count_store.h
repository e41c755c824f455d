// What a store of counts promises. DESIGN.md section 6 states the protocol; protocol_model.py beside it checks it.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/identifiers.h"
#include "service/store/cursor.h"

namespace viewcount {

// Which of a site's hashes: views of all time, of a day, of an hour, or bots' views of all time.
struct Window {
  enum class Kind : uint8_t { kAllTime, kDay, kHour, kBots };
  Kind kind = Kind::kAllTime;
  // The day as DayNumber has it, or hours since 1970; else 0.
  uint32_t number = 0;

  auto operator<=>(const Window&) const = default;
};

// A lane as a shard sees it.
struct LaneEntry {
  Incarnation incarnation;
  Cursor cursor;
};

// What a lane says of itself when it claims a shard.
struct LaneIdentity {
  LaneId id;
  Incarnation incarnation;
  // Incarnations it had before: finding one of them means that the store went back in time.
  std::vector<Incarnation> earlier;
};

// What to add to one article. `article_id` belongs to the caller.
struct ArticleDelta {
  std::string_view article_id;
  uint64_t views = 0;
};

// What to add to one hash; each article at most once.
struct HashDelta {
  std::string_view site;
  Window window;
  std::vector<ArticleDelta> deltas;
};

// One atomic step: if the shard's entry of the lane is (incarnation, expected), add everything and put `next`.
struct Part {
  Shard shard;
  LaneId lane;
  Incarnation incarnation;
  Cursor expected;
  Cursor next;
  // Each (site, window) at most once.
  std::vector<HashDelta> hashes;
};

// An article whose number in the store is none, or would pass limits::kCountMax: it was left out, the rest applied.
struct SetAside {
  std::string key;
  std::string article_id;
  uint64_t views = 0;
};

struct ApplyResult {
  // False: nothing was written because `stored` is not what was expected.
  bool applied = false;
  // What the shard holds for the lane; nothing if it holds none. Only when not applied.
  std::optional<std::string> stored;
  std::vector<SetAside> set_aside;
};

// Counts of one shard, and how far the lanes asked for had come: both of the same moment.
struct ShardCounts {
  // For every window asked, for every article asked.
  std::vector<std::vector<uint64_t>> counts;
  // For every lane asked; nothing if the shard does not know it.
  std::vector<std::optional<LaneEntry>> lanes;
};

struct RankedCount {
  std::string article_id;
  uint64_t views = 0;
};

// The highest of one shard's hash, by views falling then ID rising.
struct ShardRanking {
  std::vector<RankedCount> articles;
  // Articles that are not among them have at most this many views; 0 if all are.
  uint64_t unlisted_views_max = 0;
  std::vector<std::optional<LaneEntry>> lanes;
};

// A site as it is stored.
struct StoredSite {
  std::string name;
  std::string time_zone;
};

// Every function waits for the answer on the store's executor and never blocks. Errors:
// - UNAVAILABLE, DEADLINE_EXCEEDED: the store is away or silent. The outcome of a write is unknown: read the cursor.
// - RESOURCE_EXHAUSTED: out of memory; nothing was written.
// - ABORTED with reason FENCED: someone else has this lane.
// - DATA_LOSS: the store holds something that nobody of us wrote.
class CountStore {
 public:
  virtual ~CountStore() = default;

  // Enters the lane's incarnation and returns the cursor; END 0 for an unknown lane.
  virtual boost::asio::awaitable<absl::StatusOr<Cursor>> Claim(Shard shard, const LaneIdentity& lane) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<ApplyResult>> Apply(const Part& part) = 0;
  // Forgets lanes that will never apply anything again.
  virtual boost::asio::awaitable<absl::Status> RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) = 0;

  // At least one lane, window and article.
  virtual boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                         std::string_view site,
                                                                         const std::vector<Window>& windows,
                                                                         const std::vector<std::string_view>& ids) = 0;
  // At least one lane; a window that is ranked.
  virtual boost::asio::awaitable<absl::StatusOr<ShardRanking>> ReadRanking(Shard shard,
                                                                           const std::vector<LaneId>& lanes,
                                                                           std::string_view site, Window window) = 0;

  virtual boost::asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> ReadSites() = 0;
  virtual boost::asio::awaitable<absl::Status> WriteSite(const StoredSite& site) = 0;

  // Grows with every connect: what a caller believed of the store before may no longer hold.
  virtual uint64_t generation() const = 0;
};

// How many articles of each hash are ranked. Fixed for the life of a data set: a ranking that was kept shorter knows
// nothing of what it left out.
struct RankedLimits {
  uint32_t all_time_and_day = limits::kRankedAllTimeAndDay;
  uint32_t hour = limits::kRankedHour;

  // 0 for windows without a ranking.
  uint32_t Of(Window::Kind kind) const;
};

}  // namespace viewcount
