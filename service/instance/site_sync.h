// Keeps the directory of sites and the store's list of sites equal.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "service/base/clock.h"
#include "service/base/log_throttle.h"
#include "service/sites/site_directory.h"
#include "service/store/site_store.h"

namespace viewcount {

// Runs on the store's executor. The objects that it refers to must outlive it.
class SiteSync {
 public:
  SiteSync(boost::asio::any_io_executor executor, SiteStore& store, SiteDirectory& sites, const Clock& clock);

  // Reads the store's sites into the directory. Sites and aliases that the store has lost are written to it. If this
  // machine does not understand the settings of a stored site, the site keeps its present settings and the error is
  // logged. This process may learn late that hours are kept for longer. Then the stored settings get the moment from
  // which on it writes them so.
  boost::asio::awaitable<absl::Status> Refresh();
  // Writes a site to the store, then to the directory. Returns true if the site is new. RESOURCE_EXHAUSTED if the lists
  // of all sites would take more than limits::kSiteListsBytesMax. After this error or one of the store, nothing has
  // changed.
  boost::asio::awaitable<absl::StatusOr<bool>> Put(Site site);
  // Creates the sites of `names` that do not exist yet.
  boost::asio::awaitable<absl::Status> Create(const std::vector<std::string>& names);

  // Calls Refresh every second until Stop. Thereby changes by other instances become visible in this one.
  boost::asio::awaitable<void> Run();
  void Stop();

 private:
  // Returns corrected settings if `stored` was changed so long ago that this process may have written hours for too
  // short a time. Otherwise returns nothing.
  std::optional<SiteSettings> LateChange(const Site& known, const SiteSettings& stored) const;
  bool HasRoomFor(const Site& site) const;
  // Writes the aliases that are known here and that the store has lost or has in an older state.
  boost::asio::awaitable<absl::Status> Restore(const StoredSite& stored, const AliasEntries& known);

  SiteStore& store_;
  SiteDirectory& sites_;
  const Clock& clock_;
  // True if the sites were read once. Before that, nothing is flushed.
  bool read_ = false;
  boost::asio::steady_timer timer_;
  // The number of sites that Put has written to the store. It shows whether a site was put during a read.
  uint64_t puts_ = 0;
  LogThrottle unusable_lines_;
  bool stopped_ = false;
};

}  // namespace viewcount
