// Lists everything that a site counts, so that another viewcount can import it.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "service/adjustments/adjuster.h"
#include "service/base/clock.h"
#include "service/lane/ledger.h"
#include "service/query/count_export.h"
#include "service/query/site_total_reader.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"
#include "service/store/site_store.h"
#include "service/store/snapshot_store.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// Begins snapshots. Used on the store's executor. Everything that `parts` refers to must outlive it, and it must
// outlive its snapshots.
class SnapshotExporter {
 public:
  struct Dependencies {
    SiteDirectory& sites;
    CountStore& store;
    SnapshotStore& snapshots;
    SiteStore& articles;
    CountReader& counts;
    SiteTotalReader& totals;
    Adjuster& adjuster;
    // It flushes, and knows when the service stops.
    CountExporter& exporter;
    std::vector<Ledger*> ledgers;
    const Clock& clock;
  };
  explicit SnapshotExporter(Dependencies parts) : parts_(std::move(parts)) {}

  class Snapshot;
  // Begins a snapshot. Flushes first, because only articles in the store are found. Returns RESOURCE_EXHAUSTED with
  // RetryInfo if kSnapshotsMax snapshots are open, and the errors of CountExporter::Flush.
  boost::asio::awaitable<absl::StatusOr<std::unique_ptr<Snapshot>>> Begin(std::shared_ptr<const Site> site);

 private:
  const Dependencies parts_;
  // The number of open snapshots. A snapshot that never ended may outlive this object.
  const std::shared_ptr<size_t> open_ = std::make_shared<size_t>(0);
};

// One snapshot. It returns each article with all of its counts, which are of the moment when it was read. The site
// itself, aliases, announced articles and the totals follow. It reads one shard after the other, and remembers 8 bytes
// for each article of a shard, as CountExporter::Export does.
//
// It lists the windows in which something is counted when it begins. Views that arrive meanwhile fall into those, or
// into the hours and days around the present moment, which it reads as well. An import may add other windows. The
// snapshot then fails at its end, because articles may lack them. It fails as well if an administrator moved counts
// between articles meanwhile, because they may be listed twice or not at all.
class SnapshotExporter::Snapshot {
 public:
  ~Snapshot() { --*open_; }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // Replaces `response` by the next part. Returns false after the last part, which has the totals. UNAVAILABLE with
  // RetryInfo if the store is away, was connected again since Begin, or the service stops; the snapshot cannot go on
  // then.
  boost::asio::awaitable<absl::StatusOr<bool>> Next(v1::ExportSnapshotResponse& response);

 private:
  friend class SnapshotExporter;
  // The parts of a snapshot, in their order.
  enum class Step : uint8_t { kArticles, kSite, kAliases, kAnnounced, kTotals, kEnd };

  // The site's aliases, and the merges and undone adjustments, by the names of their notes.
  struct Moves {
    AliasEntries aliases;
    std::vector<std::string> notes;
    bool operator==(const Moves&) const = default;
  };

  Snapshot(const SnapshotExporter& owner, std::shared_ptr<const Site> site);

  // Each function adds to the response. Those that return true have nothing more to add.
  boost::asio::awaitable<absl::StatusOr<bool>> AddArticles(v1::ExportSnapshotResponse& response);
  boost::asio::awaitable<absl::Status> AddSite(v1::ExportSnapshotResponse& response);
  bool AddAliases(v1::ExportSnapshotResponse& response);
  boost::asio::awaitable<absl::StatusOr<bool>> AddAnnounced(v1::ExportSnapshotResponse& response);
  boost::asio::awaitable<absl::Status> AddTotals(v1::ExportSnapshotResponse& response) const;
  // Returns what shows whether counts were moved from one article to another: the aliases now, and the adjustments.
  boost::asio::awaitable<absl::StatusOr<Moves>> ReadMoves() const;
  // Lists the windows of the site.
  boost::asio::awaitable<absl::StatusOr<std::set<Window>>> ListWindows() const;
  // Adds the hours and days of the site into which views may fall now.
  void AddPresentWindows();
  // Puts articles of the next step into `waiting_`. Returns false at the end of all shards.
  boost::asio::awaitable<absl::StatusOr<bool>> Scan();
  // Reads some of the waiting articles.
  boost::asio::awaitable<absl::Status> Read(v1::ExportSnapshotResponse& response);
  // Adds counts of an article in as few rows as possible, or of the site if the ID is empty.
  void AddRows(const std::string& article_id, const std::map<Window, int64_t>& counts,
               v1::ExportSnapshotResponse& response);

  const SnapshotExporter& owner_;
  const std::shared_ptr<size_t> open_;
  const std::shared_ptr<const Site> site_;
  // A listing cannot go on at another server, or at one that has restarted.
  const uint64_t generation_;
  // The windows that are read, in order, without those of visits.
  std::set<Window> windows_;
  // The hour at which the present windows were added last.
  int64_t present_hour_ = -1;
  Step step_ = Step::kArticles;
  v1::ExportSnapshotResponse::Totals totals_;
  Moves moves_;
  // The hashes that are listed for each shard. An article that is in none of them when the snapshot begins is new.
  std::vector<Window> listed_;
  uint32_t shard_ = 0;
  size_t at_ = 0;
  std::string cursor_;
  boost::unordered_flat_set<uint64_t> seen_;
  // Listed articles of the present shard that were not read yet.
  std::vector<std::string> waiting_;
  std::vector<std::pair<std::string, std::string>> aliases_;
  // Announced articles that were listed and not returned yet.
  std::vector<v1::Article> announced_;
};

}  // namespace viewcount
