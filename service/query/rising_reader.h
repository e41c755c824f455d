// The articles that have more views than usual.
//
// An article's share of the site's views now is compared with its share in the seven days before, by the log-likelihood
// ratio of the two. (Dunning, "Accurate methods for the statistics of surprise and coincidence", 1993.) With k views
// now and u before, of e and f views of the site:
//
//   score = 2 (k ln(k / (e p)) + u ln(u / (f p))),  p = (k + u) / (e + f)
//
// The ratio is 0 if the shares are equal, and grows with their difference and with the number of views. An article with
// k views has at most the score that it would have without any views before. So the articles with the most views now
// are compared, and the score of all others is bounded.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/shared_reads.h"
#include "service/query/count_reader.h"
#include "service/query/list_limits.h"
#include "service/query/popular_reader.h"
#include "service/query/site_total_reader.h"
#include "service/query/window.h"
#include "service/sites/site.h"

namespace viewcount {

// The views of an article and of its site, now and before.
struct Rise {
  double now = 0;
  double before = 0;
  double site_now = 0;
  double site_before = 0;
};
// Returns the score above, or 0 if the article has no larger share than before. Pure function.
double RisingScore(const Rise& rise);

struct RisingArticle {
  std::string article_id;
  uint64_t views = 0;
  // The views that its usual share of the site's present views would be.
  double usual_views = 0;
  double score = 0;
};

struct RisingList {
  // By score descending, then by ID ascending.
  std::vector<RisingArticle> articles;
  // No other article has a higher score than this. 0 if no article is missing.
  double others_max = 0;
  // False if a number may be wrong, because the store could not be read.
  bool exact = true;
  int64_t as_of_unix_ms = 0;
  TimeSpan span;
  TimeSpan usual;
};

// Used on the store's executor. Everything that it refers to must outlive it.
class RisingReader {
 public:
  RisingReader(PopularReader& popular, CountReader& counts, SiteTotalReader& totals, const Clock& clock)
      : popular_(popular), counts_(counts), totals_(totals), clock_(clock), reads_(clock, kRisingReads) {}

  // Returns the list of the last `hours`, which was read at most five seconds ago. UNAVAILABLE with RetryInfo while the
  // store is unreachable; RESOURCE_EXHAUSTED with RetryInfo if too many lists are being read.
  boost::asio::awaitable<absl::StatusOr<std::shared_ptr<const RisingList>>> Read(std::shared_ptr<const Site> site,
                                                                                 int64_t hours);

 private:
  using Result = absl::StatusOr<std::shared_ptr<const RisingList>>;
  boost::asio::awaitable<Result> ReadNow(std::shared_ptr<const Site> site, int64_t hours);

  PopularReader& popular_;
  CountReader& counts_;
  SiteTotalReader& totals_;
  const Clock& clock_;
  SharedReads<std::pair<std::string, int64_t>, std::shared_ptr<const RisingList>> reads_;
};

}  // namespace viewcount
