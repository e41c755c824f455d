// Computes how long to wait before a request is sent again. The delay grows exponentially and has jitter. The jitter
// prevents that all clients return at the same moment after the service was away.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace viewcount::client {

// The delays of one request that is retried. Each such request needs its own Backoff. Not thread-safe.
class Backoff {
 public:
  // `first` is the first base delay and `longest` is the largest one. Requires 0 < `first` <= `longest`.
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : next_(first), longest_(longest), random_(std::random_device{}()) {}

  // Returns the next delay. It lies between half and all of a base, which doubles from `first` to `longest`. The delay
  // is never below `at_least`, the service's request. If that raises it, it lies up to a quarter above `at_least`.
  std::chrono::milliseconds Next(std::chrono::milliseconds at_least) {
    const auto base = next_;
    next_ = std::min(next_ * 2, longest_);
    const auto delay = Between(base / 2, base);
    return delay > at_least ? delay : Between(at_least, at_least + at_least / 4);
  }

 private:
  std::chrono::milliseconds Between(std::chrono::milliseconds low, std::chrono::milliseconds high) {
    return std::chrono::milliseconds(std::uniform_int_distribution<int64_t>(low.count(), high.count())(random_));
  }

  std::chrono::milliseconds next_;
  const std::chrono::milliseconds longest_;
  std::minstd_rand random_;
};

}  // namespace viewcount::client
