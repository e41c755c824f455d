// Limits how often a repeating log line is written. Every repeated line of the service goes through this class.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

#include "service/base/clock.h"

namespace viewcount {

inline constexpr std::chrono::seconds kLogRepeatInterval{10};

// Throttles one kind of line; there is one object for each kind. The first line passes immediately, each later one when
// `every` has passed since the last. Thread-safe.
class LogThrottle {
 public:
  explicit LogThrottle(std::chrono::nanoseconds every = kLogRepeatInterval) : every_ns_(every.count()) {}

  // Returns true if the caller must write the line now. `now` is the current time.
  bool Take(SteadyTime now = std::chrono::steady_clock::now()) {
    const int64_t now_ns = std::chrono::nanoseconds(now.time_since_epoch()).count();
    int64_t last_ns = last_ns_.load(std::memory_order_relaxed);
    if (last_ns != kNever && now_ns - last_ns < every_ns_) return false;
    // If several threads come at the same time, one of them writes the line.
    return last_ns_.compare_exchange_strong(last_ns, now_ns, std::memory_order_relaxed);
  }

  // Call this when the fault has passed: the next line then passes immediately. Returns true if a line was written
  // since the last Reset.
  bool Reset() { return last_ns_.exchange(kNever, std::memory_order_relaxed) != kNever; }

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

  const int64_t every_ns_;
  std::atomic<int64_t> last_ns_{kNever};
};

}  // namespace viewcount
