// The promises of a store of counts. docs/PROTOCOL.md states the protocol, and docs/protocol_model.py checks it.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/identifiers.h"
#include "service/sites/aliases.h"
#include "service/sites/site_settings.h"
#include "service/store/cursor.h"

namespace viewcount {

// Which of a site's numbers: views of all time, of a day, of an hour, or bots' views of all time; visits of all time or
// of a day, which the site has and no article; and how many viewers an article has, which is estimated and only read.
struct Window {
  enum class Kind : uint8_t { kAllTime, kDay, kHour, kBots, kVisits, kVisitDay, kViewers };
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

// What became of everything a lane ever brought to a shard. Kept beside the cursor and changed in the same step, so
// that over all sites the sums of `all` and `bots` are, of all lanes and the retired ones, views − set_aside +
// adjusted.
struct LaneTotals {
  // People's and bots' views of all time, those set aside among them.
  uint64_t views = 0;
  // Of those, the ones left out: see SetAside.
  uint64_t set_aside = 0;
  // By how much administrators' adjustments changed the sums of all time.
  int64_t adjusted = 0;
  // Views given up: see Part::lost.
  uint64_t lost = 0;

  bool operator==(const LaneTotals&) const = default;
};

// What a claim found.
struct Claimed {
  // END 0 for a lane that the shard did not know.
  Cursor cursor;
  LaneTotals totals;
  bool known = false;
};

// A lane's entry, nothing if the shard does not know it, and its totals.
struct StoredLane {
  std::optional<LaneEntry> entry;
  LaneTotals totals;
};

// What to add to one article, from −2^53 to 2^53. `article_id` belongs to the caller.
struct ArticleDelta {
  std::string_view article_id;
  int64_t views = 0;
};

// What to add to one hash; each article at most once.
struct HashDelta {
  std::string_view site;
  Window window;
  // Views are above zero. An adjustment may lower counts, and its empty article ID is the shard's sum alone: the site's
  // start value. Whoever adds views of all time adds them to a day as well.
  std::vector<ArticleDelta> deltas;
  // An administrator's change rather than views.
  bool adjustment = false;
};

// Who changed what and why, for people to read. All texts belong to the caller.
struct Note {
  std::string_view site;
  // Unique within shard and site: a second one of that name replaces the first.
  std::string_view field;
  std::string_view text;
};

// Which of a site's sets of viewers: those of an article, of the site, of one of its days, or of a short time.
struct ViewerSetName {
  enum class Kind : uint8_t { kArticle, kAllTime, kDay, kOnline };
  Kind kind = Kind::kAllTime;
  // The day as DayNumber has it, or spans of limits::kOnlineSlot since 1970; else 0.
  uint32_t number = 0;
  // Of an article's; belongs to the caller.
  std::string_view article_id = {};

  auto operator<=>(const ViewerSetName&) const = default;
};

// The number of kOnline's set for a time.
inline uint32_t OnlineSlotOf(int64_t unix_ms) {
  return static_cast<uint32_t>(unix_ms / std::chrono::milliseconds(limits::kOnlineSlot).count());
}

// Who is to be in a set. `site` belongs to the caller.
struct ViewerSet {
  std::string_view site;
  ViewerSetName name;
  std::vector<uint64_t> viewers;
};

// The relative standard error of estimated numbers of viewers: 1.04 / sqrt(2^14), of HyperLogLog with the 2^14
// registers that Redis uses (Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation
// algorithm").
inline constexpr double kViewersStandardError = 0.008125;

// One atomic step: if the shard's entry of the lane is (incarnation, expected), add everything and put `next`.
struct Part {
  Shard shard;
  LaneId lane;
  Incarnation incarnation;
  Cursor expected;
  Cursor next;
  // Each (site, window) at most once as views and once as an adjustment, which is applied behind the views. None at all
  // only moves the cursor.
  std::vector<HashDelta> hashes = {};
  // Views of this range that will never be counted, because the journal that held them is gone; at most 2^53.
  uint64_t lost = 0;
  std::vector<Note> notes = {};
  // Added ahead of all that, and whether or not it is applied: who is in a set already does not change it. So whenever
  // the cursor is `next`, they are there.
  std::vector<ViewerSet> viewers = {};
};

// What was left out while the rest was applied: an article whose number in the store is none, or would pass
// limits::kCountMax in either direction. A whole hash is left out if its type or its sum is unusable. A note is left
// out (its field as the ID, no views) where another type of key is in its place.
struct SetAside {
  std::string key;
  std::string article_id;
  int64_t views = 0;
  bool adjustment = false;
};

struct ApplyResult {
  // False: nothing was written because `stored` is not what was expected.
  bool applied = false;
  // What the shard holds for the lane; nothing if it holds none. Only when not applied.
  std::optional<std::string> stored;
  std::vector<SetAside> set_aside;
};

// Counts of one shard, and how far the lanes asked for had come: both of the same moment. A count may be below 0 for a
// while: lanes are flushed independently, so what lowers it may be there before the views that it takes back.
struct ShardCounts {
  // For every window asked, for every article asked.
  std::vector<std::vector<int64_t>> counts;
  // For every lane asked; nothing if the shard does not know it.
  std::vector<std::optional<LaneEntry>> lanes;
};

struct RankedCount {
  std::string article_id;
  // As in ShardCounts.
  int64_t views = 0;
};

// The highest of one shard's hash, by views falling then ID rising.
struct ShardRanking {
  std::vector<RankedCount> articles;
  // Articles that are not among them have at most this many views; 0 only if all are.
  uint64_t unlisted_views_max = 0;
  std::vector<std::optional<LaneEntry>> lanes;
};

// A note as it is stored.
struct StoredNote {
  std::string field;
  std::string text;

