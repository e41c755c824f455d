// Sets an alias everywhere: in the store, in this instance's directory, and in every lane's journal.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <utility>
#include <vector>

#include "service/lane/ledger.h"
#include "service/sites/site_directory.h"
#include "service/store/site_store.h"

namespace viewcount {

// Sets aliases. Not thread-safe: used on the store's executor only. All constructor arguments must outlive it.
class AliasSetter {
 public:
  AliasSetter(SiteDirectory& sites, SiteStore& store, std::vector<Ledger*> ledgers)
      : sites_(sites), store_(store), ledgers_(std::move(ledgers)) {}

  // Sets an alias. After OK every lane of this instance folds under the alias whatever it takes from now on. Everything
  // folded before is counted or pending. After an error the alias may be set in some places, and will reach the others;
  // set it again. Returns UNAVAILABLE with RetryInfo if the store is away or a lane's journal has no room. Returns
  // RESOURCE_EXHAUSTED if the limit for all aliases is reached; then nothing was changed.
  boost::asio::awaitable<absl::Status> Set(const std::string& site, const std::string& from, Alias alias);

 private:
  // Returns whether every lane has journaled this alias, or a younger one of the same article.
  bool IsInEveryLane(SiteIndex site, const std::string& from, const Alias& alias) const;

  SiteDirectory& sites_;
  SiteStore& store_;
  const std::vector<Ledger*> ledgers_;
};

}  // namespace viewcount
