// The interface of a store of counts: the values that it takes and returns, and its guarantees. docs/PROTOCOL.md
// states the protocol, and docs/protocol_model.py checks it.
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
#include "service/model/cursor.h"
#include "service/model/lane_identity.h"
#include "service/model/window.h"
#include "service/sites/aliases.h"
#include "service/sites/site_settings.h"

namespace viewcount {

// The entry of a lane in a shard: the incarnation that claimed the shard, and the progress of the lane there.
struct LaneEntry {
  Incarnation incarnation;
  Cursor cursor;
};

// Sums up the outcome of everything that a lane ever brought to one shard. It is stored next to the cursor and changed
// in the same step. Therefore the following holds in a shard, added up over all sites and over all lanes, the retired
// ones included:
//
//   sums of `all` and `bots` = views − set_aside + adjusted
struct LaneTotals {
  // People's and bots' views of all time, including those that were set aside.
  uint64_t views = 0;
  // The part of `views` that was left out of the counts: see Quarantined.
  uint64_t set_aside = 0;
  // The change that administrators' adjustments made to the sums of all time.
  int64_t adjusted = 0;
  // Views that were given up: see Part::lost.
  uint64_t lost = 0;

  bool operator==(const LaneTotals&) const = default;
};

// The result of a claim.
struct Claimed {
  // END 0 for a lane that the shard did not know.
  Cursor cursor;
  LaneTotals totals;
  bool known = false;
};

// A lane's entry and its totals. There is no entry if the shard does not know the lane.
struct StoredLane {
  std::optional<LaneEntry> entry;
  LaneTotals totals;
};

// The number to add to one article, from −2^53 to 2^53. The caller owns `article_id`.
struct ArticleDelta {
  std::string_view article_id;
  int64_t views = 0;
};

// The numbers to add to one hash. Each article occurs at most once.
struct HashDelta {
  std::string_view site;
  Window window;
  // Views are above zero. An adjustment may lower counts. Its empty article ID stands for the site's start value, which
  // changes the shard's sum alone. A caller that adds views of all time must add them to a day as well.
  std::vector<ArticleDelta> deltas;
  // True for an administrator's change, false for views.
  bool adjustment = false;
};

// A record for people to read that says which administrator changed which count, and why. The caller owns all texts.
struct Note {
  std::string_view site;
  // Unique within shard and site: a second note with the same field replaces the first one.
  std::string_view field;
  std::string_view text;
};

// Names one of a site's sets of viewers: those of an article, of the site, of one of its days, or of a short time.
struct ViewerSetName {
  enum class Kind : uint8_t { kArticle, kAllTime, kDay, kOnline };
  Kind kind = Kind::kAllTime;
  // The day in the form of DayNumber, or the number of spans of limits::kOnlineSlot since 1970; 0 for the other kinds.
  uint32_t number = 0;
  // The article, for kArticle only. The caller owns the text.
  std::string_view article_id = {};

  auto operator<=>(const ViewerSetName&) const = default;
};

// Returns the number of the kOnline set that contains a time.
inline uint32_t OnlineSlotOf(int64_t unix_ms) {
  return static_cast<uint32_t>(unix_ms / std::chrono::milliseconds(limits::kOnlineSlot).count());
}

// The viewers to add to a set. The caller owns `site`.
struct ViewerSet {
  std::string_view site;
  ViewerSetName name;
  std::vector<uint64_t> viewers;
};

// The relative standard error of estimated numbers of viewers. HyperLogLog with the 2^14 registers that Redis uses has
// an error of 1.04 / sqrt(2^14). (Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation
// algorithm".)
inline constexpr double kViewersStandardError = 0.008125;

// A part of a chunk, applied in one atomic step. If the shard's entry of the lane equals (incarnation, expected), the
// step adds everything and stores `next` as the lane's cursor.
struct Part {
  Shard shard;
  LaneId lane;
  Incarnation incarnation;
  Cursor expected;
  Cursor next;
  // Each (site, window) occurs at most once as views and once as an adjustment. The adjustment is applied after the
  // views. A part without hashes only moves the cursor.
  std::vector<HashDelta> hashes = {};
  // Views of this range that will never be counted, because the journal that held them was lost. At most 2^53.
  uint64_t lost = 0;
  std::vector<Note> notes = {};
  // Added before everything else, whether or not the rest of the part is applied. Adding a viewer that is already in a
  // set changes nothing. So whenever the cursor is `next`, these viewers are in their sets.
  std::vector<ViewerSet> viewers = {};
};

// A value that was left out while the rest of a part was applied. An article is left out if its value in the store is
// no number, or if the new count would pass limits::kCountMax in either direction. A whole hash is left out if its type
// or its sum is unusable. A note is left out if its key holds another type; its field is then the article ID, with no
// views.
struct Quarantined {
  std::string key;
  std::string article_id;
  int64_t views = 0;
  bool adjustment = false;
};

struct ApplyResult {
  // False if nothing was written, because `stored` is not the expected entry.
  bool applied = false;
  // The entry that the shard holds for the lane; nothing if it holds none. Set only if the part was not applied.
  std::optional<std::string> stored;
  std::vector<Quarantined> set_aside;
};

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
struct ShardRanking {
  std::vector<RankedCount> articles;
  // Articles that are not listed have at most this many views. It is 0 only if all articles are listed.
  uint64_t unlisted_views_max = 0;
  std::vector<std::optional<LaneEntry>> lanes;
};

// A note as the store holds it.
struct StoredNote {
  std::string field;
  std::string text;

