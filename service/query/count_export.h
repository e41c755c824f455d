// Lists every article of a site with its counts, however many there are.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/query/count_cache.h"
#include "service/query/count_reader.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

// Writes all pending views to the store. Returns DEADLINE_EXCEEDED if that takes longer.
using FlushFunction = std::function<boost::asio::awaitable<absl::Status>(std::chrono::milliseconds)>;
// Returns whether all hours and days of a site are kept now, see AreKept.
using KeptFunction = std::function<bool(const Site&, const std::vector<Window>&)>;

// Begins exports, and ends them when the service stops. Used on the store's executor, except for Stop. Everything that
// it refers to must outlive it, and it must outlive its exports.
class CountExporter {
 public:
  // Without `are_kept`, nothing that is exported is ever removed.
  CountExporter(CountStore& store, CountReader& counts, FlushFunction flush, KeptFunction are_kept = {})
      : store_(store), counts_(counts), flush_(std::move(flush)), are_kept_(std::move(are_kept)) {}

  class Export;
  // Begins an export of the articles that have views in `windows`: see AskedWindows. Returns RESOURCE_EXHAUSTED with
  // RetryInfo if limits::kExportsMax exports are open. Flushes first, because only articles in the store are found.
  // UNAVAILABLE with RetryInfo if that takes longer than a minute, or if the service stops.
  boost::asio::awaitable<absl::StatusOr<std::unique_ptr<Export>>> Begin(std::shared_ptr<const Site> site,
                                                                        std::vector<Window> windows);

  // Writes all pending views to the store. Returns UNAVAILABLE with RetryInfo if that takes longer than a minute, or if
  // the service stops.
  boost::asio::awaitable<absl::Status> Flush() const;
  bool stopped() const { return stopped_; }

  // Lets the next call of each export's Next fail. Thread-safe.
  void Stop() { stopped_ = true; }

 private:
  CountStore& store_;
  CountReader& counts_;
  const FlushFunction flush_;
  const KeptFunction are_kept_;
  // The number of open exports. An export that never ended may outlive this object.
  const std::shared_ptr<size_t> open_ = std::make_shared<size_t>(0);
  std::atomic<bool> stopped_ = false;
};

// One export. Each article is returned once, in no particular order, with its exact count when it was read. Articles
// without any views, and those that are counted for another article, are left out. It reads one shard after the other,
// and remembers 8 bytes for each article of a shard. Two articles of a shard with the same hash of 64 bits would be
// taken for one: among a million articles that happens once in 30 million exports.
class CountExporter::Export {
 public:
  ~Export() { --*open_; }
  Export(const Export&) = delete;
  Export& operator=(const Export&) = delete;

  // Some articles with their counts.
  struct Piece {
    std::vector<std::string> ids;
    // In the order of `ids`. Bots' views and viewers are 0 unless the window is all time.
    std::vector<ArticleTotals> totals;
  };
  // Returns the next articles, at most limits::kGetCountsArticlesMax, or nothing at the end. UNAVAILABLE with RetryInfo
  // if the store is away, was connected again since Begin, or the service stops. It is also returned if the oldest hour
  // or day is no longer kept. The export cannot go on then.
  boost::asio::awaitable<absl::StatusOr<std::optional<Piece>>> Next();

  // The part of the articles that was returned, from 0 to 1. An estimate, since shards are equally large only on
  // average.
  double progress() const { return static_cast<double>(shard_) / limits::kShards; }

 private:
  friend class CountExporter;
  Export(CountExporter& owner, std::shared_ptr<const Site> site, std::vector<Window> windows);

  // Returns UNAVAILABLE if the store was connected again since the export began, or if a part of it is no longer kept.
  absl::Status CheckWhole() const;
  // Puts articles of the next step into `waiting_`. Returns false at the end.
  boost::asio::awaitable<absl::StatusOr<bool>> Scan();
  boost::asio::awaitable<absl::StatusOr<Piece>> Read(std::vector<std::string> ids);

  CountExporter& owner_;
  const std::shared_ptr<size_t> open_;
  const std::shared_ptr<const Site> site_;
  // A listing cannot go on at another server, or at one that has restarted.
  const uint64_t generation_;
  // The hashes that are listed for each shard, and the counts that are read.
  std::vector<Window> listed_;
  std::vector<Window> read_;
  // The number of windows at the beginning of `read_` whose views are added up.
  size_t views_ = 0;
  uint32_t shard_ = 0;
  size_t at_ = 0;
  std::string cursor_;
  boost::unordered_flat_set<uint64_t> seen_;
  // Listed articles of the present shard that were not read yet.
  std::vector<std::string> waiting_;
};

}  // namespace viewcount
