// Reads the views of the subject of a series in many windows: of an article, of the whole site, or of all articles with
// a label.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "service/articles/article_labels.h"
#include "service/base/clock.h"
#include "service/base/shared_reads.h"
#include "service/query/count_reader.h"
#include "service/query/site_total_reader.h"
#include "service/sites/site.h"

namespace viewcount {

// The maximum number of counts that are read for the series of a label: articles times hours or days. It takes Redis
// about a second, in steps.
inline constexpr size_t kLabelCountsMax = 1'000'000;
// Requests for the same series of a label share a read that has not begun yet.
inline constexpr SharedReadLimits kLabelReads{
    .age_max = {}, .kept_max = 64, .running_max = 2, .waiting_max = 32, .fresh = true};

struct SeriesSubject {
  // The article as the site resolves it. Empty for the whole site, unless there is a label.
  std::string article_id = {};
  std::optional<ArticleLabel> label = {};
};

// Used on the store's executor. Everything that it refers to must outlive it.
class SeriesReader {
 public:
  struct Dependencies {
    CountReader& counts;
    SiteTotalReader& totals;
    ArticleLabels& labels;
    const Clock& clock;
  };
  explicit SeriesReader(const Dependencies& parts) : parts_(parts), label_reads_(parts.clock, kLabelReads) {}

  // Returns the views of each window. Every acknowledged view is contained. Requires hours or days, or none.
  // UNAVAILABLE with RetryInfo while the store is unreachable. RESOURCE_EXHAUSTED with the most windows that can be
  // read, if a label has too many articles; or with RetryInfo, if too many labels are read.
  boost::asio::awaitable<absl::StatusOr<std::vector<int64_t>>> Read(std::shared_ptr<const Site> site,
                                                                    SeriesSubject subject, std::vector<Window> windows);

 private:
  using Views = absl::StatusOr<std::vector<int64_t>>;
  boost::asio::awaitable<Views> ReadArticle(std::shared_ptr<const Site> site, std::string id,
                                            std::vector<Window> windows) const;
  boost::asio::awaitable<Views> ReadLabel(std::shared_ptr<const Site> site, ArticleLabel label,
                                          std::vector<Window> windows) const;

  const Dependencies parts_;
  SharedReads<std::tuple<std::shared_ptr<const Site>, ArticleLabel, std::vector<Window>>, std::vector<int64_t>>
      label_reads_;
};

}  // namespace viewcount
