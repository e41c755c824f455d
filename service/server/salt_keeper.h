// Keeps the salts under which viewers are hashed: obtains each in time, and sees to it that none outlives its use.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/log_throttle.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"
#include "service/visitors/viewer_salts.h"

namespace viewcount {

// On the store's executor, but for SiteChanged. What it refers to must outlive it. It knows the sites of the directory
// that it listens to.
class SaltKeeper final : public SiteListener {
 public:
  struct Parts {
    CountStore& store;
    const Clock& clock;
    ViewerSalts& salts;
  };
  SaltKeeper(boost::asio::any_io_executor executor, Parts parts) : parts_(parts), timer_(std::move(executor)) {}

  // Does what is due: obtains the salts of each site's present day, of the day to come from limits::kSaltAhead before
  // midnight on, and of the day before for the first limits::kVisitPause of a day; removes those of earlier days, from
  // memory even if the store is away. After a reconnect all are obtained again, since a store that went back in time
  // may have lost them or have another instance's: what is stored counts. Costs next to nothing when nothing is due.
  // UNAVAILABLE or DEADLINE_EXCEEDED: not all is done. A salt that nobody can use is logged, and tried again after
  // limits::kSaltRetryInterval; until then nobody knows that site's viewers.
  boost::asio::awaitable<absl::Status> Refresh();

  // Refreshes every limits::kSaltInterval until Stop.
  boost::asio::awaitable<void> Run();
  void Stop();

  // From any thread.
  void SiteChanged(std::shared_ptr<const Site> site) override;

 private:
  // The state of things for which everything is done.
  struct Done {
    uint64_t generation = 0;
    uint64_t changes = 0;
    // When something is due by itself (Unix milliseconds).
    int64_t begin_ms = 0;
    int64_t end_ms = 0;

    bool Covers(const Done& now) const {
      return generation == now.generation && changes == now.changes && begin_ms <= now.begin_ms &&
             now.begin_ms < end_ms;
    }
  };
  using Sites = std::vector<std::shared_ptr<const Site>>;

  // All sites known by now, and how often one was changed.
  Sites AllSites(uint64_t& changes) const;
  boost::asio::awaitable<absl::Status> Obtain(const Sites& sites, int64_t now_ms, bool again);
  boost::asio::awaitable<absl::Status> ObtainOne(const Site& site, uint32_t day, bool again);
  boost::asio::awaitable<absl::Status> Remove(const Sites& sites, int64_t now_ms, bool again);
  // True for what passes when the store is back; logs anything else, and has it tried again later.
  bool Passes(const absl::Status& status);

  const Parts parts_;
  boost::asio::steady_timer timer_;
  Done done_;
  // Something in the store could not be used.
  bool unusable_ = false;
  LogThrottle unusable_lines_;
  // Before which day the store has no salts of a site, by its index; 0 if that is not known.
  std::vector<uint32_t> removed_;
  bool stopped_ = false;

  mutable std::mutex mutex_;
  // By index; null where it is not known yet.
  Sites sites_;
  uint64_t changes_ = 0;
};

}  // namespace viewcount
