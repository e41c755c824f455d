// Answers the requests of QueryService as messages, independently of the transport. Checks requests, calls the readers,
// and fills responses.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/articles/article_catalog.h"
#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/query/count_export.h"
#include "service/query/count_reader.h"
#include "service/query/popular_reader.h"
#include "service/query/shown_list.h"
#include "service/query/site_stats_reader.h"
#include "service/query/site_total_reader.h"
#include "service/query/window.h"
#include "service/sites/site_directory.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Used on the store's executor, except for functions marked as thread-safe. Request and response must outlive the call,
// which is over when its status is returned. The response must be empty before the call, and is undefined after an
// error. Errors are those of query.proto. Everything that it refers to must outlive it.
class QueryApi {
 public:
  struct Dependencies {
    const SiteDirectory& sites;
    CountReader& counts;
    PopularReader& popular;
    SiteStatsReader& stats;
    SiteTotalReader& totals;
    CountExporter& exporter;
    ArticleCatalog& catalog;
    const Clock& clock;
  };
  explicit QueryApi(Dependencies parts) : parts_(parts) {}

  // Thread-safe. Returns the status if the request can be answered, or refused, without the store. Otherwise returns
  // nothing and leaves the response empty: call GetCounts.
  std::optional<absl::Status> GetCountsCached(const v1::GetCountsRequest& request, v1::GetCountsResponse& response);
  boost::asio::awaitable<absl::Status> GetCounts(const v1::GetCountsRequest& request, v1::GetCountsResponse& response);
  // Thread-safe. Like GetCountsCached, for popular lists.
  std::optional<absl::Status> ListPopularCached(const v1::ListPopularRequest& request,
                                                v1::ListPopularResponse& response);
  boost::asio::awaitable<absl::Status> ListPopular(const v1::ListPopularRequest& request,
                                                   v1::ListPopularResponse& response);
  boost::asio::awaitable<absl::Status> GetSiteStats(const v1::GetSiteStatsRequest& request,
                                                    v1::GetSiteStatsResponse& response);
  boost::asio::awaitable<absl::Status> GetSeries(const v1::GetSeriesRequest& request, v1::GetSeriesResponse& response);

 private:
  // Reads the views of an article, or of the site if `id` is empty.
  boost::asio::awaitable<absl::StatusOr<std::vector<int64_t>>> ReadSeries(std::shared_ptr<const Site> site,
                                                                          std::string id,
                                                                          std::vector<Window> windows) const;

  struct AddressedCounts;
  absl::StatusOr<AddressedCounts> AddressedCountsOf(const v1::GetCountsRequest& request) const;

  // A valid request.
  struct PopularQuestion {
    std::shared_ptr<const Site> site;
    PopularReader::Question list = {};
    // The time that the list covers. 0 and 0 for all time.
    TimeSpan span = {};
    // The list of the window before, if its ranks are requested and it can be known.
    std::optional<PopularReader::Question> before = {};
    ListFilter filter = {};
    bool exact_required = false;
    std::string list_name = {};
    // The places of the page.
    size_t begin = 0;
    size_t end = 0;
  };
  absl::StatusOr<PopularQuestion> QuestionOf(const v1::ListPopularRequest& request) const;
  absl::StatusOr<ListFilter> FilterOf(const v1::ListPopularRequest& request) const;
  // Returns the list, if it and everything about its articles is known without the store.
  std::optional<ShownList> ShowCached(const PopularQuestion& question, const PopularReader::Question& list) const;
  boost::asio::awaitable<absl::StatusOr<ShownList>> Show(const PopularQuestion& question,
                                                         const PopularReader::Question& list) const;
  // Reads every article of the window.
  boost::asio::awaitable<absl::StatusOr<ShownList>> ScanPopular(const PopularQuestion& question) const;
  // `before` is null if there is no list of the window before.
  static void FillPage(const PopularQuestion& question, const ShownList& list, const ShownList* before,
                       v1::ListPopularResponse& response);

  const Dependencies parts_;
};

}  // namespace viewcount
