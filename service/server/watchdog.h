// Detects threads that make no progress, for /healthz.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "service/base/log_throttle.h"
#include "service/base/mutex.h"

namespace viewcount {

// Checks each thread once per interval, on a thread of its own. It counts its own checks instead of comparing times. So
// a suspended machine or process raises no alarm, because the watchdog was suspended too.
//
// Call Watch before Start. Start and Stop are called by one thread; stuck() is thread-safe.
class Watchdog {
 public:
  struct Options {
    std::chrono::milliseconds interval{1'000};
    // A thread that has made no progress for this many checks in a row is stuck.
    int looks = 10;
  };
  Watchdog() : Watchdog(Options()) {}
  explicit Watchdog(Options options) : options_(options) {}
  // Calls Stop.
  ~Watchdog() { Stop(); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Watches a thread that counts its steps: one when it begins a piece of work and one when it ends it. So `steps` is
  // odd while the thread works. The thread is stuck if the number stays the same odd number. The watchdog's thread
  // calls `steps` until Stop.
  void Watch(std::string name, std::function<uint64_t()> steps);
  // Watches the thread of an executor. It is stuck if it does not run a posted task. The executor must live until Stop.
  void Watch(std::string name, boost::asio::any_io_executor executor);

  void Start();
  // Ends the checks. A second call does nothing. Afterwards no thread counts as stuck.
  void Stop();

  // Returns which threads are stuck, and for how long. Returns nothing if all threads make progress.
  std::optional<std::string> stuck() const;

 private:
  struct Watched {
    std::string name;
    std::function<uint64_t()> steps;
    uint64_t last = 0;
    int looks_without_move = 0;
  };

  void Run();
  void Look();

  const Options options_;
  // Used by the watchdog's thread only after Start.
  std::vector<Watched> watched_;
  LogThrottle lines_;
  mutable Mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<std::string> stuck_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace viewcount
