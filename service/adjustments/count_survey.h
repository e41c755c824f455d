// Everything that is counted of some articles: all time, bots, every day and every hour.
//
// Of every article all windows are read at one moment. Which windows there are is asked of the store first; what is
// counted in another one meanwhile is pending, and so found in the ledgers, which are marked before the question and
// again before each read. So no window is missed: it was in the store, or in a ledger since the mark before.
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

// By article, by window; zeros are left out.
using SurveyedCounts = std::map<std::string, std::map<Window, int64_t>>;

// On the store's executor; one survey at a time. What it refers to must outlive it.
class CountSurvey {
 public:
  CountSurvey(CountStore& store, CountReader& counts, std::vector<Ledger*> ledgers)
      : store_(store), counts_(counts), ledgers_(std::move(ledgers)) {}

  // Of different articles. Errors: the store's; UNAVAILABLE with RetryInfo if the flushers were always faster.
  boost::asio::awaitable<absl::StatusOr<SurveyedCounts>> Read(std::shared_ptr<const Site> site,
                                                              const std::vector<std::string>& ids);

 private:
  // ABORTED if it must be begun anew.
  boost::asio::awaitable<absl::Status> TryRead(const Site& site, const std::vector<std::string>& ids,
                                               SurveyedCounts& counts);
  // Articles of one shard, few enough for one read.
  boost::asio::awaitable<absl::Status> ReadArticles(const Site& site, Shard shard,
                                                    const std::vector<ArticleRef>& articles, SurveyedCounts& counts);
  void Mark();
  // Takes in what was pending since the last mark, and marks again. Nothing if that is not known, else whether there
  // was a window that was not known yet.
  std::optional<bool> TakeWindows(SiteIndex site);

  CountStore& store_;
  CountReader& counts_;
  const std::vector<Ledger*> ledgers_;
  // Of the survey under way.
  std::vector<Ledger::Mark> marks_;
  std::set<Window> windows_;
};

}  // namespace viewcount