  bool operator==(const StoredNote&) const = default;
};

// A site as it is stored.
struct StoredSite {
  std::string name;
  SiteSettings settings;
  AliasEntries aliases = {};
};

// Of sites by name: days as DayNumber has them.
using SiteDays = std::map<std::string, uint32_t, std::less<>>;

// Every function waits for the answer on the store's executor and never blocks. Errors:
// - UNAVAILABLE, DEADLINE_EXCEEDED: the store is away or silent. The outcome of a write is unknown: read the cursor.
// - RESOURCE_EXHAUSTED: out of memory; nothing was written.
// - ABORTED with reason FENCED: someone else has this lane; its cursor is in the metadata as `cursor`.
// - DATA_LOSS: the store holds something that nobody of us wrote.
class CountStore {
 public:
  virtual ~CountStore() = default;

  // Enters the lane's incarnation.
  virtual boost::asio::awaitable<absl::StatusOr<Claimed>> Claim(Shard shard, const LaneIdentity& lane) = 0;
  // What a claim would find, without claiming.
  virtual boost::asio::awaitable<absl::StatusOr<StoredLane>> ReadLane(Shard shard, const LaneId& lane) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<ApplyResult>> Apply(const Part& part) = 0;
  // Forgets lanes that will never apply anything again; their totals go to those of all retired lanes.
  virtual boost::asio::awaitable<absl::Status> RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) = 0;

  // At least one lane, window and article.
  virtual boost::asio::awaitable<absl::StatusOr<ShardCounts>> ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                         std::string_view site,
                                                                         const std::vector<Window>& windows,
                                                                         const std::vector<std::string_view>& ids) = 0;
  // About how many viewers are in each of these unions of sets of one site and shard; none of them may be empty.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> EstimateViewers(
      Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) = 0;
  // At least one lane; a window that is ranked.
  virtual boost::asio::awaitable<absl::StatusOr<ShardRanking>> ReadRanking(Shard shard,
                                                                           const std::vector<LaneId>& lanes,
                                                                           std::string_view site, Window window) = 0;

  // Every window in which something of the site is counted, in any shard: those that are there all the while are found.
  // Reads the whole key space, in steps.
  virtual boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows(std::string_view site) = 0;

  // In order of their fields.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> ReadNotes(Shard shard,
                                                                                    std::string_view site) = 0;

  virtual boost::asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> ReadSites() = 0;
  // Its name and settings; aliases stay as they are.
  virtual boost::asio::awaitable<absl::Status> WriteSite(const StoredSite& site) = 0;
  // Adds aliases of a site, or puts them in place of those of the same articles. At least one.
  virtual boost::asio::awaitable<absl::Status> WriteAliases(std::string_view site, const AliasEntries& aliases) = 0;

  // Texts about articles of one shard, by ID, in place of those that were there. At least one.
  virtual boost::asio::awaitable<absl::Status> WriteArticles(Shard shard, std::string_view site,
                                                             const std::map<std::string, std::string>& articles) = 0;
  // In the order asked; nothing for an article of which none was written. At least one.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) = 0;

  // The salt of a site's day (see DayNumber): `fresh` if there is none yet, else the one that whoever came first put
  // there. Not none.
  virtual boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainSalt(std::string_view site, uint32_t day,
                                                                        const ViewerSalt& fresh) = 0;
  // Removes the salts of each site's days before the one given. Looks at the salts of all sites, in steps.
  virtual boost::asio::awaitable<absl::Status> RemoveSalts(const SiteDays& first_days) = 0;

  // Grows with every connect: what a caller believed of the store before may no longer hold.
  virtual uint64_t generation() const = 0;
  // Called when a shard was found at an earlier state than it had been left in: what else the store held (its identity,
  // salts) may be gone as well, and is to be restored.
  virtual void NoteRollback() {}
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
