// Announced articles: the data that a portal announces about them, kept in the store.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/sites/site.h"
#include "service/sites/site_directory.h"
#include "service/store/site_store.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// Reads and writes announced articles. Runs on the store's executor. The objects that it refers to must outlive it.
class ArticleCatalog {
 public:
  ArticleCatalog(const SiteDirectory& sites, SiteStore& store) : sites_(sites), store_(store) {}

  // Stores articles in place of earlier announcements. If an article is there twice, the last one counts. Errors: those
  // of PutArticles in admin.proto.
  boost::asio::awaitable<absl::Status> Put(const v1::PutArticlesRequest& request);
  // Returns which of the articles are announced. `ids` are IDs as the site resolves them, and must stay valid until the
  // coroutine ends. Errors: those of the store.
  boost::asio::awaitable<absl::StatusOr<std::set<std::string_view>>> FindAnnounced(
      std::shared_ptr<const Site> site, const std::vector<std::string_view>& ids);

 private:
  const SiteDirectory& sites_;
  SiteStore& store_;
};

}  // namespace viewcount
