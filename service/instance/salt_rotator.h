// Keeps the salts under which viewers are hashed. It obtains each salt in time, and deletes each one after its use.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/log_throttle.h"
#include "service/base/mutex.h"
#include "service/sites/site_directory.h"
#include "service/store/salt_store.h"
#include "service/visitors/viewer_salts.h"

namespace viewcount {

// Runs on the store's executor, except SiteChanged, which is thread-safe. The objects that it refers to must outlive
// it. It knows the sites of the directory to which it listens.
class SaltRotator final : public SiteListener {
 public:
  struct Dependencies {
    SaltStore& store;
    const Clock& clock;
    ViewerSalts& salts;
  };
  SaltRotator(const boost::asio::any_io_executor& executor, const Dependencies& parts)
      : parts_(parts), timer_(executor) {}

  // Does the work that is due; if nothing is due, it costs next to nothing.
  //
  // For each site it obtains the salt of the present day. It obtains the salt of the next day from limits::kSaltAhead
  // before midnight on. It obtains the salt of the day before during the first limits::kVisitPause of a day. It removes
  // the salts of earlier days. It removes them from memory even if the store is unavailable.
  //
  // After a reconnect all salts are obtained again. A store that went back in time may have lost them, or may have
  // those of another instance. The stored salt is always the valid one.
  //
  // UNAVAILABLE or DEADLINE_EXCEEDED: a part of the work is not done. An unusable salt is logged, and tried again after
  // limits::kSaltRetryInterval. Until then the viewers of that site cannot be distinguished.
  boost::asio::awaitable<absl::Status> Refresh();

  // Calls Refresh every limits::kSaltInterval until Stop.
  boost::asio::awaitable<void> Run();
  void Stop();

  // Called by any thread.
  void SiteChanged(std::shared_ptr<const Site> site) override;

 private:
  // The conditions under which all work is done until something changes.
  struct Done {
    uint64_t generation = 0;
    uint64_t changes = 0;
    // The period in which nothing becomes due by time alone, in Unix milliseconds; `end_ms` is excluded.
    int64_t begin_ms = 0;
    int64_t end_ms = 0;

    bool Covers(const Done& now) const {
      return generation == now.generation && changes == now.changes && begin_ms <= now.begin_ms &&
             now.begin_ms < end_ms;
    }
  };
  using Sites = std::vector<std::shared_ptr<const Site>>;

  // Returns all sites known at present. Sets `changes` to the number of changes so far.
  Sites AllSites(uint64_t& changes) const;
  boost::asio::awaitable<absl::Status> Obtain(const Sites& sites, int64_t now_ms, bool again);
  boost::asio::awaitable<absl::Status> ObtainOne(const Site& site, uint32_t day, bool again);
  boost::asio::awaitable<absl::Status> Remove(const Sites& sites, int64_t now_ms, bool again);
  // Returns true for an error that passes when the store is available again. Any other error is logged, and the work is
  // tried again later.
  bool ReportUnlessTransient(const absl::Status& status);

  const Dependencies parts_;
  boost::asio::steady_timer timer_;
  Done done_;
  // True if a salt in the store could not be used.
  bool unusable_ = false;
  LogThrottle unusable_lines_;
  // The day before which the store has no salts of a site, by the site's index. 0 if that is not known.
  std::vector<uint32_t> removed_;
  bool stopped_ = false;

  mutable Mutex mutex_;
  // By the site's index. Null if the site is not known yet.
  Sites sites_ ABSL_GUARDED_BY(mutex_);
  uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace viewcount