  bool operator==(const StoredNote&) const = default;
};

// A site as the store holds it.
struct StoredSite {
  std::string name;
  SiteSettings settings;
  AliasEntries aliases = {};
};

// A day for each site, by the site's name; days have the form of DayNumber.
using SiteDays = std::map<std::string, uint32_t, std::less<>>;

// The store that lanes flush to and that readers read from. Its coroutines run on the store's executor, which is a
// single thread, and wait for answers without blocking it. Only generation() may be called from other threads. Errors:
// - UNAVAILABLE, DEADLINE_EXCEEDED: the store is unreachable or silent. The outcome of a write is unknown: read the
//   the cursor.
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
  // Estimates how many viewers each of these unions of sets has. All sets belong to one site and shard. No union may be
  // empty.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> EstimateViewers(
      Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) = 0;
  // Reads the ranking of a window. Requires at least one lane, and a kind of window that is ranked.
  virtual boost::asio::awaitable<absl::StatusOr<ShardRanking>> ReadRanking(Shard shard,
                                                                           const std::vector<LaneId>& lanes,
                                                                           std::string_view site, Window window) = 0;

  // Returns every window in which something of the site is counted, in any shard. Finds all windows that exist during
  // the whole call. Reads the whole key space, in steps.
  virtual boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows(std::string_view site) = 0;

  // Returns the site's notes in the order of their fields.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> ReadNotes(Shard shard,
                                                                                    std::string_view site) = 0;

  // Returns all sites with their settings and aliases.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> ReadSites() = 0;
  // Writes the site's name and settings; its aliases stay as they are.
  virtual boost::asio::awaitable<absl::Status> WriteSite(const StoredSite& site) = 0;
  // Adds aliases of a site, or replaces those of the same articles. Requires at least one.
  virtual boost::asio::awaitable<absl::Status> WriteAliases(std::string_view site, const AliasEntries& aliases) = 0;

  // Writes texts about articles of one shard, by ID, and replaces earlier ones. Requires at least one.
  virtual boost::asio::awaitable<absl::Status> WriteArticles(Shard shard, std::string_view site,
                                                             const std::map<std::string, std::string>& articles) = 0;
  // Returns the texts in the order of `ids`; nothing for an article without a text. Requires at least one ID.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) = 0;

  // Returns the salt of a site's day (see DayNumber). Stores and returns `fresh` if the day has no salt yet. If several
  // processes do so, all of them get the first one that was stored. The result is never the empty salt.
  virtual boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainSalt(std::string_view site, uint32_t day,
                                                                        const ViewerSalt& fresh) = 0;
  // Removes every salt whose day lies before the day given for its site. Reads the salts of all sites, in steps.
  virtual boost::asio::awaitable<absl::Status> RemoveSalts(const SiteDays& first_days) = 0;

  // Grows with every connect. State of the store that a caller remembers from an earlier generation may be outdated.
  virtual uint64_t generation() const = 0;
  // Called when a shard is found in an earlier state than it was left in. The store may have lost other data as well
  // (its identity, salts), which is then restored.
  virtual void NoteRollback() {}
};

// The number of articles of each hash that are ranked. Fixed for the life of a data set, because a shorter ranking does
// not know the articles that it left out.
struct RankedLimits {
  uint32_t all_time_and_day = limits::kRankedAllTimeAndDay;
  uint32_t hour = limits::kRankedHour;

  // Returns 0 for windows without a ranking.
  uint32_t Of(Window::Kind kind) const;
};

}  // namespace viewcount
