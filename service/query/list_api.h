// Answers the requests of QueryService for lists of articles as messages, independently of the transport. QueryApi
// answers the other ones.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "service/articles/article_catalog.h"
#include "service/articles/published_articles.h"
#include "service/base/clock.h"
#include "service/query/count_export.h"
#include "service/query/count_reader.h"
#include "service/query/popular_reader.h"
#include "service/query/shown_list.h"
#include "service/query/window.h"
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
    const Clock& clock;
  };
  explicit ListApi(Dependencies parts) : parts_(parts) {}

  // Thread-safe. Returns the status if the request can be answered, or refused, without the store. Otherwise returns
  // nothing and leaves the response empty: call ListPopular.
  std::optional<absl::Status> ListPopularCached(const v1::ListPopularRequest& request,
                                                v1::ListPopularResponse& response);
  boost::asio::awaitable<absl::Status> ListPopular(const v1::ListPopularRequest& request,
                                                   v1::ListPopularResponse& response);
  boost::asio::awaitable<absl::Status> ListArticles(const v1::ListArticlesRequest& request,
                                                    v1::ListArticlesResponse& response);

 private:
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

  // Returns the publication in the middle of a list; nothing for now.
  boost::asio::awaitable<absl::StatusOr<std::optional<Publication>>> MiddleOf(
      std::shared_ptr<const Site> site, const v1::ListArticlesRequest& request) const;

  const Dependencies parts_;
};

}  // namespace viewcount
