// Answers the requests of QueryService for counts, series and totals as messages, independently of the transport.
// Checks requests, calls the readers, and fills responses. ListApi answers those for lists.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/repeated_field.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/articles/article_labels.h"
#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/query/count_reader.h"
#include "service/query/series_plan.h"
#include "service/query/series_reader.h"
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
    SiteStatsReader& stats;
    SiteTotalReader& totals;
    ArticleLabels& labels;
    const Clock& clock;
  };
  explicit QueryApi(Dependencies parts)
      : parts_(parts), series_({parts.counts, parts.totals, parts.labels, parts.clock}) {}

  // Thread-safe. Returns the status if the request can be answered, or refused, without the store. Otherwise returns
  // nothing and leaves the response empty: call GetCounts.
  std::optional<absl::Status> GetCountsCached(const v1::GetCountsRequest& request, v1::GetCountsResponse& response);
  boost::asio::awaitable<absl::Status> GetCounts(const v1::GetCountsRequest& request, v1::GetCountsResponse& response);
  boost::asio::awaitable<absl::Status> GetSiteStats(const v1::GetSiteStatsRequest& request,
                                                    v1::GetSiteStatsResponse& response);
  boost::asio::awaitable<absl::Status> GetSeries(const v1::GetSeriesRequest& request, v1::GetSeriesResponse& response);

 private:
  using Points = google::protobuf::RepeatedPtrField<v1::SeriesPoint>;
  // Reads the points of a plan.
  boost::asio::awaitable<absl::Status> ReadPoints(std::shared_ptr<const Site> site, SeriesSubject subject,
                                                  const SeriesPlan& plan, Points& points);

  struct AddressedCounts;
  absl::StatusOr<AddressedCounts> AddressedCountsOf(const v1::GetCountsRequest& request) const;

  const Dependencies parts_;
  SeriesReader series_;
};

}  // namespace viewcount
