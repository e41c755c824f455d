// Announced articles: what the portal says of them, kept in the store.
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
#include "service/store/count_store.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// On the store's executor. What it refers to must outlive it.
class ArticleCatalog {
 public:
  ArticleCatalog(const SiteDirectory& sites, CountStore& store) : sites_(sites), store_(store) {}

  // Takes articles in place of what was announced of them; of one that is there twice the last. Errors: those of
  // PutArticles in admin.proto.
  boost::asio::awaitable<absl::Status> Put(const v1::PutArticlesRequest& request);
  // Which of the articles, given as the site resolves them, are announced. Errors: the store's. The IDs must stay
  // meanwhile.
  boost::asio::awaitable<absl::StatusOr<std::set<std::string_view>>> FindAnnounced(
      std::shared_ptr<const Site> site, const std::vector<std::string_view>& ids);

 private:
  const SiteDirectory& sites_;
  CountStore& store_;
};

}  // namespace viewcount
