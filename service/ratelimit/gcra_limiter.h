// Limits how many events may happen in a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "service/base/clock.h"

namespace viewcount {

// A rate and a burst, by the generic cell rate algorithm (ITU-T I.371). It keeps one time for each budget and needs no
// timer. Const functions are thread-safe; assignment is not.
class GcraLimiter {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  // Allows `count` events in `time` at an even pace. The events of `burst` at that pace may come at once. A count of 0
  // means no limit.
  GcraLimiter(uint32_t count, Nanoseconds time, Nanoseconds burst)
      : cost_ns_(count == 0 ? 0 : time.count() / count), burst_ns_(burst.count()) {}

  bool limits() const { return cost_ns_ != 0; }
  // Returns true if the budget covers `count` more events, and then takes them from it. `whole_at` is the state of the
  // budget, at first 0: the time in nanoseconds at which it will be whole again.
  bool Take(int64_t& whole_at, uint32_t count, SteadyTime now) const {
    const int64_t now_ns = Nanoseconds(now.time_since_epoch()).count();
    const int64_t after = std::max(whole_at, now_ns) + cost_ns_ * count;
    if (after - now_ns > burst_ns_) return false;
    whole_at = after;
    return true;
  }

 private:
  int64_t cost_ns_;
  int64_t burst_ns_;
};

}  // namespace viewcount
