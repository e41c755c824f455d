// Decides which pages are asked to announce themselves, and takes what they announce (Site.page_announcements).
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "service/articles/article_catalog.h"
#include "service/base/clock.h"
#include "service/sites/site.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// The number of articles about which is remembered when they are asked again. Each takes some 30 bytes. When there are
// more, all are forgotten, and asked again.
inline constexpr size_t kAskedPagesMax = 65'536;
// A page that was asked and did not answer is asked again after this time.
inline constexpr std::chrono::seconds kAskAgainAfter{30};
// A page that announced itself is asked again after this time, since its title may have changed.
inline constexpr std::chrono::seconds kAnnouncedAgainAfter{3'600};
// Announcements within this time after another one of the same article are not stored.
inline constexpr std::chrono::seconds kAnnouncementPause{300};

// Not thread-safe: used by one server's thread only. The objects that it refers to must outlive it.
class PageAnnouncements {
 public:
  // `catalog` runs on `store`.
  PageAnnouncements(ArticleCatalog& catalog, boost::asio::any_io_executor store, const Clock& clock)
      : catalog_(catalog), store_(std::move(store)), clock_(clock) {}

  // Returns whether IsWanted has to find out about the article; false for a site without page announcements. `id` is an
  // ID as the site resolves it.
  bool MayBeWanted(const Site& site, std::string_view id) const;
  // Returns whether the answer to a view of the article should ask its page to announce itself.
  boost::asio::awaitable<bool> IsWanted(std::shared_ptr<const Site> site, std::string id);
  // Stores what a page announced. `article` has an ID as the site resolves it. Returns whether it was stored. Errors
  // are those of ArticleCatalog::PutFromPage.
  boost::asio::awaitable<absl::StatusOr<bool>> Take(std::shared_ptr<const Site> site, v1::Article article);

 private:
  struct Asked {
    SteadyTime again_at;
    // Announcements before this time are not stored.
    SteadyTime closed_until;
  };
  Asked& Find(const Site& site, std::string_view id);

  ArticleCatalog& catalog_;
  const boost::asio::any_io_executor store_;
  const Clock& clock_;
  // By the hash of site and article.
  boost::unordered_flat_map<uint64_t, Asked> asked_;
};

}  // namespace viewcount
