// Notices threads that have stopped moving, for /healthz.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "service/base/log_throttle.h"

namespace viewcount {

// Looks at each thread once per interval, on a thread of its own. It counts its own looks and does not compare times,
// so a machine or process that was suspended raises no alarm: the watchdog was suspended too.
//
// Watch before Start. Start and Stop belong to one thread, stuck() to any.
class Watchdog {
 public:
  struct Options {
    std::chrono::milliseconds interval{1'000};
    // A thread that has not moved for so many looks in a row is stuck.
    int looks = 10;
  };
  Watchdog() : Watchdog(Options()) {}
  explicit Watchdog(Options options) : options_(options) {}
  // Stops.
  ~Watchdog() { Stop(); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // A thread that counts its steps: once when it begins a piece of work, once when it ends it. `steps` is odd while it
  // is at work. It is stuck if the number stays the same odd one. Called from the watchdog's thread until Stop.
  void Watch(std::string name, std::function<uint64_t()> steps);
  // The thread of an executor: stuck if it does not run what is posted to it. The executor must last until Stop.
  void Watch(std::string name, boost::asio::any_io_executor executor);

  void Start();
  // A second call does nothing. Afterwards nothing counts as stuck.
  void Stop();

  // Which threads are stuck, and for how long; nothing if all move.
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
  // After Start used by the thread only.
  std::vector<Watched> watched_;
  LogThrottle lines_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::optional<std::string> stuck_;
  std::thread thread_;
};

}  // namespace viewcount
