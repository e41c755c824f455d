// How much may come in how long.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "service/base/clock.h"

namespace viewcount {

// So many in a time, and a burst: the generic cell rate algorithm (ITU-T I.371), which keeps one time for each that has
// a budget, and no timer. Changes by assignment only; thread safe otherwise.
class Rate {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  // `count` in `time`, evenly; as much as comes so in `burst` may come at once. A count of 0 is no limit.
  Rate(uint32_t count, Nanoseconds time, Nanoseconds burst)
      : cost_ns_(count == 0 ? 0 : time.count() / count), burst_ns_(burst.count()) {}

  bool limits() const { return cost_ns_ != 0; }
  // Whether so many more are within the budget; takes them from it if so. `whole_at` is what is kept of the budget:
  // when it will be whole again, in nanoseconds, at first 0.
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
