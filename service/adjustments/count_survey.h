// Reads everything that is counted of some articles: all time, bots, every day and every hour.
//
// All windows of an article are read at one moment. The survey first asks the store which windows exist. If views are
// counted in another window meanwhile, they are pending and therefore found in the ledgers. The ledgers are marked
// before that question and again before each read. So no window is missed: it was in the store, or in a ledger since
// the previous mark.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "service/lane/ledger.h"
#include "service/query/count_reader.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

// Counts by article and window. Zeros are left out.
using SurveyedCounts = std::map<std::string, std::map<Window, int64_t>>;

// Reads counts. Not thread-safe: used on the store's executor only, one survey at a time. All constructor arguments
// must outlive it.
class CountSurvey {
 public:
  CountSurvey(CountStore& store, CountReader& counts, std::vector<Ledger*> ledgers)
      : store_(store), counts_(counts), ledgers_(std::move(ledgers)) {}

  // Reads the counts of the articles. `ids` must not contain an article twice. Returns
  // UNAVAILABLE with RetryInfo if the store cannot be read, or if the flushers were always faster.
  boost::asio::awaitable<absl::StatusOr<SurveyedCounts>> Read(std::shared_ptr<const Site> site,
                                                              const std::vector<std::string>& ids);

 private:
  // Makes one attempt. Returns ABORTED if the survey must start again.
  boost::asio::awaitable<absl::Status> TryRead(const Site& site, const std::vector<std::string>& ids,
                                               SurveyedCounts& counts);
  // Reads articles of one shard. There must be few enough of them for one read.
  boost::asio::awaitable<absl::Status> ReadArticles(const Site& site, Shard shard,
                                                    const std::vector<ArticleRef>& articles, SurveyedCounts& counts);
  // Marks the present state of all ledgers.
  void Mark();
  // Adds to `windows_` the windows that were pending since the last mark, and marks again. Returns nothing if they are
  // not known. Otherwise returns whether there was a new window.
  std::optional<bool> TakeWindows(SiteIndex site);

  CountStore& store_;
  CountReader& counts_;
  const std::vector<Ledger*> ledgers_;
  // The marks and windows of the survey that is under way.
  std::vector<Ledger::Snapshot> marks_;
  std::set<Window> windows_;
};

}  // namespace viewcount
