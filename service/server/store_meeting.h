// The part of a start that needs the store: what must be read from it and written to it, the lanes' identities, and
// what the journals hold that it lacks.
//
// Usually all of that is done before the first view is taken. If the store is away, GoOnWithout lets views in, and the
// meeting goes on beside them until the store has come. docs/decisions/start-without-the-store.md states what is
// promised meanwhile.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "service/base/clock.h"
#include "service/base/log_throttle.h"
#include "service/flush/applied_listener.h"
#include "service/server/lane_set.h"
#include "service/server/salt_keeper.h"
#include "service/server/site_keeper.h"
#include "service/sites/site_directory.h"
#include "service/store/redis/redis_store.h"

namespace viewcount {

// On the store's executor. What it refers to must outlive it, and it its coroutines.
class StoreMeeting {
 public:
  struct Parts {
    RedisStore& store;
    SiteDirectory& sites;
    SiteKeeper& keeper;
    SaltKeeper& salts;
    LaneSet& lanes;
    const Clock& clock;
  };
  struct Options {
    // Created if absent.
    std::vector<std::string> sites;
    // See Config.
    std::chrono::milliseconds flush_interval{1'000};
    // Called when someone else has a lane: the process must stop.
    std::function<void(const absl::Status&)> fenced;
  };
  StoreMeeting(Parts parts, Options options) : parts_(parts), options_(std::move(options)) {}

  // Connects, obtains sites and salts, settles the lanes. Waits as long as that may help. Errors: what an operator must
  // change, in one line; CANCELLED. After GoOnWithout everything but CANCELLED and ABORTED with reason FENCED is waited
  // for: views are safe in the journals, and somebody may put the store right.
  boost::asio::awaitable<absl::Status> Prepare();

  // Lets views be taken from now on though Recover has not ended. Sites that are to be created begin with the settings
  // of a new site if no journal names them. Errors: those of Prepare and Recover if they have failed; the
  // disk's.
  boost::asio::awaitable<absl::Status> GoOnWithout();

  // Waits for Prepare, then brings the journals together with the store and begins to flush. Errors as of Prepare.
  boost::asio::awaitable<absl::Status> Recover(AppliedListener& listener);

  // Ends what is under way, and waits until it has ended. The store is closed by that, unless all has been done.
  boost::asio::awaitable<void> Stop();

 private:
  // Calls `attempt` until it succeeds, or fails in a way that waiting does not help.
  template <typename Attempt>
  boost::asio::awaitable<absl::Status> Insist(Attempt attempt);
  bool MayPass(const absl::Status& status) const;
  // Once in 10 s.
  void LogWait(const absl::Status& status);
  boost::asio::awaitable<absl::Status> PrepareOnce();

  const Parts parts_;
  const Options options_;
  // How Prepare and Recover ended.
  std::optional<absl::Status> prepared_;
  std::optional<absl::Status> recovered_;
  bool without_ = false;
  bool sites_read_ = false;
  bool stopped_ = false;
  int running_ = 0;
  LogThrottle wait_lines_;
};

}  // namespace viewcount
