// Announced articles: the data that a portal announces about them, kept in the store.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/base/mutex.h"
#include "service/sites/site.h"
#include "service/sites/site_directory.h"
#include "service/store/site_store.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// An article as it was announced, without its ID. Null if it was not.
using ArticleDetails = std::shared_ptr<const v1::Article>;

// Returns whether a time can be written as text, from the year 1 to 9999.
bool IsTime(const google::protobuf::Timestamp& time);
// Returns whether an article was announced, and by the portal's servers rather than by its page.
inline bool IsAnnouncedByPortal(const ArticleDetails& details) {
  return details != nullptr && !details->announced_by_page();
}
// Returns the time of publication, Unix milliseconds; nothing if the article was announced without one.
std::optional<int64_t> PublishTimeOf(const v1::Article& article);

// Sets both fields of the main section where one is set.
void CompleteSection(v1::Article& article);
// Returns whether one of the labels is `label`, or `label` is empty.
bool HasLabel(const google::protobuf::RepeatedPtrField<std::string>& labels, const std::string& label);

// Reads and writes announced articles. Runs on the store's executor, unless stated otherwise. The objects that it
// refers to must outlive it.
class ArticleCatalog {
 public:
  ArticleCatalog(const SiteDirectory& sites, SiteStore& store, const Clock& clock)
      : sites_(sites), store_(store), clock_(clock) {}

  // Stores articles in place of earlier announcements. If an article is there twice, the last one counts. Errors: those
  // of PutArticles in admin.proto.
  boost::asio::awaitable<absl::Status> Put(const v1::PutArticlesRequest& request);
  // Stores what a page announces about itself, unless the article was announced with Put. `article` has an ID as the
  // site resolves it. Returns whether it was stored. The page's announcement is kept apart, so it never replaces one of
  // Put. Errors: INVALID_ARGUMENT with a field such as articles[0].title, and those of the store.
  boost::asio::awaitable<absl::StatusOr<bool>> PutFromPage(std::shared_ptr<const Site> site, v1::Article article);
  // Returns which of the articles are announced with Put. `ids` are IDs as the site resolves them, and must stay valid
  // until the coroutine ends. Errors: those of the store.
  boost::asio::awaitable<absl::StatusOr<std::set<std::string_view>>> FindAnnounced(
      std::shared_ptr<const Site> site, const std::vector<std::string_view>& ids);

  // Returns a piece of the site's order of publication. An article may have been announced again since with another
  // time, or without one: compare it with the details. Errors: those of the store.
  boost::asio::awaitable<absl::StatusOr<std::vector<Publication>>> ReadPublications(std::shared_ptr<const Site> site,
                                                                                    PublicationRange range);
  // Calls `announced` for each article that Put has written from now on, with its ID as the site resolves it. There is
  // one listener. An empty function ends that.
  using Announced = std::function<void(const std::string& site, const std::string& id, const v1::Article& article)>;
  void Listen(Announced announced) { announced_ = std::move(announced); }
  // Returns the number of calls of Put that have written something.
  uint64_t writes() const { return writes_; }

  // Thread-safe. Returns the details of each article if all were read within limits::kArticleDetailsAge. `ids` are IDs
  // as the site resolves them.
  std::optional<std::vector<ArticleDetails>> FindDetails(const Site& site, std::span<const std::string_view> ids);
  struct Details {
    // One for each requested article.
    std::vector<ArticleDetails> articles;
    // False if the store could not be read, and something about an article was never read.
    bool complete = false;
  };
  // Reads the details of all articles again, whatever is known. Otherwise like ReadDetails.
  boost::asio::awaitable<Details> ReadDetailsNow(std::shared_ptr<const Site> site, std::vector<std::string_view> ids) {
    return ReadDetailsSince(clock_.Now(), std::move(site), std::move(ids));
  }
  // Reads the details that FindDetails would lack. If the store cannot be read, returns those that were read earlier.
  // `ids` must stay valid until the coroutine ends.
  boost::asio::awaitable<Details> ReadDetails(std::shared_ptr<const Site> site, std::vector<std::string_view> ids) {
    return ReadDetailsSince(clock_.Now() - limits::kArticleDetailsAge, std::move(site), std::move(ids));
  }

 private:
  struct Known {
    ArticleDetails details;
    SteadyTime read_at;
  };
  // The articles of a shard whose details are read.
  struct Missing {
    std::vector<std::string_view> ids;
    // Their places in the result.
    std::vector<size_t> places;
    // True if one of them was never read.
    bool never_read = false;
  };
  // Reads the details that were not read since `not_before`.
  boost::asio::awaitable<Details> ReadDetailsSince(SteadyTime not_before, std::shared_ptr<const Site> site,
                                                   std::vector<std::string_view> ids);
  // Returns what pages announced about those of the articles that have no text in `texts`, in the same order. Requires
  // at least one of them.
  boost::asio::awaitable<std::vector<std::optional<std::string>>> ReadPages(
      const Site& site, Shard shard, const std::vector<std::string_view>& ids,
      const std::vector<std::optional<std::string>>& texts);
  boost::asio::awaitable<void> ReadShard(const Site& site, Shard shard, const Missing& asked, SteadyTime now,
                                         Details& result);
  // An article's site and ID.
  static std::string NameOf(const Site& site, std::string_view id);

  const SiteDirectory& sites_;
  SiteStore& store_;
  const Clock& clock_;
  uint64_t writes_ = 0;
  Announced announced_;
  Mutex mutex_;
  boost::unordered_flat_map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace viewcount
