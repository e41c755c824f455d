// Keeps the directory of sites and the store's list of them alike.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "service/base/log_throttle.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"

namespace viewcount {

// On the store's executor. What it refers to must outlive it.
class SiteKeeper {
 public:
  SiteKeeper(boost::asio::any_io_executor executor, CountStore& store, SiteDirectory& sites);

  // Reads the store's sites into the directory, and writes those, and the aliases, that the store has lost. A stored
  // site whose settings this machine does not understand keeps the ones it has, and is logged.
  boost::asio::awaitable<absl::Status> Refresh();
  // Writes a site to the store, then to the directory. True if it is new. RESOURCE_EXHAUSTED if all sites' lists
  // would take more than limits::kSiteListsBytesMax, or the store's error: nothing was changed.
  boost::asio::awaitable<absl::StatusOr<bool>> Put(Site site);
  // Creates the sites of `names` that do not exist.
  boost::asio::awaitable<absl::Status> Create(const std::vector<std::string>& names);

  // Refreshes every second until Stop, so that what another instance changed is seen here.
  boost::asio::awaitable<void> Run();
  void Stop();

 private:
  bool HasRoomFor(const Site& site) const;
  // Writes the aliases that are known here and that the store has lost, or knows in an older state.
  boost::asio::awaitable<absl::Status> Restore(const StoredSite& stored, const AliasEntries& known);

  CountStore& store_;
  SiteDirectory& sites_;
  boost::asio::steady_timer timer_;
  // How many sites were put.
  uint64_t puts_ = 0;
  LogThrottle unusable_lines_;
  bool stopped_ = false;
};

}  // namespace viewcount
