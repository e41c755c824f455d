// Reads the views that alerts and digests are about.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/alerts/alert_condition.h"
#include "service/alerts/alert_hours.h"
#include "service/articles/article_catalog.h"
#include "service/query/count_reader.h"
#include "service/query/list_api.h"
#include "service/query/popular_reader.h"
#include "service/query/site_total_reader.h"
#include "service/sites/site.h"
#include "viewcount/v1/alerts.pb.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// The numbers of a digest.
struct DigestReading {
  KnownViews views;
  KnownViews views_before;
  // The visits of the whole site. Nothing for a section or an article.
  std::optional<uint64_t> visits;
  std::optional<uint64_t> visits_before;
  // The most viewed articles. Empty for an article.
  v1::ListPopularResponse articles;
};

// Used on the store's executor. Everything that it refers to must outlive it.
class AlertReader {
 public:
  struct Dependencies {
    CountReader& counts;
    SiteTotalReader& totals;
    PopularReader& popular;
    ArticleCatalog& catalog;
    ListApi& lists;
  };
  explicit AlertReader(Dependencies parts) : parts_(parts) {}

  // Reads the views that an alert watches at `now_unix_ms`, and with `with_usual` what is usual. The usual views of an
  // hour are read once, since hours of the days before change seldom. They are the mean of those of the seven days
  // before that are kept, without days at the beginning that have no view.
  //
  // The views of a section are the sum over its articles in the list of the hours. If that list may lack articles, the
  // views are known in part. UNAVAILABLE with RetryInfo while the store is unreachable, also if what was announced
  // about an article was never read.
  boost::asio::awaitable<absl::StatusOr<AlertReading>> Read(std::shared_ptr<const Site> site, const v1::Alert& alert,
                                                            bool with_usual, int64_t now_unix_ms);
  // Reads the numbers of a digest. Errors are those of Read.
  boost::asio::awaitable<absl::StatusOr<DigestReading>> ReadDigest(std::shared_ptr<const Site> site,
                                                                   const v1::Alert& alert, DigestSpan span);

 private:
  // The usual views of some hours.
  struct Usual {
    std::optional<double> running;
    std::optional<double> ended;
    uint32_t days = 0;
  };
  // The views of the hours that end with the running one, and of those that ended before it.
  struct TwoSums {
    KnownViews running;
    KnownViews ended;
  };
  // Reads the views of an alert's subject in hours or days, each window for itself. Not for sections.
  boost::asio::awaitable<absl::StatusOr<std::vector<int64_t>>> ReadWindows(std::shared_ptr<const Site> site,
                                                                           const v1::Alert& alert,
                                                                           std::vector<Window> windows);
  // Reads the sum of the views of an alert's subject in several windows.
  boost::asio::awaitable<absl::StatusOr<KnownViews>> ReadSum(std::shared_ptr<const Site> site, const v1::Alert& alert,
                                                             std::vector<Window> windows);
  boost::asio::awaitable<absl::StatusOr<KnownViews>> ReadSection(std::shared_ptr<const Site> site, std::string section,
                                                                 std::vector<Window> windows);
  // Reads the sums for hours of which the first one is `first`. The last one is `first` + `hours`.
  boost::asio::awaitable<absl::StatusOr<TwoSums>> ReadTwoSums(std::shared_ptr<const Site> site, const v1::Alert& alert,
                                                              int64_t first, uint32_t hours);
  boost::asio::awaitable<absl::StatusOr<Usual>> ReadUsual(std::shared_ptr<const Site> site, const v1::Alert& alert,
                                                          int64_t first, uint32_t hours, int64_t now_unix_ms);
  boost::asio::awaitable<absl::Status> ReadList(std::shared_ptr<const Site> site, const v1::Alert& alert,
                                                DigestSpan span, v1::ListPopularResponse& articles);

  const Dependencies parts_;
  // The views that were read in the hour `usual_hour_`, by subject and number of hours. At most one for each alert.
  std::map<std::string, Usual> usual_;
  int64_t usual_hour_ = 0;
};

}  // namespace viewcount
