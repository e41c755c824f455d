// The most viewed articles right now: those of the last minutes, in steps of five.
//
// The store counts by hours. At every five minutes this process remembers the counts of the current hour, which is a
// mark. The views since a mark are the hour's views of this moment without those at the mark. So they contain the views
// of all instances, and the store and the path of a view have nothing more to do. At a full hour every count is 0, so
// that mark is always known, even right after a start.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/shared_reads.h"
#include "service/query/list_limits.h"
#include "service/query/popular_reader.h"
#include "service/query/window.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"

namespace viewcount {

struct RecentList {
  // By views descending, then by ID ascending; at least one view each.
  std::vector<PopularArticle> articles;
  // No other article has more views than this, and no number above it is wrong. A number up to it may be too low,
  // because the count at the mark is not known.
  uint64_t others_max = 0;
  // False if the numbers may be out of date.
  bool exact = true;
  int64_t as_of_unix_ms = 0;
  // The time since the mark. It begins where the mark was taken, which is a moment after the five minutes. The last
  // moment is the present.
  TimeSpan span;
};

// Used on the store's executor. Everything that it refers to must outlive it.
class RecentReader {
 public:
  RecentReader(const SiteDirectory& sites, const CountStore& store, PopularReader& popular, const Clock& clock)
      : sites_(sites), store_(store), popular_(popular), clock_(clock), reads_(clock, kRecentReads) {}

  // Takes marks if five minutes are over: of the sites that were asked about in the last two hours, and of
  // kRecentSitesMax others. Must be called often.
  boost::asio::awaitable<void> Refresh();
  // Returns the articles viewed since the last mark that is at least `last_ms` old. That is up to five minutes more. If
  // there is no such mark, it is since the full hour before. The list was read at most a second ago. UNAVAILABLE with
  // RetryInfo while the store is unreachable; RESOURCE_EXHAUSTED with RetryInfo if too many lists are being read.
  boost::asio::awaitable<absl::StatusOr<std::shared_ptr<const RecentList>>> Read(std::shared_ptr<const Site> site,
                                                                                 int64_t last_ms);

 private:
  using Result = absl::StatusOr<std::shared_ptr<const RecentList>>;
  // The counts of an hour at a moment.
  struct Mark {
    int64_t taken_at_unix_ms = 0;
    // If one of these is another one, views may have moved between articles, or gone back.
    std::shared_ptr<const Aliases> aliases;
    uint64_t generation = 0;
    boost::unordered_flat_map<std::string, uint64_t> views;
    // Articles that are not in `views` had at most this many.
    uint64_t others_max = 0;
  };
  // The marks of a site by the beginning of their five minutes, Unix milliseconds. None is at a full hour.
  using Marks = std::map<int64_t, std::shared_ptr<const Mark>>;
  boost::asio::awaitable<Result> ReadNow(std::shared_ptr<const Site> site, int64_t last_ms);
  // Returns the last usable mark that was taken at or before a moment and after another one; null if there is none.
  std::shared_ptr<const Mark> MarkBefore(const Site& site, int64_t at_unix_ms, int64_t after_unix_ms) const;
  // Returns false if it failed, and others would fail, too.
  boost::asio::awaitable<bool> Take(std::shared_ptr<const Site> site, int64_t at_unix_ms);
  // Drops marks that no question can need any more.
  void DropOld(int64_t now_unix_ms);

  const SiteDirectory& sites_;
  const CountStore& store_;
  PopularReader& popular_;
  const Clock& clock_;
  int64_t last_step_ = 0;
  std::map<std::string, Marks> marks_;
  // When each site's list was last asked for, Unix milliseconds.
  std::map<std::string, int64_t> asked_;
  // The number of counts in all marks.
  size_t rows_ = 0;
  SharedReads<std::pair<std::string, int64_t>, std::shared_ptr<const RecentList>> reads_;
};

}  // namespace viewcount
