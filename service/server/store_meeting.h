// The part of a start that needs the store. It reads and writes the sites and salts, checks the lanes' identities, and
// brings the views that the store lacks from the journals.
//
// Usually all of this is done before the first view is taken. If the store is unavailable, GoOnWithout allows views,
// and this work continues beside them until the store is available. docs/decisions/start-without-the-store.md
// describes the guarantees until then.
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
#include "service/instance/lane_set.h"
#include "service/instance/salt_rotator.h"
#include "service/instance/site_sync.h"
#include "service/sites/site_directory.h"
#include "service/store/redis/redis_store.h"

namespace viewcount {

// Runs on the store's executor. The objects that it refers to must outlive it, and it must outlive its coroutines.
class StoreMeeting {
 public:
  struct Dependencies {
    RedisStore& store;
    SiteDirectory& sites;
    SiteSync& keeper;
    SaltRotator& salts;
    LaneSet& lanes;
    const Clock& clock;
  };
  struct Options {
    // Sites that are created if they do not exist.
    std::vector<std::string> sites;
    // See Config.
    std::chrono::milliseconds flush_interval{1'000};
    // Called when another process owns a lane. The process must then stop.
    std::function<void(const absl::Status&)> fenced;
  };
  StoreMeeting(Dependencies parts, Options options) : parts_(parts), options_(std::move(options)) {}

  // Connects to the store, obtains sites and salts, and settles the lanes. It repeats attempts as long as waiting may
  // help. Errors: a line that states what an operator must change; CANCELLED.
  //
  // After GoOnWithout it waits for the end of every error except CANCELLED and ABORTED with reason FENCED. Views are
  // safe in the journals meanwhile, and an operator may repair the store.
  boost::asio::awaitable<absl::Status> Prepare();

  // Allows views from now on although Recover has not ended. Sites that are to be created and that no journal names
  // begin with the settings of a new site. Errors: those of Prepare and Recover if they have failed; those of the disk.
  boost::asio::awaitable<absl::Status> GoOnWithout();

  // Waits for Prepare, then compares the journals with the store and begins to flush. Errors are those of Prepare.
  boost::asio::awaitable<absl::Status> Recover(AppliedListener& listener);

  // Ends the running coroutines and waits for their end. It closes the store, unless Recover has ended before.
  boost::asio::awaitable<void> Stop();

 private:
  // Calls `attempt` until it succeeds, or until it fails with an error that waiting does not help.
  template <typename Attempt>
  boost::asio::awaitable<absl::Status> RetryWhileUnavailable(Attempt attempt);
  bool MayPass(const absl::Status& status) const;
  // Logs the reason for the wait, at most once in 10 s.
  void LogWait(const absl::Status& status);
  boost::asio::awaitable<absl::Status> PrepareOnce();

  const Dependencies parts_;
  const Options options_;
  // The results of Prepare and Recover. Empty until they end.
  std::optional<absl::Status> prepared_;
  std::optional<absl::Status> recovered_;
  bool without_ = false;
  bool sites_read_ = false;
  bool stopped_ = false;
  int running_ = 0;
  LogThrottle wait_lines_;
};

}  // namespace viewcount
