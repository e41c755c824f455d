// Removes the days that a site does not keep any more, see SiteSettings::days_kept_days.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "service/base/clock.h"
#include "service/base/log_throttle.h"
#include "service/instance/site_sync.h"
#include "service/sites/site_directory.h"
#include "service/store/day_store.h"

namespace viewcount {

// Runs on the store's executor. The objects that it refers to must outlive it. All instances of a data set may remove
// the same days.
class DayRemover {
 public:
  struct Dependencies {
    DayStore& store;
    SiteSync& keeper;
    const SiteDirectory& sites;
    const Clock& clock;
  };
  DayRemover(const boost::asio::any_io_executor& executor, const Dependencies& parts)
      : parts_(parts), timer_(executor) {}

  // Removes what is due: once after a connect, a change of a setting, and a midnight of such a site. A setting counts
  // only when it has been known for longer than kSettingsKnownAfter. By then all instances have it, and a mistake may
  // have been corrected. If nothing is due, it costs next to nothing. The names of all keys are read for it. Errors are
  // those of the store, or CANCELLED after Stop. The work then remains due. An error that does not pass with the
  // store's absence concerns only its day: the first one is returned, and the work is due again after kErrorWait.
  boost::asio::awaitable<absl::Status> Refresh();

  // Calls Refresh every kEvery until Stop. Logs errors that do not pass with the store's absence.
  boost::asio::awaitable<void> Run();
  void Stop();

 private:
  static constexpr std::chrono::seconds kEvery{5};
  static constexpr std::chrono::hours kErrorWait{1};

  // The settings that decide about the days of a site, and since when they are known here.
  struct Setting {
    uint32_t days_kept_days = 0;
    std::string time_zone;
    SteadyTime since;
  };

  // Returns the first day that each site leaves. Sites that keep all days are left out, and those whose setting has not
  // been known for long enough.
  SiteDays FirstDays();
  // Removes days that are still due. Returns the first error that does not pass with the store's absence, or else OK.
  // Ends with any other error.
  boost::asio::awaitable<absl::Status> Remove(std::set<StoredDay> days);

  const Dependencies parts_;
  boost::asio::steady_timer timer_;
  // By the site's name.
  std::map<std::string, Setting, std::less<>> settings_;
  // The last work that was done, and the store's generation then.
  SiteDays removed_;
  uint64_t generation_ = 0;
  // If a part of it failed: when it is done again.
  std::optional<SteadyTime> again_at_;
  LogThrottle error_lines_;
  bool stopped_ = false;
};

}  // namespace viewcount
