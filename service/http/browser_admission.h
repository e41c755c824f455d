// Limits what browsers may send, both one browser and all together. Backends of the portal have no limits here.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "service/articles/article_catalog.h"
#include "service/base/clock.h"
#include "service/http/client_trust.h"
#include "service/metrics/metrics.h"
#include "service/query/count_reader.h"
#include "service/ratelimit/address_rate_limiter.h"
#include "service/ratelimit/new_article_limiter.h"
#include "service/sites/site.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {

// The reason why views were refused, and the status for their sender.
struct Refusal {
  RejectReason reason = RejectReason::kInvalid;
  absl::Status status;
};

// Not thread-safe: used by one server's thread only.
class BrowserAdmission {
 public:
  // The number of concurrent questions to the store. So many are open only while the store does not answer, and then it
  // does not need more.
  static constexpr size_t kQuestionsMax = 1'000;

  struct Dependencies {
    CountReader& counts;
    ArticleCatalog& catalog;
    // The executor of the store, on which `counts` and `catalog` run.
    boost::asio::any_io_executor store;
    const Clock& clock;
    // See AddressRateLimiter and NewArticleLimiter.
    uint32_t views_per_second = 0;
    uint32_t articles_per_minute = 0;
  };
  // All objects that `parts` refers to must outlive the admission.
  explicit BrowserAdmission(Dependencies parts);

  // Replaces the limits given to the constructor.
  void SetLimits(uint32_t views_per_second, uint32_t articles_per_minute);

  // Prefetches the memory that AdmitAtOnce reads.
  void Prefetch(const Client& client, const Site& site, std::string_view article_id) const {
    addresses_.Prefetch(client.address);
    articles_.Prefetch(site, site.Resolve(article_id));
  }
  // Returns true if a browser's view may be counted without a question to the store. If it returns false, no budget has
  // changed and the caller must ask Admit.
  bool AdmitAtOnce(const Client& client, const Site& site, std::string_view article_id);
  // Returns why the views may not be counted, or nothing if they may. RESOURCE_EXHAUSTED has RetryInfo. If the site
  // requires announcements, PERMISSION_DENIED means that an article was not announced. In that case a failure to ask
  // the store becomes UNAVAILABLE with RetryInfo. For other sites, an unknown article counts as new while the store is
  // down, or while kQuestionsMax questions are open.
  boost::asio::awaitable<std::optional<Refusal>> Admit(const Client& client, std::shared_ptr<const Site> site,
                                                       const v1::RecordViewsRequest& views);

 private:
  // An article that the admission does not know yet.
  struct Unknown {
    // The ID after the site has resolved aliases.
    std::string_view id;
    // The ID in the request, which may be an alias.
    std::string_view asked;
  };

  boost::asio::awaitable<std::optional<Refusal>> AdmitUnknown(std::shared_ptr<const Site> site,
                                                              const std::vector<Unknown>& articles);
  boost::asio::awaitable<std::optional<Refusal>> AdmitAnnounced(std::shared_ptr<const Site> site,
                                                                const std::vector<Unknown>& articles);

  Dependencies parts_;
  AddressRateLimiter addresses_;
  NewArticleLimiter articles_;
  // The number of open questions to the store.
  size_t asking_ = 0;
};

}  // namespace viewcount
