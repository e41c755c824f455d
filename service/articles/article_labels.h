// The articles that are announced with a section, an author or a tag.
//
// The store has no order by labels. So all announcements of a site are read once, in steps, and used for some seconds.
// Announcements by this process are added to what was read. See docs/decisions/series-of-labels.md for the cost.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "service/articles/article_catalog.h"
#include "service/base/async_event.h"
#include "service/base/clock.h"
#include "service/sites/site.h"
#include "service/store/site_store.h"

namespace viewcount {

// The maximum number of announced articles of all sites whose labels are remembered, some 200 bytes each.
inline constexpr size_t kLabelledArticlesMax = 1'000'000;
// Announcements to other instances are known after this time, or after kLabelReadShare times the time of reading all of
// them, whichever is longer.
inline constexpr std::chrono::seconds kLabelAgeMin{5};
inline constexpr int kLabelReadShare = 10;
// The maximum number of announcements of a site that are added to what was read. Beyond it, all is read again.
inline constexpr size_t kLabelAnnouncementsMax = 100'000;

struct ArticleLabel {
  enum class Kind : uint8_t { kSection, kAuthor, kTag };
  Kind kind = Kind::kSection;
  std::string text;

  auto operator<=>(const ArticleLabel&) const = default;
};

// Used on the store's executor. Everything that it refers to must outlive it.
class ArticleLabels {
 public:
  ArticleLabels(SiteStore& store, ArticleCatalog& catalog, const Clock& clock);
  ~ArticleLabels() { catalog_.Listen({}); }
  ArticleLabels(const ArticleLabels&) = delete;
  ArticleLabels& operator=(const ArticleLabels&) = delete;

  // Returns the IDs of all articles with a label, each once. The label of an article that is counted for another one
  // does not matter. It is included if the other one has the label, because a merge may not have moved all views yet.
  // An announcement that this process has written before the call is known. UNAVAILABLE with RetryInfo if the store
  // cannot be read, and RESOURCE_EXHAUSTED if the site has more than kLabelledArticlesMax announced articles.
  boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> Find(std::shared_ptr<const Site> site,
                                                                        ArticleLabel label);

 private:
  // The labels of a site's articles, as they were read.
  struct Index {
    std::vector<std::string> ids;
    // Indexes into `ids`.
    std::map<ArticleLabel, std::vector<uint32_t>> articles;
  };
  using Read = absl::StatusOr<std::shared_ptr<const Index>>;
  // A read that is under way, or its result.
  struct Flight {
    explicit Flight(const boost::asio::any_io_executor& executor) : landed(executor) {}
    AsyncEvent landed;
    std::optional<Read> result;
    SteadyTime begun_at;
    std::chrono::nanoseconds took{0};
    // The number of the last announcement before the read.
    uint64_t announcements = 0;
    // True if there were so many announcements during the read that it is done again.
    bool dropped = false;
  };
  // An announcement that the last read may lack.
  struct Announcement {
    uint64_t number = 0;
    std::set<ArticleLabel> labels;
  };
  struct OfSite {
    // The last result, also if it is a refusal because of too many articles. Null if there is none.
    std::shared_ptr<const Flight> last;
    // The read that is under way. Null if there is none.
    std::shared_ptr<Flight> running;
    // By the article's ID.
    std::map<std::string, Announcement> announced;
  };

  bool IsUsable(const Flight& flight) const;
  boost::asio::awaitable<Read> Obtain(const Site& site);
  boost::asio::awaitable<Read> ReadAll(const Site& site);
  void Hear(const std::string& site, const std::string& id, const v1::Article& article);
  // Forgets results of other sites to make room for that of a site.
  void MakeRoom(const std::string& site);

  SiteStore& store_;
  ArticleCatalog& catalog_;
  const Clock& clock_;
  // By the site's name. Entries are never removed, but emptied.
  std::map<std::string, OfSite> sites_;
  uint64_t announcements_ = 0;
};

}  // namespace viewcount
