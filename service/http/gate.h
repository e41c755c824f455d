// What browsers may send at most, be it one of them or all together. Backends of the portal send what they like.
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
#include "service/floods/address_budget.h"
#include "service/floods/article_budget.h"
#include "service/http/client_trust.h"
#include "service/metrics/metrics.h"
#include "service/query/count_reader.h"
#include "service/sites/site.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {

// Why views were not let in, and what their sender is told.
struct Refusal {
  RejectReason reason = RejectReason::kInvalid;
  absl::Status status;
};

// On one server's thread.
class Gate {
 public:
  // To the store, at the same time. So many are open only while it does not answer; then it need not have more.
  static constexpr size_t kQuestionsMax = 1'000;

  struct Parts {
    CountReader& counts;
    ArticleCatalog& catalog;
    // Of the store: where these are asked.
    boost::asio::any_io_executor store;
    const Clock& clock;
    // See AddressBudget and ArticleBudget.
    uint32_t views_per_second = 0;
    uint32_t articles_per_minute = 0;
  };
  // What `parts` refers to must outlive it.
  explicit Gate(Parts parts);

  // Sets other limits than those of the constructor.
  void SetLimits(uint32_t views_per_second, uint32_t articles_per_minute);

  // Fetches what AdmitAtOnce is going to look at.
  void Prefetch(const Client& client, const Site& site, std::string_view article_id) const {
    addresses_.Prefetch(client.address);
    articles_.Prefetch(site, site.Resolve(article_id));
  }
  // Whether a browser's view may come in without a question to the store. If not, nothing was taken from any budget:
  // Admit tells.
  bool AdmitAtOnce(const Client& client, const Site& site, std::string_view article_id);
  // Why the views may not come in; nothing if they may. RESOURCE_EXHAUSTED with RetryInfo; PERMISSION_DENIED for an
  // article that was not announced, where the site wants that, and the store's error if that is not known. Else, while
  // the store is away or kQuestionsMax are asked already, an article that is not known counts as a new one.
  boost::asio::awaitable<std::optional<Refusal>> Admit(const Client& client, std::shared_ptr<const Site> site,
                                                       const v1::RecordViewsRequest& views);

 private:
  // An article that the site does not know yet.
  struct Unknown {
    // As the site resolves it.
    std::string_view id;
    // As it was asked for: perhaps an alias.
    std::string_view asked;
  };

  boost::asio::awaitable<std::optional<Refusal>> AdmitUnknown(std::shared_ptr<const Site> site,
                                                              const std::vector<Unknown>& articles);
  boost::asio::awaitable<std::optional<Refusal>> AdmitAnnounced(std::shared_ptr<const Site> site,
                                                                const std::vector<Unknown>& articles);

  Parts parts_;
  AddressBudget addresses_;
  ArticleBudget articles_;
  // Questions to the store under way.
  size_t asking_ = 0;
};

}  // namespace viewcount
