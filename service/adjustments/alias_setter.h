// Makes an alias known everywhere: the store, this instance's directory, and every lane's journal.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <utility>
#include <vector>

#include "service/lane/ledger.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"

namespace viewcount {

// On the store's executor; what it refers to must outlive it.
class AliasSetter {
 public:
  AliasSetter(SiteDirectory& sites, CountStore& store, std::vector<Ledger*> ledgers)
      : sites_(sites), store_(store), ledgers_(std::move(ledgers)) {}

  // OK: every lane of this instance folds whatever it takes from now on under the alias, and everything that it folded
  // before is counted or pending. Any error: it may be known in some places, and will be in the others; set it again.
  // UNAVAILABLE with RetryInfo if the store is away or a lane's journal has no room for it. RESOURCE_EXHAUSTED if there
  // are as many aliases as there may be; then nothing was changed.
  boost::asio::awaitable<absl::Status> Set(const std::string& site, const std::string& from, Alias alias);

 private:
  bool IsInEveryLane(SiteIndex site, const std::string& from, const Alias& alias) const;

  SiteDirectory& sites_;
  CountStore& store_;
  const std::vector<Ledger*> ledgers_;
};

}  // namespace viewcount
