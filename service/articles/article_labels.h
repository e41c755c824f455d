// The articles that are announced with a section, an author or a tag.
//
// The store has no order by labels. So all announcements of a site are read once, in steps, and used for some seconds.
// See docs/decisions/series-of-labels.md for the cost.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
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

struct ArticleLabel {
  enum class Kind : uint8_t { kSection, kAuthor, kTag };
  Kind kind = Kind::kSection;
  std::string text;

  auto operator<=>(const ArticleLabel&) const = default;
};

// Used on the store's executor. Everything that it refers to must outlive it.
class ArticleLabels {
 public:
  ArticleLabels(SiteStore& store, const ArticleCatalog& catalog, const Clock& clock)
      : store_(store), catalog_(catalog), clock_(clock) {}

  // Returns the IDs of all articles with a label, each once. Articles that are counted for others are left out. An
  // announcement that this process has written before the call is known. UNAVAILABLE with RetryInfo if the store cannot
  // be read, and RESOURCE_EXHAUSTED if the site has more than kLabelledArticlesMax announced articles.
  boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> Find(std::shared_ptr<const Site> site,
                                                                        ArticleLabel label);

 private:
  // The labels of a site's articles, as they were read.
  struct Index {
    std::vector<std::string> ids;
    // Indexes into `ids`.
    std::map<ArticleLabel, std::vector<uint32_t>> articles;
    // The state of the catalog when the read began, and how long the read took.
    uint64_t writes = 0;
    SteadyTime begun_at;
    std::chrono::nanoseconds took{0};
  };
  using Read = absl::StatusOr<std::shared_ptr<const Index>>;
  // A read that is under way.
  struct Flight {
    explicit Flight(const boost::asio::any_io_executor& executor) : landed(executor) {}
    AsyncEvent landed;
    std::optional<Read> result;
    uint64_t writes = 0;
  };

  bool IsUsable(const Index& index) const;
  boost::asio::awaitable<Read> Obtain(const Site& site);
  boost::asio::awaitable<Read> ReadAll(const Site& site);
  // Keeps an index, and forgets others to make room.
  void Keep(const std::string& site, std::shared_ptr<const Index> index);

  SiteStore& store_;
  const ArticleCatalog& catalog_;
  const Clock& clock_;
  // By the site's name.
  std::map<std::string, std::shared_ptr<const Index>> indexes_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace viewcount
