// The questions of QueryService as messages, whatever carries them: checks requests, asks the readers, fills responses.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/query/count_reader.h"
#include "service/query/popular_reader.h"
#include "service/query/site_stats_reader.h"
#include "service/sites/site_directory.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// On the store's executor, where nothing else is said. Request and response must outlive the call, which is over when
// its status is there; the response is to be empty before, and means nothing after an error. Errors are those of
// query.proto. What it refers to must outlive it.
class QueryApi {
 public:
  struct Parts {
    const SiteDirectory& sites;
    CountReader& counts;
    PopularReader& popular;
    SiteStatsReader& stats;
    const Clock& clock;
  };
  explicit QueryApi(Parts parts) : parts_(parts) {}

  // Thread safe. The answer, an error included, where it takes no question to the store; else nothing, and the response
  // stays empty: ask GetCounts.
  std::optional<absl::Status> GetCountsCached(const v1::GetCountsRequest& request, v1::GetCountsResponse& response);
  boost::asio::awaitable<absl::Status> GetCounts(const v1::GetCountsRequest& request, v1::GetCountsResponse& response);
  // The same for popular lists.
  std::optional<absl::Status> ListPopularCached(const v1::ListPopularRequest& request,
                                                v1::ListPopularResponse& response);
  boost::asio::awaitable<absl::Status> ListPopular(const v1::ListPopularRequest& request,
                                                   v1::ListPopularResponse& response);
  boost::asio::awaitable<absl::Status> GetSiteStats(const v1::GetSiteStatsRequest& request,
                                                    v1::GetSiteStatsResponse& response);

 private:
  // A request that is as it should be.
  struct PopularQuestion {
    std::shared_ptr<const Site> site;
    Window window = {};
    size_t page_size = limits::kPageSizeDefault;
    std::string list_name = {};
    // The rank before the page's first.
    size_t offset = 0;
  };
  absl::StatusOr<PopularQuestion> QuestionOf(const v1::ListPopularRequest& request) const;
  static void FillPage(const PopularQuestion& question, const PopularList& list, v1::ListPopularResponse& response);

  const Parts parts_;
};

}  // namespace viewcount
