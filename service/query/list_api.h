// Answers the requests of QueryService for lists of articles as messages, independently of the transport. QueryApi
// answers the other ones.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "service/articles/article_catalog.h"
#include "service/articles/published_articles.h"
#include "service/base/clock.h"
#include "service/query/count_export.h"
#include "service/query/count_reader.h"
#include "service/query/list_limits.h"
#include "service/query/list_question.h"
#include "service/query/popular_reader.h"
#include "service/query/recent_reader.h"
#include "service/query/rising_reader.h"
#include "service/query/shown_list.h"
#include "service/sites/site_directory.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Threads and lifetimes are those of QueryApi.
class ListApi {
 public:
  struct Dependencies {
    const SiteDirectory& sites;
    CountReader& counts;
    PopularReader& popular;
    CountExporter& exporter;
    ArticleCatalog& catalog;
    PublishedArticles& published;
    RisingReader& rising;
    RecentReader& recent;
    const Clock& clock;
  };
  explicit ListApi(Dependencies parts) : parts_(parts), trending_views_(parts.clock, kTrendingViewReads) {}

  // Thread-safe. Returns the status if the request can be answered, or refused, without the store. Otherwise returns
  // nothing and leaves the response empty: call ListPopular.
  std::optional<absl::Status> ListPopularCached(const v1::ListPopularRequest& request,
                                                v1::ListPopularResponse& response);
  boost::asio::awaitable<absl::Status> ListPopular(const v1::ListPopularRequest& request,
                                                   v1::ListPopularResponse& response);
  boost::asio::awaitable<absl::Status> ListTrending(const v1::ListTrendingRequest& request,
                                                    v1::ListTrendingResponse& response);
  boost::asio::awaitable<absl::Status> ListRising(const v1::ListRisingRequest& request,
                                                  v1::ListRisingResponse& response);
  boost::asio::awaitable<absl::Status> ListNow(const v1::ListNowRequest& request, v1::ListNowResponse& response);
  boost::asio::awaitable<absl::Status> ListArticles(const v1::ListArticlesRequest& request,
                                                    v1::ListArticlesResponse& response);

 private:
  // Returns the list, if it and everything about its articles is known without the store.
  std::optional<ShownList> ShowCached(const ListQuestion& question, const PopularReader::Question& list) const;
  boost::asio::awaitable<absl::StatusOr<ShownList>> Show(const ListQuestion& question,
                                                         const PopularReader::Question& list) const;
  // Like Show, but reads a longer list if that is needed for the page.
  boost::asio::awaitable<absl::StatusOr<ShownList>> ShowPage(const ListQuestion& question) const;
  // Reads every article of the window.
  boost::asio::awaitable<absl::StatusOr<ShownList>> ScanPopular(const ListQuestion& question) const;
  // `before` is null if there is no list of the window before.
  void FillPage(const ListQuestion& question, const ShownList& list, const ShownList* before,
                v1::ListPopularResponse& response) const;

  // Returns the publication in the middle of a list; nothing for now.
  boost::asio::awaitable<absl::StatusOr<std::optional<Publication>>> MiddleOf(
      std::shared_ptr<const Site> site, const v1::ListArticlesRequest& request) const;

  // Views of articles, and when they were read.
  struct Sums {
    std::vector<int64_t> sums;
    int64_t as_of_unix_ms = 0;
  };
  boost::asio::awaitable<absl::StatusOr<std::shared_ptr<const Sums>>> ReadTrendingViews(
      std::shared_ptr<const Site> site, std::vector<Window> hours, std::vector<std::string> ids);

  const Dependencies parts_;
  SharedReads<std::tuple<std::string, std::vector<Window>, std::vector<std::string>>, std::shared_ptr<const Sums>>
      trending_views_;
};

}  // namespace viewcount
